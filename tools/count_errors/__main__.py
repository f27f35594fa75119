"""Write the errors of deprivation within districts (pipeline/catalogue/count_errors.csv) from the publishers' files.

Maintainers run this when the figures of an index that ship with the project change. The same files give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.catalogue.shipped_count_errors import COUNT_ERRORS
from pipeline.errors import PipelineError
from tools.count_errors.build_count_errors import write_count_errors


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.count_errors``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.count_errors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER", help="publishers' files")
    parser.add_argument(
        "--to", type=Path, default=COUNT_ERRORS, metavar="FILE", help="where to write (default: in the catalogue)"
    )
    arguments = parser.parse_args(argv)
    try:
        rows = write_count_errors(arguments.source, arguments.to)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{rows} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
