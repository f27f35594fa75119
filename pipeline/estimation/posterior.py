"""Posterior draws: what the true values may be, given that noisy estimates are spread wider than the truth.

The estimates of one indicator and year are ``x ~ N(theta, sigma^2)`` with ``theta ~ N(m, A)``. Given the estimates, the
truth is ``N(m + gamma (x - m), gamma sigma^2)`` with ``gamma = A / (A + sigma^2)``. Draws about ``x`` itself would add noise to
noise, which moves extremes inwards in rank and makes membership of a fifth surer than it is.

The middle of these draws is no figure to publish or to rank: points stay as published. Arrays are [..., areas], every
leading index a case of its own (indicators, years, slopes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST_AREAS = 5  # with an estimate and an error, below which the spread of the truth is not estimated
BISECTIONS = 45


class PosteriorError(PipelineError, ValueError):
    """Estimates cannot be shrunk; the message says why."""


@dataclass(frozen=True)
class Shrinkage:
    """What is known of the truth. ``mean`` m and ``variance`` A: [...]; ``weight`` gamma, ``value`` and ``error``: [..., areas].

    ``is_at_edge``: [...], the estimates differ no more than their errors explain, so A is 0 and nothing tells the areas
    apart. ``is_estimated``: [...], false where too few areas have an estimate with an error; estimates and errors then
    stay as given, as they do for single areas without an error (which have ``weight`` 1).
    """

    mean: Floats
    variance: Floats
    weight: Floats
    value: Floats
    error: Floats
    is_at_edge: Bools
    is_estimated: Bools


def shrink(estimates: Floats, errors: Floats) -> Shrinkage:
    """Shrink estimates towards their common mean, with A by restricted maximum likelihood.

    ``errors``: standard errors, NaN or 0 where an estimate counts as exact. Only estimates with an error above 0 speak
    for m and A. Raises PosteriorError for a negative error or shapes that differ.
    """
    if estimates.shape != errors.shape:
        raise PosteriorError(f"estimates {estimates.shape} and errors {errors.shape} differ in shape")
    if (errors < 0).any():
        raise PosteriorError("a standard error is negative")
    sigma = np.nan_to_num(errors)
    is_used = ~np.isnan(estimates) & (sigma > 0)
    is_estimated = is_used.sum(axis=-1) >= FEWEST_AREAS
    # Scaled to unit variance, so that squares of small units neither vanish nor overflow.
    count = np.maximum(is_used.sum(axis=-1), 1)
    first = np.where(is_used, estimates, 0.0).sum(axis=-1) / count
    centred = np.where(is_used, estimates - first[..., None], 0.0)
    unit = np.sqrt(((centred**2).sum(axis=-1) + np.where(is_used, sigma**2, 0.0).sum(axis=-1)) / count)
    unit = np.where(unit > 0, unit, 1.0)
    x, squared = centred / unit[..., None], np.where(is_used, (sigma / unit[..., None]) ** 2, 1.0)
    scaled = _restricted_likelihood(x, squared, is_used)
    middle = _weighted(x, squared, is_used, scaled)[0]
    mean, variance = first + unit * middle, scaled * unit**2
    weight = np.where(
        sigma > 0, variance[..., None] / (variance[..., None] + np.where(sigma > 0, sigma, 1.0) ** 2), 1.0
    )
    weight = np.where(is_estimated[..., None], weight, 1.0)
    return Shrinkage(
        mean=np.where(is_estimated, mean, np.nan),
        variance=np.where(is_estimated, variance, np.nan),
        weight=weight,
        value=np.where(weight < 1, mean[..., None] + weight * (estimates - mean[..., None]), estimates),
        error=np.sqrt(weight) * sigma,
        is_at_edge=is_estimated & (variance == 0),
        is_estimated=is_estimated,
    )


def draw_posterior(rng: np.random.Generator, shrinkage: Shrinkage, draws: int) -> Floats:
    """Draws of the truth: [draws, ..., areas]; missing areas stay missing. The same generator gives the same draws."""
    noise = rng.standard_normal((draws, *shrinkage.value.shape))
    return np.asarray(shrinkage.value + shrinkage.error * noise)


def ranks_among(own: Floats, rivals: Floats) -> Floats:
    """The rank of each area's own draw among the draws of all others: 1 is the best, ties share the better rank.

    ``own``, ``rivals``: [draws, areas], complete -> the same shape. An area is no rival of its own.
    """
    ordered = np.sort(rivals, axis=1)
    above = np.array([len(row) - np.searchsorted(row, mine, "right") for row, mine in zip(ordered, own, strict=True)])
    return np.asarray(1.0 + above - (rivals > own))


def rank_interval(plain: Floats, posterior: Floats, level: float = 0.9) -> tuple[Floats, Floats]:
    """Best and worst rank of each area, to be held both by a true rank and by a printed one: each [areas].

    ``plain``, ``posterior``: [draws, areas], higher is better. Ranks of posterior draws hold the truth of those that are
    *printed* first or last, but not of those that truly are, since they are drawn towards the middle. An area's plain
    draw among the others' posterior draws does the reverse. The interval is wide enough for both, and so covers more
    often than ``level`` on the whole. Rounded outwards. Quantiles lie at p(n + 1), so that few draws do not narrow it.
    """
    tail = (1 - level) / 2
    ends = np.array(
        [
            np.quantile(ranks_among(own, posterior), (tail, 1 - tail), axis=0, method="weibull")
            for own in (plain, posterior)
        ]
    )
    return np.floor(ends[:, 0].min(axis=0)), np.ceil(ends[:, 1].max(axis=0))


def _weighted(x: Floats, squared: Floats, is_used: Bools, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted mean [...], weights [..., areas] and their sum [...] at a variance [...]."""
    weights = np.where(is_used, 1 / (variance[..., None] + squared), 0.0)
    total = weights.sum(axis=-1)
    total = np.where(total > 0, total, 1.0)
    return (weights * x).sum(axis=-1) / total, weights, total


def _restricted_likelihood(x: Floats, squared: Floats, is_used: Bools) -> Floats:
    """The A at which the derivative of the restricted likelihood falls through 0, by bisection; 0 where it never rises."""

    def derivative(variance: Floats) -> Floats:
        mean, weights, total = _weighted(x, squared, is_used, variance)
        weights_squared = weights**2
        fit = (weights_squared * (x - mean[..., None]) ** 2).sum(axis=-1)
        return np.asarray(fit - total + weights_squared.sum(axis=-1) / total)

    low = np.zeros(x.shape[:-1])
    rises = derivative(low) > 0
    high = (x**2).sum(axis=-1) + np.where(is_used, squared, 0.0).max(axis=-1, initial=0.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_below = derivative(middle) > 0
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.where(rises, (low + high) / 2, 0.0)
