"""Standard errors of least-squares slopes under errors that are correlated over the years.

Three ways. Where published errors run as a known process, the slope's error follows from it. Where a covariance of the
figures over the window is known, from that. Where neither is, the errors are taken from how all areas wander about their
own drift: the autocovariance of yearly steps, pooled over areas. One area's ten figures cannot tell a drift from a
walk; the steps of some three hundred areas over twenty years can.

Arrays are [window, areas] or [years, areas], years without gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from pipeline.errors import PipelineError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEP_LAGS = 3  # years over which the steps of a series stay correlated; longer memory belongs to the signal
FEWEST_AREAS = 30


class SlopeError(PipelineError, ValueError):
    """The error of a slope cannot be worked out; the message says what is missing."""


def slope_weights(is_used: Bools) -> Floats:
    """Weights with which the figures of a window make the least-squares slope: [window, areas] -> the same.

    All 0 for an area with fewer than two figures, which has no slope.
    """
    time = np.arange(len(is_used), dtype=float)[:, None]
    count = np.maximum(is_used.sum(axis=0), 1)
    centred = np.where(is_used, time - (is_used * time).sum(axis=0) / count, 0.0)
    squares = (centred**2).sum(axis=0)
    return np.asarray(centred / np.where(squares > 0, squares, 1.0))


def slope_variance(weights: Floats, covariance: Floats) -> Floats:
    """Variance of slopes: ``weights`` [window, areas], ``covariance`` [areas, window, window] or one of all -> [areas]."""
    by_area = weights.T
    return np.asarray((by_area * (covariance @ by_area[:, :, None])[:, :, 0]).sum(axis=1))


def slope_variance_of_process(weights: Floats, error: Floats, new_share: float) -> Floats:
    """The same for errors that run as in ``error_process``, without building their covariance: [areas].

    ``weights``, ``error``: [..., window, areas]. The part that stays with an area shifts its whole line; it enters the
    slope only as far as the errors' size changes within the window. Figures without an error count as exact.
    """
    share = min(max(new_share, 0.0), 1.0)
    weighted = weights * np.nan_to_num(error)
    return np.asarray((1 - share) * weighted.sum(axis=-2) ** 2 + share * (weighted**2).sum(axis=-2))


@dataclass(frozen=True)
class Wandering:
    """How a series strays from each area's own drift, from its yearly steps.

    ``autocovariance``: [lags + 1], of steps 0, 1, ... years apart, over all areas. ``area_scale``: [areas], each area's
    variance as a multiple of that of all, drawn towards 1 as far as few steps are weak evidence of it. ``freedom``:
    degrees of freedom of Student's t for such a variance.
    """

    autocovariance: Floats
    area_scale: Floats
    freedom: float


def fit_wandering(position: Floats, lags: int = STEP_LAGS) -> Wandering:
    """Estimate it from all years held: [years, areas]. Areas with a gap, or that never leave their drift, get the
    pooled variance.

    Each area's mean step is taken for its drift and removed; what that removes of the wandering is added back exactly
    for a memory of ``lags`` steps. Raises SlopeError for fewer than 30 areas without a gap or fewer than ``2 * lags + 3``
    years.
    """
    steps = np.diff(position, axis=0)
    is_whole = ~np.isnan(steps).any(axis=0)
    count = len(steps)
    if is_whole.sum() < FEWEST_AREAS or count < 2 * lags + 2:
        raise SlopeError(
            f"{int(is_whole.sum())} areas have figures in all of {count + 1} years; "
            f"{FEWEST_AREAS} areas and {2 * lags + 3} years are needed"
        )
    left = steps[:, is_whole] - steps[:, is_whole].mean(axis=0)
    seen = np.array([(left[: count - j] * left[j:]).mean() for j in range(lags + 1)])
    autocovariance = np.linalg.solve(_seen_of_true(count, lags), seen)
    if autocovariance[0] <= 0:
        raise SlopeError("the steps of no area vary about its drift, so a slope has no error to be worked out")
    of_drift = _centring(count) @ _toeplitz(autocovariance, count) @ _centring(count)
    freedom = float(np.trace(of_drift) ** 2 / np.trace(of_drift @ of_drift))
    ratio = np.full(position.shape[1], np.nan)
    ratio[is_whole] = (left**2).mean(axis=0) / seen[0]
    has_own = ratio > 0
    area_scale = np.ones(position.shape[1])
    area_scale[has_own], prior = shrink_variances(ratio[has_own], freedom)
    return Wandering(autocovariance, area_scale, freedom + prior)


def wandering_slope_variance(weights: Floats, wandering: Wandering) -> Floats:
    """Variance of slopes of a series without drift that wanders as given: ``weights`` [window, areas] -> [areas].

    A slope is a weighted sum of the steps of its window. Raises SlopeError where the pooled autocovariance is no
    covariance of any series.
    """
    of_step = np.cumsum(weights[::-1], axis=0)[::-1][1:]
    variance = slope_variance(of_step, _toeplitz(wandering.autocovariance, len(of_step)))
    if (variance < -1e-12 * wandering.autocovariance[0]).any():
        raise SlopeError("the pooled autocovariance of steps gives a slope a negative variance: use fewer lags")
    return np.asarray(np.maximum(variance, 0.0) * wandering.area_scale)


def is_clear(slope: Floats, standard_error: Floats, freedom: float = np.inf, confidence: float = 0.95) -> Bools:
    """Whether the two-sided interval of a slope leaves out 0. Without a standard error nothing is clear."""
    critical = stats.t.ppf((1 + confidence) / 2, freedom)
    return np.asarray(np.abs(slope) > critical * standard_error)


def shrink_variances(variance: Floats, freedom: float, prior_log_mean: Floats | None = None) -> tuple[Floats, float]:
    """Draw variances of few degrees of freedom each towards what the areas have in common: [areas] and its weight.

    After Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression, section 6.2:
    true variances follow a scaled inverse chi-squared law, whose degrees of freedom (the second result, infinite where
    the areas do not differ) come from the spread of the logarithms. ``prior_log_mean``: [areas], what the logarithm is
    expected to be for an area of its size, as fitted by the caller; their mean otherwise. ``variance`` above 0.
    """
    bias = special.digamma(freedom / 2) - np.log(freedom / 2)
    logs = np.log(variance) - bias
    middle = np.full(len(logs), logs.mean()) if prior_log_mean is None else prior_log_mean - bias
    beyond = float(((logs - middle) ** 2).mean() - special.polygamma(1, freedom / 2))
    if beyond <= 0:
        return np.exp(middle), np.inf
    prior = 2 * _inverse_trigamma(beyond)
    prior_variance = np.exp(middle + special.digamma(prior / 2) - np.log(prior / 2))
    return (prior * prior_variance + freedom * variance) / (prior + freedom), prior


def _inverse_trigamma(value: float) -> float:
    """By Newton's method, as in the appendix of Smyth (2004)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, y))
        y += step
        if -step / y < 1e-10:
            break
    return y


def _centring(count: int) -> Floats:
    return np.eye(count) - 1 / count


def _toeplitz(autocovariance: Floats, count: int) -> Floats:
    """Covariance matrix of ``count`` steps; 0 beyond the lags given."""
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    padded = np.concatenate([autocovariance, np.zeros(max(count - len(autocovariance), 0))])
    return np.asarray(padded[apart])


def _seen_of_true(count: int, lags: int) -> Floats:
    """What steps less their mean show, on average, of each true autocovariance: [seen lags, true lags]."""
    centring = _centring(count)
    out = np.empty((lags + 1, lags + 1))
    for lag in range(lags + 1):
        one = np.zeros(lags + 1)
        one[lag] = 1.0
        covariance = centring @ _toeplitz(one, count) @ centring
        out[:, lag] = [np.diagonal(covariance, j).mean() for j in range(lags + 1)]
    return out
