"""How much of a published sampling error is new each year, estimated from how figures differ over one to eight years.

A position is a signal plus an error. The signal walks at random with variance ``q`` a year. The error is
``sigma * (sqrt(1 - pi) * u_area + sqrt(pi) * eps_area_year)``: a part that stays with the area, as where a survey follows
the same people, and a part that is drawn anew. Differences over ``k`` years then have the variance
``V_k = q * k + 2 * pi * mean(sigma^2)``, a straight line in ``k`` whose intercept gives ``pi`` and whose slope gives ``q``.

Positions are relative to the year's median: logarithms for money, points for rates. Arrays are [years, areas], years
without gaps, NaN where there is no figure or no error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]  # draws: their own randomness is far coarser than single precision

LONGEST_DIFFERENCE = 8  # years
FEWEST_LAGS = 3  # below which a line through them has no fit to speak of
FEWEST_AREAS = 30


class ErrorProcessError(PipelineError, ValueError):
    """A panel does not show how its errors run over time; the message says what is missing."""


@dataclass(frozen=True)
class ErrorProcess:
    """``new_share``: the share pi of the published error variance that is new each year, as estimated.

    It can come out a little above 1, where published errors are slightly too small. ``innovation_variance``: the
    signal's variance q gained each year, in squared units of the position. ``at_edge``: the parameter that would have
    been negative and was set to 0, if any.
    """

    new_share: float
    innovation_variance: float
    at_edge: str | None = None

    @property
    def innovation_sd(self) -> float:
        """By how much the signal moves in a year."""
        return float(np.sqrt(self.innovation_variance))


@dataclass(frozen=True)
class ProcessFit:
    """An error process with what shows how well it fits; arrays are [lags].

    ``seen``, ``fitted``: variance of differences over 1, 2, ... years; ``pairs``: differences that make each;
    ``error_variance``: mean published variance of the figures in them. ``r_squared``: share of the variation of
    ``seen`` over the lags that ``fitted`` explains, unweighted; below 0 the line is worse than their mean.
    ``new_share_error``, ``innovation_sd_error``: standard errors from leaving out one area at a time.
    """

    process: ErrorProcess
    seen: Floats
    fitted: Floats
    pairs: Floats
    error_variance: Floats
    r_squared: float
    new_share_error: float
    innovation_sd_error: float

    @property
    def error_correlation(self) -> Floats:
        """Correlation of errors one, two, ... years apart, if the signal walks as estimated and published errors hold.

        Under the model it is 1 - pi at every lag. A first value far above the others tells of samples that overlap
        from one year to the next, which the model cannot hold.
        """
        years = np.arange(1, len(self.seen) + 1)
        error_part = (self.seen - self.process.innovation_variance * years) / (2 * self.error_variance)
        return np.asarray(1 - error_part)


def fit_error_process(position: Floats, error: Floats, longest: int = LONGEST_DIFFERENCE) -> ProcessFit:
    """Estimate the error process of one series by weighted least squares on the variances of its differences.

    The weight of each lag is the number of differences over their squared variance, since a variance is estimated with
    an error in proportion to itself. Raises ErrorProcessError where fewer than three lags have differences of 30 areas
    or more, or where no figure has a published error above 0.
    """
    held = np.where(np.isnan(error), np.nan, position)
    if not (error[~np.isnan(held)] > 0).any():
        raise ErrorProcessError("no figure has a published error above 0, so no share of it can be new")
    sums = _difference_sums(held, error, min(longest, len(held) - 1))
    is_usable = (sums[:, 0] > 0).sum(axis=1) >= FEWEST_AREAS
    lags = np.flatnonzero(is_usable) + 1
    if len(lags) < FEWEST_LAGS:
        raise ErrorProcessError(
            f"differences over {len(lags)} spans of years have {FEWEST_AREAS} areas or more; {FEWEST_LAGS} spans are needed"
        )
    sums = sums[is_usable]
    pairs, seen, error_variance = _moments(sums.sum(axis=-1, keepdims=True))
    if not (seen > 0).all():
        raise ErrorProcessError("the figures of all areas move alike, so their differences say nothing of errors")
    new_share, innovation = _line(lags, pairs, seen, error_variance)
    fitted = innovation * lags + 2 * new_share * error_variance[:, 0]
    left_out = _line(lags, *_moments(sums.sum(axis=-1, keepdims=True) - sums))
    edges = {"new_share": new_share[0] <= 0, "innovation_variance": innovation[0] <= 0}
    process = ErrorProcess(
        float(new_share[0]), float(innovation[0]), next((name for name, is_edge in edges.items() if is_edge), None)
    )
    seen = seen[:, 0]
    spread = ((seen - seen.mean()) ** 2).sum()
    return ProcessFit(
        process=process,
        seen=seen,
        fitted=fitted,
        pairs=pairs[:, 0],
        error_variance=error_variance[:, 0],
        r_squared=float(1 - ((seen - fitted) ** 2).sum() / spread) if spread > 0 else 0.0,
        new_share_error=_jackknife(left_out[0]),
        innovation_sd_error=_jackknife(np.sqrt(left_out[1])),
    )


def _difference_sums(position: Floats, error: Floats, longest: int) -> Floats:
    """Of every area's differences over 1 to ``longest`` years: their number, sum, sum of squares and of mean variances.

    [lags, 4, areas].
    """
    squared = error**2
    out = np.empty((longest, 4, position.shape[1]))
    for k in range(1, longest + 1):
        step = position[k:] - position[:-k]
        is_held = ~np.isnan(step)
        filled = np.where(is_held, step, 0.0)
        variance = np.where(is_held, (squared[k:] + squared[:-k]) / 2, 0.0)
        out[k - 1] = is_held.sum(axis=0), filled.sum(axis=0), (filled**2).sum(axis=0), variance.sum(axis=0)
    return out


def _moments(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Number, variance and mean published variance of the differences: each [lags, cases], from [lags, 4, cases]."""
    pairs, total, squares, variances = (sums[:, i] for i in range(4))
    return pairs, squares / pairs - (total / pairs) ** 2, variances / pairs


