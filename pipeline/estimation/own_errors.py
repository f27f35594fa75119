"""Candidates for the error of figures that are published without one, from what they are made of or how they scatter.

Each says one thing: how a count would vary if its people were drawn anew; what the earnings in a ratio add; how far
figures stray from their local trend. Whether it holds is for a back-test to say (``python -m tools.error_study``). A
change of method is a break and never an error: give each basis by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.errors import PipelineError
from pipeline.estimation.error_process import Floats
from pipeline.estimation.slopes import shrink_variances

# Of independent scatter of variance 1, a second difference has 6 = 1 + 4 + 1. Neighbouring second differences share
# figures, and correlate -2/3 and 1/6.
SECOND_DIFFERENCE = 6.0
SHARED_TWO, SHARED_ONE = 2 / 3, 1 / 6
FEWEST_AREAS = 30
RECENT_YEARS = 5  # longer memories were too narrow after shocks in back-tests (docs/studies/errors.md)


class OwnErrorError(PipelineError, ValueError):
    """A candidate error cannot be worked out; the message says what is missing."""


def count_error(rate_percent: Floats, people: Floats) -> Floats:
    """Binomial standard error, in percentage points, of a rate in percent among ``people``: arrays without gaps.

    Raises OwnErrorError for a missing or impossible rate or number of people.
    """
    share = rate_percent / 100
    if not ((people > 0).all() and (share >= 0).all() and (share <= 1).all()):
        raise OwnErrorError("a count's error needs people above 0 and rates between 0 and 100 per cent")
    return np.asarray(100 * np.sqrt(share * (1 - share) / people))


def ratio_error(numerator_relative_error: Floats, denominator_relative_error: Floats) -> Floats:
    """Standard error of the logarithm of a ratio of two independent figures, from their relative errors."""
    return np.hypot(numerator_relative_error, denominator_relative_error)


def redrawn_error(
    rng: np.random.Generator,
    rates_percent: Floats,
    people: Floats,
    measure: Callable[[Floats], Floats],
    draws: int = 200,
    rounded_to: float = 0.0,
) -> float:
    """Standard error of a measure of one district's small areas, by drawing the people of each anew (binomial).

    ``rates_percent``, ``people``: [small areas], people to the nearest whole number; ``measure``: rates in per cent
    [draws, small areas] -> [draws]; ``rounded_to``: the step in points that rates are published in, if rounding counts: it
    moves each drawn rate by up to half of it. Raises OwnErrorError for a small area without people or an impossible rate.
    """
    share, count = rates_percent / 100, np.rint(people)
    if not ((count >= 1).all() and (share >= 0).all() and (share <= 1).all()):
        raise OwnErrorError("the error of small areas needs people in each and rates between 0 and 100 per cent")
    drawn = rng.binomial(count.astype(np.int64), share, (draws, len(count))) / count * 100
    if rounded_to:
        drawn += rng.uniform(-rounded_to / 2, rounded_to / 2, drawn.shape)
    return float(measure(drawn).std(ddof=1))


def gap_error(
    rng: np.random.Generator, rates_percent: Floats, people: Floats, draws: int = 200, rounded_to: float = 0.0
) -> float:
    """``redrawn_error`` of the 90th less the 10th percentile of small areas' rates, in points."""

    def gap(rates: Floats) -> Floats:
        high, low = np.quantile(rates, (0.9, 0.1), axis=1)
        return np.asarray(high - low)

    return redrawn_error(rng, rates_percent, people, gap, draws, rounded_to)


def concentration_error(
    rng: np.random.Generator, rates_percent: Floats, people: Floats, draws: int = 200, rounded_to: float = 0.0
) -> float:
    """``redrawn_error`` of the concentration index (``publishers/deprivation/district_measures.py``), from 0 to 1."""

    def concentration(rates: Floats) -> Floats:
        order = rates.argsort(axis=1, kind="stable")
        rate, share = np.take_along_axis(rates, order, axis=1), people[order] / people.sum()
        rank = share.cumsum(axis=1) - share / 2
        return np.asarray(2 * (share * rate * rank).sum(axis=1) / (share * rate).sum(axis=1) - 1)

    return redrawn_error(rng, rates_percent, people, concentration, draws, rounded_to)


@dataclass(frozen=True)
class LocalScatter:
    """``error``: [areas], the standard error of one figure about its local trend; ``freedom``: of Student's t for it."""

    error: Floats
    freedom: float


def local_scatter(
    position: Floats, people: Floats, rounded_to: float = 0.0, recent_years: int = RECENT_YEARS
) -> LocalScatter:
    """Scatter about a local trend from second differences of the last years, drawn towards areas of the same size.

    ``position``: [years, areas], relative to the year's median; ``people``: [areas], a measure of size. ``rounded_to``:
    the step figures are published in, whose rounding is the least their scatter can be. What a signal bends in two years
    counts as scatter, so this errs on the cautious side. An area without three figures in a row, or
    whose figures lie on one line, gets what is usual for its size. Raises OwnErrorError where fewer than 30 areas have a second difference, or sizes are missing.
    """
    if not (people > 0).all():
        raise OwnErrorError("every area needs a size above 0")
    bends = np.diff(position[-recent_years:], n=2, axis=0)
    count = np.count_nonzero(~np.isnan(bends), axis=0)
    variance = np.nan_to_num(bends**2).sum(axis=0) / np.maximum(count, 1) / SECOND_DIFFERENCE
    variance = np.maximum(variance, rounded_to**2 / 12)
    is_held = (count > 0) & (variance > 0)
    if is_held.sum() < FEWEST_AREAS:
        raise OwnErrorError(f"{int(is_held.sum())} areas have three figures in a row; {FEWEST_AREAS} are needed")
    size = np.log(people)
    usual = _usual_for_size(np.log(variance[is_held]), size[is_held], size)
    freedom = _freedom(float(np.median(count[is_held])))
    shrunk, prior = shrink_variances(np.where(is_held, variance, np.exp(usual)), freedom, usual)
    return LocalScatter(np.sqrt(np.maximum(shrunk, rounded_to**2 / 12)), freedom + prior)


def _usual_for_size(logs: Floats, size: Floats, all_sizes: Floats) -> Floats:
    """The line of ``logs`` on ``size`` at every size; their mean where sizes do not differ."""
    apart = size - size.mean()
    squares = (apart**2).sum()
    slope = (apart * logs).sum() / squares if squares > 0 else 0.0
    return np.asarray(logs.mean() + slope * (all_sizes - size.mean()))


def _freedom(count: float) -> float:
    """As many independent second differences as give as much evidence of their variance as ``count`` neighbouring ones."""
    pairs = (count - 1) * SHARED_TWO**2 + max(count - 2, 0) * SHARED_ONE**2
    return count**2 / (count + 2 * pairs)


def next_figure_coverage(position: Floats, error: Floats, freedom: float = np.inf, coverage: float = 0.9) -> float:
    """How often a year's figure lies within what the two years before and an error foretell.

    ``position``: [3, areas], the last row the year foretold by the line through the two before; ``error``: [areas], of
    one figure, from those before only. NaN without any area.
    """
    bend = np.diff(position, n=2, axis=0)[0]
    held = ~np.isnan(bend) & ~np.isnan(error)
    width = stats.t.ppf((1 + coverage) / 2, freedom) * np.sqrt(SECOND_DIFFERENCE) * error
    return float((np.abs(bend[held]) <= width[held]).mean()) if held.any() else float("nan")
