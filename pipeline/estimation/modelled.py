"""Survey series with borrowed strength, as tables: levels, changes, the models behind them and their correlations.

The published figure keeps its own column. A model that fails, or in which the survey itself counts for too little, gives
no figure; its row says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd

from pipeline.estimation.arrays import Floats
from pipeline.estimation.decision import PUBLISHED, decide, need_numbers
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.modelled_change import change_rows
from pipeline.estimation.modelled_columns import (
    CHANGE_COLUMNS,
    CORRELATION_COLUMNS,
    LEVEL_COLUMNS,
    MODEL_COLUMNS,
    Row,
    frame,
    level_rows,
    model_row,
    refused_row,
)
from pipeline.estimation.one_thread import one_thread
from pipeline.estimation.rao_yu_prediction import Predictions
from pipeline.estimation.series import Series, SeriesSpec, read_series
from pipeline.estimation.series_benchmark import Agreed, agree
from pipeline.estimation.series_diagnostics import correlations, coverage_left_out, narrowing_of, residuals
from pipeline.estimation.series_model import (
    Window,
    apply_window,
    fit_window,
    level_columns,
    model_columns,
    predict_newest,
)

# What the figures can be to blame for.
REFUSALS = (EstimationError, ArithmeticError, np.linalg.LinAlgError)
WEIGHTS = ("weight_direct", "weight_survey")


@dataclass(frozen=True)
class ModelTables:
    """``level``, ``change``: one row a modelled figure; ``model``: one row a model, published or not;
    ``correlation``: one row an indicator of another pillar that a series is compared with.
    """

    level: pd.DataFrame
    change: pd.DataFrame
    model: pd.DataFrame
    correlation: pd.DataFrame


@dataclass
class _Rows:
    level: list[Row] = field(default_factory=list)
    change: list[Row] = field(default_factory=list)
    model: list[Row] = field(default_factory=list)
    correlation: list[Row] = field(default_factory=list)


def model_all(specs: Iterable[SeriesSpec], figures: pd.DataFrame, areas: pd.DataFrame) -> ModelTables:
    """Model every series. Never raises for what the figures are: a series that cannot be modelled is a row that says so.

    ``figures``: ``area_code, indicator_id, year, value, standard_error``, districts, regions and nations, one row for
    each of the three first; ``areas``: ``area_code, region_code, nation_code, people`` of the districts to model.
    """
    specs = list(specs)
    needed = {name for spec in specs for name in spec.indicators}
    figures = figures[figures["indicator_id"].isin(needed)].astype({"indicator_id": "category"})
    with one_thread():
        found = [_rows_of(spec, figures, areas) for spec in specs]
    return ModelTables(
        level=frame(chain.from_iterable(rows.level for rows in found), LEVEL_COLUMNS),
        change=frame(chain.from_iterable(rows.change for rows in found), CHANGE_COLUMNS),
        model=frame(chain.from_iterable(rows.model for rows in found), MODEL_COLUMNS),
        correlation=frame(chain.from_iterable(rows.correlation for rows in found), CORRELATION_COLUMNS),
    )


def _rows_of(spec: SeriesSpec, figures: pd.DataFrame, areas: pd.DataFrame) -> _Rows:
    rows = _Rows()
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        _model_series(rows, spec, figures, areas)
    return rows


def _model_series(rows: _Rows, spec: SeriesSpec, figures: pd.DataFrame, areas: pd.DataFrame) -> None:
    """Add all rows of a series; each model that cannot be fitted is one that says why."""
    try:
        series = read_series(spec, figures, areas)
    except REFUSALS as error:
        rows.model.append(refused_row(spec.indicator_id, "level", None, _reason(error)))
        return
    newest = len(series.years) - 1
    columns = model_columns(series, newest)
    # One model for all years where several years can be modelled together, else one for each.
    lasts = [newest] if len(columns) > 1 else list(range(len(series.years)))
    model: Window | None = None
    for last in lasts:
        try:
            model = fit_window(series, model_columns(series, last))
            _add_levels(rows, series, model, range(len(series.years)) if len(columns) > 1 else [last])
        except REFUSALS as error:
            model = None
            rows.model.append(refused_row(spec.indicator_id, "level", int(series.years[last]), _reason(error)))
    for window_years in spec.change_windows:
        name = f"change over {window_years} years"
        try:
            if model is None:
                raise EstimationError("there is no model of its levels")
            change, row = change_rows(series, model, window_years)
        except REFUSALS as error:
            rows.model.append(refused_row(spec.indicator_id, name, int(series.years[-1]), _reason(error)))
            continue
        rows.model.append(row)
        rows.change += change


def _add_levels(rows: _Rows, series: Series, model: Window, lasts: Sequence[int]) -> None:
    """Add the levels of the years in places ``lasts``, the newest last, and the row of their model."""
    found = [_level(series, model, last) for last in lasts]
    weights = [float(np.concatenate([getattr(level, name) for level in found]).mean()) for name in WEIGHTS]
    decision = decide(weights)
    if decision == PUBLISHED:
        for level in found:
            rows.level += level_rows(series, level.window, level.predictions, level.agreed)
    newest, is_newest = found[-1], lasts[-1] == len(series.years) - 1
    columns = newest.window.columns
    rows.model.append(
        model_row(series, model, "level", weights, decision)
        | _agreement([level.agreed for level in found])
        | _diagnostics(series, newest)
        | {
            "level_years": len(columns),
            "weight_direct_newest": float(newest.weight_direct.mean()),
            "coverage_left_out": coverage_left_out(series, model, columns) if is_newest else None,
        }
    )
    if is_newest:
        compared = correlations(series, newest.window, newest.predictions)
        named = {"indicator_id": series.spec.indicator_id, "year": int(series.years[-1])}
        rows.correlation += [vars(one) | named for one in compared]


@dataclass(frozen=True)
class _Level:
    """Levels of one year; the weights are those of districts with a direct estimate: [direct estimates]."""

    window: Window
    predictions: Predictions
    agreed: Agreed
    weight_direct: Floats
    weight_survey: Floats


def _level(series: Series, model: Window, last: int) -> _Level:
    columns = level_columns(series, last) if len(model.columns) > 1 else model.columns
    window = apply_window(series, model, columns)
    levels = predict_newest(window)
    need_numbers(levels, window.fit.panel.is_direct[:, -1])
    given = np.full(len(series.codes), np.nan)
    given[window.rows] = levels.modelled[:, 0]
    is_direct = window.fit.panel.is_direct[:, -1]
    return _Level(
        window=window,
        predictions=levels,
        agreed=agree(series, np.exp(given) if series.spec.is_log else given, int(series.years[last])),
        weight_direct=levels.weight_direct[is_direct, 0],
        weight_survey=levels.weight_all_years[is_direct, 0],
    )


def _reason(error: Exception) -> str:
    text = (
        str(error) if isinstance(error, EstimationError) else "its numbers are too far apart in size; check the units"
    )
    return f"not published: {text}"


def _agreement(agreed: Sequence[Agreed]) -> Row:
    moved = np.concatenate([one.moved[np.isfinite(one.target)] for one in agreed])
    gaps = [one.largest_gap for one in agreed if one.largest_gap is not None]
    return {
        "benchmarked_figures": len(moved),
        "benchmark_gap": max(gaps, default=None),
        "benchmark_least": float(moved.min()) if len(moved) else None,
        "benchmark_largest": float(moved.max()) if len(moved) else None,
    }


def _diagnostics(series: Series, level: _Level) -> Row:
    found, window = residuals(level.window), level.window
    is_direct = window.fit.panel.is_direct[:, -1]
    errors = series.errors[window.rows, window.columns[-1]]
    return {
        "residual_skewness": found.skewness,
        "residual_normality": found.normality,
        "residual_share_inside": found.share_inside,
        "narrowing": narrowing_of(level.predictions.mse[is_direct, 0], errors[is_direct]),
    }
