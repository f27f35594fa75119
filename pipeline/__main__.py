"""``python -m pipeline``."""

import sys

from pipeline.stopping import stoppable


def main() -> int:
    from pipeline.cli import main  # only here, so that it can be stopped while it is imported

    return main()


if __name__ == "__main__":
    sys.exit(stoppable(main))
