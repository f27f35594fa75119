"""``make fuzz COUNT=200000``: as many mutations as wanted, from a seed of one's own, with the figures printed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import (
    Tally,
    fuzz_answers,
    fuzz_baseline,
    fuzz_cells,
    fuzz_small_areas,
    fuzz_tables,
    fuzz_workbooks,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="mutations in all, about")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="for the same mutations again")
    arguments = parser.parse_args()
    count, seed = arguments.count, arguments.seed
    print(f"seed {seed}")
    began = time.perf_counter()
    tallies: list[Tally] = [*fuzz_tables(int(count * 0.9), seed), *fuzz_answers(count // 10, seed)]
    tallies += fuzz_workbooks(max(4, count // 1500), seed)
    tallies += fuzz_cells(count // 20, seed)
    tallies.append(fuzz_small_areas(count // 40, seed))
    with tempfile.TemporaryDirectory() as folder:
        tallies.append(fuzz_baseline(max(10, count // 200), seed, Path(folder)))
    for tally in tallies:
        print(tally)
        for breach in tally.breaches:
            print(f"  {breach}")
    breaches = sum(len(tally.breaches) for tally in tallies)
    done = sum(tally.mutations for tally in tallies)
    print(f"{done:,} mutations in {time.perf_counter() - began:.0f} s, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
