"""`python -m pipeline report`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Build the report from the published file: a site of plain files that opens from disk and from any web host.

  python -m pipeline report                      # in data/marts/report; open index.html there
  python -m pipeline report --out public         # in a folder of your own, for a web host
  python -m pipeline serve                       # view it through a web server on this machine

The new site is built beside the old one and replaces it once complete. The map draws districts as tiles. It also draws
real boundaries if `python -m pipeline geography --boundaries` has saved them beside the published file.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "report", "build the report site from the published file", ABOUT, run)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the site (default: report beside the file)")
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="published file (default: the one in the data folder)"
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.report.site import build_site
    from pipeline.settings import PROJECT_ROOT, settings_from_environment

    database = arguments.file or settings_from_environment().database
    out = (arguments.out or database.parent / "report").resolve()
    methodology = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    try:
        built = build_site(database, out, methodology=methodology)
    except OSError as error:
        raise VerbError(f"the report cannot be written to {out}: {error.strerror or error}") from error
    if built.note:
        print(f"Note: {built.note}.", file=sys.stderr)
    print(f"{built.pages:,} pages, {built.files:,} files, {built.size / 1e6:.0f} MB. Open {out / 'index.html'}")
    return EXIT_OK
