"""Measures of an answer: each new or revised period, in multiples of the largest move in the series' history.

A measure of 1 is the largest in the years held (for a revision's level and spread: the usual move from year to year).
``gates.yaml`` sets how many multiples are allowed. A revised period is compared with the held edition of the same
period. A new period is compared with the period before it, and with the figures expected from earlier periods
(``pipeline.gates.expected``), in the answer's own edition where it has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipeline.gates.expected import expected
from pipeline.gates.moves import (
    FAR,
    FEWEST_AREAS,
    FEWEST_MOVES,
    TO_STANDARD_DEVIATION,
    History,
    Step,
    column_medians,
    exchange,
    group_moves,
    group_spreads,
    history,
    step,
)
from pipeline.gates.panels import Flags, Floats, Pair, Scale, logarithm


@dataclass(frozen=True)
class Measure:
    """One measure of one period: ``what`` in words, and the rows of the areas that contribute most, largest first.

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
    """A period of the answer and its comparison: the figures before and after, and the step between them."""

    period: str
    is_new: bool
    step: Step
    years: float
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Line:
    """The periods held and the new ones in order, areas × periods, and the figures expected in each.

    Where the answer has its own edition of a period, that edition is used.
    """

    periods: tuple[str, ...]
    is_held: Flags
    figures: Floats
    expected: Floats


@dataclass(frozen=True)
class Series:
    """A series to test: figures, the widths of their intervals, or their distance to a sister's or a wider area's.

    ``new`` and ``held`` are on the scale of moves, areas × periods of the pair; ``subject`` names the series in words.
    ``beside`` are the columns of sister series by period, which also help predict a new period. ``shared_level`` is how
    far all districts of an independent sister moved together in a period.
    """

    prefix: str
    subject: str
    pair: Pair
    new: Floats
    held: Floats
    noise: Floats
    usual_share: float
    beside: Sequence[Mapping[str, Floats]] = ()
    shared_level: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def known(self) -> History:
        """How the held edition moved from period to period, as a yardstick for revisions."""
        before = np.roll(self.held, 1, axis=1)
        before[:, 0] = np.nan
        return history(self.held, before, self.noise, self.pair.groups, self.usual_share)

    @cached_property
    def line(self) -> Line:
        periods = tuple(sorted({*self.pair.new.periods, *self.pair.held.periods}))
        is_held = np.array([period in self.pair.held.periods for period in periods])
        missing = np.full(len(self.new), np.nan)
        beside = [np.column_stack([sister.get(period, missing) for period in periods]) for sister in self.beside]
        figures = self.in_line(periods, self.new, self.held)
        return Line(periods, is_held, figures, expected(figures, is_held, beside))

    def in_line(self, periods: Sequence[str], new: Floats, held: Floats) -> Floats:
        """The columns of both editions by period, the new edition's where it has one."""
        column = {period: held[:, t] for t, period in enumerate(self.pair.held.periods)}
        column |= {period: new[:, t] for t, period in enumerate(self.pair.new.periods)}
        return np.column_stack([column[period] for period in periods])

    @cached_property
    def foretold(self) -> History:
        """How far the periods held were from their expected figures, as a yardstick for new periods."""
        line = self.line
        held = line.is_held
        return history(line.figures[:, held], line.expected[:, held], self.noise, self.pair.groups, self.usual_share)

    @cached_property
    def revised(self) -> list[Compared]:
        """Each revised period, with its held edition."""
        return list(_revised(self))

    @cached_property
    def arrived(self) -> list[Compared]:
        """Each new period, with its expected figures."""
        return list(_new(self))

    @property
    def compared(self) -> list[Compared]:
        return [*self.revised, *self.arrived]


def measures(
    pair: Pair, scale: Scale, usual_share: float, shared_level: Mapping[str, float] | None = None
) -> Iterator[Measure]:
    """Every measure of an answer's districts on its own: moves, copies and intervals."""
    with np.errstate(all="ignore"):
        figures = of_figures(pair, scale, usual_share, shared_level or {})
        yield from of_series(figures)
        yield from _copies(figures)
        widths = of_widths(pair, usual_share)
        if np.isfinite(widths.held).any() and np.isfinite(widths.new).any():
            yield from of_series(widths)
            yield from _off_centre(widths)


