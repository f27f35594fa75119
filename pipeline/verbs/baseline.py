"""`python -m pipeline baseline`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.settings import BASELINE_DIR
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Write the figures shipped with the project, from publishers' files in a folder.

Maintainers run this when new editions are to be shipped; catalogue/baseline.yaml says which file
each indicator is read from. The same files give the same bytes.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "baseline", "write the figures shipped with the project (maintainers)", ABOUT, run)
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FOLDER", help="folder of publishers' files"
    )
    parser.add_argument(
        "--to", type=Path, default=BASELINE_DIR, metavar="FOLDER", help="where to write (default: data/raw/baseline)"
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.baseline_build import build_baseline
    from pipeline.catalogue import load_catalogue

    if not arguments.source.is_dir():
        raise VerbError(f"{arguments.source} is not a folder")
    report = build_baseline(arguments.source, arguments.to, load_catalogue())
    print(report)
    return EXIT_OK
