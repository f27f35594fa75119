"""Columns of the tables of modelled figures, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.estimation.arrays import Floats
from pipeline.estimation.rao_yu_prediction import Predictions
from pipeline.estimation.series import Series
from pipeline.estimation.series_benchmark import Agreed
from pipeline.estimation.series_model import Window

Row = dict[str, object]

Z95 = 1.959963984540054  # half-width of a 95% interval in standard errors
TEXT, WHOLE, NUMBER, TRUTH = "str", "Int64", "float64", "boolean"
LEVEL_COLUMNS = {
    "area_code": TEXT,
    "indicator_id": TEXT,
    "year": WHOLE,
    "value": NUMBER,
    "standard_error": NUMBER,
    "value_modelled": NUMBER,
    "modelled_lower": NUMBER,
    "modelled_upper": NUMBER,
    "mse": NUMBER,
    "weight_direct": NUMBER,
    "weight_survey": NUMBER,
    "benchmark_status": TEXT,
    "benchmark_target": NUMBER,
    "benchmark_weight": NUMBER,
}
CHANGE_COLUMNS = {
    "area_code": TEXT,
    "indicator_id": TEXT,
    "window_years": WHOLE,
    "year": WHOLE,
    "change": NUMBER,
    "standard_error": NUMBER,
    "change_modelled": NUMBER,
    "modelled_lower": NUMBER,
    "modelled_upper": NUMBER,
    "mse": NUMBER,
    "weight_direct": NUMBER,
    "weight_survey": NUMBER,
}
MODEL_COLUMNS = {
    "indicator_id": TEXT,
    "measure": TEXT,
    "year": WHOLE,
    "method": TEXT,
    "first_year": WHOLE,
    "years": WHOLE,
    "level_years": WHOLE,
    "districts": WHOLE,
    "decision": TEXT,
    "weight_direct": NUMBER,
    "weight_direct_newest": NUMBER,
    "weight_survey": NUMBER,
    "new_share": NUMBER,
    "area_variance": NUMBER,
    "innovation_variance": NUMBER,
    "rho": NUMBER,
    "edges": TEXT,
    "is_converged": TRUTH,
    "iterations": WHOLE,
    "coefficients": TEXT,
    "narrowing": NUMBER,
    "residual_skewness": NUMBER,
    "residual_normality": NUMBER,
    "residual_share_inside": NUMBER,
    "coverage_left_out": NUMBER,
    "benchmarked_figures": WHOLE,
    "benchmark_gap": NUMBER,
    "benchmark_least": NUMBER,
    "benchmark_largest": NUMBER,
}
CORRELATION_COLUMNS = {
    "indicator_id": TEXT,
    "other_id": TEXT,
    "year": WHOLE,
    "districts": WHOLE,
    "published": NUMBER,
    "modelled": NUMBER,
}


def frame(rows: Iterable[Mapping[str, object]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows with these columns and types; what a row does not name is missing."""
    return pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))


def level_rows(series: Series, window: Window, levels: Predictions, agreed: Agreed) -> list[Row]:
    """One row for each district with a figure of the window's newest year. ``levels``: [areas, 1], of that year."""
    last, is_log = int(window.columns[-1]), series.spec.is_log
    rows: list[Row] = []
    for place in np.flatnonzero(np.isfinite(levels.modelled[:, 0])):
        area = window.rows[place]
        figure, mse = float(agreed.figures[area]), float(levels.mse[place, 0])
        half = Z95 * float(np.sqrt(mse))
        lower, upper = (figure * np.exp(-half), figure * np.exp(half)) if is_log else (figure - half, figure + half)
        rows.append(
            {
                "area_code": series.codes[area],
                "indicator_id": series.spec.indicator_id,
                "year": int(series.years[last]),
                "value": series.values[area, last],
                "standard_error": series.value_errors[area, last],
                "value_modelled": figure,
                "modelled_lower": lower,
                "modelled_upper": upper,
                "mse": figure**2 * mse if is_log else mse,
                "weight_direct": levels.weight_direct[place, 0],
                "weight_survey": levels.weight_all_years[place, 0],
                "benchmark_status": agreed.status[area],
                "benchmark_target": agreed.target[area],
                "benchmark_weight": series.people[area],
            }
        )
    return rows


def model_row(series: Series, window: Window, measure: str, weights: Sequence[float], decision: str) -> Row:
    """What every model has. ``weights``: means on the very years, and on the survey as a whole."""
    fit = window.fit
    has_years = len(window.years) > 1
    return {
        "indicator_id": series.spec.indicator_id,
        "measure": measure,
        "year": int(window.years[-1]),
        "method": window.method,
        "first_year": int(window.years[0]),
        "years": len(window.years),
        "districts": len(window.rows),
        "decision": decision,
        "weight_direct": weights[0],
        "weight_survey": weights[1],
        "new_share": series.new_share if has_years else None,
        "area_variance": fit.area_variance,
        "innovation_variance": fit.innovation_variance if has_years else None,
        "rho": fit.rho if has_years else None,
        "edges": ", ".join(fit.edges) or None,
        "is_converged": window.is_converged,
        "iterations": fit.iterations,
        "coefficients": _coefficients(fit.names, fit.coefficients, np.sqrt(np.diag(fit.coefficient_covariance))),
    }


def refused_row(indicator_id: str, measure: str, year: int | None, decision: str) -> Row:
    """A model that could not be fitted, and why."""
    return {"indicator_id": indicator_id, "measure": measure, "year": year, "decision": decision}


def _coefficients(names: Sequence[str], values: Floats, errors: Floats) -> str:
    found = zip(names, values, errors, strict=True)
    return "; ".join(f"{name} {value:.6g} ({error:.2g})" for name, value, error in found)
