"""`python -m pipeline briefing "Preston"`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Write a briefing on one area as a two-page A4 PDF: the area's page of the report, printed with headless Chromium.

  python -m pipeline briefing "Preston"
  python -m pipeline briefing W06000015 --out cardiff.pdf

Chromium or Google Chrome must be installed: on Debian and Ubuntu, `apt-get install chromium`. If it is not found, set
IG_CHROMIUM to its path.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "briefing", "write a two-page PDF on one area", ABOUT, run)
    parser.add_argument("name", help='name or GSS code, for example "Preston" or E07000123')
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="PDF to write (default: briefing-<code>.pdf in this folder)"
    )
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="published file (default: the one in the data folder)"
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.geography import load_register
    from pipeline.report.briefing import write_briefing
    from pipeline.settings import settings_from_environment

    database = arguments.file or settings_from_environment().database
    try:
        register = load_register()
        found = register.find(arguments.name)
        today = register.current_codes(found.code) or [found.code]
        if len(today) > 1:
            raise VerbError(f"{found.name} is {len(today)} areas today ({', '.join(today)}); give one of them")
        out = arguments.out or Path(f"briefing-{today[0]}.pdf")
        name, pages = write_briefing(database, today[0], out.resolve())
    except OSError as error:
        raise VerbError(f"the briefing cannot be written: {error.strerror or error}") from error
    print(f"{name}: {out} ({pages} pages)")
    return EXIT_OK
