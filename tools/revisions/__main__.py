"""Write the errors of output and household income (pipeline/catalogue/revision_errors.csv) from a folder of editions.

Maintainers run this when an edition has been added. The same editions give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.catalogue.shipped_revision_errors import REVISION_ERRORS
from pipeline.errors import PipelineError
from tools.revisions.build_revisions import write_revision_errors


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.revisions``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.revisions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER", help="editions")
    parser.add_argument(
        "--to", type=Path, default=REVISION_ERRORS, metavar="FILE", help="where to write (default: in the catalogue)"
    )
    arguments = parser.parse_args(argv)
    try:
        rows = write_revision_errors(arguments.source, arguments.to)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{rows} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
