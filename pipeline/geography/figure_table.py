"""The table of figures that re-expression works on: raw and derived figures, each with what became of it.

Works on numbers only: areas are plan codes; a *series-period* is one integer for (indicator, period).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# From the simplest to the most processed: a figure that went through several steps is named by the last of this list.
RULES = (
    "as_published",
    "same_area",
    "relabel",
    "boundary_change",
    "merge_sum",
    "merge_by_denominator",
    "merge_population_weighted",
    "split_by_small_areas",
)
# From the firmest to the weakest: a sum has the status of its weakest figure.
STATUS_ORDER = (
    "ok",
    "rounded",
    "provisional",
    "estimated",
    "unreliable",
    "not_available",
    "suppressed",
)
ESTIMATED, NOT_AVAILABLE = (
    STATUS_ORDER.index("estimated"),
    STATUS_ORDER.index("not_available"),
)
LIVE, COLLAPSED, SET_ASIDE = 0, 1, 2
NUMBERS = ("value", "lower", "upper", "standard_error", "numerator", "denominator")


@dataclass(frozen=True)
class Names:
    """The properties of an area for messages and the zero test: its name, and when it began and ended (days)."""

    label: Mapping[str, str]
    first_day: Mapping[str, int]
    last_day: Mapping[str, int]


class Figures:
    """A growing table of figures, raw and derived. ``parent`` of a figure is the figure it became part of (-1: none).

    ``where`` maps an area to its figures' positions, sorted by series-period, one for each. Only the ``NUMBERS`` in
    ``numbers`` are held; the others read as missing.
    """

    def __init__(self, size: int, numbers: Collection[str] = NUMBERS) -> None:
        self.size = 0
        self._columns: dict[str, npt.NDArray[Any]] = {
            **{name: np.full(size, np.nan) for name in numbers},
            **{name: np.zeros(size, np.int64) for name in ("series_period", "row")},
            **{name: np.zeros(size, np.int8) for name in ("status", "rule", "fate")},
            **{name: np.zeros(size, np.int32) for name in ("source", "reason")},
            "parent": np.full(size, -1, np.int64),
            "kept_value": np.full(size, np.nan),
        }
        self.where: dict[str, Ints] = {}
        self.sources: list[str] = []
        self.reasons: list[str] = [""]
        self._source_ids: dict[str, int] = {}
        self._reason_ids: dict[str, int] = {"": 0}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._columns:
            return np.broadcast_to(np.nan, len(self._columns["row"]))
        return self._columns[name]

    def add(self, series_period: Ints, row: Ints, **columns: npt.NDArray[Any] | int) -> Ints:
        """Append figures and return their positions; columns not given are missing, or 0."""
        first, count = self.size, len(series_period)
        self._grow(first + count)
        self.size = first + count
        span = slice(first, self.size)
        for name, values in {
            "series_period": series_period,
            "row": row,
            **columns,
        }.items():
            if name in self._columns:
                self._columns[name][span] = values
        return np.arange(first, self.size)

    def _grow(self, needed: int) -> None:
        held = len(self._columns["row"])
        if needed <= held:
            return
        extra = max(needed, held + held // 2) - held
        for name, column in self._columns.items():
            fill = np.nan if column.dtype == np.float64 else -1 if name == "parent" else 0
            self._columns[name] = np.concatenate([column, np.full(extra, fill, column.dtype)])

    def at(self, area: str) -> Ints:
        return self.where.get(area, np.empty(0, np.int64))

    def place(self, area: str, positions: Ints) -> None:
        """Set an area's figures, one for each series-period."""
        self.where[area] = positions[np.argsort(self["series_period"][positions], kind="stable")]

    def source_id(self, text: str) -> int:
        if text not in self._source_ids:
            self._source_ids[text] = len(self.sources)
            self.sources.append(text)
        return self._source_ids[text]

    def blame(self, positions: Ints, reason: str) -> None:
        """Record why figures could not be used; the first reason given stays."""
        if reason not in self._reason_ids:
            self._reason_ids[reason] = len(self.reasons)
            self.reasons.append(reason)
        positions = positions[self["reason"][positions] == 0]
        self["reason"][positions] = self._reason_ids[reason]

    def drop(self, positions: Ints, reason: str) -> None:
        self.blame(positions, reason)
        self["fate"][positions] = SET_ASIDE

    def roots(self, positions: Ints) -> Ints:
        """The figure that each one finally became part of: the last in its line of parents."""
        here = positions.copy()
        while True:
            above = self["parent"][here]
            moving = above >= 0
            if not moving.any():
                return here
            here[moving] = above[moving]


def same_figure(first: Floats, second: Floats) -> Flags:
    """Equal apart from the noise of writing a float."""
    return np.isclose(first, second, rtol=1e-9, atol=0.0, equal_nan=True)


def settle_repeats(figures: Figures, area: str, positions: Ints, names: Names) -> None:
    """One figure for each series-period of an area under one code: the first that is not missing.

    Equal or missing repeats collapse into it; a different one is set aside.
    """
    period, value = figures["series_period"][positions], figures["value"][positions]
    order = np.lexsort((figures["row"][positions], np.isnan(value), period))
    positions, period, value = positions[order], period[order], value[order]
    is_first = np.ones(len(positions), bool)
    is_first[1:] = period[1:] != period[:-1]
    kept = positions[is_first][np.cumsum(is_first) - 1]
    equal = same_figure(value, figures["value"][kept]) | np.isnan(value)
    figures["fate"][positions[~is_first & equal]] = COLLAPSED
    clash = positions[~is_first & ~equal]
    figures["kept_value"][clash] = figures["value"][kept[~is_first & ~equal]]
    figures.drop(
        clash,
        f"{names.label[area]} is given twice: {{given}} here, {{kept}} in an earlier row, which is kept",
    )
    figures.where[area] = positions[is_first]


def drop_ghosts(figures: Figures, area: str, last_day_of: Ints, names: Names) -> None:
    """Set aside an area's zeros for periods after its end: it was abolished, not empty."""
    if area not in names.last_day:
        return
    here = figures.at(area)
    ghost = (figures["value"][here] == 0) & (last_day_of[figures["series_period"][here]] > names.last_day[area])
    figures.drop(here[ghost], f"{names.label[area]} had been abolished: its zero is not a figure")
    figures.where[area] = here[~ghost]
