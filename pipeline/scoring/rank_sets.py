"""Confidence sets for ranks after Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for Ranks with
Applications to Mobility across Neighbourhoods and Academic Achievement across Countries", Review of Economic
Studies 91(1), algorithms 3.1 to 3.3: a place ranks no better than one plus the number of places surely above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.draws import normals
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.transform import Bools, Floats, Singles

DRAWS = 2000
ROUNDING = 1e-5  # share of a variance below which the variance of a difference is rounding error
THREADS = 2


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

    ``estimates``, ``errors`` (standard errors): [areas]; an area without an estimate has no rank and does not count as
    a rival. For estimates whose errors go together see ``rank_sets_of_draws``. Marginal: each area's set contains its true rank with probability ``coverage``. Simultaneous: all sets do
    so together. Critical values are those of the largest standardised difference (max-t), drawn ``draws`` times and
    sharpened by stepdown. Raises ValueError for a coverage outside 0 to 1 or an error that is missing or negative. Time
    and memory grow with the square of the number of areas.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1 (given: {coverage})")
    alone, together = both_rank_sets(estimates, errors, coverage, draws=draws, seed=seed, wants_together=simultaneous)
    return together if together is not None else alone


def both_rank_sets(
    estimates: Floats,
    errors: Floats,
    coverage: float,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    wants_together: bool = True,
) -> tuple[RankSets, RankSets | None]:
    """The marginal sets and, if wanted, the simultaneous ones, which share their first step.

    Arguments and errors are those of ``rank_confidence_sets``.
    """
    held = ~np.isnan(estimates)
    theta, sigma = estimates[held], errors[held]
    if np.isnan(sigma).any() or (sigma < 0).any():
        raise ValueError("every estimate needs a standard error of 0 or more")
    noise = np.ascontiguousarray((normals(seed, "rank sets", 0, 0, draws, theta.size) * sigma).T, dtype=np.float32)
    pairs = _pairs(theta, np.hypot(sigma[:, None], sigma[None, :]))
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        is_apart, largest = _surely_apart_each(pairs, noise, coverage, pool)
        alone = _sets(estimates, theta, is_apart)
        if not wants_together:
            return alone, None
        is_apart = _surely_apart_together(pairs, noise, coverage, largest, pool)
    return alone, _sets(estimates, theta, is_apart)


def rank_sets_of_draws(estimates: Floats, drawn: Singles, coverage: float) -> RankSets:
    """Marginal confidence sets for ranks of estimates whose errors go together, such as scores of composites.

    ``estimates``: [areas], NaN has no rank; ``drawn``: [draws, areas], the estimates with their errors drawn anew, one
    world a draw. The standard error of each difference, and how differences go together, are those of the draws, so
    their middle does not matter. A score that no draw moves counts as exact. Raises ValueError for a coverage outside 0
    to 1 or fewer than two draws.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1 (given: {coverage})")
    if len(drawn) < 2:
        raise ValueError(f"two draws at least are needed (given: {len(drawn)})")
    held = ~np.isnan(estimates)
    theta = estimates[held]
    noise = np.ascontiguousarray((drawn[:, held] - drawn[:, held].mean(axis=0)).T, dtype=np.float32)
    covariance = noise @ noise.T / np.float32(len(drawn) - 1)
    variance = covariance.diagonal()
    squared = (variance[:, None] + variance[None, :] - 2 * covariance).astype(np.float64)
    rounding = ROUNDING * np.maximum(variance[:, None], variance[None, :])  # of single precision
    pairs = _pairs(theta, np.sqrt(np.where(squared > rounding, squared, 0.0)))
    with ThreadPoolExecutor(max_workers=1) as pool:
        return _sets(estimates, theta, _surely_apart_each(pairs, noise, coverage, pool)[0])


def _sets(estimates: Floats, theta: Floats, is_apart: Bools) -> RankSets:
    """``is_apart``: [areas, areas], row j says which areas surely differ from j."""
    held = ~np.isnan(estimates)
    gap = theta[None, :] - theta[:, None]
    lower, upper = np.full(estimates.shape, np.nan), np.full(estimates.shape, np.nan)
    lower[held] = 1 + (is_apart & (gap > 0)).sum(axis=1)
    upper[held] = theta.size - (is_apart & (gap < 0)).sum(axis=1)
    return RankSets(rank_rows(estimates), lower, upper)


@dataclass(frozen=True)
class _Pairs:
    """All [areas, areas], for row j and column k: the standard error of their difference (``spread``), the standardised
    ``distance``, whether k's estimate is above j's, whether the two are exact and differ (``is_certain``), and whether
    the pair is still undecided (``is_open``)."""

    spread: Floats
    distance: Floats
    is_above: Bools
    is_certain: Bools
    is_open: Bools


