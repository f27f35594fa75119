"""What an answer is measured by: each period that is new, or was revised, in multiples of what the series has seen.

A measure of 1 is the most that the years held have seen (of a revision's level and spread: the usual move from year to
year). How many are allowed is for ``gates.yaml`` to say. A new period is compared with the period before it, a period
held before with the held edition of the same period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.gates.moves import (
    FAR,
    FEWEST_AREAS,
    FEWEST_MOVES,
    History,
    Step,
    group_moves,
    group_spreads,
    history,
    step,
    swap_score,
    swapped_pair,
)
from pipeline.gates.panels import Flags, Floats, Pair, Scale, logarithm


@dataclass(frozen=True)
class Measure:
    """One thing measured of one period: ``what`` in words, and the rows of the areas it shows in most, first the most.

    ``before`` and ``after`` are the figures compared, in the publisher's unit, by row.
    """

    gate_id: str
    period: str
    measured: float
    what: str
    codes: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True)
class Compared:
    """A period of the answer and what it is compared with: the figures before and after, and the step between them."""

    period: str
    is_new: bool
    step: Step
    years: float
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Series:
    """Something that moves: figures, the widths of their intervals, or their distance to a sister's or a wider area's.

    ``new`` and ``held`` are on the scale of moves, areas × periods of the pair; ``subject`` says in words what moves.
    """

    prefix: str
    subject: str
    pair: Pair
    new: Floats
    held: Floats
    noise: Floats
    usual_share: float

    @cached_property
    def known(self) -> History:
        return history(self.held, self.noise, self.pair.groups, self.usual_share)

    @cached_property
    def compared(self) -> list[Compared]:
        """Each period that is new or was revised, with what it is compared with."""
        return list(_compared(self))


def measures(pair: Pair, scale: Scale, usual_share: float) -> Iterator[Measure]:
    """Everything measured of an answer's districts by itself: where figures moved, which were copied, and their intervals."""
    with np.errstate(all="ignore"):
        figures = of_figures(pair, scale, usual_share)
        yield from of_series(figures)
        yield from _copies(figures)
        widths = of_widths(pair, usual_share)
        if np.isfinite(widths.held).any() and np.isfinite(widths.new).any():
            yield from of_series(widths)
            yield from _off_centre(widths)


def of_figures(pair: Pair, scale: Scale, usual_share: float) -> Series:
    noise = (scale(pair.held.upper) - scale(pair.held.lower)) / 3.92
    return Series("", "", pair, scale(pair.new.value), scale(pair.held.value), noise, usual_share)


def of_widths(pair: Pair, usual_share: float) -> Series:
    held = logarithm(pair.held.half_width)
    return Series(
        "interval_",
        "the widths of 95% intervals: ",
        pair,
        logarithm(pair.new.half_width),
        held,
        np.full_like(held, np.nan),
        usual_share,
    )


def _compared(series: Series) -> Iterator[Compared]:
    new, held = series.pair.new, series.pair.held
    for number, period in enumerate(new.periods):
        after, years = new.value[:, number], 1.0
        if period in held.periods:
            there = held.at(period)
            before, reference = held.value[:, there], series.held[:, there]
            if _is_same(series.new[:, number], reference):
                continue
        elif number:
            before, reference = new.value[:, number - 1], series.new[:, number - 1]
            years = _years_between(new.periods[number - 1], period)
        else:
            earlier = [t for t, name in enumerate(held.periods) if name < period]
            if not earlier:
                continue
            before, reference = held.value[:, earlier[-1]], series.held[:, earlier[-1]]
            years = _years_between(held.periods[earlier[-1]], period)
        made = step(reference, series.new[:, number])
        if made is not None:
            yield Compared(period, period not in held.periods, made, years, before, after)


SAME_WITHIN = 1e-6  # on the scale of logarithms or roots: figures written with fewer digits are the same


def _years_between(one: str, other: str) -> float:
    return float(max(int(other[:4]) - int(one[:4]), 1))


def _is_same(one: Floats, other: Floats) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    return bool(np.allclose(one[both], other[both], rtol=0, atol=SAME_WITHIN))


