"""``make bench``: run every benchmark and print what it measured against what is asked for.

A benchmark is a module ``bench_*.py`` of this folder whose ``main()`` returns measures. Name some to run only those:
``python -m benchmarks sources``. Exits 1 where a measure falls short of its target.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.measure import Measure


def main(names: list[str]) -> int:
    found = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    if unknown := sorted(set(names) - set(found)):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    measures: list[Measure] = []
    for name in names or found:
        print(f"running {name} ...", file=sys.stderr, flush=True)
        measures += importlib.import_module(f"benchmarks.bench_{name}").main()
    width = max((len(measure.name) for measure in measures), default=0)
    for measure in measures:
        print(f"{measure.name:<{width}}  {measure.value:>14,.4g} {measure.unit:<16} {measure.verdict}")
    return int(any(measure.falls_short for measure in measures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
