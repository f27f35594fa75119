"""How figures move between periods or editions over all areas, and how they moved in the years held.

Figures are on a scale of logarithms or roots (`pipeline.gates.panels`), areas × periods. A robust spread is 1.4826
times the median absolute deviation, which equals the standard deviation of a normal distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.gates.panels import Flags, Floats

TO_STANDARD_DEVIATION = 1.4826
OWN_HISTORY_COUNTS_FROM = 3  # a district's own scatter is shrunk towards all districts', which count as this many years
FEWEST_MOVES = 3
FEWEST_AREAS = 8
LATEST_STEPS = 10  # years searched for the farthest move of a single district
NOTHING = np.array([], dtype=np.float64)


@dataclass(frozen=True)
class Step:
    """The move of all areas between two columns: the common move, the scatter, and each area's own move.

    ``own`` is the move less the common one, NaN where either figure is missing. ``rank_loss`` is 1 less Spearman's
    correlation of the two columns.
    """

    before: Floats
    after: Floats
    own: Floats
    common: float
    spread: float
    rank_loss: float


def step(before: Floats, after: Floats) -> Step | None:
    """The move from one column to another; None if fewer than FEWEST_AREAS have both."""
    made = steps(before[:, None], after[:, None])
    return made.at(0) if made.count else None


@dataclass(frozen=True)
class Steps:
    """Several moves at once: areas × steps, with one common move, spread and loss of rank for each step."""

    before: Floats
    after: Floats
    own: Floats
    common: Floats
    spread: Floats
    rank_loss: Floats

    @property
    def count(self) -> int:
        return len(self.common)

    def at(self, t: int) -> Step:
        return Step(
            self.before[:, t],
            self.after[:, t],
            self.own[:, t],
            float(self.common[t]),
            float(self.spread[t]),
            float(self.rank_loss[t]),
        )


def steps(before: Floats, after: Floats) -> Steps:
    """The moves from each column of one table to the same column of another, if at least FEWEST_AREAS have both."""
    move = after - before
    is_enough = np.isfinite(move).sum(axis=0) >= FEWEST_AREAS
    before, after, move = before[:, is_enough], after[:, is_enough], move[:, is_enough]
    common = column_medians(move)
    own = move - common
    spread = column_medians(np.abs(own)) * TO_STANDARD_DEVIATION
    return Steps(before, after, own, common, spread, _rank_losses(before, after, np.isfinite(move)))


def column_medians(values: Floats) -> Floats:
    """The median of each column ignoring NaN, NaN for an empty column: many times as fast as NumPy's."""
    count = np.isfinite(values).sum(axis=0)
    in_order = np.sort(values, axis=0)
    columns = np.arange(values.shape[1])
    last = np.maximum(count - 1, 0)
    low, high = in_order[last // 2, columns], in_order[(last + 1) // 2, columns]
    return np.where(count > 0, (low + high) / 2, np.nan)


def middle(values: Floats) -> float:
    """The median of values without NaN: several times as fast as NumPy's for a few hundred."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    parted = np.partition(values, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2


def _rank_losses(before: Floats, after: Floats, both: Flags) -> Floats:
    """1 less Spearman's correlation of each column with the same column of the other; 1 if either has no variation."""
    one, other = _centred_ranks(before, both), _centred_ranks(after, both)
    size = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.where(size > 0, 1.0 - (one * other).sum(axis=0) / np.where(size > 0, size, 1.0), 1.0)


def _centred_ranks(values: Floats, is_there: Flags) -> Floats:
    """Ranks in each column less their mean; equal values share the mean rank; 0 where ``is_there`` is False."""
    values = np.where(is_there, values, np.nan)
    order = np.argsort(values, axis=0)
    in_order = np.take_along_axis(values, order, axis=0)
    differs = in_order[1:] != in_order[:-1]
    place = np.arange(len(values), dtype=np.float64)[:, None]
    end = np.ones((1, values.shape[1]), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate((end, differs)), place, 0.0), axis=0)
    last = np.where(np.concatenate((differs, end)), place, float(len(values)))
    last = np.minimum.accumulate(last[::-1], axis=0)[::-1]
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=0)
    return np.where(is_there, ranks - (is_there.sum(axis=0) - 1) / 2, 0.0)


