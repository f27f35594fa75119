"""Simulations in which the truth is known: does an interval hold it as often as it says?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.estimation.error_process import Floats
from pipeline.estimation.posterior import draw_posterior, rank_interval, ranks_among, shrink
from pipeline.estimation.slopes import Bools, fit_wandering, is_clear, slope_weights, wandering_slope_variance
from pipeline.scoring.ranks import rank_rows

LEVEL = 0.9  # of intervals
SURE = 0.95  # probability from which a district is called clearly in the top fifth
RELIABILITY = 0.58  # of employment's level in 2023
END = 0.1  # share of districts that an end of a ranking is


@dataclass(frozen=True)
class RankCoverage:
    """Share of true ranks inside their interval: of all districts, of the truly and of the printed first and last tenth.

    ``width``: places from end to end. ``wrongly_sure``: share of the districts called clearly in the top fifth that are not in it; ``called``: how many are
    called so, on average.
    """

    everywhere: float
    true_ends: float
    printed_ends: float
    width: float
    wrongly_sure: float
    called: float


PLAIN, CENTRED, POSTERIOR, BOTH = (
    "plain draws",
    "plain draws, set about the printed rank",
    "posterior draws",
    "both (`rank_interval`)",
)


def rank_coverage(seed: int, districts: int = 340, worlds: int = 200, draws: int = 300) -> dict[str, RankCoverage]:
    """Rank intervals from draws about the figures, the same as published today, from posterior draws, and from both.

    The noise is that of employment, and differs between districts.
    """
    rng = np.random.default_rng(seed)
    noise = np.sqrt((1 - RELIABILITY) / RELIABILITY)
    sigma = noise * rng.uniform(0.6, 1.4, districts)
    found = {way: np.zeros(6) for way in (PLAIN, CENTRED, POSTERIOR, BOTH)}
    for _ in range(worlds):
        truth = rng.standard_normal(districts)
        figure = truth + sigma * rng.standard_normal(districts)
        true_rank, printed_rank = (ranks_among(values[None], values[None])[0] for values in (truth, figure))
        plain = figure + sigma * rng.standard_normal((draws, districts))
        posterior = draw_posterior(rng, shrink(figure, sigma), draws)
        plain_ranks, posterior_ranks = ranks_among(plain, plain), ranks_among(posterior, posterior)
        intervals: dict[str, tuple[Floats, Floats]] = {
            PLAIN: _interval(plain_ranks),
            CENTRED: _set_about_the_printed_rank(plain_ranks, figure),
            POSTERIOR: _interval(posterior_ranks),
            BOTH: rank_interval(plain, posterior, LEVEL),
        }
        for way, (low, high) in intervals.items():
            inside = (np.floor(low) <= true_rank) & (true_rank <= np.ceil(high))
            ends = (inside[_is_end(true_rank)].mean(), inside[_is_end(printed_rank)].mean())
            ranks = plain_ranks if way in (PLAIN, CENTRED) else posterior_ranks
            is_sure = (ranks <= districts / 5).mean(axis=0) >= SURE
            wrong = (true_rank[is_sure] > districts / 5).sum()
            found[way] += np.array([inside.mean(), *ends, (high - low).mean(), wrong, is_sure.sum()]) / worlds
    return {way: _coverage(*sums.tolist()) for way, sums in found.items()}


def _coverage(
    everywhere: float, true_ends: float, printed_ends: float, width: float, wrong: float, called: float
) -> RankCoverage:
    return RankCoverage(everywhere, true_ends, printed_ends, width, wrong / called if called else 0.0, called)


def _set_about_the_printed_rank(ranks: Floats, figure: Floats) -> tuple[Floats, Floats]:
    """The rule before posterior draws: as far from the printed rank as ends lie from the median of the draws."""
    ordered, last = np.sort(ranks, axis=0), len(ranks) - 1
    low, median_low, median_high, high = (
        ordered[int(place)]
        for place in (np.floor(0.05 * last), np.floor(0.5 * last), np.ceil(0.5 * last), np.ceil(0.95 * last))
    )
    printed, count = rank_rows(figure), ranks.shape[1]
    return np.maximum(printed - (median_high - low), 1), np.minimum(printed + (high - median_low), count)


def _interval(ranks: Floats) -> tuple[Floats, Floats]:
    low, high = np.quantile(ranks, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0, method="weibull")
    return low, high


def _is_end(rank: Floats) -> Bools:
    return np.asarray((rank <= END * len(rank)) | (rank > (1 - END) * len(rank)))


def smoothed_walk(rng: np.random.Generator, years: int, areas: int, span: int = 4) -> Floats:
    """Random walks without drift, averaged over ``span`` years: [years, areas]."""
    walk = rng.standard_normal((years + span - 1, areas)).cumsum(axis=0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(walk, span, axis=0).mean(axis=-1))


def naive_slope_error(window: Floats) -> tuple[Floats, Floats]:
    """Least-squares slopes and their usual standard errors, as if scatter were independent: each [areas]."""
    weights = slope_weights(np.ones(window.shape, dtype=bool))
    slope = (weights * window).sum(axis=0)
    time = np.arange(len(window)) - (len(window) - 1) / 2
    left = window - window.mean(axis=0) - slope * time[:, None]
    return slope, np.sqrt((left**2).sum(axis=0) / (len(window) - 2) / (time**2).sum())


def newey_west_slope_error(window: Floats, lags: int = 3) -> tuple[Floats, Floats]:
    """Slopes and their standard errors by Newey and West (1987), each area by itself: each [areas]."""
    weights = slope_weights(np.ones(window.shape, dtype=bool))
    slope = (weights * window).sum(axis=0)
    time = np.arange(len(window)) - (len(window) - 1) / 2
    left = window - window.mean(axis=0) - slope * time[:, None]
    score = weights * left
    variance = (score**2).sum(axis=0)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (score[lag:] * score[:-lag]).sum(axis=0)
    return slope, np.sqrt(np.maximum(variance, 0) * len(window) / (len(window) - 2))


def clear_without_drift(
    seed: int, window: int = 10, years: int = 20, areas: int = 350, worlds: int = 40
) -> dict[str, float]:
    """Share of smoothed random walks without drift that read clear at 95%, two-sided, by how the error is worked out."""
    rng = np.random.default_rng(seed)
    clear = dict.fromkeys(("naive", "Newey-West", "pooled steps"), 0.0)
    freedom = window - 2
    for _ in range(worlds):
        position = smoothed_walk(rng, years, areas)
        last = position[-window:]
        clear["naive"] += float(is_clear(*naive_slope_error(last), freedom).mean()) / worlds
        clear["Newey-West"] += float(is_clear(*newey_west_slope_error(last), freedom).mean()) / worlds
        fit = fit_wandering(position)
        weights = slope_weights(np.ones(last.shape, dtype=bool))
        error = np.sqrt(wandering_slope_variance(weights, fit))
        clear["pooled steps"] += float(is_clear((weights * last).sum(axis=0), error, fit.freedom).mean()) / worlds
    return clear


def naive_clear_as_published(seed: int, window: int = 10, areas: int = 20_000) -> float:
    """The same by the rule of ``mart_indicator_trend`` today: a probability of 0.95 of one side, scatter independent."""
    slope, error = naive_slope_error(smoothed_walk(np.random.default_rng(seed), window, areas))
    return float((np.abs(slope) > stats.t.ppf(0.95, window - 2) * error).mean())
