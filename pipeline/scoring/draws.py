"""Seeded draws of survey error, and what a set of draws says about an area (METHODOLOGY section 6).

Every block of draws of every series and year has a random stream of its own, named by seed, series, year and block.
So the numbers do not depend on how work is cut into chunks or threads, on the number of draws asked for, or on
which other indicators and years a framework has.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from pipeline.scoring.ranks import rank_draws
from pipeline.scoring.transform import Bools, Floats, Singles

BLOCK = 100  # draws a random stream holds
INTERVAL = (0.05, 0.95)
FIFTH = 0.2


def normals(seed: int, series: str, year: int, start: int, stop: int, areas: int) -> Singles:
    """Standard normal draws ``start`` to ``stop`` of one series and year: [stop - start, areas].

    Any split of 0..n into ranges gives the same rows.
    """
    name = zlib.crc32(series.encode())
    out = np.empty((stop - start, areas), dtype=np.float32)
    for block in range(start // BLOCK, (stop + BLOCK - 1) // BLOCK):
        stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, name, year + 10_000, block])))
        first, last = max(start, block * BLOCK), min(stop, (block + 1) * BLOCK)
        rows = stream.standard_normal((last - block * BLOCK, areas), dtype=np.float32)
        out[first - start : last - start] = rows[first - block * BLOCK :]
    return out


def next_errors(previous: Singles | None, fresh: Singles, rho: float) -> Singles:
    """One year's standardised errors: AR(1) with correlation ``rho`` to the year before, variance 1 every year."""
    if previous is None or rho == 0:
        return fresh
    return float(rho) * previous + float(np.sqrt(1 - rho**2)) * fresh


@dataclass(frozen=True)
class Summary:
    """What the draws say about one node and year; all [areas], NaN where nothing is scored or ranked.

    ``lower``/``upper`` bound the score, ``rank_lower``/``rank_upper`` the rank, with 90% probability.
    """

    lower: Floats
    upper: Floats
    rank_lower: Floats
    rank_upper: Floats
    top_fifth: Floats
    bottom_fifth: Floats
    above_middle: Floats


def quantiles(draws: Singles) -> tuple[Singles, Singles]:
    """5th and 95th percentile along the last axis, interpolated linearly (as ``numpy.quantile`` does)."""
    ordered = np.sort(draws, axis=-1)
    last = draws.shape[-1] - 1
    low, high = (_between(ordered, q * last) for q in INTERVAL)
    return low, high


def _between(ordered: Singles, place: float) -> Singles:
    below, above = int(np.floor(place)), int(np.ceil(place))
    return ordered[..., below] + (place - below) * (ordered[..., above] - ordered[..., below])


def exact_summary(scores: Floats, is_scored: Bools, ranks: Floats, middle: float) -> Summary:
    """The summary of a node in which nothing has an error: the score, the rank and certainty. All [areas]."""
    score = np.where(is_scored, scores, np.nan)
    count = int((~np.isnan(ranks)).sum())
    is_ranked = ~np.isnan(ranks)
    return Summary(
        lower=score,
        upper=score,
        rank_lower=ranks,
        rank_upper=ranks,
        top_fifth=np.where(is_ranked, ranks <= FIFTH * count, np.nan),
        bottom_fifth=np.where(is_ranked, ranks > (1 - FIFTH) * count, np.nan),
        above_middle=np.where(is_scored, scores > middle, np.nan),
    )


def summarise(
    scores: Singles,
    point: Floats,
    is_scored: Bools,
    is_ranked: Bools,
    middle: float,
    bounds: tuple[float, float] | None = None,
) -> Summary:
    """Intervals and probabilities of one node and year. ``scores``: [draws, areas]; the point scores and masks: [areas].

    ``bounds``: the lowest and highest possible score, where there are such.

    An area that scores the same in every draw gets its point score for both bounds, free of single precision.
    """
    draws, areas = scores.shape
    empty = np.full(areas, np.nan)
    lower, upper, above = empty.copy(), empty.copy(), empty.copy()
    by_area = np.ascontiguousarray(scores[:, is_scored].T)
    low, high = quantiles(by_area)
    is_exact = (by_area == by_area[:, :1]).all(axis=1)
    lower[is_scored] = np.where(is_exact, point[is_scored], low)
    upper[is_scored] = np.where(is_exact, point[is_scored], high)
    above[is_scored] = np.count_nonzero(by_area > middle, axis=1) / draws
    del by_area
    rank_lower, rank_upper, top, bottom = empty.copy(), empty.copy(), empty.copy(), empty.copy()
    ranked = is_scored & is_ranked
    count = int(ranked.sum())
    if count:
        ranks = rank_draws(scores[:, ranked], bounds)
        top[ranked] = np.count_nonzero(ranks <= FIFTH * count, axis=1) / draws
        bottom[ranked] = np.count_nonzero(ranks > (1 - FIFTH) * count, axis=1) / draws
        ranks.sort(axis=1)
        rank_lower[ranked] = ranks[:, int(np.floor(INTERVAL[0] * (draws - 1)))]
        rank_upper[ranked] = ranks[:, int(np.ceil(INTERVAL[1] * (draws - 1)))]
    return Summary(lower, upper, rank_lower, rank_upper, top, bottom, above)