def of_figures(pair: Pair, scale: Scale, usual_share: float, shared_level: Mapping[str, float]) -> Series:
    noise = (scale(pair.held.upper) - scale(pair.held.lower)) / 3.92
    held = scale(pair.held.value)
    return Series("", "", pair, scale(pair.new.value), held, noise, usual_share, shared_level=shared_level)


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


def _revised(series: Series) -> Iterator[Compared]:
    new, held = series.pair.new, series.pair.held
    for number, period in enumerate(new.periods):
        if period in held.periods:
            there = held.at(period)
            if not _is_same(series.new[:, number], series.held[:, there]):
                made = step(series.held[:, there], series.new[:, number])
                if made is not None:
                    yield Compared(period, False, made, 1.0, held.value[:, there], new.value[:, number])


def _new(series: Series) -> Iterator[Compared]:
    new, held = series.pair.new, series.pair.held
    if set(new.periods) <= set(held.periods):
        return
    line = series.line
    for t, period in enumerate(line.periods):
        if t and not line.is_held[t]:
            made = step(line.expected[:, t], line.figures[:, t])
            if made is not None:
                earlier = line.periods[t - 1]
                panel = new if earlier in new.periods else held
                before, after = panel.value[:, panel.at(earlier)], new.value[:, new.at(period)]
                yield Compared(period, True, made, _years_between(earlier, period), before, after)


SAME_WITHIN = 1e-6  # on the scale of logarithms or roots; allows for figures written with fewer digits


def _years_between(one: str, other: str) -> float:
    return float(max(int(other[:4]) - int(one[:4]), 1))


def _is_same(one: Floats, other: Floats) -> bool:
    return not (np.abs(one - other) > SAME_WITHIN).any()


def of_series(series: Series, *, is_new: bool = True, is_revised: bool = True) -> Iterator[Measure]:
    """The gates of moves, for new or revised periods: rank, spread, level, groups, single districts, exchanges.

    With too few years to know how widths and distances move, new distances are not tested, and new widths are tested
    for order and level only.
    """
    for compared in series.revised if is_revised else ():
        yield from _of_step(series, compared)
    is_short = series.pair.held.value.shape[1] <= FEWEST_MOVES
    said = _OF_FEW_YEARS.get(series.prefix) if is_short else None
    for compared in series.arrived if is_new and said != () else ():
        for measure in _of_step(series, compared):
            if said is None or measure.gate_id in said:
                yield measure


_OF_FEW_YEARS: dict[str, tuple[str, ...]] = {"interval_": ("interval_new_rank", "interval_new_level"), "wider_": ()}


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
    made, groups = compared.step, series.pair.groups
    known = series.foretold if compared.is_new else series.known
    against = "what earlier years predict" if compared.is_new else "the figures held"
    most = _most(made.own)
    widest = known.largest_spread if compared.is_new else known.usual
    shifted = known.largest_common * compared.years if compared.is_new else known.usual
    together = _unshared(made.common, series.shared_level.get(compared.period, 0.0))
    size = np.abs(made.own) / known.scatter
    far = _most(size)
    pair, ring = exchange(made, known.scatter_in(made))
    swap, swapped = max((pair.gain / known.worst_pair, pair.rows), (ring.gain / known.worst_ring, ring.rows))
    found = [
        ("rank", made.rank_loss / known.largest_rank_loss, f"the order of districts is unlike that of {against}", most),
        ("spread", made.spread / widest, f"districts scatter about {against}", most),
        ("level", together / shifted, f"all districts together moved from {against}", most),
        ("district", float(np.nanmax(size)) / known.worst_district, f"a district moved far from {against}", far),
        (
            "districts",
            float((size[np.isfinite(size)] > FAR).mean()) / known.worst_share,
            f"many districts moved far from {against}",
            far,
        ),
        ("swap", swap, f"two or three districts changed places against {against}", swapped),
    ]
    if compared.is_new and series.prefix in ("", "interval_"):
        yield from _alike(series, compared)
    moves = np.abs(group_moves(made.own[:, None], groups)[:, 0]) / known.group_largest
    if np.isfinite(moves).any():
        label, flags = groups[int(np.nanargmax(moves))]
        rows = _most(np.where(flags, made.own, np.nan))
        found.append(("group", float(np.nanmax(moves)), f"{label} moved from {against} apart from the rest", rows))
    spreads = group_spreads(made.own[:, None], groups)[:, 0] / known.group_spread
    if np.isfinite(spreads).any():
        label, flags = groups[int(np.nanargmax(spreads))]
        rows = _most(np.where(flags, made.own, np.nan))
        found.append(("group_spread", float(np.nanmax(spreads)), f"{label}: districts scatter about {against}", rows))
    for gate, measured, what, rows in found:
        yield _measure(series, compared, gate, measured, what, rows)


