"""`python -m pipeline ranks`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb, read_csv, write_csv

ABOUT = """Rank areas on one estimate, with confidence sets that say how sure each rank is.

ESTIMATES is a CSV file with the columns area_code, estimate and standard_error; higher is better. The
result has area_code, rank, rank_lower and rank_upper. Without --simultaneous, each area's set contains
its own true rank with the given coverage. With it, all sets contain theirs at once. Method: Mogstad,
Romano, Shaikh and Wilhelm, Inference for Ranks (Review of Economic Studies 91, 2024).

  python -m pipeline ranks --estimates estimates.csv --coverage 0.95 --out ranks.csv
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "ranks", "rank areas on one estimate, with confidence sets", ABOUT, run)
    parser.add_argument("--estimates", type=Path, required=True, metavar="FILE", help="CSV file of estimates")
    parser.add_argument("--coverage", type=float, default=0.95, metavar="P", help="coverage of the sets (default 0.95)")
    parser.add_argument(
        "--simultaneous",
        action="store_true",
        help="make the coverage apply to all sets at once, not to each separately",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.scoring import rank_table

    estimates = read_csv(arguments.estimates, numbers=("estimate", "standard_error"))
    ranks = rank_table(estimates, coverage=arguments.coverage, simultaneous=arguments.simultaneous)
    write_csv(ranks, arguments.out)
    print(f"{len(ranks):,} rows written to {arguments.out}")
    return EXIT_OK
