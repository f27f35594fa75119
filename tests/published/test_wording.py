"""What is said of a place is what the file's verdict says: four words, and none of them twice over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.published import wording
from pipeline.published.figures import LatestFigure
from pipeline.published.scores import CHANGE, LEVEL, Score

GROWTH = Score(
    area_code="E07000123", node_id="growth", title="Growth", node_kind="domain", depth=1, parent_node_id="index",
    parent_title="Shared growth", year=2025, score=38.0, lower=34.0, upper=41.0, verdict="clearly below", rank=307,
    rank_lower=267, rank_upper=328, rank_count=359, is_band=False, is_carried_forward=False,
    probability_above_typical=0.001, probability_top_fifth=0.0, probability_bottom_fifth=0.97, sure_fifth="bottom",
    weight_with_error=1.0, missing_pillars=None, points_added=-6.0,
)  # fmt: skip
SHARING = replace(GROWTH, node_id="sharing", title="Sharing", score=49.0, verdict="cannot say", sure_fifth=None)
UNKNOWN = replace(
    GROWTH, verdict="not known", weight_with_error=0.33, rank=None, rank_lower=None, rank_upper=None, sure_fifth=None,
    probability_above_typical=None, probability_top_fifth=None, probability_bottom_fifth=None,
)  # fmt: skip
RATE = LatestFigure(
    area_code="E07000123", indicator_id="employment_rate", title="Employment rate", theme="employment", unit="per cent",
    decimals=1, year=2023, value=80.4, lower=72.3, upper=88.5, status="ok", typical_value=76.5, verdict="probably above",
    direction_verdict="cannot say",
)  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "level", "change"),
    [
        ("clearly above", "clearly above the typical district", "clearly gained on the typical district"),
        ("probably below", "probably below the typical district", "probably fell behind the typical district"),
        ("cannot say", "we cannot say whether it is above or below the typical district",
         "we cannot say whether it has gained on or fallen behind the typical district"),
        ("not known", "we do not know how sure this is (error known for 33% of its weight)",
         "we do not know how sure this is (error known for 33% of its weight)"),
    ],
)  # fmt: skip
def test_a_score_is_compared_in_the_word_of_its_verdict(verdict: str, level: str, change: str) -> None:
    score = replace(UNKNOWN, verdict=verdict)
    assert wording.against_typical(score, LEVEL) == level
    assert wording.against_typical(score, CHANGE) == change


def test_a_score_without_a_known_error_has_neither_rank_nor_fifth() -> None:
    assert wording.rank(UNKNOWN) == "not known"
    assert wording.rank_sentence(UNKNOWN) == "no rank is given: error known for 33% of its weight"
    assert wording.fifth(UNKNOWN) is None
    assert wording.score_with_interval(replace(UNKNOWN, lower=None, upper=None)) == "38"


def test_of_a_wide_rank_only_the_interval_is_given() -> None:
    wide = replace(GROWTH, rank_lower=121, rank_upper=313, is_band=True)
    assert wording.rank(wide) == "121 to 313 of 359"
    assert "307" not in wording.rank_sentence(wide)


def test_a_narrow_rank_is_given_with_its_interval() -> None:
    assert wording.rank_sentence(GROWTH) == "ranked 307th of 359 districts (90% interval 267th to 328th)"


def test_a_fifth_is_named_only_where_the_file_is_sure_of_it() -> None:
    assert wording.fifth(GROWTH) == "In the lowest fifth of districts (probability 97%)"
    assert wording.fifth(replace(GROWTH, sure_fifth=None)) is None


def test_a_score_that_lacks_pillars_says_which() -> None:
    lacking = replace(GROWTH, missing_pillars="Productivity; Spread of pay")
    assert wording.not_comparable(lacking) == (
        "not comparable with most districts: it has no productivity or spread of pay"
    )
    assert wording.not_comparable(GROWTH) is None
    assert not lacking.compares_with(GROWTH)


@pytest.mark.parametrize(
    ("growth", "sharing", "said"),
    [
        ("clearly above", "clearly above", "In 2025, the Isle of Wight is clearly above the typical district on growth (38) and sharing (49)"),
        ("clearly below", "cannot say", "In 2025, the Isle of Wight is clearly below the typical district on growth (38); on sharing (49), we cannot say"),
        ("not known", "probably above", ("In 2025, the Isle of Wight is probably above the typical district on sharing (49); "
         "on growth (38), we do not know how sure this is")),
        ("not known", "not known", ("In 2025, the Isle of Wight scores 38 on growth and 49 on sharing (50 is the typical district); "
         "we do not know how sure this is")),
        ("cannot say", "cannot say", "In 2025, the Isle of Wight: on growth (38) and sharing (49), we cannot say"),
    ],
)  # fmt: skip
def test_the_picture_s_title_gives_growth_and_sharing_a_verdict_each(growth: str, sharing: str, said: str) -> None:
    scores = [replace(GROWTH, verdict=growth), replace(SHARING, verdict=sharing)]
    assert wording.domains_finding("the Isle of Wight", scores, LEVEL, "in 2025") == said


def test_a_class_of_the_picture_needs_two_clear_verdicts() -> None:
    def classed(growth: str, sharing: str) -> str:
        return wording.class_of(replace(GROWTH, verdict=growth), replace(SHARING, verdict=sharing), LEVEL)

    assert classed("clearly above", "clearly below") == "Growth clearly above, sharing clearly below"
    assert classed("clearly below", "clearly above") == "Sharing clearly above, growth clearly below"
    assert classed("clearly below", "clearly below") == "Clearly below on both"
    assert classed("clearly above", "probably above") == "Not clear on one or both"
    assert classed("clearly above", "not known") == "Not known on one or both"


def test_a_picture_of_which_nothing_is_known_says_so_in_one_sentence() -> None:
    assert wording.classes_finding({wording.NOT_KNOWN: 341}, LEVEL) == (
        "For all 341 districts shown, we do not know how sure the picture is: "
        "an error is known for less than half of growth or sharing"
    )
    assert wording.classes_finding({"Clearly above on both": 2, wording.NOT_KNOWN: 3}, LEVEL) == (
        "Of 5 districts: 2 clearly above on both; 3 not known on one or both"
    )


def test_in_short_gives_every_domain_one_verdict() -> None:
    sharing = replace(SHARING, verdict="not known", weight_with_error=0.0)
    assert wording.in_short([GROWTH, sharing], [], 10) == (
        "Growth (38) is clearly below the typical district. Sharing scores 49 (50 is the typical district). "
        "We do not know how sure this is: an error is known for none of sharing."
    )


def test_what_moves_a_domain_most_is_said_in_points() -> None:
    pay = replace(GROWTH, node_id="pay", title="Pay", node_kind="pillar", points_added=2.2)
    income = replace(pay, node_id="income", title="Household income", points_added=-5.6)
    assert wording.drivers(GROWTH, [pay, income]) == (
        "Pay adds most to growth (2 points) and household income takes most off it (6 points)."
    )
    assert wording.drivers(GROWTH, [replace(pay, points_added=0.3)]) is None


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("probably above", "(95% interval 72.3% to 88.5%), probably above the typical district (76.5%)"),
        ("cannot say", "(95% interval 72.3% to 88.5%); we cannot say whether it is above or below the typical district (76.5%)"),
    ],
)  # fmt: skip
def test_a_figure_is_compared_in_the_word_of_its_verdict(verdict: str, said: str) -> None:
    finding = wording.figure_finding(replace(RATE, verdict=verdict), "Preston")
    assert finding == f"Employment rate: 80.4% in Preston in 2023 {said}"


def test_a_figure_without_an_interval_is_neither_above_nor_below() -> None:
    bare = replace(RATE, lower=None, upper=None, verdict="not known")
    assert wording.figure_finding(bare, "Cardiff", "Wales") == (
        "Employment rate: 80.4% in Cardiff in 2023; the typical district of Wales has 76.5%"
    )


def test_an_error_is_in_one_of_three_states_and_never_denied_where_nothing_is_known() -> None:
    assert wording.error_words("published") == "published and used"
    assert wording.error_words("published_not_held") == "published but not held here"
    assert wording.error_words("not_published") == "not published by anyone"
    assert wording.error_words("from_vintages") == "none held; scores use how far earlier editions were revised"
    assert (
        wording.no_interval_sentence("modelled") == "Margin of error: none held; scores use one that is modelled here."
    )
    assert wording.error_words(None) == "no margin of error is held here"
    assert wording.no_interval_words("published") == "none for this figure"
    assert wording.no_interval_sentence("published_not_held") == "Margin of error: published but not held here."
    assert wording.no_interval_sentence(None) == "No margin of error is held here."
