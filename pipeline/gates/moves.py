"""How figures move from one period or edition to another, over areas, and how they did so in the years held.

Figures are on a scale of logarithms or roots (`pipeline.gates.panels`), areas × periods. A robust spread is 1.4826 times
the median absolute deviation, which for a normal distribution is its standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.gates.panels import Flags, Floats

TO_STANDARD_DEVIATION = 1.4826
OWN_HISTORY_COUNTS_FROM = 3  # a district's own scatter is shrunk to all districts', which count as so many years of it
FEWEST_MOVES = 3
FEWEST_AREAS = 8
LATEST_STEPS = 10  # years in which single districts are looked at for the farthest that one has moved
NOTHING = np.array([], dtype=np.float64)


@dataclass(frozen=True)
class Step:
    """The move of all areas between two columns: what all share, how far they scatter, and each one's own move.

    ``own`` is the move less the shared one, NaN where either figure is missing. ``rank_loss`` is 1 less Spearman's
    correlation of the two columns.
    """

    before: Floats
    after: Floats
    own: Floats
    common: float
    spread: float
    rank_loss: float

    @property
    def count(self) -> int:
        return int(np.isfinite(self.own).sum())


def step(before: Floats, after: Floats) -> Step | None:
    """The move from one column to another; None where fewer than FEWEST_AREAS have both."""
    move = after - before
    both = np.isfinite(move)
    if both.sum() < FEWEST_AREAS:
        return None
    common = middle(move[both])
    own = move - common
    spread = middle(np.abs(own[both])) * TO_STANDARD_DEVIATION
    return Step(before, after, own, common, spread, _rank_loss(before[both], after[both]))


def middle(values: Floats) -> float:
    """The median of values none of which is missing: several times as fast as NumPy's for a few hundred."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    parted = np.partition(values, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2


def _rank_loss(before: Floats, after: Floats) -> float:
    """1 less Spearman's correlation; 1 where all figures of either are equal."""
    one, other = _centred_ranks(before), _centred_ranks(after)
    size = float(np.sqrt((one @ one) * (other @ other)))
    return 1.0 - float(one @ other) / size if size > 0 else 1.0


def _centred_ranks(values: Floats) -> Floats:
    """Ranks less their mean, equal values sharing the mean of their ranks."""
    order = np.argsort(values)
    in_order = values[order]
    is_first = np.concatenate(([True], in_order[1:] != in_order[:-1]))
    tie = np.cumsum(is_first) - 1
    count = np.bincount(tie)
    ranks = np.empty(len(values))
    ranks[order] = (np.cumsum(count) - (count - 1) / 2)[tie]
    return ranks - (len(values) + 1) / 2


@dataclass(frozen=True)
class History:
    """What the years held say of a series: how far it usually moves, and the most that it has.

    ``scatter`` is each area's own usual move, ``group_largest`` the largest move of each group's median against the
    country's, ``group_spread`` the widest that each group's districts scattered. ``worst_district`` is the largest move of one district in multiples of its scatter, ``worst_swap`` the
    largest reversal of two (see ``swap_score``).
    """

    usual: float
    smallest_spread: float
    largest_spread: float
    largest_common: float
    largest_rank_loss: float
    group_largest: Floats
    group_spread: Floats
    scatter: Floats
    worst_district: float
    worst_share: float
    worst_swap: float
    step_count: int


FAR = 4.0  # multiples of its own scatter by which a district's move is out of the ordinary


def history(figures: Floats, noise: Floats, groups: Sequence[tuple[str, Flags]], usual_share: float) -> History:
    """How a series moved in the years held.

    ``noise`` has the standard errors on the same scale, NaN where none is published. With fewer than FEWEST_MOVES
    years to compare, the spread of areas times ``usual_share`` stands for the usual move.
    """
    steps = [made for t in range(1, figures.shape[1]) if (made := step(figures[:, t - 1], figures[:, t])) is not None]
    spreads = [made.spread for made in steps if made.spread > 0]
    guess = usual_share * _cross_spread(figures)
    is_short = len(spreads) < FEWEST_MOVES
    usual = float(np.median(spreads)) if not is_short else max([guess, *spreads])
    if not usual > 0:
        usual = 1e-9
    own = np.column_stack([made.own for made in steps]) if steps else np.empty((len(figures), 0))
    scatter, worst, share = _scatter(own, noise, usual)
    group_largest = _group_largest(own, groups, usual)
    widest, shifted = max(spreads, default=usual), max((abs(made.common) for made in steps), default=usual)
    lost = max((made.rank_loss for made in steps), default=0.0)
    swaps = max((swap_score(made, scatter) for made in steps[-LATEST_STEPS:]), default=0.0)
    narrowest = min(spreads, default=usual)
    if is_short:
        narrowest = min(narrowest, guess / 10)
        widest, shifted = max(widest, 1.3 * usual), max(shifted, 3 * usual)
        lost = max(lost, usual_share**2)
        worst, share, swaps = max(worst, 6.0), max(share, 0.02), max(swaps, 36.0)
        group_largest = np.maximum(group_largest, 1.5 * usual)
    return History(
        usual,
        narrowest,
        widest,
        max(shifted, usual),
        max(lost, 1e-6),
        group_largest,
        _largest_group_spread(own, groups, usual),
        scatter,
        max(worst, FAR),
        max(share, 0.005),
        max(swaps, FAR**2),
        len(steps),
    )


