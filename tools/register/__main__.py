"""Rewrite the register of areas (pipeline/geography/facts) from publishers' files in a folder.

Maintainers run this to adopt a publisher's list of changes. A single reorganisation is added by hand: a row in
areas.csv, and one in changes.csv for each predecessor.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.register.build_register import write_facts


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``python -m tools.register``."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.register", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER", help="publishers' files")
    source = parser.parse_args(argv).source
    if not source.is_dir():
        print(f"error: {source} is not a folder", file=sys.stderr)
        return 1
    try:
        written = write_facts(source)
    except FileNotFoundError as error:
        print(
            f"error: {error.filename} is missing: pipeline/geography/facts/README.md lists the files", file=sys.stderr
        )
        return 1
    print(*(path.name for path in written), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
