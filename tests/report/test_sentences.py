"""What is said of a place never claims more than the figures' uncertainty allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.report import sentences
from pipeline.report.facts import Figure, Indicator, Score, Typical

KNOWN = Score(
    score=38.0, lower=34.0, upper=41.0, rank=307, rank_lower=267, rank_upper=328, rank_count=359,
    probability_top_fifth=0.0, probability_bottom_fifth=0.4, probability_above_typical=0.001, is_band=False,
    is_carried_forward=False, weight_with_error=1.0,
)  # fmt: skip
RATE = Indicator(
    id="employment_rate", title="Employment rate", description="", theme="employment", unit="per cent", decimals=1,
    polarity=1, nations="E", intervals="bounds", publisher="ONS", caveats=None, publisher_caveats=None, citation_url="",
    licence="", is_computed=False, first_year=2004, last_year=2023, district_count=359,
)  # fmt: skip
TYPICAL = Typical(year=2023, median=76.5, low=68.0, high=84.0, districts=359)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.001, "clearly below the typical district"),
        (0.3, "probably below the typical district"),
        (0.5, "not to be told apart from the typical district"),
        (0.7, "probably above the typical district"),
        (0.94, "probably above the typical district"),
        (0.95, "clearly above the typical district"),
    ],
)
def test_the_grade_of_sureness_follows_the_probability(p: float, said: str) -> None:
    assert sentences.standing(replace(KNOWN, probability_above_typical=p)) == said


def test_without_a_published_error_nothing_is_clear() -> None:
    bare = replace(KNOWN, lower=None, upper=None, rank_lower=None, rank_upper=None, probability_above_typical=None)
    assert "without a published error" in sentences.standing(bare)
    assert sentences.score_with_interval(bare) == "38"
    assert sentences.rank_words(bare) == "no rank is given, because no survey error is published"
    assert sentences.rank_short(bare) == "not given"


def test_a_wide_rank_interval_is_a_band_without_a_rank() -> None:
    wide = replace(KNOWN, rank_lower=121, rank_upper=313, is_band=True)
    assert "307" not in sentences.rank_words(wide)
    assert sentences.rank_words(wide).startswith("somewhere between 121st and 313th of 359")
    assert sentences.rank_short(wide) == "band 121 to 313 of 359"


def test_the_best_and_worst_fifth_are_named_only_where_sure() -> None:
    assert sentences.fifth(KNOWN) is None
    assert (
        sentences.fifth(replace(KNOWN, probability_bottom_fifth=0.97)) == "In the worst fifth with a probability of 97%"
    )


def test_a_narrow_rank_interval_gives_the_rank_with_it() -> None:
    assert sentences.rank_words(KNOWN) == "307th of 359 (90% interval 267th to 328th)"


def test_a_figure_whose_interval_holds_the_typical_one_is_not_called_higher() -> None:
    figure = Figure(year=2023, value=80.4, lower=72.3, upper=88.5, status="ok")
    said = sentences.against_typical(figure, TYPICAL, RATE, "Preston")
    assert said == (
        "Employment rate: 80.4% in Preston in 2023 (95% interval 72.3% to 88.5%), "
        "not clearly different from the typical district’s 76.5%"
    )


def test_a_figure_whose_interval_lies_beside_the_typical_one_is() -> None:
    figure = Figure(year=2023, value=66.0, lower=62.0, upper=70.0, status="ok")
    assert "clearly below the typical district’s 76.5%" in sentences.against_typical(figure, TYPICAL, RATE, "Preston")


def test_a_figure_without_an_interval_is_never_clearly_anything() -> None:
    figure = Figure(year=2023, value=66.0, lower=None, upper=None, status="ok")
    assert "clearly" not in sentences.against_typical(figure, TYPICAL, RATE, "Preston")


def test_where_nations_do_not_compare_the_nation_is_named() -> None:
    figure = Figure(year=2023, value=66.0, lower=None, upper=None, status="ok")
    said = sentences.against_typical(figure, TYPICAL, RATE, "Cardiff", "Wales")
    assert said.endswith("below that of the typical district in Wales, 76.5%")


def test_places_are_counted_by_what_can_be_told() -> None:
    scores = [replace(KNOWN, probability_above_typical=p) for p in (0.99, 0.95, 0.9, 0.04, None)]
    assert sentences.sure_counts(scores) == (2, 1, 2)


def test_an_interval_of_figures_carried_forward_alone_makes_nothing_clear() -> None:
    carried = replace(KNOWN, weight_with_error=0.0, is_carried_forward=True, probability_bottom_fifth=0.99)
    assert sentences.standing(carried) == (
        "below the typical district, as far as figures without a published error can say"
    )
    assert sentences.fifth(carried) is None
    assert sentences.sure_counts([KNOWN, carried]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("growth", "sharing", "said"),
    [
        (0.99, 0.95, "The Isle of Wight is clearly above the typical district on both growth and sharing"),
        (0.99, 0.01, "The Isle of Wight is clearly above the typical district on growth and clearly below it on sharing"),
        (0.01, 0.5, "The Isle of Wight is clearly below the typical district on growth; on sharing it cannot be told apart"),
        (0.5, 0.5, "The Isle of Wight cannot be told apart from the typical district on growth or on sharing"),
        (None, 0.96, ("The Isle of Wight is clearly above the typical district on sharing; "
         "on growth no survey error is published to tell by")),
        (None, 0.5, ("The Isle of Wight cannot be told apart from the typical district on sharing; "
         "on growth no survey error is published to tell by")),
        (None, None, "No survey error is published to tell the Isle of Wight from the typical district on growth or on sharing"),
    ],
)  # fmt: skip
def test_the_picture_s_title_says_each_half_as_surely_as_it_is_known(
    growth: float | None, sharing: float | None, said: str
) -> None:
    halves = {"growth": growth, "sharing": sharing}
    scores = {domain: replace(KNOWN, probability_above_typical=p) for domain, p in halves.items()}
    assert sentences.both_halves("the Isle of Wight", scores) == said
