"""Confidence sets for the ranks of composite scores as a table. Labelled edge (pandas)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.scoring.flavour import FlavourRun
from pipeline.scoring.output_columns import same, text, window_column
from pipeline.scoring.simulate import RANK_SET_COVERAGE, SimulationResult

COMPOSITE_RANK_COLUMNS = (
    "area_code",
    "framework_id",
    "flavour",
    "window_years",
    "year",
    "node_id",
    "coverage",
    "set_lower",
    "set_upper",
)


def composite_rank_table(run: FlavourRun, drawn: SimulationResult) -> pd.DataFrame:
    """COMPOSITE_RANK_COLUMNS: a row a scored district and node with children, in the latest year; none without draws.

    ``set_lower`` and ``set_upper``: the best and the worst rank in the set (`rank_sets.rank_sets_of_draws`).
    """
    parts = []
    for (row, b), sets in drawn.rank_sets.items():
        area = np.flatnonzero(~np.isnan(sets.lower))
        parts.append(
            pd.DataFrame(
                {
                    "area_code": text(run.cube.area_codes, area),
                    "framework_id": same(run.framework.id, len(area)),
                    "flavour": same(run.flavour, len(area)),
                    "window_years": window_column(run.window, len(area)),
                    "year": np.int32(run.cube.years[row]),
                    "node_id": same(run.plan.branches[b].id, len(area)),
                    "coverage": RANK_SET_COVERAGE,
                    "set_lower": sets.lower[area].astype("int32"),
                    "set_upper": sets.upper[area].astype("int32"),
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=list(COMPOSITE_RANK_COLUMNS))
    return pd.concat(parts, ignore_index=True)