def _cross_spread(figures: Floats) -> float:
    for t in range(figures.shape[1] - 1, -1, -1):
        column = figures[np.isfinite(figures[:, t]), t]
        if len(column) >= FEWEST_AREAS:
            return middle(np.abs(column - middle(column))) * TO_STANDARD_DEVIATION
    return 0.0


def _scatter(own: Floats, noise: Floats, usual: float) -> tuple[Floats, float, float]:
    """Each area's usual move; and, each year held against the others, the largest in its multiples and the share beyond FAR."""
    is_there = np.isfinite(own)
    squares = np.where(is_there, own, 0.0) ** 2
    total, count = squares.sum(axis=1), is_there.sum(axis=1)
    prior = OWN_HISTORY_COUNTS_FROM * usual**2
    scatter = np.sqrt((prior + total) / (OWN_HISTORY_COUNTS_FROM + count))
    error = _usual_noise(noise) * np.sqrt(2)
    scatter = np.fmax(scatter, error)
    if not own.shape[1]:
        return scatter, 0.0, 0.0
    others = np.sqrt((prior + total[:, None] - squares) / (OWN_HISTORY_COUNTS_FROM + count[:, None] - 1))
    multiples = np.abs(own) / np.fmax(others, error[:, None])
    multiples, is_there = multiples[:, -LATEST_STEPS:], is_there[:, -LATEST_STEPS:]
    worst = float(np.nanmax(multiples)) if is_there.any() else 0.0
    far = [(multiples[is_there[:, t], t] > FAR).mean() for t in range(is_there.shape[1]) if is_there[:, t].any()]
    return scatter, worst, float(max(far, default=0.0))


def _usual_noise(noise: Floats) -> Floats:
    """The mean standard error of each area over the periods; NaN where none is published."""
    is_there = np.isfinite(noise)
    count = is_there.sum(axis=1)
    total = np.where(is_there, noise, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def group_moves(own: Floats, groups: Sequence[tuple[str, Flags]]) -> Floats:
    """The median of each group's own moves, NaN where fewer than three have one."""
    found = np.full(len(groups), np.nan)
    for number, (_, flags) in enumerate(groups):
        moves = own[flags]
        moves = moves[np.isfinite(moves)]
        if len(moves) >= 3:
            found[number] = middle(moves)
    return found


def _group_largest(own: Floats, groups: Sequence[tuple[str, Flags]], usual: float) -> Floats:
    """The largest move of each group against all in the years held, at least half of what is usual for one district."""
    if not groups:
        return NOTHING
    moves = [np.abs(group_moves(own[:, t], groups)) for t in range(own.shape[1])]
    largest = np.fmax.reduce([*moves, np.full(len(groups), 0.0)])
    return np.maximum(largest, 0.5 * usual)


FEWEST_IN_A_SPREAD = 10


def group_spreads(own: Floats, groups: Sequence[tuple[str, Flags]]) -> Floats:
    """How far each group's districts scatter about the group's own move, NaN where fewer than ten have one."""
    found = np.full(len(groups), np.nan)
    for number, (_, flags) in enumerate(groups):
        moves = own[flags]
        moves = moves[np.isfinite(moves)]
        if len(moves) >= FEWEST_IN_A_SPREAD:
            found[number] = middle(np.abs(moves - middle(moves))) * TO_STANDARD_DEVIATION
    return found


def _largest_group_spread(own: Floats, groups: Sequence[tuple[str, Flags]], usual: float) -> Floats:
    """The widest spread of each group in the years held, at least what is usual for all districts."""
    spreads = [group_spreads(own[:, t], groups) for t in range(own.shape[1])]
    return np.maximum(np.fmax.reduce([*spreads, np.full(len(groups), 0.0)]), usual)


def swap_score(made: Step, scatter: Floats) -> float:
    """How far two areas changed places: the largest product, over pairs, of the gap before and the opposite gap after,

    each in multiples of the two areas' scatter.
    """
    return float(np.max(_swap_scores(made, scatter)[0], initial=0.0))


def swapped_pair(made: Step, scatter: Floats) -> tuple[int, int]:
    """The two areas with the largest ``swap_score``."""
    scores, rows = _swap_scores(made, scatter)
    one, other = np.unravel_index(int(np.argmax(scores)), scores.shape)
    return int(rows[one]), int(rows[other])


MOST_IN_PAIRS = 60


def _swap_scores(made: Step, scatter: Floats) -> tuple[Floats, np.ndarray]:
    size = np.nan_to_num(np.abs(made.own) / scatter)
    rows = np.argsort(size)[::-1][:MOST_IN_PAIRS]
    rows = rows[np.isfinite(made.own[rows])]
    before, after, scale = made.before[rows], (made.before + made.own)[rows], scatter[rows]
    was = before[:, None] - before[None, :]
    is_now = after[None, :] - after[:, None]
    return was * is_now / (scale[:, None] * scale[None, :]), rows
