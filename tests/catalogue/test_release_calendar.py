"""The release calendar expects what publishers really did, and calls late what is, on the day and not before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipeline.catalogue.release_calendar import load_release_calendar, months_later
from pipeline.run.overdue_releases import overdue_sentences

RELEASES = {release.id: release for release in load_release_calendar().releases}


@pytest.mark.parametrize(
    ("release_id", "held_to", "came_on"),
    [
        # the day on which what followed was published, from the publications themselves
        ("claimant_count", date(2018, 7, 31), date(2018, 9, 11)),
        ("claimant_count", date(2020, 8, 31), date(2020, 10, 13)),
        ("claimant_count", date(2025, 11, 30), date(2026, 1, 20)),
        ("annual_survey_of_hours_and_earnings", date(2024, 4, 30), date(2025, 10, 23)),
        ("annual_survey_of_hours_and_earnings", date(2024, 4, 5), date(2025, 10, 23)),
        ("annual_population_survey", date(2022, 12, 31), date(2024, 4, 16)),
        ("regional_household_income", date(2022, 12, 31), date(2025, 9, 10)),
        ("subregional_productivity", date(2022, 12, 31), date(2025, 6, 19)),
        ("children_in_low_income_families", date(2024, 3, 31), date(2026, 3, 26)),
        ("health_state_life_expectancy", date(2023, 12, 31), date(2026, 2, 19)),
    ],
)
def test_a_release_that_came_as_usual_is_looked_for_in_time_and_was_never_overdue(
    release_id: str, held_to: date, came_on: date
) -> None:
    release = RELEASES[release_id]
    expected = release.next_expected(held_to)
    assert expected is not None
    assert timedelta(days=-2) <= came_on - expected <= timedelta(days=9)
    assert release.status(held_to, came_on) != "overdue"


def test_overdue_begins_the_day_after_the_grace_ends_also_over_the_end_of_a_year() -> None:
    claimants = RELEASES["claimant_count"]
    held_to = date(2026, 11, 30)  # that of December is expected on 11 January
    assert claimants.status(held_to, date(2027, 1, 10)) == "up to date"
    assert claimants.status(held_to, date(2027, 1, 11)) == "expected"
    assert claimants.status(held_to, date(2027, 2, 1)) == "expected"
    assert claimants.status(held_to, date(2027, 2, 2)) == "overdue"


def test_a_clock_far_behind_calls_nothing_overdue_and_what_is_irregular_never_is() -> None:
    assert {r.status(date(2025, 12, 31), date(1970, 1, 1)) for r in RELEASES.values()} == {
        "up to date",
        "no calendar",
    }
    assert RELEASES["indices_of_deprivation"].status(date(2015, 9, 30), date(2099, 1, 1)) == "no calendar"


def test_months_keep_their_ends() -> None:
    assert months_later(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_later(date(2026, 12, 31), 1) == date(2027, 1, 31)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_pay_of_april_and_pay_to_the_fifth_of_april_are_awaited_in_one_sentence() -> None:
    pay = RELEASES["annual_survey_of_hours_and_earnings"]
    held = [(pay, date(2025, 4, 5)), (pay, date(2025, 4, 30)), (pay, date(2024, 4, 30))]
    told = overdue_sentences(held, date(2026, 11, 23))
    assert len(told) == 2
    assert "the figures after 2025-04-30 were due on 2026-10-23" in told[0]
    assert "the figures after 2024-04-30 were due on 2025-10-23" in told[1]
