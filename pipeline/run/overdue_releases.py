"""Which releases are overdue, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipeline.catalogue import Indicator, Part
from pipeline.catalogue.release_calendar import Calendar, Release
from pipeline.run.results import PartResult


def overdue_sentences(held: Iterable[tuple[Release, date]], today: date) -> list[str]:
    """One for each release that is later today than its calendar and grace allow, by the last day of the figures held.

    Figures of one release that end on other days of the same month are awaited together.
    """
    awaited: dict[tuple[str, date | None], tuple[Release, date]] = {}
    for release, latest in held:
        if release.status(latest, today) == "overdue":
            key = release.id, release.next_expected(latest)
            awaited[key] = release, max(latest, awaited.get(key, (release, latest))[1])
    return [
        f"{release.title}: the figures after {latest} were due on {release.next_expected(latest)} "
        f"and have not arrived ({release.calendar_url})"
        for release, latest in awaited.values()
    ]


def overdue_today(
    calendar: Calendar, parts: Iterable[tuple[Indicator, Part]], results: Iterable[PartResult], today: date
) -> list[str]:
    """The same for the results of a run, the longest overdue first; ``parts`` are those of the catalogue."""
    lives = {(indicator.id, part.id): part.live for indicator, part in parts}
    held: dict[tuple[str, date], Release] = {}
    for result in results:
        release = next(filter(None, map(calendar.release_of, lives[result.indicator_id, result.part_id])), None)
        if release is not None and result.account is not None and result.account.latest_period_end is not None:
            held[release.id, result.account.latest_period_end] = release
    ordered = sorted(held.items(), key=lambda item: (item[0][1], item[0][0]))
    return overdue_sentences(((release, latest) for (_, latest), release in ordered), today)
