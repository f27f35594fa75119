"""`python -m pipeline docs`."""

from __future__ import annotations

import argparse

from pipeline.verbs.common import EXIT_OK, VerbError, Verbs, add_verb

ABOUT = """Renew the generated parts of README.md from the published file and the declaration of the tables.

Run it after a change of figures, scores or tables; a test fails while README.md is out of date.
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "docs", "renew the generated parts of README.md", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue import load_catalogue
    from pipeline.geography import load_register
    from pipeline.marts.declaration import declared_tables
    from pipeline.profile import profile_text
    from pipeline.reading import CannotRead
    from pipeline.readme import EXAMPLE_AREA, renew
    from pipeline.settings import PROJECT_ROOT, settings_from_environment

    try:
        profile = profile_text(settings_from_environment().database, load_register().find(EXAMPLE_AREA).code)
    except CannotRead as error:
        raise VerbError(str(error)) from error
    changed = renew(PROJECT_ROOT / "README.md", profile, declared_tables(load_catalogue().indicators))
    print("README.md renewed" if changed else "README.md was up to date")
    return EXIT_OK
