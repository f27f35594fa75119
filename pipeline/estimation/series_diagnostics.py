"""How well the model of a survey series holds: its residuals, and the newest year left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.estimation.arrays import Floats, Ints
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.rao_yu_likelihood import effect_covariance
from pipeline.estimation.rao_yu_prediction import Predictions
from pipeline.estimation.series import Series
from pipeline.estimation.series_model import (
    FEWEST_YEARS,
    Window,
    apply_window,
    fit_window,
    newest_pulls,
    predict_newest,
)

LEVEL = 0.9
FEWEST_TO_JUDGE = 8  # figures


@dataclass(frozen=True)
class Residuals:
    """Of the newest year, standardised: they should be a draw from the standard normal distribution.

    ``share_inside``: of the 90% interval; ``normality``: p-value of Shapiro and Wilk's test, None for few or equal ones.
    """

    skewness: float | None
    share_inside: float
    normality: float | None


@dataclass(frozen=True)
class Correlation:
    """Of one indicator with the newest figures: as published, and as modelled."""

    other_id: str
    districts: int
    published: float
    modelled: float


def residuals(window: Window) -> Residuals:
    """Direct estimates of the newest year less what year, region and covariates say, by their standard deviation."""
    panel, solved = window.fit.panel, window.fit.solved
    is_direct = panel.is_direct[:, -1]
    effects = effect_covariance(solved.parameters, panel.years)[-1, -1]
    found = solved.residual[is_direct, -1] / np.sqrt(panel.error_covariance[is_direct, -1, -1] + effects)
    varies = len(found) >= FEWEST_TO_JUDGE and float(np.ptp(found)) > 0
    return Residuals(
        skewness=float(stats.skew(found)) if varies else None,
        share_inside=_share_inside(found),
        normality=float(stats.shapiro(found).pvalue) if varies else None,
    )


def coverage_left_out(series: Series, model: Window, columns: Ints) -> float | None:
    """How often the 90% interval for the newest direct estimate holds it, from a model that has not seen it.

    ``columns``: [years], of the level. Variances come from the years before the newest. Then the newest estimates of
    every other district are left out, and after them those of the rest, so that the year's own mean is known. None where
    the years before are too few, or cannot be modelled.
    """
    if 1 < len(model.columns) <= FEWEST_YEARS:
        return None
    halves = np.arange(len(series.codes)) % 2 == 0
    try:
        known = fit_window(series, model.columns[:-1], start=model.parameters) if len(model.columns) > 1 else model
        misses = [
            _standardised_misses(series, apply_window(series, known, columns, hidden=hidden), hidden)
            for hidden in (halves, ~halves)
        ]
    except EstimationError:
        return None
    every_miss = np.concatenate(misses)
    return _share_inside(every_miss) if len(every_miss) else None


def _standardised_misses(series: Series, window: Window, hidden: np.ndarray) -> Floats:
    """Left-out estimates less their prediction, by its standard deviation; errors of other years correlate with theirs."""
    levels = predict_newest(window)
    newest = window.columns[-1]
    left_out = hidden[window.rows] & series.is_direct[window.rows, newest] & np.isfinite(levels.modelled[:, 0])
    known = np.where(window.fit.panel.is_direct, window.blocks[:, :, -1], 0.0)
    variance = levels.mse[:, 0] + window.blocks[:, -1, -1] - 2 * (newest_pulls(window) * known).sum(axis=1)
    misses = series.estimates[window.rows, newest] - levels.modelled[:, 0]
    return np.asarray(misses[left_out] / np.sqrt(variance[left_out]))


def correlations(series: Series, window: Window, levels: Predictions) -> list[Correlation]:
    """With the indicators the series is compared with, in the newest year. ``levels``: [areas, 1], of the window."""
    newest = window.columns[-1]
    published = series.estimates[window.rows, newest]
    found = []
    for other in series.spec.compared_with:
        position = series.covariates[other.indicator_id][window.rows, newest]
        is_held = np.isfinite(position) & np.isfinite(published) & np.isfinite(levels.modelled[:, 0])
        if is_held.sum() >= FEWEST_TO_JUDGE and np.ptp(position[is_held]) > 0:
            one = position[is_held]
            r = [correlation(figures[is_held], one) for figures in (published, levels.modelled[:, 0])]
            found.append(Correlation(other.indicator_id, int(is_held.sum()), *r))
    return found


def narrowing_of(mse: Floats, errors: Floats) -> float:
    """Median share by which the modelled standard error is smaller than the published one."""
    return float(np.median(1 - np.sqrt(mse) / errors))


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's; 0 where one of the two does not vary."""
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) > 0 and np.ptp(other) > 0 else 0.0


def _share_inside(standardised: Floats) -> float:
    return float((np.abs(standardised) <= stats.norm.ppf((1 + LEVEL) / 2)).mean())