def _unshared(common: float, shared: float) -> float:
    """The size of a common move, less the move of an independent sister in the same direction."""
    return max(abs(common) - abs(shared), 0.0) if common * shared > 0 else abs(common)


def _alike(series: Series, compared: Compared) -> Iterator[Measure]:
    """How much closer districts are to the year before, or to the mean of the two before, than they ever were.

    For figures in ratios, so that a copy scaled by one factor shows no scatter at all.
    """
    line, pair = series.line, series.pair
    t = line.periods.index(compared.period)
    raw = np.exp(line.figures) if series.prefix else series.in_line(line.periods, pair.new.value, pair.held.value)
    one, two = np.roll(raw, 1, axis=1), np.roll(raw, 2, axis=1)
    one[:, :1] = two[:, :2] = np.nan
    found = []
    for what, before in (("the year before", one), ("the mean of the two years before", (one + two) / 2)):
        own = logarithm(raw / before)
        count = np.isfinite(own).sum(axis=0)
        own = own - column_medians(own)
        spreads = column_medians(np.abs(own)) * TO_STANDARD_DEVIATION
        if count[t] >= FEWEST_AREAS:
            seen = spreads[line.is_held & (count >= FEWEST_AREAS) & (spreads > 0)]
            narrowest = float(np.min(seen)) if len(seen) else NARROWEST
            if len(seen) < FEWEST_MOVES:
                narrowest = min(narrowest / 2, NARROWEST)
            found.append((narrowest / spreads[t] if spreads[t] > 0 else np.inf, what, _least(own[:, t])))
    if found:
        alike, what, rows = max(found)
        what = f"districts moved more alike than in any year from {what}, as a copy would"
        yield _measure(series, compared, "alike", float(alike), what, rows)


NARROWEST = 0.01  # a spread of one per cent; used when there are too few years to know better


def _copies(series: Series) -> Iterator[Measure]:
    """The gates of copies: a column from another year, districts with each other's figures, and coarse rounding."""
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
        unit = _unit(compared.after)
        if unit > FINEST and not any(_is_round(held[:, t], unit) for t in columns):
            coarse = max(coarse, 10.0)
        yield _named(series, compared, "coarse", coarse, "fewer figures differ than ever", _tied_rows(compared.after))
        if not compared.is_new:
            yield _exchanged(series, compared)


LEAST_GAP_OF_A_PAIR = 0.5  # of the usual move; closer pairs exchange figures by chance when many districts are revised


def _exchanged(series: Series, compared: Compared) -> Measure:
    """Districts with one another's former figures: every district that changed, or distant pairs of them."""
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
    """For each of ``columns``, the share of areas with exactly the same figure; 0 for too few areas."""
    both = (np.isfinite(figures)[:, None] & np.isfinite(columns)).sum(axis=0)
    equal = (figures[:, None] == columns).sum(axis=0)
    return np.where(both >= FEWEST_AREAS, equal / np.maximum(both, 1), 0.0)


def _share_different(figures: Floats) -> float:
    """The number of different figures as a share of all; 0 for too few figures."""
    values = figures[np.isfinite(figures)]
    return len(np.unique(values)) / len(values) if len(values) >= FEWEST_AREAS else 0.0


FINEST, COARSEST = -4, 4  # powers of ten
LEAST_ROUND = 0.9  # share of figures that are whole multiples of a unit they are rounded to


def _unit(figures: Floats) -> int:
    """The largest power of ten to which figures are rounded; FINEST if there is none."""
    return next((power for power in range(COARSEST, FINEST, -1) if _is_round(figures, power)), FINEST)


def _is_round(figures: Floats, power: int) -> bool:
    """Whether nearly all figures are whole multiples of a power of ten; False for too few figures."""
    multiples = figures[np.isfinite(figures)] / 10.0**power
    if len(multiples) < FEWEST_AREAS:
        return False
    return bool((np.abs(multiples - np.round(multiples)) < 1e-6).mean() >= LEAST_ROUND)


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
    """The position of a figure in its interval (0 at the lower bound, 1 at the upper), against its usual position."""
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
