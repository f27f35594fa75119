"""What an analyst reads at the prompt: one place's profile, and who is surely in the best and the worst fifth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.cli import main
from pipeline.geography import load_register
from pipeline.published.profile import find_published, profile_text
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

Rows = Callable[..., list[tuple]]


@pytest.fixture
def said(
    offline_run: tuple[Run, Outcome], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("IG_DATA_DIR", str(offline_run[0].settings.data_dir))

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        return capsys.readouterr().out

    return run


def test_a_profile_has_growth_and_sharing_level_and_change_with_interval_verdict_and_rank(
    said: Callable[..., str],
) -> None:
    text = said("area", "Tower Hamlets")
    level, change = text.split("Where it has been heading")
    for block in (level, change):
        for title in ("Growth", "Sharing"):
            [line] = [line for line in block.splitlines() if line.strip().startswith(f"{title} ")]
            assert " to " in line, "an interval"
            assert "clearly" in line or "cannot say" in line, "more than half of the weight has a known error"
        [line] = [line for line in block.splitlines() if line.strip().startswith("Residents' pay ")]
        assert " of 3" in line, "a rank or a band"
        assert "Strongest pillar: " in block
        assert "Weakest pillar: " in block
    assert "no figures are held" in level
    assert "intervals are from 100 draws: other draws move an end by some 13% of the half-width" in level
    assert "probability 1.00" not in text
    [line] = [line for line in level.splitlines() if line.strip().startswith("Productivity ")]
    assert "clearly above" in line, "revisions stand for the error of output per hour, also of an older figure"
    assert "0 and 100 are the ends of the scale" in level


def test_a_profile_begins_with_growth_and_sharing_and_what_is_clear(said: Callable[..., str]) -> None:
    words = " ".join(said("area", "Tower Hamlets").split())
    assert "In short: Growth (88) is clearly above the typical district and sharing (27) is clearly below" in words
    assert "Productivity, household income, residents' pay and concentration of deprivation" in words
    assert "sharing not growing" not in words, "growth and sharing are told apart"
    group = said("area", "Core Cities")
    assert "Not comparable with most districts: it has no" in group


def test_points_of_a_nodes_members_sum_to_its_distance_from_fifty(rows: Rows) -> None:
    assert rows(
        """
        with member as (
            select framework_id, flavour, window_years, year, node_id, area_code, sum(points) as points, count(*) as n
            from mart_contribution
            where points is not null
            group by all
        )
        select count(*)
        from member
        inner join mart_score as score using (framework_id, flavour, window_years, year, node_id, area_code)
        where abs(score.score - 50 - member.points) > 0.006 * member.n
        """
    ) == [(0,)]


def test_the_published_file_finds_the_same_area_as_the_register(offline_run: tuple[Run, Outcome], rows: Rows) -> None:
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


def test_an_area_that_is_not_in_the_file_is_said_to_be_none(offline_run: tuple[Run, Outcome]) -> None:
    assert "is not an area of the published file" in profile_text(offline_run[0].settings.database, "E99999999")


def test_who_is_surely_in_a_fifth_is_in_the_file_with_how_many_of_how_many(rows: Rows) -> None:
    found = rows(
        "select fifth, rank_count, fifth_count, known_count, sure_count, possible_count, "
        "len(string_split(sure_area_codes, '+')) from mart_fifth "
        "where framework_id = 'shared_growth' and node_id = 'pay' and flavour = 'level' order by fifth"
    )
    assert [row[0] for row in found] == ["bottom", "top"]
    [(known_by_verdict,)] = rows(
        "select count(*) from latest_score inner join dim_area using (area_code) where framework_id = 'shared_growth' "
        "and node_id = 'pay' and flavour = 'level' and is_scored and verdict <> 'not known'"
    )
    for _, ranked, inside, known, sure, possible, listed in found:
        assert ranked == 359
        assert known == known_by_verdict >= 340
        assert inside in (71, 72)
        assert 0 < sure < inside < possible < ranked
        assert listed == sure


def test_sure_members_are_those_that_nineteen_in_twenty_draws_put_there(rows: Rows) -> None:
    [(codes, year)] = rows(
        "select sure_area_codes, year from mart_fifth where framework_id = 'shared_growth' and node_id = 'participation' "
        "and flavour = 'level' and fifth = 'bottom' and basis = 'draws'"
    )
    expected = rows(
        "select area_code from mart_score inner join dim_area using (area_code) where framework_id = 'shared_growth' "
        "and node_id = 'participation' and flavour = 'level' and year = ? and sure_fifth = 'bottom' "
        "and probability_bottom_fifth >= 0.95 and is_scored",
        year,
    )
    assert set(codes.split("+")) == {code for (code,) in expected}


def test_nobody_is_called_sure_where_no_error_is_known(said: Callable[..., str], rows: Rows) -> None:
    assert rows("select sum(sure_count) from mart_fifth where known_count = 0")[0][0] == 0
    answer = said("fifths", "output", "--framework", "jrf_monitor")
    assert "not known; an error is known for 0% of the weight" in answer


def test_single_indicators_also_have_the_answer_of_their_confidence_sets(said: Callable[..., str]) -> None:
    text = said("fifths", "employment_rate")
    assert "(by its confidence set for the rank)" in text
    assert "clearly in it" in text
