"""Make the tables of docs/studies/errors.md, from the figures shipped with the project and a folder of publishers' files.

Prints them, or puts them in the place of those in a page (--into).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.settings import PROJECT_ROOT
from tools.error_study.study_tables import study, with_tables


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.error_study``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.error_study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        default=PROJECT_ROOT.parent / "shared" / "data",
        metavar="FOLDER",
        help="publishers' files, with els-vintages, els-extra, deprivation and geography (default: ../shared/data)",
    )
    parser.add_argument("--into", type=Path, metavar="PAGE", help="a page to bring up to date")
    arguments = parser.parse_args(argv)
    try:
        tables = study(arguments.source)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except FileNotFoundError as error:
        print(f"error: {error.filename} is missing: give the folder of publishers' files with --from", file=sys.stderr)
        return 1
    if arguments.into:
        page = arguments.into.read_text(encoding="utf-8")
        arguments.into.write_text(with_tables(page, tables), encoding="utf-8")
    else:
        print(*(f"{name}\n\n{table}\n" for name, table in tables.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