@dataclass(frozen=True)
class History:
    """A series' history in the years held: how far it usually moves, and how far it has moved at most.

    ``scatter`` is each area's own usual move. ``group_largest`` is the largest move of each group's median against the
    country's, and ``group_spread`` the widest scatter of each group's districts. ``worst_district`` is the largest move
    of one district in multiples of its scatter. ``worst_pair`` and ``worst_ring`` are the most that an exchange of two
    or three districts would have explained (see ``exchange``).
    """

    usual: float
    largest_spread: float
    largest_common: float
    largest_rank_loss: float
    group_largest: Floats
    group_spread: Floats
    scatter: Floats
    worst_district: float
    worst_share: float
    worst_pair: float
    worst_ring: float

    def scatter_in(self, made: Step) -> Floats:
        """Each area's usual move, widened in a year when all areas scatter more."""
        return self.scatter * max(1.0, made.spread / self.usual)


FAR = 4.0  # multiples of its own scatter beyond which a district's move is unusual


def history(
    figures: Floats, before: Floats, noise: Floats, groups: Sequence[tuple[str, Flags]], usual_share: float
) -> History:
    """How a series moved in the years held: ``before`` is what each column of ``figures`` is compared with.

    ``noise`` has the standard errors on the same scale, NaN where none is published. With fewer than FEWEST_MOVES years
    to compare, the errors of two years stand in for the usual move. If none are published, the spread of areas times
    ``usual_share`` does.
    times ``usual_share``.
    """
    made = steps(before, figures)
    spreads = made.spread[made.spread > 0]
    is_short = len(spreads) < FEWEST_MOVES
    error = _usual_noise(noise) * np.sqrt(2)
    is_sampled = np.isfinite(error).sum() >= FEWEST_AREAS
    cross = _cross_spread(figures)
    guess = float(np.nanmedian(error)) if is_sampled else usual_share * cross
    usual = float(np.median(spreads)) if not is_short else max([guess, *spreads])
    if not usual > 0:
        usual = 1e-9
    if is_sampled and is_short:
        error = np.where(np.isfinite(error), error, np.nanmedian(error))
    scatter, others, worst, share = _scatter(made.own, error, usual)
    group_largest = _group_largest(made.own, groups, usual)
    widest, shifted = max(spreads, default=usual), float(np.max(np.abs(made.common), initial=0.0))
    lost = float(np.max(made.rank_loss, initial=0.0))
    pair, ring = least_explained(len(figures))
    for t in range(made.count)[-LATEST_STEPS:]:
        gains = exchange(made.at(t), others[:, t] * max(1.0, made.spread[t] / usual))
        pair, ring = max(pair, gains[0].gain), max(ring, gains[1].gain)
    if is_short:
        widest, shifted = (
            max(widest, (1.2 if is_sampled else 1.3) * usual),
            max(shifted, (1.5 if is_sampled else 3) * usual),
        )
        lost = max(lost, min((usual / cross) ** 2, 1.0) if cross > 0 else 1.0)
        pair, ring = 1.1 * pair, 1.1 * ring
        worst, share = max(worst, 4.5 if is_sampled else 6.0), max(share, 0.01 if is_sampled else 0.02)
        group_largest = np.maximum(group_largest, (0.6 if is_sampled else 1.5) * usual)
    return History(
        usual,
        widest,
        max(shifted, usual),
        max(lost, 1e-6),
        group_largest,
        _largest_group_spread(made.own, groups, usual),
        scatter,
        max(worst, FAR),
        max(share, 0.005),
        pair,
        ring,
    )


def _cross_spread(figures: Floats) -> float:
    for t in range(figures.shape[1] - 1, -1, -1):
        column = figures[np.isfinite(figures[:, t]), t]
        if len(column) >= FEWEST_AREAS:
            return middle(np.abs(column - middle(column))) * TO_STANDARD_DEVIATION
    return 0.0


MOST_OF_A_MOVE = 6.0  # usual moves; a larger move counts as this many in a district's own scatter


def _scatter(own: Floats, error: Floats, usual: float) -> tuple[Floats, Floats, float, float]:
    """Each area's usual move; the same without each year; and, from the latter, the largest move and the share beyond FAR."""
    is_there = np.isfinite(own)
    squares = np.minimum(np.where(is_there, np.abs(own), 0.0), MOST_OF_A_MOVE * usual) ** 2
    total, count = squares.sum(axis=1), is_there.sum(axis=1)
    prior = OWN_HISTORY_COUNTS_FROM * usual**2
    scatter = np.fmax(np.sqrt((prior + total) / (OWN_HISTORY_COUNTS_FROM + count)), error)
    if not own.shape[1]:
        return scatter, own, 0.0, 0.0
    others = np.sqrt((prior + total[:, None] - squares) / (OWN_HISTORY_COUNTS_FROM + count[:, None] - is_there))
    others = np.fmax(others, error[:, None])
    multiples = np.abs(own) / others
    multiples, is_there = multiples[:, -LATEST_STEPS:], is_there[:, -LATEST_STEPS:]
    worst = float(np.nanmax(multiples)) if is_there.any() else 0.0
    far = [(multiples[is_there[:, t], t] > FAR).mean() for t in range(is_there.shape[1]) if is_there[:, t].any()]
    return scatter, others, worst, float(max(far, default=0.0))


