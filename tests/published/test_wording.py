"""The words for scores, ranks and verdicts: one place makes them, and they say no more than the file does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.published import wording
from pipeline.published.scores import CHANGE, LEVEL, Score

Rows = Callable[..., list[tuple]]

GROWTH = Score(
    area_code="E07000123", node_id="growth", title="Growth", node_kind="domain", depth=1, parent_node_id="index",
    parent_title="Shared growth", year=2025, score=62.4, lower=58.0, upper=66.6, verdict="clearly above", rank=41,
    rank_lower=30, rank_upper=55, rank_count=359, is_band=False, is_carried_forward=False,
    probability_above_typical=0.999, probability_top_fifth=0.97, probability_bottom_fifth=0.0, sure_fifth="top",
    weight_with_error=1.0, missing_pillars=None, points_added=6.0,
)  # fmt: skip
UNKNOWN = replace(
    GROWTH, verdict="not known", rank=None, rank_lower=None, rank_upper=None, is_band=None, sure_fifth=None,
    probability_above_typical=None, probability_top_fifth=None, probability_bottom_fifth=None, weight_with_error=1 / 3,
)  # fmt: skip
SHARING = replace(UNKNOWN, node_id="sharing", title="Sharing", score=40.2, weight_with_error=1 / 6)


@pytest.mark.parametrize(
    ("verdict", "flavour", "said"),
    [
        ("clearly above", LEVEL, "clearly above the typical district"),
        ("probably below", LEVEL, "probably below the typical district"),
        ("clearly above", CHANGE, "clearly gained on the typical district"),
        ("probably below", CHANGE, "probably fell behind the typical district"),
    ],
)
def test_a_verdict_with_a_side_is_said_in_its_own_words(verdict: str, flavour: str, said: str) -> None:
    assert wording.against_typical(replace(GROWTH, verdict=verdict), flavour) == said


def test_what_cannot_be_said_and_what_is_not_known_are_two_things() -> None:
    assert "cannot say" in wording.against_typical(replace(GROWTH, verdict="cannot say"))
    assert "survey error known for 33% of its weight" in wording.against_typical(UNKNOWN)


def test_a_rank_is_given_with_its_interval_a_band_alone_and_none_on_too_little_evidence() -> None:
    assert wording.rank(GROWTH) == "41 of 359 (30 to 55)"
    assert wording.rank(replace(GROWTH, is_band=True, rank_upper=300)) == "30 to 300 of 359"
    assert wording.rank(UNKNOWN) == "not known"
    assert wording.rank_sentence(GROWTH) == "ranked 41st of 359 districts (90% interval 30th to 55th)"
    assert "no rank is given" in wording.rank_sentence(UNKNOWN)
    assert wording.fifth(GROWTH) == "In the highest fifth of districts (probability 97%)"
    assert wording.fifth(UNKNOWN) is None


def test_a_score_without_a_pillar_says_that_it_does_not_compare() -> None:
    assert wording.not_comparable(GROWTH) is None
    assert wording.not_comparable(replace(GROWTH, missing_pillars="Spread of pay; Productivity")) == (
        "not comparable with most districts: it has no spread of pay and productivity"
    )


def test_in_short_names_growth_and_sharing_apart_and_grades_nothing_twice() -> None:
    pay = replace(GROWTH, node_id="pay", title="Residents’ pay", node_kind="pillar", verdict="clearly below")
    fell = replace(GROWTH, verdict="clearly below", score=31.0)
    open_ = replace(GROWTH, node_id="sharing", title="Sharing", verdict="cannot say", score=49.0)
    assert wording.in_short([UNKNOWN, SHARING, pay], [fell, open_], 10) == (
        "Growth scores 62 and sharing scores 40 (50 is the typical district). How sure this is, is not known: survey "
        "error is known for only 33% of growth and 17% of sharing. Residents’ pay is clearly below the typical district. "
        "Over the ten years to 2025, growth (31) clearly fell behind the typical district and sharing (49) may have "
        "gained on the typical district or fallen behind it."
    )
    assert wording.in_short([], [], 10) == ""


def test_every_verdict_of_the_file_follows_from_its_probability_and_its_evidence(rows: Rows) -> None:
    words = {
        word: (start, end)
        for word, start, end in rows("select verdict, probability_from, probability_to from meta_verdict")
    }
    assert list(words) == ["clearly", "probably", "cannot say", "not known"]
    clearly, probably = words["clearly"][0], words["probably"][0]
    wrong = rows(
        """
        with judged as (
            select verdict, weight_with_error, score_lower, rank, probability_top_fifth, sure_fifth,
                probability_above_typical as p
            from mart_score
        )
        select * from judged
        where verdict is distinct from case
            when score_lower is null or weight_with_error < 0.5 - 1e-6 then 'not known'
            when p >= $clearly then 'clearly above'
            when p <= 1 - $clearly then 'clearly below'
            when p >= $probably then 'probably above'
            when p <= 1 - $probably then 'probably below'
            else 'cannot say'
        end
        or (verdict = 'not known' and (rank is not null or p is not null or sure_fifth is not null))
        """.replace("$clearly", str(clearly)).replace("$probably", str(probably))
    )
    assert wrong == []
    kinds = {kind for (kind,) in rows("select distinct verdict from mart_score where node_kind = 'pillar'")}
    assert len(kinds) == 6, "all verdicts are in use"


def test_no_rank_and_nothing_sure_stands_on_less_than_half_of_the_evidence(rows: Rows) -> None:
    thin = "weight_with_error < 0.5 - 1e-6"
    assert rows(f"select count(*) from mart_score where {thin}")[0][0] > 100_000
    assert rows(
        f"select count(*) from mart_score where {thin} and (rank is not null or verdict <> 'not known' "
        "or probability_above_typical is not null)"
    ) == [(0,)]
    assert rows(
        "select count(*) from mart_shared_growth where (growth_weight_with_error < 0.4999 or sharing_weight_with_error "
        "< 0.4999) and label is not null and label <> 'not known'"
    ) == [(0,)]
    assert rows(
        "select count(*) from mart_fifth as fifth where basis = 'draws' and sure_count > 0 and weight_with_error < 0.3"
    ) == [(0,)]


def test_a_wider_area_without_a_districts_pillar_says_which(rows: Rows) -> None:
    [(missing,)] = rows(
        "select missing_pillars from latest_score where area_name = 'Core Cities' and framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'sharing'"
    )
    assert missing == "Spread of pay; Concentration of deprivation within the place"
    assert rows(
        "select count(*) from latest_score where level = 'region' and framework_id = 'shared_growth' "
        "and flavour = 'level' and node_id = 'growth' and missing_pillars is not null"
    ) == [(0,)]
