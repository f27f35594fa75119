"""What was scored and on which base, as tables. Part of the labelled edge (pandas)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.scoring.error_model import KINDS, NONE
from pipeline.scoring.flavour import FlavourRun, GateDecision
from pipeline.scoring.inputs import Areas
from pipeline.scoring.output_columns import same, text, window_column
from pipeline.scoring.transform import Ints, nanmedian_rows


def gate_table(run: FlavourRun, first_year: int) -> pd.DataFrame:
    """One row an indicator, flavour, window and year: its reliability, the decision, and the evidence.

    ``reliability`` is the year's, ``reliability_deciding`` the median over the years that the gate considers.
    ``districts_with_error`` have an error of a known kind; ``error_kind`` is that of most of them. ``yearly_volatility`` is
    the drift that a carried figure gets. ``new_share`` is the share of the error variance that is new each year.
    """
    kept = slice(max(0, run.cube.year_row(first_year)), None)
    years = run.cube.years[kept]
    district = run.cube.is_district
    leaves = np.repeat(np.arange(len(run.gates)), len(years))
    rows = len(leaves)
    return pd.DataFrame(
        {
            "framework_id": same(run.framework.id, rows),
            "flavour": same(run.flavour, rows),
            "window_years": window_column(run.window, rows),
            "indicator_id": text([leaf.id for leaf in run.all_leaves.leaves], leaves),
            "year": np.tile(years, len(run.gates)).astype("int32"),
            "reliability": np.concatenate([gate.yearly[kept] for gate in run.gates]),
            "reliability_deciding": np.array([gate.reliability for gate in run.gates])[leaves],
            "is_scored": np.array([gate.is_scored and gate.has_figures for gate in run.gates])[leaves],
            "reason": text([_gate_reason(run, gate) for gate in run.gates], leaves),
            "districts": (~np.isnan(run.positions.used[:, kept]) & district).sum(axis=2).reshape(-1).astype("int32"),
            "districts_with_error": (run.positions.has_known_error[:, kept] & district)
            .sum(axis=2)
            .reshape(-1)
            .astype("int32"),
            "error_kind": text(KINDS, main_kind(run.positions.kind[:, kept][..., district]).reshape(-1)),
            "yearly_volatility": nanmedian_rows(run.positions.volatility[:, district])[leaves],
            "new_share": run.positions.new_share[leaves],
        }
    )


def main_kind(kind: Ints) -> Ints:
    """The most frequent kind of known error: [..., areas] -> [...], positions in KINDS; 0 (none) where none is known."""
    counts = np.array([(kind == number).sum(axis=-1) for number in range(1, len(KINDS))])
    return np.where(counts.any(axis=0), 1 + counts.argmax(axis=0), NONE)


def _gate_reason(run: FlavourRun, gate: GateDecision) -> str:
    if gate.reason:
        return gate.reason
    if not gate.has_figures:
        k = run.cube.index(run.all_leaves.leaves[gate.leaf].id)
        if run.window is None or k is None or np.isnan(run.cube.values[k]).all():
            return "no figures are held"
        return f"no district has {run.window.min_points} figures in {run.window.years} years"
    return "scored" if not np.isnan(gate.reliability) else "scored; no margin of error is held here to judge it by"


def base_table(run: FlavourRun, areas: Areas) -> pd.DataFrame:
    """One row an indicator, flavour and window (and nation, if nations are separate): its frozen base."""
    return pd.DataFrame(
        {
            "framework_id": run.framework.id,
            "indicator_id": [run.all_leaves.leaves[base.leaf].id for base in run.bases],
            "flavour": run.flavour,
            "window_years": window_column(run.window, len(run.bases)),
            "nation_code": text(areas.nation_codes, np.array([base.nation for base in run.bases], dtype=int)),
            "base_year_used": pd.array([base.year if base.year else pd.NA for base in run.bases], dtype="Int32"),
            "last_base_year_used": pd.array([base.last_year or pd.NA for base in run.bases], dtype="Int32"),
            "median": [base.median for base in run.bases],
            "mad": [base.mad for base in run.bases],
            "spread": [base.spread for base in run.bases],
            "districts": np.array([base.districts for base in run.bases], dtype="int32"),
        }
    )
