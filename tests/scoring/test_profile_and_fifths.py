"""What an analyst reads at the prompt: one place's profile, and who is surely in the best and the worst fifth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pipeline.in_short import in_short
from pipeline.profile import NodeScore, find_published, profile_text

from pipeline.cli import main
from pipeline.geography import load_register
from pipeline.run.context import RunContext
from pipeline.run.refresh import Outcome

Rows = Callable[..., list[tuple]]


@pytest.fixture
def said(
    offline_run: tuple[RunContext, Outcome], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("IG_DATA_DIR", str(offline_run[0].settings.data_dir))

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        return capsys.readouterr().out

    return run


def test_a_profile_has_growth_and_sharing_level_and_change_with_interval_rank_and_label(
    said: Callable[..., str],
) -> None:
    text = said("area", "Tower Hamlets")
    level, change = text.split("Where it has been heading")
    for block in (level, change):
        for title in ("Growth", "Sharing"):
            [line] = [line for line in block.splitlines() if line.strip().startswith(f"{title} ")]
            assert " to " in line, "an interval"
            assert " of 3" in line, "a rank or a band"
        assert "Label: " in block
        assert "Strongest pillar: " in block
        assert "Weakest pillar: " in block
    assert "displayed, not scored: reliability" in change
    assert "no figures are held" in level
    assert "intervals are from 100 draws: other draws move an end by some 13% of the half-width" in level
    assert "probability 1.00" not in text
    [line] = [line for line in level.splitlines() if line.strip().startswith("Productivity ")]
    assert "not known" in line, "nobody publishes the error of output per hour, also not of an older figure"
    assert "0 and 100 are the ends of the scale" in level


def test_a_profile_begins_with_what_is_sure_in_a_sentence(said: Callable[..., str]) -> None:
    words = " ".join(said("area", "Tower Hamlets").split())
    assert "In short: growth among the highest, rank " in words
    assert "; sharing among the lowest, rank " in words
    assert "among the highest: productivity*," in words, "a star where no error is published"
    assert "* by its figures, whose error nobody publishes" in words
    assert "participation in work falling behind (probability " in words
    group = " ".join(said("area", "Core Cities").split())
    assert "its error not known; sharing below the typical district." in group


def node(title: str, kind: str = "domain", **known: float | None) -> NodeScore:
    rank = known.pop("rank", None)
    score = known.pop("score", 50.0) or 0.0
    return NodeScore(
        title, kind, 1, score, known.pop("lower", None), None, None if rank is None else int(rank), None, None, 360,
        None, False, 1.0, **known,
    )  # type: ignore[arg-type]  # fmt: skip


def test_what_is_said_in_short_is_as_sure_as_its_draws() -> None:
    sure = node("Growth", lower=60, score=70, probability_above_typical=0.95, probability_top_fifth=0.94)
    unsure = node("Sharing", lower=40, score=52, probability_above_typical=0.94)
    assert in_short([sure, unsure], [], None, 10) == (
        "growth above the typical district; sharing not to be told apart from the typical district."
    )
    assert in_short([node("Growth", score=88)], [], None, 10) == "growth 88 of 100, its error not known."
    heads = [
        node("Growth", lower=1, probability_above_typical=0.41),
        node("Sharing", lower=1, probability_above_typical=0.07),
        node("Participation in work", "pillar", lower=1, probability_above_typical=0.96),
        node("Residents' pay", "pillar", lower=1, probability_above_typical=0.93),
    ]
    assert in_short([], heads, 2025, 10) == (
        "In the 10 years to 2025, against the typical district: growth not to be told; "
        "sharing probably falling behind (probability 0.93); participation in work gaining (probability 0.96)."
    )
    ends = [node("Pay", "pillar", rank=72), node("Jobs", "pillar", rank=289), node("Homes", "pillar", rank=73)]
    assert in_short([sure, *ends], [], None, 10).endswith("Pillars among the highest: pay*; among the lowest: jobs*.")
    assert in_short([], [], None, 10) == ""


def test_points_of_a_nodes_members_sum_to_its_distance_from_fifty() -> None:
    def member(contribution: float, total: float, parent: float, aggregate: str) -> float | None:
        return NodeScore(
            "a", "pillar", 2, 60, None, None, None, None, None, None, None, False, None,
            "a", "parent", contribution, total, aggregate, parent,
        ).points  # fmt: skip

    assert member(0.1, 0.4, 74.0, "geometric") == pytest.approx(6)
    assert member(-5.0, -5.0, 45.0, "arithmetic") == pytest.approx(-5)
    assert member(0.02, 0.0, 50.0, "geometric") == pytest.approx(1), "where all cancels, what each would do alone"


def test_the_published_file_finds_the_same_area_as_the_register(
    offline_run: tuple[RunContext, Outcome], rows: Rows
) -> None:
    register, database = load_register(), offline_run[0].settings.database
    for code, name in rows("select area_code, area_name from dim_area where level <> 'group' and area_code like '%7'"):
        assert find_published(database, code.lower()) == code
        found = find_published(database, name.upper())
        if found is not None:
            assert register.find(name).code == found
    assert find_published(database, "West Midlands") is None, "a region and a combined authority"
    assert find_published(database, "nowhere") is None


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("core cities", ["Core Cities (core_cities)"]),
        ("E07000151", ["West Northamptonshire (E06000062)"]),
        ("Cumbria", ["Cumberland (E06000063)", "Westmorland and Furness (E06000064)"]),
        ("City of London", ["Shown, not scored: too few people live here"]),
    ],
)
def test_groups_and_areas_of_the_past_have_profiles_too(
    said: Callable[..., str], asked: str, answers: list[str]
) -> None:
    text = said("area", asked)
    assert all(answer in text for answer in answers)


def test_an_area_that_is_not_in_the_file_is_said_to_be_none(offline_run: tuple[RunContext, Outcome]) -> None:
    assert "is not an area of the published file" in profile_text(offline_run[0].settings.database, "E99999999")


def test_who_is_surely_in_a_fifth_is_in_the_file_with_how_many_of_how_many(rows: Rows) -> None:
    found = rows(
        "select fifth, rank_count, fifth_count, known_count, sure_count, possible_count, "
        "len(string_split(sure_area_codes, '+')) from mart_fifth "
        "where framework_id = 'shared_growth' and node_id = 'growth' and flavour = 'level' order by fifth"
    )
    assert [row[0] for row in found] == ["bottom", "top"]
    [(ranked_in_great_britain,)] = rows(
        "select count(*) from mart_score inner join dim_area using (area_code) where framework_id = 'shared_growth' and "
        "node_id = 'growth' and flavour = 'level' and mart_score.rank_count is not null and weight_with_error > 0 and year = "
        "(select max(year) from mart_fifth where framework_id = 'shared_growth' and node_id = 'growth' "
        "and flavour = 'level')"
    )
    for _, ranked, inside, known, sure, possible, listed in found:
        assert ranked == 359
        assert known == ranked_in_great_britain >= 340
        assert inside in (71, 72)
        assert 0 < sure < inside < possible < ranked
        assert listed == sure


def test_sure_members_are_those_that_nineteen_in_twenty_draws_put_there(rows: Rows) -> None:
    [(codes, year)] = rows(
        "select sure_area_codes, year from mart_fifth where framework_id = 'shared_growth' and node_id = 'sharing' "
        "and flavour = 'level' and fifth = 'bottom' and basis = 'draws'"
    )
    expected = rows(
        "select area_code from mart_score where framework_id = 'shared_growth' and node_id = 'sharing' "
        "and flavour = 'level' and year = ? and probability_bottom_fifth >= 0.95",
        year,
    )
    assert set(codes.split("+")) == {code for (code,) in expected}


def test_nobody_is_called_sure_where_no_error_is_known(said: Callable[..., str], rows: Rows) -> None:
    assert rows("select sum(sure_count) from mart_fifth where known_count = 0")[0][0] == 0
    assert "nobody can say" in said("fifths", "pay_spread")


def test_single_indicators_also_have_the_answer_of_their_confidence_sets(said: Callable[..., str]) -> None:
    text = said("fifths", "employment_rate")
    assert "(by its confidence set for the rank)" in text
    assert "surely in it" in text
