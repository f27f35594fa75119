"""`python -m pipeline register`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Write the register of areas (pipeline/geography/facts) anew from publishers' files in a folder.

Maintainers run this when a publisher's list of changes is to be taken over; a single reorganisation
is added by hand, a row in areas.csv and one in changes.csv for each predecessor.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "register", "write the register of areas anew (maintainers)", ABOUT, run)
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FOLDER", help="folder of publishers' files"
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.geography.build_register import write_facts

    if not arguments.source.is_dir():
        raise VerbError(f"{arguments.source} is not a folder")
    try:
        written = write_facts(arguments.source)
    except FileNotFoundError as error:
        raise VerbError(f"{error.filename} is missing: pipeline/geography/facts/README.md lists the files") from error
    print(*(path.name for path in written), sep="\n")
    return EXIT_OK
