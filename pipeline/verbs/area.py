"""`python -m pipeline area "Birmingham"`."""

from __future__ import annotations

import argparse

from pipeline.verbs.common import EXIT_OK, VerbError, Verbs, add_verb

ABOUT = """Print one area's profile from the published file: its scores with their uncertainty, its latest
figures beside those of the typical district, and what could not be scored and why.

Give a name or a GSS code; old names and codes find the area they belong to today.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "area", "print a district's profile", ABOUT, run)
    parser.add_argument("name", help='name or GSS code, for example "Birmingham" or E08000025')


def run(arguments: argparse.Namespace) -> int:
    from pipeline.geography import load_register
    from pipeline.geography.errors import GeographyError
    from pipeline.profile import profile_text
    from pipeline.reading import CannotRead
    from pipeline.settings import settings_from_environment

    register = load_register()
    try:
        found = register.find(arguments.name)
        today = register.current_codes(found.code) or [found.code]
        texts = [profile_text(settings_from_environment().database, code) for code in today]
    except (GeographyError, CannotRead) as error:
        raise VerbError(str(error)) from error
    print("\n\n".join(texts))
    return EXIT_OK
