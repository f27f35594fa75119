"""When each publisher is expected to release: what is due, what is late, and what has no schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, model_validator

from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.model import Entry, Identifier, Query
from pipeline.catalogue.yaml_entries import CatalogueError, load_entries

Cadence = Literal["monthly", "quarterly", "annual", "irregular"]
ReleaseStatus = Literal["up to date", "expected", "overdue", "no calendar"]

_MONTHS_APART: Mapping[Cadence, int] = {"monthly": 1, "quarterly": 3, "annual": 12}


class Release(Entry):
    """A recurring publication, and the tables in it.

    ``lag_days`` run from the end of the month in which the reported period ends to the release, ``grace_days`` from
    then until a run calls it overdue; an ``irregular`` one has neither. Whole months are used, since one publication
    reports on periods that end on different days of the same month: weekly pay of April, and annual pay to 5 April.
    """

    id: Identifier
    title: str
    covers: dict[Identifier, tuple[str, ...]]
    cadence: Cadence
    lag_days: Annotated[int, Field(ge=0, le=1500)] | None = None
    grace_days: Annotated[int, Field(ge=0, le=365)] | None = None
    usual: str
    seen: str | None = None
    calendar_url: HttpUrl

    @model_validator(mode="after")
    def days_follow_the_cadence(self) -> Release:
        given = self.lag_days is not None and self.grace_days is not None
        if (self.cadence != "irregular") != given:
            raise ValueError("lag_days and grace_days are given for every cadence but irregular, and only there")
        return self

    def next_expected(self, latest_end: date) -> date | None:
        """The expected release day of the figure after the one for a period ending on ``latest_end``."""
        if self.lag_days is None:
            return None
        end_of_month = _last_of_month(latest_end.year, latest_end.month)
        return months_later(end_of_month, _MONTHS_APART[self.cadence]) + timedelta(days=self.lag_days)

    def status(self, latest_end: date, today: date) -> ReleaseStatus:
        """Whether the next figure is not yet expected, is expected by now, or is later than its grace allows."""
        expected = self.next_expected(latest_end)
        if expected is None or self.grace_days is None:
            return "no calendar"
        if today < expected:
            return "up to date"
        return "expected" if today <= expected + timedelta(days=self.grace_days) else "overdue"


@dataclass(frozen=True)
class Calendar:
    """All releases, in file order."""

    releases: Sequence[Release]

    def release_of(self, query: Query) -> Release | None:
        """The release with the table of a query."""
        table = query.table
        return next((r for r in self.releases if table in r.covers.get(query.source, ())), None)


def load_release_calendar(path: Path = CATALOGUE_DIR / "release_calendar.yaml") -> Calendar:
    """Read the calendar. Raises CatalogueError for a bad entry, or a table claimed by two releases."""
    releases = load_entries(path, Release)
    claimed: dict[tuple[str, str], str] = {}
    for release in releases:
        for source, tables in release.covers.items():
            for table in tables:
                first = claimed.setdefault((source, table), release.id)
                if first != release.id:
                    raise CatalogueError(f"{path.name}: '{release.id}' and '{first}' both cover {source} {table}")
    return Calendar(releases)


def months_later(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of a shorter month; a month's end stays a month's end."""
    position = day.year * 12 + day.month - 1 + months
    year, month = divmod(position, 12)
    last = _last_of_month(year, month + 1)
    is_month_end = day == _last_of_month(day.year, day.month)
    return last if is_month_end else date(year, month + 1, min(day.day, last.day))


def _last_of_month(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
