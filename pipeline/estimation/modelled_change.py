"""Modelled change of one survey series up to its newest year."""

from __future__ import annotations

import numpy as np

from pipeline.estimation.arrays import Floats, Ints
from pipeline.estimation.decision import PUBLISHED, decide, need_numbers
from pipeline.estimation.modelled_columns import Z95, Row, model_row
from pipeline.estimation.rao_yu_prediction import Predictions
from pipeline.estimation.series import Series
from pipeline.estimation.series_diagnostics import narrowing_of
from pipeline.estimation.series_model import Window, predict_window_change

PER_CENT = 100.0


def change_rows(series: Series, window: Window, window_years: int) -> tuple[list[Row], Row]:
    """Modelled changes of the districts with a direct estimate at both ends, none where they are not published; and the
    row of the model.

    A change is judged by its weight on the survey as a whole: figures between its ends are the survey's too. Raises
    EstimationError where ``window`` does not hold the first year.
    """
    found, on_survey = predict_window_change(window, window_years)
    columns = window.columns[[np.searchsorted(window.years, window.years[-1] - window_years), -1]]
    is_held = series.is_direct[np.ix_(window.rows, columns)].all(axis=1) & np.isfinite(found.modelled[:, 0])
    need_numbers(found, is_held)
    weights = [float(found.weight_direct[is_held, 0].mean()), float(on_survey[is_held].mean())]
    decision = decide(weights[1:])
    errors = _published_errors(series, window.rows, columns)
    model = model_row(series, window, f"change over {window_years} years", weights, decision)
    model["narrowing"] = narrowing_of(found.mse[is_held, 0], errors[is_held])
    if decision != PUBLISHED:
        return [], model
    return _rows(series, window, columns, found, on_survey, errors, is_held), model


def _published_errors(series: Series, rows: Ints, columns: Ints) -> Floats:
    """Of the published change, in the model's scale: [areas]; the part that stays with the district drops out in part."""
    first, last = series.errors[rows, columns[0]], series.errors[rows, columns[1]]
    stays = 1.0 - (1.0 if series.new_share is None else series.new_share)
    return np.sqrt(first**2 + last**2 - 2 * stays * first * last)


def _rows(
    series: Series,
    window: Window,
    columns: Ints,
    found: Predictions,
    on_survey: Floats,
    errors: Floats,
    is_held: np.ndarray,
) -> list[Row]:
    first, last = columns
    moved = series.estimates[:, last] - series.estimates[:, first]
    rows: list[Row] = []
    for place in np.flatnonzero(is_held):
        area = window.rows[place]
        change, error = float(found.modelled[place, 0]), float(np.sqrt(found.mse[place, 0]))
        rows.append(
            {
                "area_code": series.codes[area],
                "indicator_id": series.spec.indicator_id,
                "window_years": int(series.years[last] - series.years[first]),
                "year": int(series.years[last]),
                "change": _shown(series, moved[area]),
                "standard_error": errors[place] * _slope(series, moved[area]),
                "change_modelled": _shown(series, change),
                "modelled_lower": _shown(series, change - Z95 * error),
                "modelled_upper": _shown(series, change + Z95 * error),
                "mse": (error * _slope(series, change)) ** 2,
                "weight_direct": found.weight_direct[place, 0],
                "weight_survey": on_survey[place],
            }
        )
    return rows


def _shown(series: Series, change: float) -> float:
    """Points of a rate; per cent of money."""
    return float(PER_CENT * np.expm1(change)) if series.spec.is_log else float(change)


def _slope(series: Series, change: float) -> float:
    """How fast what is shown moves with the change in the model's scale."""
    return float(PER_CENT * np.exp(change)) if series.spec.is_log else 1.0
