"""A series of an answer to test: its new and revised periods, each with the figures to compare it with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipeline.gates.expected import expected
from pipeline.gates.moves import (
    History,
    Step,
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


def measure(
    series: Series, compared: Compared, gate: str, measured: float, what: str, rows: tuple[int, ...]
) -> Measure:
    stage = "new" if compared.is_new else "revised"
    return named(series, compared, f"{series.prefix}{stage}_{gate}", measured, series.subject + what, rows)


def named(series: Series, compared: Compared, gate: str, measured: float, what: str, rows: tuple[int, ...]) -> Measure:
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


def largest_rows(size: Floats) -> tuple[int, ...]:
    rows = np.argsort(-np.nan_to_num(np.abs(size), nan=-1.0))[:3]
    return tuple(int(row) for row in rows if np.isfinite(size[row]))


def smallest_rows(size: Floats) -> tuple[int, ...]:
    rows = np.argsort(np.where(np.isfinite(size), np.abs(size), np.inf))[:3]
    return tuple(int(row) for row in rows)
