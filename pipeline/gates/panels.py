"""Figures of one part as tables of areas by periods, for the gates, on a scale that makes moves comparable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Scale = Callable[[Floats], Floats]


@dataclass(frozen=True)
class AreaFacts:
    """The register: each code's name, the codes of each name, regions, districts, and the members of wider areas.

    ``codes_of_name`` maps each tidied name (official and others) to its codes. ``region`` is the nation's own code
    outside England. ``districts`` are the codes of all districts, past ones too. ``members`` gives each wider area's
    current districts, and ``people`` their population in mid-2020.
    """

    name: Mapping[str, str]
    codes_of_name: Mapping[str, frozenset[str]]
    tidy_name: Callable[[str], str]
    region: Mapping[str, str]
    districts: frozenset[str]
    members: Mapping[str, Sequence[str]]
    people: Mapping[str, float]


@dataclass(frozen=True)
class Panel:
    """``value``, ``lower`` and ``upper`` as areas × periods, NaN where there is none; periods in time order."""

    codes: tuple[str, ...]
    periods: tuple[str, ...]
    value: Floats
    lower: Floats
    upper: Floats

    @property
    def half_width(self) -> Floats:
        return (self.upper - self.lower) / 2

    def at(self, period: str) -> int:
        return self.periods.index(period)

    def in_periods(self, columns: Sequence[int]) -> Panel:
        """The panel with only some of its periods, by position."""
        chosen = list(columns)
        periods = tuple(self.periods[column] for column in chosen)
        return Panel(self.codes, periods, self.value[:, chosen], self.lower[:, chosen], self.upper[:, chosen])

    def only(self, rows: Numbers) -> Panel:
        codes = tuple(self.codes[row] for row in rows)
        return Panel(codes, self.periods, self.value[rows], self.lower[rows], self.upper[rows])


@dataclass(frozen=True)
class Pair:
    """A new answer and the held figures of the same part, over the same areas, with the nation and region of each.

    ``groups`` is (label, which areas) for each nation and region with enough areas.
    """

    new: Panel
    held: Panel
    groups: tuple[tuple[str, Flags], ...] = ()
    released: frozenset[str] = field(default_factory=frozenset)

    @property
    def codes(self) -> tuple[str, ...]:
        return self.new.codes


FEWEST_IN_A_GROUP = 5


def panels(new: pd.DataFrame, held: pd.DataFrame) -> tuple[Panel, Panel]:
    """Two tidy tables over the areas of either. A period is a year, or its first day if a year has several.

    Takes ``area_code, period, period_start, year, value, lower, upper``.
    """
    named = [frame["area_code"].to_numpy(dtype=object) for frame in (new, held)]
    codes = pd.Index(np.unique(np.concatenate([pd.unique(names) for names in named])))
    rows = [codes.get_indexer(pd.Index(names)) for names in named]
    is_yearly = all(_is_yearly(frame, of) for frame, of in zip((new, held), rows, strict=True))
    return _panel(new, codes, rows[0], is_yearly), _panel(held, codes, rows[1], is_yearly)


def _is_yearly(frame: pd.DataFrame, rows: Numbers) -> bool:
    """Whether no area has two figures in one year."""
    figures = rows * LAST_YEAR + frame["year"].to_numpy(dtype=np.int64)
    return len(np.unique(figures)) == len(figures)


LAST_YEAR = 10_000


def are_equal(one: Panel, other: Panel) -> bool:
    """Whether two panels hold exactly the same figures and intervals for the same areas and periods."""
    return one.periods == other.periods and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in ("value", "lower", "upper")
    )


def yearly_panel(frame: pd.DataFrame) -> Panel:
    """One tidy table over its own areas; the last of several periods in a year represents it."""
    rows, codes = pd.factorize(frame["area_code"].to_numpy(dtype=object))
    return _panel(frame, pd.Index(codes), rows, is_yearly=True)


def _panel(frame: pd.DataFrame, codes: pd.Index, rows: Numbers, is_yearly: bool) -> Panel:
    order, columns = np.unique(frame["year" if is_yearly else "period_start"].to_numpy(), return_inverse=True)
    periods = tuple(str(year) if is_yearly else str(year)[:10] for year in order)

    def grid(name: str) -> Floats:
        filled = np.full((len(codes), len(periods)), np.nan)
        filled[rows, columns] = frame[name].to_numpy(dtype=np.float64)
        return filled

    return Panel(tuple(codes.tolist()), periods, grid("value"), grid("lower"), grid("upper"))


def districts(new: Panel, held: Panel, facts: AreaFacts) -> Pair:
    """The districts of both, each under its own code, in groups by nation and region."""
    rows = np.array([row for row, code in enumerate(new.codes) if code in facts.districts], dtype=np.int64)
    chosen, before = new.only(rows), held.only(rows)
    labels: dict[str, list[int]] = {}
    for row, code in enumerate(chosen.codes):
        labels.setdefault(f"{code[0]}92", []).append(row)
        if code[0] == "E" and code in facts.region:
            labels.setdefault(facts.region[code], []).append(row)
    groups = []
    for label, members in labels.items():
        if FEWEST_IN_A_GROUP <= len(members) < len(chosen.codes):
            flags = np.zeros(len(chosen.codes), dtype=bool)
            flags[members] = True
            groups.append((facts.name.get(_NATIONS.get(label, label), label), flags))
    released = {
        period
        for number, period in enumerate(chosen.periods)
        if period not in before.periods and np.isfinite(chosen.value[:, number]).any()
    }
    return Pair(chosen, before, tuple(groups), frozenset(released))


_NATIONS = {"E92": "E92000001", "W92": "W92000004", "S92": "S92000003", "N92": "N92000002"}


def logarithm(values: Floats) -> Floats:
    """Natural logarithm; NaN for zero and below."""
    return np.log(np.where(values > 0, values, np.nan))


def root(values: Floats) -> Floats:
    """Square root, on which rates and counts scatter alike at all levels; NaN below zero."""
    return np.sqrt(np.where(values >= 0, values, np.nan))