def _line(lags: NDArray[np.intp], pairs: Floats, seen: Floats, error_variance: Floats) -> tuple[Floats, Floats]:
    """pi and q of every case, neither below 0: each [cases]. Arguments [lags, cases] but ``lags``: [lags]."""
    weight = pairs / seen**2
    years, twice = lags[:, None].astype(float), 2 * error_variance
    kk, ke, ee = ((weight * a * b).sum(axis=0) for a, b in ((years, years), (years, twice), (twice, twice)))
    kv, ev = ((weight * a * seen).sum(axis=0) for a in (years, twice))
    determinant = kk * ee - ke**2
    innovation, new_share = (ee * kv - ke * ev) / determinant, (kk * ev - ke * kv) / determinant
    no_new, no_walk = new_share < 0, innovation < 0
    return (
        np.where(no_new, 0.0, np.where(no_walk, ev / ee, new_share)),
        np.where(no_walk, 0.0, np.where(no_new, kv / kk, innovation)),
    )


def _jackknife(left_out: Floats) -> float:
    count = len(left_out)
    return float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))


def _usable_share(new_share: float) -> float:
    """Above 1 there is nothing left to stay with the area: all of the published error is new."""
    if not new_share >= 0:
        raise ErrorProcessError(f"the share of error that is new each year must be 0 or more (given: {new_share})")
    return min(new_share, 1.0)


def error_covariance(error: Floats, new_share: float) -> Floats:
    """Covariance over years of an area's errors: [years, areas] -> [areas, years, years].

    Figures without an error count as exact, here and below. Raises ErrorProcessError for a negative share.
    """
    share = _usable_share(new_share)
    sigma = np.nan_to_num(error).T
    years = sigma.shape[1]
    return sigma[:, :, None] * sigma[:, None, :] * (1 - share + share * np.eye(years))


def draw_errors(rng: np.random.Generator, error: Floats, new_share: float, draws: int) -> Singles:
    """Errors drawn from the process: [years, areas] -> [draws, years, areas]. The same generator gives the same draws."""
    share = _usable_share(new_share)
    years, areas = error.shape
    drawn = rng.standard_normal((draws, years, areas), dtype=np.float32)
    drawn *= np.float32(np.sqrt(share))
    drawn += np.float32(np.sqrt(1 - share)) * rng.standard_normal((draws, 1, areas), dtype=np.float32)
    drawn *= np.nan_to_num(error).astype(np.float32)
    return drawn
