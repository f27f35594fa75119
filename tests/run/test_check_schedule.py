"""Which tables a run asks about: what is due, the others in turn, everything within the days that are promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.catalogue import Indicator, Part, load_catalogue
from pipeline.catalogue.release_calendar import Calendar, Release, load_release_calendar
from pipeline.run.check_schedule import MOST_REQUESTS, CheckSchedule, Question, check_schedule
from pipeline.run.results import Account
from pipeline.run.run_state import KnownPart, RunState
from pipeline.settings import DEFAULT_LOOK_WITHIN_DAYS, SettingsError, settings_from_environment

FIRST_NIGHT = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
PARTS = [(indicator, part) for indicator in load_catalogue().collected for part in indicator.parts]
CALENDAR = load_release_calendar()
NEVER_DUE = date(2199, 12, 31)
# The preferred source of each part answers, so the others are not asked.
QUESTIONS = {Question.of(part.live[0]) for _, part in PARTS if part.live}


def account(latest: date) -> Account:
    return Account("an edition", "0" * 64, 361, 0, 361, 2010, latest.year, latest)


def memory(asked_at: dict[Question, datetime], latest: date = NEVER_DUE) -> RunState:
    """What a night leaves on which every preferred source answered; its figures run to ``latest``."""
    looked_at: dict[str, dict[str, datetime]] = {}
    for question, moment in asked_at.items():
        looked_at.setdefault(question.source_id, {})[question.table] = moment
    known = [KnownPart(i.id, p.id, "live", p.live[0].source, account(latest)) for i, p in PARTS if p.live]
    return RunState("code", "inputs", "sha256", tuple(known), looked_at=looked_at)


def asked(given: CheckSchedule, parts: Sequence[tuple[Indicator, Part]] = PARTS) -> set[Question]:
    return {Question.of(part.live[0]) for _, part in parts if part.live and given.is_asked(part.live[0])}


def nights(count: int, latest: date = NEVER_DUE) -> Iterator[tuple[datetime, set[Question]]]:
    """The questions of so many nights after a first one that asked everything."""
    asked_at = dict.fromkeys(QUESTIONS, FIRST_NIGHT)
    for number in range(1, count + 1):
        now = FIRST_NIGHT + timedelta(days=number)
        tonight = asked(check_schedule(PARTS, memory(asked_at, latest), CALENDAR, now, DEFAULT_LOOK_WITHIN_DAYS))
        asked_at |= dict.fromkeys(tonight, now)
        yield now, tonight


def test_a_first_run_and_one_that_is_told_to_ask_about_everything() -> None:
    assert asked(check_schedule(PARTS, None, CALENDAR, FIRST_NIGHT, 10)) == QUESTIONS
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT))
    assert asked(check_schedule(PARTS, known, CALENDAR, FIRST_NIGHT, 10, "all")) == QUESTIONS


@pytest.mark.parametrize("latest", [NEVER_DUE, date(2023, 12, 31)], ids=["nothing due", "everything overdue"])
def test_no_night_puts_more_than_two_questions_to_a_source(latest: date) -> None:
    for _, tonight in nights(60, latest):
        assert max(Counter(question.source_id for question in tonight).values()) <= MOST_REQUESTS


@pytest.mark.parametrize("latest", [NEVER_DUE, date(2023, 12, 31)], ids=["nothing due", "everything overdue"])
def test_every_table_is_asked_about_within_the_days_that_are_promised(latest: date) -> None:
    story = list(nights(60, latest))
    for first in range(len(story) - DEFAULT_LOOK_WITHIN_DAYS + 1):
        assert set().union(*(tonight for _, tonight in story[first : first + DEFAULT_LOOK_WITHIN_DAYS])) == QUESTIONS


def test_a_table_that_is_due_is_asked_about_every_night_and_the_others_still_have_their_turn() -> None:
    only_claimants = Calendar([r for r in CALENDAR.releases if r.id == "claimant_count"])
    claimants = Question("nomis", "NM_162_1")
    asked_at, turns = dict.fromkeys(QUESTIONS, FIRST_NIGHT), set[Question]()
    for number in range(1, DEFAULT_LOOK_WITHIN_DAYS + 1):
        now = FIRST_NIGHT + timedelta(days=number)
        tonight = asked(
            check_schedule(PARTS, memory(asked_at, date(2026, 9, 30)), only_claimants, now, DEFAULT_LOOK_WITHIN_DAYS)
        )
        assert claimants in tonight
        asked_at |= dict.fromkeys(tonight, now)
        turns |= tonight
    assert turns == QUESTIONS


def test_several_that_are_due_take_turns() -> None:
    pay = {"NM_30_1", "NM_99_1"}  # residents and workplaces, released together in October
    release: Release = next(r for r in CALENDAR.releases if "NM_30_1" in r.covers.get("nomis", ()))
    asked_at = dict.fromkeys(QUESTIONS, FIRST_NIGHT)
    found: list[set[str]] = []
    for number in (1, 2):
        now = FIRST_NIGHT + timedelta(days=number)
        known = memory(asked_at, date(2025, 4, 30))
        tonight = asked(check_schedule(PARTS, known, Calendar([release]), now, DEFAULT_LOOK_WITHIN_DAYS))
        asked_at |= dict.fromkeys(tonight, now)
        found.append({question.table for question in tonight if question.source_id == "nomis"} & pay)
    assert set().union(*found) == pay


def test_after_a_pause_longer_than_promised_everything_is_asked_about() -> None:
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT))
    later = FIRST_NIGHT + timedelta(days=DEFAULT_LOOK_WITHIN_DAYS)
    assert asked(check_schedule(PARTS, known, CALENDAR, later, DEFAULT_LOOK_WITHIN_DAYS)) == QUESTIONS


def test_one_day_means_everything_every_night() -> None:
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT))
    assert asked(check_schedule(PARTS, known, CALENDAR, FIRST_NIGHT + timedelta(days=1), 1)) == QUESTIONS


def test_a_table_that_did_not_give_its_figures_is_asked_about_whosever_turn_it_is() -> None:
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT))
    stale = [
        KnownPart(part.indicator_id, part.part_id, "snapshot", part.source_id, part.account)
        if part.source_id == "nomis"
        else part
        for part in known.parts
    ]
    everything = RunState("code", "inputs", "sha256", tuple(stale), looked_at=known.looked_at)
    tonight = asked(
        check_schedule(PARTS, everything, CALENDAR, FIRST_NIGHT + timedelta(days=1), DEFAULT_LOOK_WITHIN_DAYS)
    )
    assert {question for question in QUESTIONS if question.source_id == "nomis"} <= tonight


def test_a_moment_yet_to_come_says_nothing() -> None:
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT + timedelta(days=400)))
    assert asked(check_schedule(PARTS, known, CALENDAR, FIRST_NIGHT, DEFAULT_LOOK_WITHIN_DAYS)) == QUESTIONS


def test_what_is_left_out_says_when_it_was_last_asked_about() -> None:
    known = memory(dict.fromkeys(QUESTIONS, FIRST_NIGHT))
    given = check_schedule(PARTS, known, CALENDAR, FIRST_NIGHT + timedelta(days=1), DEFAULT_LOOK_WITHIN_DAYS)
    left_out = next(part.live[0] for _, part in PARTS if part.live and not given.is_asked(part.live[0]))
    table = Question.of(left_out).table
    assert given.why_not_asked(left_out) == f"nomis not asked about {table} today, last asked on 2026-11-20"


def test_the_days_are_a_setting_and_a_number() -> None:
    assert settings_from_environment({"IG_LOOK_WITHIN_DAYS": "3"}).look_within_days == 3
    with pytest.raises(SettingsError, match="IG_LOOK_WITHIN_DAYS must be a whole number of 1 or more"):
        settings_from_environment({"IG_LOOK_WITHIN_DAYS": "soon"})
