"""Numbers in sentences are rounded for people, and no figure of any size comes with an exponent."""

from __future__ import annotations

import math
import re

import pytest

from pipeline.compare.telling import _revision
from pipeline.numerals import points, rounded, share, signed, times


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1234567.891, "1,234,568"),
        (67_000_000.0, "67,000,000"),
        (43.123456789, "43.1235"),
        (0.1 + 0.2, "0.3"),
        (-40.0, "-40"),
        (1e-12, "0"),
        (math.nan, "none"),
    ],
)
def test_a_figure_has_six_digits_at_most_and_no_exponent(value: float, said: str) -> None:
    assert rounded(value) == said


def test_a_figure_of_a_table_has_no_commas() -> None:
    assert rounded(1234567.0, is_grouped=False) == "1234567"


@pytest.mark.parametrize(("value", "said"), [(1.25, "+1.25"), (-1000.4, "-1,000.4"), (0.0, "+0")])
def test_a_difference_has_its_sign(value: float, said: str) -> None:
    assert signed(value) == said


@pytest.mark.parametrize(
    ("largest", "said"),
    [(0.0, "less than 0.1 points"), (0.04, "less than 0.1 points"), (2.44, "2.4 points"), (99.7, "100 points")],
)
def test_distances_between_scores_are_rounded(largest: float, said: str) -> None:
    assert points(largest) == said


@pytest.mark.parametrize(
    ("multiple", "said"),
    [(1.34, "1.3 times"), (38.2, "38 times"), (2e7, "more than 1,000 times"), (math.inf, "more than 1,000 times")],
)
def test_multiples_that_say_nothing_any_more_are_cut(multiple: float, said: str) -> None:
    assert times(multiple) == said


def test_a_small_share_is_not_none() -> None:
    assert [share(*two) for two in ((0, 359), (1, 359), (36, 359))] == ["0%", "less than 1%", "10%"]


def test_a_population_that_was_multiplied_is_told_in_whole_numbers() -> None:
    row = {
        "area_name": "England",
        "indicator_title": "People",
        "year": 2020,
        "old_value": 5_650_000.0,
        "new_value": 565_000_000.0,
        "unit": "persons",
        "difference": 559_350_000.0,
        "difference_percent": 9900.0,
        "old_status": "ok",
        "new_status": "ok",
        "kind": "revised",
        "is_derived": False,
        "cause": "publisher",
    }
    told = _revision(row)
    assert told == "England, People, 2020: 5,650,000 to 565,000,000 persons; +559,350,000, +9,900%"
    assert not re.search(r"\de[+-]\d", told)
