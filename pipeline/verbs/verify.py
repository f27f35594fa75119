"""`python -m pipeline verify`."""

from __future__ import annotations

import argparse

from pipeline.verbs.common import EXIT_OK, VerbError, Verbs, add_verb

ABOUT = """Rehash everything held: every snapshot against its sidecar, every shipped figure against the manifest.

Prints what was checked. Exits 1 and names each file that is not what it was when it was stored.
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "verify", "prove that snapshots and shipped figures are unchanged", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.raw import RawStore
    from pipeline.settings import settings_from_environment
    from pipeline.sources.base import SourceError
    from pipeline.sources.baseline import Baseline

    settings = settings_from_environment()
    count, problems = RawStore(settings.raw_dir).verify()
    baseline = Baseline(settings.baseline_dir)
    try:
        problems += baseline.verify()
        shipped = len(baseline.entries)
    except SourceError as error:
        raise VerbError(str(error)) from error
    if problems:
        raise VerbError("\n".join(problems))
    print(f"{count} snapshots and {shipped} shipped files are whole.")
    return EXIT_OK
