"""The headline scores alone and without draws, as recalculated when two releases are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Flavour, Framework
from pipeline.scoring.flavour import FlavourRun, run_flavour
from pipeline.scoring.frames import node_block
from pipeline.scoring.inputs import Areas, IndicatorSpec, read_areas, read_cube
from pipeline.scoring.output_columns import same, text, whole
from pipeline.scoring.ranks import rank_rows

COLUMNS = ("framework_id", "flavour", "window_years", "node_id", "area_code", "score", "rank")


def headline_scores(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    years: Mapping[tuple[str, int], int],
    *,
    first_year: int = 2009,
) -> pd.DataFrame:
    """Score every node above the indicators in one year of each flavour and window; columns COLUMNS.

    ``years`` gives the year to score for each flavour and window (0 for the level); others are skipped. The scores and
    ranks equal those of ``score_framework`` for the same figures, which a test asserts.
    Raises ScoringInputError for figures that cannot be scored.
    """
    register = read_areas(areas)
    cube, _ = read_cube(framework, figures, register, indicators)
    tables = []
    for window in (None, *framework.windows):
        flavour: Flavour = "level" if window is None else "change"
        year = years.get((flavour, 0 if window is None else window.years))
        if year is None or year not in cube.years:
            continue
        run = run_flavour(framework, cube, flavour, window, first_year=first_year)
        tables.append(_one_year(run, register, int(np.flatnonzero(cube.years == year)[0])))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _one_year(run: FlavourRun, areas: Areas, row: int) -> pd.DataFrame:
    block = node_block(run)
    above = [n for n, kind in enumerate(block.kinds) if kind != "indicator"]
    scores = np.where(areas.is_placed, block.scores[above, row], np.nan)
    ranks = np.full(scores.shape, np.nan)
    ranks[:, areas.is_district] = rank_rows(scores[:, areas.is_district])
    node, area = np.nonzero(~np.isnan(scores))
    rows = len(node)
    return pd.DataFrame(
        {
            "framework_id": same(run.framework.id, rows),
            "flavour": same(run.flavour, rows),
            "window_years": np.full(rows, 0 if run.window is None else run.window.years, dtype="int32"),
            "node_id": text([block.ids[n] for n in above], node),
            "area_code": text(run.cube.area_codes, area),
            "score": scores[node, area],
            "rank": whole(ranks[node, area]),
        },
        columns=list(COLUMNS),
    )