def of_series(series: Series) -> Iterator[Measure]:
    """The gates of moves: rank, spread, level, groups, single districts and pairs of them.

    Of widths and distances a new period says something only where enough years are held to compare it with.
    """
    is_known = not series.prefix or series.known.step_count >= FEWEST_MOVES
    for compared in series.compared:
        if is_known or not compared.is_new:
            yield from _of_step(series, compared)


def _measure(
    series: Series, compared: Compared, gate: str, measured: float, what: str, rows: tuple[int, ...]
) -> Measure:
    stage = "new" if compared.is_new else "revised"
    return _named(series, compared, f"{series.prefix}{stage}_{gate}", measured, series.subject + what, rows)


def _named(series: Series, compared: Compared, gate: str, measured: float, what: str, rows: tuple[int, ...]) -> Measure:
    codes = series.pair.codes
    return Measure(
        gate,
        compared.period,
        measured,
        what,
        tuple(codes[row] for row in rows),
        tuple(float(compared.before[row]) for row in rows),
        tuple(float(compared.after[row]) for row in rows),
    )


def _of_step(series: Series, compared: Compared) -> Iterator[Measure]:
    made, known, groups = compared.step, series.known, series.pair.groups
    against = "the year before" if compared.is_new else "the figures held"
    most = _most(made.own)
    widest = known.largest_spread if compared.is_new else known.usual
    shifted = known.largest_common * compared.years if compared.is_new else known.usual
    size = np.abs(made.own) / known.scatter
    far = _most(size)
    swap = swap_score(made, known.scatter) / known.worst_swap
    swapped = swapped_pair(made, known.scatter) if swap > 0 else ()
    found = [
        ("rank", made.rank_loss / known.largest_rank_loss, f"the order of districts is unlike that of {against}", most),
        ("spread", made.spread / widest, f"districts scatter about {against}", most),
        ("level", abs(made.common) / shifted, f"all districts together moved from {against}", most),
        ("district", float(np.nanmax(size)) / known.worst_district, f"a district moved far from {against}", far),
        (
            "districts",
            float((size[np.isfinite(size)] > FAR).mean()) / known.worst_share,
            f"many districts moved far from {against}",
            far,
        ),
        ("swap", swap, f"two districts changed places against {against}", swapped),
    ]
    if compared.is_new:
        alike = known.smallest_spread / made.spread if made.spread > 0 else np.inf
        what = "districts moved more alike than in any year, as a copy raised by one factor would"
        found.append(("alike", alike, what, _least(made.own)))
    moves = np.abs(group_moves(made.own, groups)) / known.group_largest
    if np.isfinite(moves).any():
        label, flags = groups[int(np.nanargmax(moves))]
        rows = _most(np.where(flags, made.own, np.nan))
        found.append(("group", float(np.nanmax(moves)), f"{label} moved from {against} apart from the rest", rows))
    spreads = group_spreads(made.own, groups) / known.group_spread
    if np.isfinite(spreads).any():
        label, flags = groups[int(np.nanargmax(spreads))]
        rows = _most(np.where(flags, made.own, np.nan))
        found.append(("group_spread", float(np.nanmax(spreads)), f"{label}: districts scatter about {against}", rows))
    for gate, measured, what, rows in found:
        yield _measure(series, compared, gate, measured, what, rows)


def _copies(series: Series) -> Iterator[Measure]:
    """The gates of copies: a column that is another year's, districts with each other's figures, and coarse figures."""
    held = series.pair.held.value
    columns = range(held.shape[1])
    usual = max((float(_shares_equal(held[:, t], held[:, t - 1 : t])[0]) for t in columns[1:]), default=0.0)
    fewest = min((share for t in columns if (share := _share_different(held[:, t])) > 0), default=1.0)
    for compared in series.compared:
        is_other = np.array([name != compared.period for name in series.pair.held.periods])
        shares = np.where(is_other, _shares_equal(compared.after, held), 0.0)
        share, year = float(np.max(shares, initial=0.0)), series.pair.held.periods[int(np.argmax(shares))]
        what = f"figures are those of {year}"
        yield _named(series, compared, "copied", share / max(usual, 0.1), what, _most(compared.after))
        coarse = fewest / max(_share_different(compared.after), 1e-6)
        yield _named(series, compared, "coarse", coarse, "fewer figures differ than ever", _tied_rows(compared.after))
        if not compared.is_new:
            yield _exchanged(series, compared)


