"""Which tables a run asks about: those a release is due for, and the others in turn.

A publisher is asked at most MOST_REQUESTS small questions a run ("has this table changed?"): one of them about a table
for which a release is due by the calendar, those in turn where there are several; the rest about whatever was asked about
longest ago. Beyond that come only tables that have to be asked about: those not known to be current (their publisher was
away or sent something unusable), and those not asked about for as many days as `Settings.look_within_days` says.
So a revision that nobody announced is found within that many days, and where runs are rare every one asks about all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipeline.catalogue import Indicator, Part, Query
from pipeline.catalogue.release_calendar import Calendar
from pipeline.publishers.registry import publisher_of
from pipeline.run.run_state import KnownPart, RunState

Ask = Literal["due", "all"]
MOST_REQUESTS = 2


@dataclass(frozen=True, order=True)
class Question:
    """Whether one table of a source (for some sources: all of its tables) has changed."""

    source_id: str
    table: str

    @classmethod
    def of(cls, query: Query) -> Question:
        return cls(query.source, publisher_of(query).asked_with(query))


@dataclass(frozen=True)
class CheckSchedule:
    """What one run asks: every table but those ``skipped``, each with the moment at which it was last checked."""

    skipped: Mapping[Question, datetime] = field(default_factory=dict)

    def is_asked(self, query: Query) -> bool:
        """Whether this run asks if the table of a query has changed."""
        return Question.of(query) not in self.skipped

    def why_not_asked(self, query: Query) -> str:
        """Why a table stands as it was found, for the run report."""
        question = Question.of(query)
        return f"{query.source} not asked about {question.table} today, last asked on {self.skipped[question]:%Y-%m-%d}"


def check_schedule(
    parts: Iterable[tuple[Indicator, Part]],
    state: RunState | None,
    calendar: Calendar,
    now: datetime,
    look_within_days: int,
    ask: Ask = "due",
) -> CheckSchedule:
    """What to ask at the moment ``now``: everything where nothing is remembered, or ``ask`` is ``all``."""
    if state is None or ask == "all":
        return CheckSchedule()
    known = {(part.indicator_id, part.part_id): part for part in state.parts}
    current, unsettled, due = set[Question](), set[Question](), set[Question]()
    for indicator, part in parts:
        found = known.get((indicator.id, part.id))
        for query in part.live:
            if found is None or (found.tier, found.source_id) != ("live", query.source):
                unsettled.add(Question.of(query))
                continue
            current.add(Question.of(query))
            if _is_due(query, found, calendar, now):
                due.add(Question.of(query))
            break  # sources after the one in use are not asked while it answers
    asked_at = dict(_asked_at(state, now))
    late = {
        question
        for question in current
        if question not in asked_at or (now.date() - asked_at[question].date()).days >= look_within_days
    }
    must = unsettled | late
    skipped = set(current - must)
    for source_id in {question.source_id for question in skipped}:
        room = MOST_REQUESTS - sum(question.source_id == source_id for question in must)
        longest_ago = sorted(
            (question for question in skipped if question.source_id == source_id),
            key=lambda question: (asked_at[question], question),
        )
        skipped -= set(_due_one_first(longest_ago, due)[: max(room, 0)])
    return CheckSchedule({question: asked_at[question] for question in sorted(skipped)})


def _due_one_first(questions: list[Question], due: set[Question]) -> list[Question]:
    first = next((question for question in questions if question in due), None)
    return questions if first is None else [first, *(question for question in questions if question != first)]


def _is_due(query: Query, found: KnownPart, calendar: Calendar, now: datetime) -> bool:
    release = calendar.release_of(query)
    latest = None if found.account is None else found.account.latest_period_end
    return release is not None and latest is not None and release.status(latest, now.date()) in ("expected", "overdue")


def _asked_at(state: RunState, now: datetime) -> Iterator[tuple[Question, datetime]]:
    """When each question was last asked; a moment yet to come is of a clock that was wrong, and says nothing."""
    for source_id, tables in state.looked_at.items():
        for table, moment in tables.items():
            if moment <= now:
                yield Question(source_id, table), moment
