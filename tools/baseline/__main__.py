"""Write the figures shipped with the project (data/raw/baseline) from publishers' files in a folder.

Maintainers run this to ship new editions. pipeline/catalogue/baseline.yaml says which file each indicator is read from.
The same files give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.errors import PipelineError
from pipeline.settings import BASELINE_DIR
from tools.baseline.build_baseline import build_baseline


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.baseline``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.baseline", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER", help="publishers' files")
    parser.add_argument(
        "--to", type=Path, default=BASELINE_DIR, metavar="FOLDER", help="where to write (default: data/raw/baseline)"
    )
    arguments = parser.parse_args(argv)
    if not arguments.source.is_dir():
        print(f"error: {arguments.source} is not a folder", file=sys.stderr)
        return 1
    try:
        report = build_baseline(arguments.source, arguments.to, load_catalogue())
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for file in report.files:
        print(f"{file.file}: {file.row_count:,} figures, {file.rows_set_aside:,} rows set aside, {file.edition}")
    for row in report.set_aside.itertuples():
        print(
            f"set aside: {row.indicator} ({row.part}), row {row.source_row}, {row.area_code} {row.period}: {row.reason}"
        )
    print(f"{report.row_count:,} figures in {len(report.files)} files, {report.byte_count:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
