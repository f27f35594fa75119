"""`python -m pipeline audit`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import EXIT_FAILED, EXIT_OK
from pipeline.verbs.common import Verbs, add_verb, write_csv

if TYPE_CHECKING:
    import pandas as pd

ABOUT = """Audit a framework on the published figures: does any part count the same thing as another, or its opposite?

A framework fails if two of its pillars, or a pillar and an indicator of another domain, have a rank correlation above
0.7 across domains or 0.8 within one, unless the framework file says why (audit: notes:). The exit code is then 1.

FRAMEWORK is the id of a shipped framework (shared_growth, jrf_monitor) or the path of your own file with a base_year.

  python -m pipeline audit shared_growth
  python -m pipeline audit my_framework.yaml --out audit.csv
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "audit", "say whether a framework counts anything twice, or against itself", ABOUT, run)
    parser.add_argument("framework", help="id of a shipped framework, or a framework file (YAML)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="CSV file to write, with every statistic")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.scoring import audit_table
    from pipeline.verbs.published_figures import framework_and_figures

    framework, figures, areas, specs = framework_and_figures(arguments.framework)
    table = audit_table(framework, figures, areas, specs)
    if arguments.out is not None:
        write_csv(table, arguments.out)
    print("\n".join(_lines(framework.title or framework.id, table)))
    return EXIT_FAILED if table["is_failure"].any() else EXIT_OK


def _lines(title: str, table: pd.DataFrame) -> list[str]:
    failures = int(table["is_failure"].sum())
    lines = [f"{title}: {f'fails, by {failures} of its correlations' if failures else 'passes'}"]
    table = table.assign(window_years=table["window_years"].fillna(0))
    judged = table[table["limit"].notna() | (table["statistic"] == "unneeded_note")]
    lines += [_told(row) for _, row in judged[judged["is_flagged"]].iterrows()]
    lines.append(f"  {int((~judged['is_flagged']).sum())} more correlations are within their limits")
    for _, mine in table.groupby(["flavour", "window_years"], sort=False):
        view = _view(mine["flavour"].iloc[0], mine["window_years"].iloc[0])
        lines += ["", *_weights(view, mine), *_ends(mine), *_moves(mine)]
    return lines


def _view(flavour: str, window: int) -> str:
    return f"{flavour} over {window} years" if window else flavour


def _told(row: pd.Series[Any]) -> str:
    value = "not known" if math.isnan(row["value"]) else f"{row['value']:+.2f}"
    where = f"{_view(row['flavour'], row['window_years'])}, {row['year']}"
    return f"  {where}: {row['member_id']} and {row['other_id']}, rank correlation {value}: {row['note']}"


def _weights(view: str, mine: pd.DataFrame) -> list[str]:
    weights = mine[mine["statistic"].isin(["effective_weight", "mean_weight"])]
    latest = weights[weights["year"] == weights["year"].max()]
    if latest.empty:
        return [view]
    shares = latest.pivot_table(index="member_id", columns="statistic", values="value", sort=False)
    lines = [f"{view}, {latest['year'].iloc[0]}: share of the index's variance, and weight"]
    lines += [f"    {name:<34}{round(own, 2) + 0.0:>5.0%}  {weight:>4.0%}" for name, own, weight in shares.itertuples()]
    return lines


def _ends(mine: pd.DataFrame) -> list[str]:
    words = {"share_at_bottom": "bottom", "share_at_top": "top"}
    ends = mine[mine["statistic"].isin(list(words)) & (mine["value"] > 0)]
    told = [f"{row['node_id']} {row['value']:.1%} at the {words[row['statistic']]}" for row in ends.to_dict("records")]
    return [f"  at an end of the scale: {', '.join(told)}"] if told else []


def _moves(mine: pd.DataFrame) -> list[str]:
    moves = mine.set_index("statistic")["value"]
    if "rank_move_arithmetic_geometric_median" not in moves.index:
        return []
    median, largest = (moves[f"rank_move_arithmetic_geometric_{size}"] for size in ("median", "largest"))
    floor = moves["rank_move_floor_of_a_tenth_largest"]
    told = f"  arithmetic and geometric means rank a district {median:.0f} places apart (median), {largest:.0f} at most"
    return [f"{told}; a floor of a tenth of the scale moves one by {floor:.0f} at most"]
