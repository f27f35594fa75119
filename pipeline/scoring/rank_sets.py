"""Confidence sets for ranks after Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for Ranks with
Applications to Mobility across Neighbourhoods and Academic Achievement across Countries", Review of Economic
Studies 91(1), algorithms 3.1 to 3.3: a place ranks no better than one plus the number of places surely above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.draws import normals
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.transform import Bools, Floats, Singles

DRAWS = 2000


@dataclass(frozen=True)
class RankSets:
    """All [areas]: the rank (1 is best, ties share the better) and the best and worst rank in the confidence set."""

    rank: Floats
    lower: Floats
    upper: Floats


def rank_confidence_sets(
    estimates: Floats, errors: Floats, coverage: float, *, simultaneous: bool, draws: int = DRAWS, seed: int = 1
) -> RankSets:
    """Two-sided confidence sets for ranks from independent normal estimates; higher is better.

    ``estimates``, ``errors`` (standard errors): [areas]; an area without an estimate has no rank and is nobody's
    rival. Marginal: each area's set covers its true rank with probability ``coverage``. Simultaneous: all sets
    do so together. Critical values are those of the largest standardised difference (max-t), drawn ``draws``
    times and sharpened by stepdown. Raises ValueError for a coverage outside 0 to 1 or an error that is missing
    or negative. Time and memory grow with the square and the first power of the number of areas.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1 (given: {coverage})")
    held = ~np.isnan(estimates)
    theta, sigma = estimates[held], errors[held]
    if np.isnan(sigma).any() or (sigma < 0).any():
        raise ValueError("every estimate needs a standard error of 0 or more")
    noise = np.ascontiguousarray((normals(seed, "rank sets", 0, 0, draws, theta.size) * sigma).T, dtype=np.float32)
    decide = _surely_apart_together if simultaneous else _surely_apart_each
    is_apart = decide(theta, sigma, noise, coverage)
    gap = theta[None, :] - theta[:, None]
    better = (is_apart & (gap > 0)).sum(axis=1)
    worse = (is_apart & (gap < 0)).sum(axis=1)
    out = [np.full(estimates.shape, np.nan) for _ in range(2)]
    out[0][held] = 1 + better
    out[1][held] = theta.size - worse
    return RankSets(rank_rows(estimates), out[0], out[1])


def _surely_apart_each(theta: Floats, sigma: Floats, noise: Singles, coverage: float) -> Bools:
    """[areas, areas]: row j says which areas surely differ from j, each row a family of its own."""
    distance, found, is_open = _distances(theta, sigma)
    for j in range(theta.size):
        rivals = np.flatnonzero(is_open[j])
        drawn = _drawn_distances(noise, sigma, j, rivals)
        while rivals.size:
            is_new = distance[j, rivals] > _critical(drawn.max(axis=0), coverage)
            if not is_new.any():
                break
            found[j, rivals[is_new]] = True
            rivals, drawn = rivals[~is_new], drawn[~is_new]
    return found


def _surely_apart_together(theta: Floats, sigma: Floats, noise: Singles, coverage: float) -> Bools:
    """[areas, areas], symmetric: pairs that surely differ, all pairs one family."""
    distance, found, is_open = _distances(theta, sigma)
    is_open = np.triu(is_open)
    while is_open.any():
        largest = np.zeros(noise.shape[1], dtype=np.float32)
        for j in range(theta.size):
            rivals = np.flatnonzero(is_open[j])
            if rivals.size:
                np.maximum(largest, _drawn_distances(noise, sigma, j, rivals).max(axis=0), out=largest)
        is_new = is_open & (distance > _critical(largest, coverage))
        if not is_new.any():
            break
        found |= is_new | is_new.T
        is_open &= ~is_new
    return found


def _distances(theta: Floats, sigma: Floats) -> tuple[Floats, Bools, Bools]:
    """Standardised distance of every pair, pairs of exact estimates that differ, and pairs left to decide."""
    spread = np.hypot(sigma[:, None], sigma[None, :])
    gap = np.abs(theta[:, None] - theta[None, :])
    distance = np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
    is_open = (spread > 0) & ~np.eye(theta.size, dtype=bool)
    return distance, (spread == 0) & (gap > 0), is_open


def _drawn_distances(noise: Singles, sigma: Floats, j: int, rivals: NDArray[np.intp]) -> Singles:
    """Standardised differences of the drawn errors of ``j`` and each rival: [rivals, draws]."""
    drawn = noise[rivals]
    drawn -= noise[j]
    np.abs(drawn, out=drawn)
    drawn *= (1 / np.hypot(sigma[rivals], sigma[j])).astype(np.float32)[:, None]
    return drawn


def _critical(largest: Singles, coverage: float) -> float:
    return float(np.quantile(largest, coverage, method="higher"))
