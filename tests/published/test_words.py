"""Numbers, names and lists in British English."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.published import words


@pytest.mark.parametrize(
    ("n", "said"),
    [(0, "no districts"), (1, "1 district"), (2, "2 districts"), (1204, "1,204 districts")],
)
def test_things_are_counted_with_the_right_plural(n: int, said: str) -> None:
    assert words.count(n, "district") == said


def test_irregular_plurals_are_given_and_regular_ones_made() -> None:
    assert words.count(2, "combined authority") == "2 combined authorities"
    assert words.count(2, "index", "indices") == "2 indices"
    assert words.count(3, "day") == "3 days"
    assert words.count(2, "box") == "2 boxes"


def test_small_numbers_are_words_and_large_ones_figures() -> None:
    assert words.counted(4, "district") == "four districts"
    assert words.counted(10, "year") == "ten years"
    assert words.counted(11, "district") == "11 districts"


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "said"),
    [
        (38.2, "GBP per hour", 1, "£38.20 an hour"),
        (18758.4, "GBP", 0, "£18,758"),
        (-1250.0, "GBP", 0, "−£1,250"),
        (80.44, "per cent", 1, "80.4%"),
        (5.16, "years of earnings", 2, "5.16 times yearly earnings"),
        (0.568, "ratio", 3, "0.568"),
        (1.0, "persons", 0, "1 person"),
        (2.0, "persons", 0, "2 people"),
        (None, "GBP", 0, "no figure"),
    ],
)
def test_figures_carry_their_unit_as_people_write_it(value: float | None, unit: str, decimals: int, said: str) -> None:
    assert words.amount(value, unit, decimals) == said


def test_there_is_no_negative_zero() -> None:
    assert words.number(-0.04, 1) == "0.0"
    assert words.number(-3.0) == "−3"


def test_intervals_keep_the_pound_and_the_percent_sign() -> None:
    assert words.interval(552.19, 659.01, "GBP per week", 1) == "£552.19 to £659.01"
    assert words.interval(72.3, 88.5, "per cent", 1) == "72.3% to 88.5%"


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th"), (121, "121st"), (253, "253rd")]
)
def test_ordinals(n: int, said: str) -> None:
    assert words.ordinal(n) == said


def test_probabilities_never_say_certain() -> None:
    assert words.probability(1.0) == "more than 99%"
    assert words.probability(0.0) == "less than 1%"
    assert words.probability(0.6705) == "67%"


def test_lists_pause_where_an_item_has_an_and_of_its_own() -> None:
    assert words.listing(["pay"]) == "pay"
    assert words.listing(["pay", "jobs", "rent"]) == "pay, jobs and rent"
    assert words.listing(["work", "poverty and cost of living"]) == "work, and poverty and cost of living"


@pytest.mark.parametrize(
    ("name", "said", "owned"),
    [
        ("Bristol, City of", "Bristol", "Bristol’s"),
        ("Bournemouth, Christchurch and Poole", "Bournemouth, Christchurch and Poole", "Bournemouth, Christchurch and Poole’s"),
        ("St. Helens", "St. Helens", "St. Helens’"),
        ("North West", "the North West", "the North West’s"),
        ("Isle of Wight", "the Isle of Wight", "the Isle of Wight’s"),
        ("West Midlands combined authority", "the West Midlands combined authority", "the West Midlands combined authority’s"),
    ],
)  # fmt: skip
def test_names_are_said_as_people_say_them(name: str, said: str, owned: str) -> None:
    assert words.spoken(name) == said
    assert words.possessive(name) == owned


def test_ages_and_days() -> None:
    assert [words.age(days) for days in (0, 1, 13, 20, 242, 3000)] == [
        "under a day", "1 day", "13 days", "2 weeks", "8 months", "8 years",
    ]  # fmt: skip
    assert words.day(date(2026, 11, 3)) == "3 November 2026"
