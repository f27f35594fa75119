"""``python -m tests.standin --port 8123``: run the stand-in by itself and print what to set to use it."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from tests.standin.faults import NAMES
from tests.standin.server import StandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--data", type=Path, help="a folder like ../shared/data (default: that one, else the baseline)")
    parser.add_argument("--els-generation", choices=("A", "B"), default="B")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=PATTERN]",
        help=f"switch a fault on for paths that match; names: {', '.join(sorted(NAMES))}",
    )
    arguments = parser.parse_args()
    faults = {name: pattern for name, _, pattern in (text.partition("=") for text in arguments.fault)}
    with StandIn(
        arguments.data, els_generation=arguments.els_generation, faults=faults, port=arguments.port
    ) as standin:
        for variable, url in standin.environment.items():
            print(f"export {variable}={url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{standin.count()} requests answered")


if __name__ == "__main__":
    main()