LEAST_GAP_OF_A_PAIR = 0.5  # of the usual move: among many revised districts, nearer ones exchange figures by chance


def _exchanged(series: Series, compared: Compared) -> Measure:
    """Districts that hold one another's former figures: all that changed do so, or pairs of them that are far apart."""
    before, after, made = compared.before, compared.after, compared.step
    changed = np.flatnonzero(np.isfinite(before) & np.isfinite(after) & (before != after))
    if np.array_equal(np.sort(before[changed]), np.sort(after[changed])):
        count, rows = len(changed), changed[np.argsort(-np.abs(made.own[changed]))]
    else:
        is_landed = np.isin(after[changed], before[changed]) & np.isin(before[changed], after[changed])
        landed = changed[is_landed]
        was, now, scaled = before[landed], after[landed], made.before[landed]
        lands = (now[:, None] == was[None, :]) & (now[None, :] == was[:, None])
        gap = np.abs(scaled[:, None] - scaled[None, :])
        pairs = lands & (gap > max(LEAST_GAP_OF_A_PAIR * series.known.usual, 3 * made.spread))
        rows = landed[pairs.any(axis=1)]
        count = len(rows)
    what = "districts hold one another's former figures"
    return _named(series, compared, "exchanged", float(count), what, tuple(int(row) for row in rows[:3]))


def _shares_equal(figures: Floats, columns: Floats) -> Floats:
    """Of each of ``columns`` the share of areas whose figure is the very same; 0 for too few areas."""
    both = (np.isfinite(figures)[:, None] & np.isfinite(columns)).sum(axis=0)
    equal = (figures[:, None] == columns).sum(axis=0)
    return np.where(both >= FEWEST_AREAS, equal / np.maximum(both, 1), 0.0)


def _share_different(figures: Floats) -> float:
    """How many different figures there are, as a share of all; 0 for too few figures."""
    values = figures[np.isfinite(figures)]
    return len(np.unique(values)) / len(values) if len(values) >= FEWEST_AREAS else 0.0


def _is_tied(values: Floats) -> Flags:
    _, which, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(count[which] > 1)


def _tied_rows(figures: Floats) -> tuple[int, ...]:
    rows = np.flatnonzero(np.isfinite(figures))
    return tuple(int(row) for row in rows[_is_tied(figures[rows])][:3])


def _most(size: Floats) -> tuple[int, ...]:
    rows = np.argsort(-np.nan_to_num(np.abs(size), nan=-1.0))[:3]
    return tuple(int(row) for row in rows if np.isfinite(size[row]))


def _least(size: Floats) -> tuple[int, ...]:
    rows = np.argsort(np.where(np.isfinite(size), np.abs(size), np.inf))[:3]
    return tuple(int(row) for row in rows)


def _off_centre(series: Series) -> Iterator[Measure]:
    """Where in its interval a figure lies (0 at the lower bound, 1 at the upper), against where it usually does."""
    new, held = series.pair.new, series.pair.held
    usual = np.nanmedian(_place(held.value, held.lower, held.upper))
    for compared in series.compared:
        t = new.at(compared.period)
        off = np.abs(_place(new.value[:, t], new.lower[:, t], new.upper[:, t]) - usual)
        if np.isfinite(off).sum() >= FEWEST_AREAS:
            what = "figures lie off the middle of their 95% intervals"
            yield _named(series, compared, "off_centre", float(np.nanmedian(off)), what, _most(off))


def _place(value: Floats, lower: Floats, upper: Floats) -> Floats:
    return (value - lower) / np.where(upper > lower, upper - lower, np.nan)
