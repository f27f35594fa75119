"""Regions, nations and groups are placed on the scale that districts make, and move no district."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, Framework, load_framework, parse_framework
from pipeline.run.assemble import scoring_input
from pipeline.run.context import Run
from pipeline.run.mart_inputs import area_rows
from pipeline.run.results import Outcome
from pipeline.scoring import IndicatorSpec, indicator_specs, score_framework
from tests.scoring.conftest import FRAMEWORK, SPECS, areas_of, plain, synthetic_figures

TABLES = ("score", "not_scored", "contribution", "change", "base", "gate")
Rows = Callable[..., list[tuple]]


def assert_districts_are_scored_alike_without_wider_areas(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    specs: Mapping[str, IndicatorSpec],
    first_year: int,
) -> None:
    districts = areas[areas["level"] == "district"]
    theirs = figures["area_code"].isin(districts["area_code"])
    assert not theirs.all(), "there is nothing to leave out"
    whole = score_framework(framework, figures, areas, specs, first_year=first_year)
    alone = score_framework(framework, figures[theirs], districts, specs, first_year=first_year)
    for name in TABLES:
        of_whole, of_alone = plain(getattr(whole, name)), plain(getattr(alone, name))
        if "area_code" in of_whole:
            of_whole = of_whole[of_whole["area_code"].isin(districts["area_code"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_whole, of_alone, rtol=0, obj=name)


def test_districts_do_not_move_when_wider_areas_that_have_more_than_they_are_left_out():
    figures = synthetic_figures(1)
    of_wales = (figures["indicator_id"] == "starts_late") & figures["area_code"].str.startswith("W")
    # a nation with the optional pillar that none of its districts has, and a region with a year of its own
    nation = figures[figures["area_code"] == "E003"].assign(area_code="N900")
    later = figures[(figures["area_code"] == "R001") & (figures["year"] == 2020)].assign(year=2021)
    figures = pd.concat([figures[~of_wales], nation, later])
    areas = areas_of(figures)
    areas.loc[areas["area_code"] == "N900", "nation_code"] = "W"
    assert_districts_are_scored_alike_without_wider_areas(parse_framework(FRAMEWORK), figures, areas, SPECS, 2009)


@pytest.mark.parametrize("name", DEFAULT_FRAMEWORKS)
def test_no_published_district_moves_when_wider_areas_are_left_out(
    name: str, offline_run: tuple[Run, Outcome], published: duckdb.DuckDBPyConnection
):
    known = offline_run[0].inputs.catalogue.indicators
    figures = published.execute(
        "select area_code, indicator_id::varchar as indicator_id, year, period_end, value, standard_error, status"
        " from fct_observation"
    ).df()
    areas = area_rows(offline_run[0].inputs.register)[["area_code", "level", "nation_code", "is_scored"]]
    framework = load_framework(name, known_indicators=known)
    assert_districts_are_scored_alike_without_wider_areas(
        framework, scoring_input(figures), areas, indicator_specs(known), 2019
    )


def test_a_spread_of_pay_published_for_northern_ireland_alone_costs_its_districts_no_score(rows: Rows):
    """The nation has a spread of pay, its districts have none: the pillar is no member for them."""
    found = rows(
        """
        select flavour, window_years, year, count(*)
        from mart_score
        inner join dim_area using (area_code)
        where
            nation_code = 'N92000002'
            and dim_area.level = 'district'
            and framework_id = 'shared_growth'
            and node_id = 'sharing'
            and year >= 2019
        group by all
        """
    )
    scored = {(str(flavour), window, year): count for flavour, window, year, count in found}
    # In change they have one of three indicators of participation, so that pillar is not scored, nor is sharing.
    assert all(flavour == "level" for flavour, _, _ in scored)
    for year in range(2021, 2026):
        assert scored["level", 0, year] == 11
    reasons = rows(
        """
        select distinct reason
        from mart_not_scored
        inner join dim_area using (area_code)
        where
            nation_code = 'N92000002'
            and dim_area.level = 'district'
            and framework_id = 'shared_growth'
            and node_id = 'sharing'
            and window_years = 5
            and year in (2024, 2025)
        """
    )
    assert reasons == [("sharing: 1 of 2 nodes below it present, weight 0.50, below the 0.60 needed",)]