def _surely_apart_each(
    pairs: _Pairs, noise: Singles, coverage: float, pool: ThreadPoolExecutor
) -> tuple[Bools, Singles]:
    """[areas, areas]: row j says which areas surely differ from j, each row a family of its own.

    Also the largest drawn distance of all pairs: [draws].
    """
    found = pairs.is_certain.copy()

    def decide(places: NDArray[np.intp]) -> Singles:
        largest = np.zeros(noise.shape[1], dtype=np.float32)
        for j in places:
            rivals = np.flatnonzero(pairs.is_open[j])
            drawn = _drawn_differences(noise, pairs.spread, int(j), rivals)
            kept = np.zeros(noise.shape[1], dtype=np.float32)  # of the directions that remain when a pair is decided
            np.maximum(largest, _largest_either_way(drawn), out=largest)
            while rivals.size:
                critical = _critical(np.maximum(kept, _largest_either_way(drawn)), coverage)
                is_new = pairs.distance[j, rivals] > critical
                if not is_new.any():
                    break
                found[j, rivals[is_new]] = True
                np.maximum(kept, _largest_other_way(drawn[is_new], pairs.is_above[j, rivals[is_new]]), out=kept)
                rivals, drawn = rivals[~is_new], drawn[~is_new]
        return largest

    return found, _largest(decide, noise.shape[0], noise.shape[1], pool)


def _surely_apart_together(
    pairs: _Pairs, noise: Singles, coverage: float, largest: Singles, pool: ThreadPoolExecutor
) -> Bools:
    """[areas, areas], symmetric: pairs that surely differ, all pairs one family. ``largest``: of all pairs, [draws]."""
    found = pairs.is_certain.copy()
    is_pair = np.triu(pairs.is_open)  # each pair once
    is_open = is_pair.copy()

    def remaining(places: NDArray[np.intp]) -> Singles:
        """The largest over both directions of open pairs, and over the undecided direction of decided ones."""
        most = np.zeros(noise.shape[1], dtype=np.float32)
        for j in places:
            rivals = np.flatnonzero(is_pair[j])
            if rivals.size:
                drawn = _drawn_differences(noise, pairs.spread, int(j), rivals)
                left, decided = drawn[is_open[j, rivals]], ~is_open[j, rivals]
                np.maximum(most, _largest_either_way(left), out=most)
                np.maximum(most, _largest_other_way(drawn[decided], pairs.is_above[j, rivals[decided]]), out=most)
        return most

    while is_open.any():
        is_new = is_open & (pairs.distance > _critical(largest, coverage))
        if not is_new.any():
            break
        found |= is_new | is_new.T
        is_open &= ~is_new
        largest = _largest(remaining, noise.shape[0], noise.shape[1], pool)
    return found


def _largest(work: Callable[[NDArray[np.intp]], Singles], places: int, draws: int, pool: ThreadPoolExecutor) -> Singles:
    """The elementwise maximum of the results of ``work`` over shares of the places; it does not depend on the shares."""
    shares: Sequence[NDArray[np.intp]] = [np.arange(first, places, THREADS) for first in range(THREADS)]
    most = np.zeros(draws, dtype=np.float32)
    for result in pool.map(work, shares):
        np.maximum(most, result, out=most)
    return most


def _pairs(theta: Floats, spread: Floats) -> _Pairs:
    gap = theta[None, :] - theta[:, None]
    distance = np.divide(np.abs(gap), spread, out=np.zeros_like(gap), where=spread > 0)
    is_open = (spread > 0) & ~np.eye(theta.size, dtype=bool)
    return _Pairs(spread, distance, gap > 0, (spread == 0) & (gap != 0), is_open)


def _drawn_differences(noise: Singles, spread: Floats, j: int, rivals: NDArray[np.intp]) -> Singles:
    """Standardised differences of the drawn errors, each rival's less that of ``j``: [rivals, draws]."""
    drawn = noise[rivals]
    drawn -= noise[j]
    drawn *= (1 / spread[j, rivals]).astype(np.float32)[:, None]
    return drawn


def _largest_either_way(drawn: Singles) -> Singles:
    """[rivals, draws] -> [draws]: the largest of the differences and their opposites, at least 0."""
    return np.maximum(drawn.max(axis=0, initial=0), -drawn.min(axis=0, initial=0))


def _largest_other_way(drawn: Singles, is_above: Bools) -> Singles:
    """[rivals, draws] -> [draws]: the largest in the direction that is still undecided, at least 0.

    Once a rival is surely above, that direction is decided; only its being below still has to be guarded against.
    """
    above, below = drawn[is_above], drawn[~is_above]
    return np.maximum(-above.min(axis=0, initial=0), below.max(axis=0, initial=0))


def _critical(largest: Singles, coverage: float) -> float:
    return float(np.quantile(largest, coverage, method="higher"))
