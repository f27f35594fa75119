"""How every indicator moved: slopes and 1, 5 and 10-year differences with intervals. Part of the labelled edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from pipeline.catalogue.frameworks import Window
from pipeline.scoring.columns import concat, same, text
from pipeline.scoring.inputs import Areas
from pipeline.scoring.positions import (
    Series,
    believable_share,
    deciding_reliability,
    indicator_series,
    reliability,
    reliability_shares,
)
from pipeline.scoring.run import FlavourRun, leaf_polarity
from pipeline.scoring.transform import Floats, difference, expected_scatter_variance, slopes

CHANGE_COLUMNS = (
    "area_code",
    "framework_id",
    "indicator_id",
    "measure",
    "window_years",
    "year",
    "change",
    "change_lower",
    "change_upper",
    "change_standard_error",
    "change_in_value",
    "probability_improved",
    "reliability",
    "is_scored",
)
DIFFERENCE_YEARS = (1, 5, 10)
HALF_WIDTH = float(norm.ppf(0.95))  # of a 90% interval, in standard errors


def change_table(runs: Sequence[FlavourRun], areas: Areas, first_year: int, rho: float) -> pd.DataFrame:
    """CHANGE_COLUMNS: a row for each area, indicator, measure ('slope' or 'difference'), window and year.

    ``change`` is of the relative position: logarithmic points for money and ratios, points otherwise, per year
    for a slope and over the whole window for a difference. ``change_in_value`` is of the figure itself (percent,
    or points; null for slopes). Intervals are 90% and null where no error is published; ``probability_improved``
    is the probability that the area gained on the typical district. Only differences of published figures: never
    of carried ones.
    """
    tables = []
    for run in runs:
        if run.window is not None:
            tables += [_slope_rows(run, areas, first_year, leaf) for leaf in range(len(run.all_leaves.leaves))]
    level = next((run for run in runs if run.window is None), None)
    if level is not None:
        tables += [
            _difference_rows(level, areas, first_year, leaf, years, rho)
            for leaf in range(len(level.all_leaves.leaves))
            for years in DIFFERENCE_YEARS
        ]
    tables = [table for table in tables if len(table)]
    return concat(tables, CHANGE_COLUMNS)


def _slope_rows(run: FlavourRun, areas: Areas, first_year: int, leaf: int) -> pd.DataFrame:
    gate = run.gates[leaf]
    return _rows(
        run, areas, first_year, leaf, "slope", run.window.years if run.window else 0,
        run.positions.own[leaf], run.positions.error[leaf], np.full(run.positions.own[leaf].shape, np.nan),
        gate.yearly, gate.is_scored,
    )  # fmt: skip


def _difference_rows(
    run: FlavourRun, areas: Areas, first_year: int, leaf: int, years_apart: int, rho: float
) -> pd.DataFrame:
    k = run.cube.index(run.all_leaves.leaves[leaf].id)
    if k is None:
        return pd.DataFrame()
    within_nation = run.all_leaves.leaves[leaf].reference.standardise_within == "nation"
    series = indicator_series(run.cube, k, within_nation=within_nation)
    change, variance = difference(series.position, series.error, years_apart, rho)
    for_reliability, for_interval = _believable_shares(series, run, variance, years_apart, rho)
    error = np.sqrt(variance * for_interval)
    yearly = reliability(change, np.sqrt(variance * for_reliability[:, None]), run.cube.is_district)
    now, then = run.cube.values[k], np.full(change.shape, np.nan)
    if years_apart < len(then):
        then[years_apart:] = now[:-years_apart]
    in_value = (now / then - 1) * 100 if run.cube.is_log[k] else now - then
    start = max(0, run.cube.year_row(first_year))
    deciding = deciding_reliability(yearly[start:])
    least = run.framework.gate.min_reliability if run.framework.gate else -np.inf
    return _rows(
        run, areas, first_year, leaf, "difference", years_apart, change, error, in_value, yearly, not deciding < least
    )


def _believable_shares(
    series: Series, run: FlavourRun, variance: Floats, years_apart: int, rho: float
) -> tuple[Floats, float]:
    """Shares of the published error variance of a difference that the scatter about long trends leaves room for.

    The first as reliability sees it (at worst two independent errors of the scatter's size), the second for
    intervals; see ``positions.reliability_shares`` and ``believable_share``.
    """
    window = max(run.framework.windows, key=lambda w: w.years, default=Window(years=max(3, years_apart), min_points=3))
    fit = slopes(series.position, window.years, window.min_points, 0)
    twice = 2 * fit.scatter_variance * fit.sum_squares
    expected = expected_scatter_variance(series.position, series.error, fit, rho)
    expected = np.where(np.isnan(series.error), np.nan, expected)
    believable = believable_share(expected, fit.scatter_variance, run.cube.is_district)
    return reliability_shares(believable, variance, twice, run.cube.is_district), believable


def _rows(
    run: FlavourRun, areas: Areas, first_year: int, leaf: int, measure: str, years_apart: int,
    change: Floats, error: Floats, in_value: Floats, yearly: Floats, is_scored: bool,
) -> pd.DataFrame:  # fmt: skip
    start = max(0, run.cube.year_row(first_year))
    year, area = np.nonzero(~np.isnan(change[start:]) & areas.is_placed)
    row = year + start
    moved, sd = change[row, area], error[row, area]
    gained = leaf_polarity(run.cube, run.all_leaves, leaf) * moved
    with np.errstate(divide="ignore", invalid="ignore"):
        improved = np.where(sd > 0, norm.cdf(gained / sd), np.where(gained == 0, 0.5, gained > 0))
    return pd.DataFrame(
        {
            "area_code": text(run.cube.area_codes, area),
            "framework_id": same(run.framework.id, len(area)),
            "indicator_id": same(run.all_leaves.leaves[leaf].id, len(area)),
            "measure": same(measure, len(area)),
            "window_years": np.full(len(area), years_apart, dtype="int32"),
            "year": run.cube.years[row].astype("int32"),
            "change": moved,
            "change_lower": moved - HALF_WIDTH * sd,
            "change_upper": moved + HALF_WIDTH * sd,
            "change_standard_error": sd,
            "change_in_value": in_value[row, area],
            "probability_improved": np.where(np.isnan(sd), np.nan, improved),
            "reliability": yearly[row],
            "is_scored": np.full(len(area), is_scored),
        },
        columns=list(CHANGE_COLUMNS),
    )
