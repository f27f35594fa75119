"""Make the tables of docs/studies/modelled.md, from the figures of a published file.

Prints them, or puts them in the place of those in a page (--into).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.settings import PROJECT_ROOT, Settings
from tools.error_study.study_tables import with_tables
from tools.model_study.model_study_tables import study


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.model_study``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.model_study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--file",
        type=Path,
        default=Settings(PROJECT_ROOT / "data").database,
        metavar="FILE",
        help="a published file (default: the live one)",
    )
    parser.add_argument("--into", type=Path, metavar="PAGE", help="a page to bring up to date")
    arguments = parser.parse_args(argv)
    if not arguments.file.exists():
        print(f"error: {arguments.file.name} is missing: run python -m pipeline refresh first", file=sys.stderr)
        return 1
    try:
        tables = study(arguments.file)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.into:
        page = arguments.into.read_text(encoding="utf-8")
        arguments.into.write_text(with_tables(page, tables), encoding="utf-8")
    else:
        print(*(f"{name}\n\n{table}\n" for name, table in tables.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
