"""Whether an answer is an older edition than what is held: such an answer is kept out, by name, until a person accepts it.

A publisher's cache can serve last year's table again. An answer is older than the last good answer to the same query
where its figures end earlier, where its publisher dates it earlier, or where figures held before are gone from it. Of
another table of the same part (its other query, the figures shipped with the project) only the years can be compared:
two tables word and date the same figures in their own ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from pipeline.geography import Register
from pipeline.http.payload import Payload
from pipeline.run.results import Accepted
from pipeline.run.todays_districts import ground_cells

_ISO_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")


@dataclass(frozen=True)
class Edition:
    """The figures of one answer, and the marks by which its publisher dates it."""

    figures: pd.DataFrame
    marks: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, accepted: Accepted, payload: Payload) -> Edition:
        return cls(accepted.observations, (payload.publisher_updated, payload.edition))

    @property
    def with_value(self) -> pd.DataFrame:
        return self.figures[self.figures["value"].notna()]


def why_older(register: Register, answer: Edition, held: Edition) -> str | None:
    """Why an answer is an older edition than the last good answer to the same query, in words; None where it is not.

    Tables with one period a year are compared by year, since a publisher may word the same years anew.
    """
    before, now = held.with_value, answer.with_value
    if before.empty or now.empty:
        return None
    time = "year" if _is_yearly(held.figures) and _is_yearly(answer.figures) else "period_end"
    first, last = now[time].min(), now[time].max()
    if last < before[time].max():
        return f"its figures end in {_day(last)}, those held in {_day(before[time].max())}"
    for mark, earlier in zip(answer.marks, held.marks, strict=True):
        if mark and earlier and _is_before(mark, earlier):
            return f"its publisher dates it {mark}, what is held {earlier}"
    if gone := _gone(register, answer.figures, before[before[time] >= first], time):
        area, moment = gone[0]
        return f"{len(gone):,} figures held before have no row in it any more, first {area} for {_day(moment)}"
    return None


def _is_yearly(figures: pd.DataFrame) -> bool:
    periods = figures[["year", "period"]].drop_duplicates()
    return not periods["year"].duplicated().any()


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d}" if isinstance(moment, pd.Timestamp) else str(moment)


def _is_before(mark: str, other: str) -> bool:
    """Whether a publisher's mark is an earlier day or moment than another; False where they are not both ISO dates."""
    both = min(len(mark), len(other))  # a day and a moment of it are the same age
    return all(map(_ISO_MOMENT.fullmatch, (mark, other))) and mark[:both] < other[:both]


def why_shorter(answer: Edition, other: Edition) -> str | None:
    """Why an answer is no newer than another table of the same part, in words; None where it reaches as far."""
    now, others = set(answer.with_value["year"]), set(other.with_value["year"])
    if not now or not others:
        return None
    if max(others) > max(now):
        return f"its figures end in {max(now)}, {{}} reach {max(others)}"
    if gone := sorted(year for year in others - now if year > min(now)):
        return f"it has no figures for {', '.join(map(str, gone))}, which {{}} have"
    return None


def years_dropped(answer: Edition, held: Edition) -> list[int]:
    """Years at the start of what is held that the answer no longer reaches back to, as after a change of method."""
    now, before = set(answer.with_value["year"]), set(held.with_value["year"])
    return sorted(year for year in before if now and year < min(now))


def _gone(register: Register, rows: pd.DataFrame, figures: pd.DataFrame, time: str) -> list[tuple[str, object]]:
    """Figures of areas of today's map, by area and year or last day, that have no row any more."""
    now, before = (ground_cells(register, table.assign(period=table[time])) for table in (rows, figures))
    before = before[before.get_level_values(0).isin(register.in_force())]
    return sorted(before[~before.isin(now)])
