"""Seeded draws of errors, and the summaries of a set of draws for an area (METHODOLOGY section 6).

Every block of draws of every series and year has its own random stream, named by seed, series, year and block. So the
numbers do not depend on how work is cut into chunks or threads, on the number of draws requested, or on the framework's
other indicators and years.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.ranks import rank_draws, rank_rows
from pipeline.scoring.transform import Bools, Floats, Singles

BLOCK = 100  # draws in a random stream
LOWER, MEDIAN, UPPER = 0.05, 0.5, 0.95  # of the draws: a 90% interval
FIFTH = 0.2
BINS = 2048  # steps of the range in which an area is placed among the draws of its rivals


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


@dataclass(frozen=True)
class Summary:
    """Summary of the draws at one node and year; all [areas], NaN where nothing is scored or ranked.

    ``lower``/``upper`` bound the score and ``rank_lower``/``rank_upper`` the rank, with 90% probability. Each interval
    contains its point estimate. The probabilities are of the truth, from posterior draws.
    """

    lower: Floats
    upper: Floats
    rank_lower: Floats
    rank_upper: Floats
    top_fifth: Floats
    bottom_fifth: Floats
    above_middle: Floats


def centred_interval(draws: Singles, point: Floats) -> tuple[Floats, Floats, Floats]:
    """The 90% interval about ``point`` ([areas]) from ``draws`` ([areas, draws]), and the median of the draws ([areas]).

    The interval always holds the point.

    Its ends are as far from the point as the 5th and 95th percentile are from the median of the draws, and at most as
    far as the farthest draw. Draws add noise to figures that already contain noise. Wherever scores bend (floors, ends
    of the scale, means that are not arithmetic), that shifts the middle of the draws away from the point. That is no
    reason to think that the true score is elsewhere. An end that a twentieth of the draws reach and none passes is as
    far as the score can go, so it is kept.
    """
    ordered = np.sort(draws, axis=-1)
    least, most = ordered[..., 0], ordered[..., -1]
    low, middle, high = quantiles(ordered, (LOWER, MEDIAN, UPPER))
    lower = np.where(low == least, low, np.maximum(point - (middle - low), least))
    upper = np.where(high == most, high, np.minimum(point + (high - middle), most))
    is_exact = least == most
    lower, upper = np.minimum(lower, point), np.maximum(upper, point)
    return np.where(is_exact, point, lower), np.where(is_exact, point, upper), middle.astype(np.float64)


def rank_interval(
    plain: Singles, posterior: Singles, posterior_ranks: NDArray[np.signedinteger[Any]], scores: Floats
) -> tuple[Floats, Floats]:
    """The 90% interval of each district's rank, wide enough for a true rank and for a printed one: each [areas].

    ``plain``, ``posterior``: [draws, areas]; ``posterior_ranks``: [areas, draws]; ``scores``: [areas], as published.
    Method: `pipeline.estimation.posterior.rank_interval`. It holds the rank of ``scores``; for tied districts up to the
    last place of the tie, since a score at the end of the scale stands for that distance or more.
    """
    count = plain.shape[1]
    own = _ranks_among(plain, posterior)
    best, worst = rank_rows(scores), count + 1 - rank_rows(-scores)
    for ranks in (posterior_ranks, own):
        ranks.sort(axis=1)
        low, high = quantiles(ranks, (LOWER, UPPER))
        best, worst = np.minimum(best, np.floor(low)), np.maximum(worst, np.ceil(high))
    return best, worst


def _ranks_among(own: Singles, rivals: Singles) -> NDArray[np.signedinteger[Any]]:
    """The rank of each area's own draw among the draws of all others: [draws, areas] -> [areas, draws].

    Scores are counted in BINS steps of their range, which is finer than ranks rounded outwards can tell.
    """
    dtype = np.int16 if own.shape[1] < 2**15 else np.int32
    low, high = min(own.min(), rivals.min()), max(own.max(), rivals.max())
    scale = np.float32((BINS - 1) / (high - low)) if high > low else np.float32(0)
    first = (np.arange(len(own), dtype=np.int32) * BINS)[:, None]
    place, of_rivals = (first + ((high - scores) * scale).astype(np.int32) for scores in (own, rivals))
    before = np.bincount(of_rivals.reshape(-1), minlength=len(own) * BINS).astype(dtype).reshape(-1, BINS)
    before = np.cumsum(before, axis=1, dtype=dtype)
    above = np.where(place > first, before.reshape(-1)[np.maximum(place - 1, 0)], dtype(0))
    above -= of_rivals < place
    return np.ascontiguousarray((above + dtype(1)).T)


def quantiles(ordered: NDArray[Any], shares: Sequence[float]) -> list[NDArray[Any]]:
    """Quantiles of sorted draws along the last axis, at ``share x (draws + 1)``, so that few draws do not narrow them.

    Interpolated linearly, as ``numpy.quantile`` does by method ``weibull``; never beyond the farthest draw.
    """
    last = ordered.shape[-1] - 1
    return [_between(ordered, min(max(share * (last + 2) - 1, 0), last)) for share in shares]


def _between(ordered: NDArray[Any], place: float) -> NDArray[Any]:
    below, above = int(np.floor(place)), int(np.ceil(place))
    return ordered[..., below] + np.float32(place - below) * (ordered[..., above] - ordered[..., below])


def exact_summary(scores: Floats, is_scored: Bools, ranks: Floats, middle: float) -> Summary:
    """The summary of a node without any error: the score, the rank and certainty. All [areas]."""
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
    """Intervals and probabilities of one node and year.

    ``scores``: [2 x draws, areas], plain draws before posterior ones; the point scores and masks: [areas]. ``bounds``:
    the lowest and highest possible score, if there are any. A score's interval holds the interval of plain draws about
    the point, which covers the truth wherever it lies, and that of posterior draws, which covers it wherever the
    printed score lies.
    """
    draws, areas = scores.shape[0] // 2, scores.shape[1]
    plain, posterior = scores[:draws], scores[draws:]
    empty = np.full(areas, np.nan)
    lower, upper, above = empty.copy(), empty.copy(), empty.copy()
    low, high, _ = centred_interval(np.ascontiguousarray(plain[:, is_scored].T), point[is_scored])
    by_area = np.sort(posterior[:, is_scored].T, axis=1)
    least, most = quantiles(by_area, (LOWER, UPPER))
    lower[is_scored], upper[is_scored] = np.minimum(low, least), np.maximum(high, most)
    share, own = np.count_nonzero(by_area > middle, axis=1) / draws, point[is_scored]
    # A mean of several members can lie higher in the draws than as published; no verdict contradicts the printed score.
    above[is_scored] = np.clip(share, np.where(own > middle, 0.5, 0.0), np.where(own < middle, 0.5, 1.0))
    del by_area
    rank_lower, rank_upper, top, bottom = empty.copy(), empty.copy(), empty.copy(), empty.copy()
    ranked = is_scored & is_ranked
    count = int(ranked.sum())
    if count:
        ranks = rank_draws(posterior[:, ranked], bounds)
        top[ranked] = np.count_nonzero(ranks <= FIFTH * count, axis=1) / draws
        bottom[ranked] = np.count_nonzero(ranks > (1 - FIFTH) * count, axis=1) / draws
        rank_lower[ranked], rank_upper[ranked] = rank_interval(
            plain[:, ranked], posterior[:, ranked], ranks, point[ranked]
        )
    return Summary(lower, upper, rank_lower, rank_upper, top, bottom, above)
