"""`python -m pipeline score`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb, read_csv, write_csv

if TYPE_CHECKING:
    import pandas as pd

MOST_REASONS = 20
FEWEST_DRAWS = 20  # one in twenty lies beyond each end of a 90% interval

ABOUT = """Score any areas with any framework, for one period. Values are used as they are given.

VALUES is a CSV file with the columns area_code, indicator_id, value and, if errors are known,
standard_error. The result has a row for every area and node: area_code, node_id, depth, score and
rank (1 is best, ties share the better rank). With errors it also has score_lower, score_upper,
rank_lower and rank_upper (90%). If something cannot be scored, it has no score and the reason is
printed. docs/methodology.md, section 10, describes the framework file.

  python -m pipeline score --values values.csv --framework framework.yaml --out scores.csv
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "score", "score any table of areas with any framework", ABOUT, run)
    parser.add_argument("--values", type=Path, required=True, metavar="FILE", help="CSV file of values")
    parser.add_argument(
        "--framework", required=True, metavar="FILE", help="framework file (YAML), or the id of a shipped framework"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")
    parser.add_argument("--draws", type=int, default=2000, metavar="N", help="draws for the intervals (default 2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the draws (default 1)")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue.frameworks import load_framework
    from pipeline.scoring import score_table, why_not_scored

    for option in ("draws", "seed"):
        if getattr(arguments, option) < 0:
            raise VerbError(f"--{option} must be 0 or more")
    if 0 < arguments.draws < FEWEST_DRAWS:
        raise VerbError(
            f"--draws {arguments.draws} are too few for 90% intervals: 0 for none, or {FEWEST_DRAWS} and more"
        )
    framework = load_framework(arguments.framework)
    values = read_csv(arguments.values, numbers=("value", "standard_error"))
    scores = score_table(values, framework, draws=arguments.draws, seed=arguments.seed)
    reasons = why_not_scored(values, framework) if scores["score"].isna().any() else None
    write_csv(scores, arguments.out)
    print(f"{len(scores):,} rows written to {arguments.out}")
    if reasons is not None:
        print("\n".join(_not_scored(reasons, areas=scores["area_code"].nunique())))
    return EXIT_OK


def _not_scored(reasons: pd.DataFrame, areas: int) -> list[str]:
    """One line for each reason, with how many areas it is about, or the one it is about."""
    lines = []
    for reason, rows in reasons.groupby("reason", sort=False):
        codes = rows["area_code"]
        about = "all areas" if len(codes) == areas else codes.iloc[0] if len(codes) == 1 else f"{len(codes):,} areas"
        lines.append(f"  {reason} ({about})")
    hidden = len(lines) - MOST_REASONS
    return ["Not scored:", *lines[:MOST_REASONS], *([f"  and {hidden:,} more reasons"] if hidden > 0 else [])]
