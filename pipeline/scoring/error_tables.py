"""The errors of every indicator as tables: how they run over time, and those of ten-year slopes. Labelled edge (pandas)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.estimation.slopes import SlopeError, fit_wandering, wandering_slope_variance
from pipeline.scoring.cube import Cube, Series
from pipeline.scoring.error_model import KINDS, NONE, SlopeErrors, slope_errors
from pipeline.scoring.gate_table import main_kind
from pipeline.scoring.inputs import IndicatorSpec, read_areas, read_figures
from pipeline.scoring.positions import indicator_series, reliability
from pipeline.scoring.transform import Floats, Slopes, slopes

WINDOW, FEWEST_POINTS = 10, 5
WANDERING = len(KINDS)
DIRECTION_KINDS = (*KINDS, "wandering")
PROCESS_COLUMNS = (
    "indicator_id",
    "error_kind",
    "first_year",
    "last_year",
    "districts_with_error",
    "median_error",
    "new_share",
    "new_share_standard_error",
    "signal_a_year",
    "signal_a_year_standard_error",
    "r_squared",
    "reliability_level",
    "reliability_slope",
    "note",
)
DIRECTION_COLUMNS = ("area_code", "indicator_id", "slope_error", "freedom", "error_kind")


@dataclass(frozen=True)
class ErrorTables:
    """``process``: PROCESS_COLUMNS, one row an indicator. ``direction``: DIRECTION_COLUMNS, one row an area and indicator
    whose ten-year slope to its latest figure has an error, known or from how figures of its kind wander."""

    process: pd.DataFrame
    direction: pd.DataFrame


def error_tables(figures: pd.DataFrame, areas: pd.DataFrame, indicators: Mapping[str, IndicatorSpec]) -> ErrorTables:
    """The errors of all indicators that are better high or better low. Arguments as for ``score_framework``.

    Slopes end with each area's latest figure and need five figures on its basis. Where no error is known, that of a
    slope is how far a series without drift would stray in ten years (`pipeline.estimation.slopes.fit_wandering`).
    Raises ScoringInputError for figures that cannot be scored.
    """
    wanted = tuple(
        str(name) for name in figures["indicator_id"].unique() if name in indicators and indicators[name].polarity
    )
    register = read_areas(areas)
    cube, _ = read_figures("of errors", wanted, None, figures, register, indicators)
    rows, parts = [], []
    for k, name in enumerate(cube.indicator_ids):
        series = indicator_series(cube, k, within_nation=False)
        fit = slopes(series.position, WINDOW, FEWEST_POINTS, 0, series.basis)
        errors = slope_errors(series.errors, fit, WINDOW, cube.is_district)
        rows.append({"indicator_id": name, **_process(cube, series, fit, errors)})
        parts += list(_directions(cube, name, series, fit, errors))
    direction = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(DIRECTION_COLUMNS))
    return ErrorTables(pd.DataFrame(rows, columns=list(PROCESS_COLUMNS)), direction)


def _process(cube: Cube, series: Series, fit: Slopes, of_slopes: SlopeErrors) -> dict[str, Any]:
    """The errors of one series in the latest year of most districts with one; else of those with a figure."""
    errors, districts = series.errors, cube.is_district
    is_known = (errors.kind > NONE) & districts & ~np.isnan(series.position)
    held = is_known if is_known.any() else ~np.isnan(series.position) & districts
    years = np.flatnonzero(held.any(axis=1))
    if not years.size:
        return {"error_kind": KINDS[NONE], "districts_with_error": 0, "note": "no district has a figure"}
    count = held.sum(axis=1)
    row = int(np.flatnonzero(2 * count >= count.max())[-1])
    slope_error = np.where(of_slopes.kind > NONE, np.sqrt(of_slopes.variance), np.nan)
    found = errors.fit
    return {
        "error_kind": KINDS[int(main_kind(errors.kind[row, districts]))],
        "first_year": int(cube.years[years[0]]),
        "last_year": int(cube.years[row]),
        "districts_with_error": int(is_known[row].sum()),
        "median_error": float(np.median(errors.level[row, is_known[row]])) if is_known[row].any() else np.nan,
        "new_share": found.process.new_share if found else np.nan,
        "new_share_standard_error": found.new_share_error if found else np.nan,
        "signal_a_year": found.process.innovation_sd if found else np.nan,
        "signal_a_year_standard_error": found.innovation_sd_error if found else np.nan,
        "r_squared": found.r_squared if found else np.nan,
        "reliability_level": float(reliability(series.position, errors.level, districts)[row]),
        "reliability_slope": float(reliability(fit.slope, slope_error, districts)[row]),
        "note": errors.note or None,
    }


def _directions(cube: Cube, name: str, series: Series, fit: Slopes, known: SlopeErrors) -> Iterator[pd.DataFrame]:
    held = ~np.isnan(series.position)
    latest = np.where(held.any(axis=0), held.shape[0] - 1 - held[::-1].argmax(axis=0), 0)
    at = (latest, np.arange(held.shape[1]))
    has_slope = ~np.isnan(fit.slope[at])
    if not has_slope.any():
        return
    kind, error = known.kind[at], np.sqrt(known.variance[at])
    freedom = np.full(len(kind), np.inf)
    if (has_slope & (kind == NONE)).any():
        wandering = _wandering(series, fit.weights[latest, :, at[1]].T)
        if wandering is not None:
            is_open = has_slope & (kind == NONE) & (wandering[0] > 0)
            kind = np.where(is_open, WANDERING, kind)
            error, freedom = np.where(is_open, wandering[0], error), np.where(is_open, wandering[1], np.inf)
    told = has_slope & (kind > NONE)
    yield pd.DataFrame(
        {
            "area_code": np.array(cube.area_codes, dtype=object)[told],
            "indicator_id": name,
            "slope_error": error[told],
            "freedom": np.where(np.isinf(freedom[told]), np.nan, freedom[told]),
            "error_kind": np.array(DIRECTION_KINDS, dtype=object)[kind[told]],
        }
    ).astype({"area_code": "str", "indicator_id": "str", "error_kind": "str"})


def _wandering(series: Series, weights: Floats) -> tuple[Floats, float] | None:
    """Errors of slopes ([areas]) and their degrees of freedom, from the years on the latest basis; None if too few."""
    on_it = np.where(series.basis == series.basis.max(), series.position, np.nan)
    count = (~np.isnan(on_it)).sum(axis=1)
    rows = np.flatnonzero(2 * count >= count.max())
    try:
        found = fit_wandering(on_it[rows[0] : rows[-1] + 1])
        return np.sqrt(wandering_slope_variance(weights, found)), found.freedom
    except SlopeError:
        return None