def _usual_noise(noise: Floats) -> Floats:
    """The mean standard error of each area over the periods; NaN if none is published."""
    is_there = np.isfinite(noise)
    count = is_there.sum(axis=1)
    total = np.where(is_there, noise, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


FEWEST_IN_A_MOVE = 3
FEWEST_IN_A_SPREAD = 10


def group_moves(own: Floats, groups: Sequence[tuple[str, Flags]]) -> Floats:
    """Groups × steps: the median of each group's own moves, NaN if fewer than three areas have one."""
    found = np.full((len(groups), own.shape[1]), np.nan)
    for number, (_, flags) in enumerate(groups):
        moves = own[flags]
        is_enough = np.isfinite(moves).sum(axis=0) >= FEWEST_IN_A_MOVE
        found[number] = np.where(is_enough, column_medians(moves), np.nan)
    return found


def group_spreads(own: Floats, groups: Sequence[tuple[str, Flags]]) -> Floats:
    """Groups × steps: the scatter of each group's districts about its own move, NaN if fewer than ten have one."""
    found = np.full((len(groups), own.shape[1]), np.nan)
    for number, (_, flags) in enumerate(groups):
        moves = own[flags]
        is_enough = np.isfinite(moves).sum(axis=0) >= FEWEST_IN_A_SPREAD
        spread = column_medians(np.abs(moves - column_medians(moves))) * TO_STANDARD_DEVIATION
        found[number] = np.where(is_enough, spread, np.nan)
    return found


def _group_largest(own: Floats, groups: Sequence[tuple[str, Flags]], usual: float) -> Floats:
    """The largest move of each group against all in the years held, at least half of a single district's usual move."""
    return np.fmax.reduce(np.abs(group_moves(own, groups)), axis=1, initial=0.5 * usual)


def _largest_group_spread(own: Floats, groups: Sequence[tuple[str, Flags]], usual: float) -> Floats:
    """The widest spread of each group in the years held, at least the usual spread of all districts."""
    return np.fmax.reduce(group_spreads(own, groups), axis=1, initial=usual)


@dataclass(frozen=True)
class Exchange:
    """Areas that may have exchanged figures, and how much better the figures fit when swapped back."""

    gain: float
    rows: tuple[int, ...]


HEAVY_TAIL = 4  # degrees of freedom of Student's t: large moves of one district happen, of two at once much less often
MOST_IN_PAIRS, MOST_IN_RINGS = 50, 16
NO_EXCHANGE = Exchange(0.0, ())


def exchange(made: Step, scatter: Floats) -> tuple[Exchange, Exchange]:
    """The two areas, and the ring of three, whose figures fit best when swapped back.

    The gain is twice the log likelihood ratio of the swapped figures against the original ones. The likelihood of each
    figure is Student's t of its distance to the expected figure, in multiples of the area's scatter. Only the areas
    farthest off are tried: others gain nothing.
    """
    off = made.own / scatter
    rows = np.argsort(-np.nan_to_num(np.abs(off), nan=-1.0))[:MOST_IN_PAIRS]
    rows = rows[np.isfinite(off[rows])]
    if len(rows) < FEWEST_IN_A_MOVE:
        return NO_EXCHANGE, NO_EXCHANGE
    wanted = made.before[rows] + made.common
    loss = _loss((made.after[rows][None, :] - wanted[:, None]) / scatter[rows][:, None])
    as_it_came = loss.diagonal()
    pairs = as_it_came[:, None] + as_it_came[None, :] - loss - loss.T
    one, other = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
    pair = Exchange(float(pairs[one, other]), (int(rows[one]), int(rows[other])))
    few = loss[:MOST_IN_RINGS, :MOST_IN_RINGS]
    came = few.diagonal()
    saved = came[:, None] - few
    rings = saved[:, :, None] + saved[None, :, :] + saved.T[:, None, :]
    ring = np.unravel_index(int(np.argmax(rings)), rings.shape)
    return pair, Exchange(float(rings[ring]), tuple(int(rows[place]) for place in ring))


def _loss(off: Floats) -> Floats:
    return (HEAVY_TAIL + 1) * np.log1p(off**2 / HEAVY_TAIL)


def least_explained(area_count: int) -> tuple[float, float]:
    """The gain from an exchange of two, or a ring of three, by chance among this many areas: 11 and 14 for 350."""
    pairs = max(area_count * (area_count - 1) / 2, 1.0)
    gain = max(float(np.log(pairs)), 3.0)
    return gain, 1.3 * gain
