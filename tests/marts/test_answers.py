"""The marts for the questions people ask: what they say agrees with the figures, scores and changes they come from."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import pytest
from scipy import stats

from pipeline.marts.build import MACROS
from pipeline.marts.declaration import declared_tables
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

Rows = Callable[..., list[tuple]]


@pytest.fixture
def macros() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(MACROS.read_text(encoding="utf-8"))
    return connection


def test_the_normal_probability_is_the_normal_probability(macros: duckdb.DuckDBPyConnection) -> None:
    found = macros.execute("select z, normal_probability(z) from range(-600, 601) as r (n), (select n / 100.0 as z)")
    z, p = np.array(found.fetchall(), dtype=float).T
    assert np.abs(p - stats.norm.cdf(z)).max() < 1e-7
    macros.close()


def test_student_s_t_is_brought_to_the_normal_scale(macros: duckdb.DuckDBPyConnection) -> None:
    found = macros.execute(
        "select n / 10.0, df, normal_probability(normal_of_student(n / 10.0, df)) "
        "from range(-100, 101) as t (n), range(3, 9) as d (df)"
    )
    t, df, p = np.array(found.fetchall(), dtype=float).T
    assert np.abs(p - stats.t.cdf(t, df)).max() < 2e-3
    macros.close()


def test_every_view_and_table_has_the_key_it_declares(rows: Rows, offline_run: tuple[Run, Outcome]) -> None:
    for name, table in declared_tables(offline_run[0].inputs.catalogue.indicators).items():
        key = ", ".join(f'"{column}"' for column in table.key)
        assert rows(f"select {key} from {name} group by all having count(*) > 1 limit 1") == [], name


def test_no_table_needs_a_join_to_be_readable(offline_run: tuple[Run, Outcome]) -> None:
    names = {
        "area_code": "area_name", "member_code": "member_name", "comparator_code": "comparator_name",
        "indicator_id": ("indicator_title", "title"), "node_id": ("node_title", "title"), "member_id": "member_title",
        "framework_id": "framework_title", "group_id": "group_title", "region_code": "region_name",
        "nation_code": "nation_name", "county_code": "county_name", "parent_node_id": "parent_title",
        "combined_authority_code": "combined_authority_name", "source_area_codes": "source_area_names",
        "predecessor_codes": "predecessor_names", "successor_codes": "successor_names", "current_codes": "current_names",
    }  # fmt: skip
    for table in declared_tables({}).values():
        columns = {column.name for column in table.columns}
        for code in columns & names.keys():
            wanted = names[code]
            beside = {wanted} if isinstance(wanted, str) else set(wanted)
            assert beside & columns, f"{table.id}.{code} has no name beside it"


def test_a_trend_begins_and_ends_with_the_first_and_latest_figure(rows: Rows) -> None:
    wrong = rows(
        """
        select trend.area_name, trend.indicator_id
        from mart_indicator_trend as trend
        left join fct_observation as first
            on trend.area_code = first.area_code and trend.indicator_id = first.indicator_id
            and trend.first_year = first.year and trend.first_value = first.value
        left join fct_observation as latest
            on trend.area_code = latest.area_code and trend.indicator_id = latest.indicator_id
            and trend.latest_year = latest.year and trend.latest_value = latest.value
        where first.value is null or latest.value is null
        """
    )
    assert wrong == []
    assert rows("select count(*) from mart_indicator_trend")[0][0] == len(
        rows("select distinct area_code, indicator_id from fct_observation where value is not null")
    )


def test_relative_changes_of_a_trend_are_those_of_mart_change(rows: Rows) -> None:
    [(compared, largest)] = rows(
        """
        select count(*), max(abs(trend.relative_change_10_years - if(
            trend.change_unit = 'per cent', 100 * (exp(moved.change) - 1), moved.change)))
        from mart_indicator_trend as trend
        inner join mart_change as moved
            on trend.area_code = moved.area_code and trend.indicator_id = moved.indicator_id
            and trend.latest_year = moved.year and moved.measure = 'difference' and moved.window_years = 10
        """
    )
    assert compared > 2000
    assert largest < 1e-3


def test_a_direction_is_said_only_where_it_is_sure(rows: Rows) -> None:
    assert rows(
        """
        select area_name, indicator_id, direction, probability_improved
        from mart_indicator_trend
        where direction <> case
            when probability_improved >= 0.95 then 'improving'
            when probability_improved <= 0.05 then 'worsening'
            else 'not clear' end
        """
    ) == []  # fmt: skip
    found = {direction for (direction,) in rows("select distinct direction from mart_indicator_trend")}
    assert {"improving", "worsening", "not clear"} <= found


def test_a_comparison_is_of_one_year_and_its_verdict_follows_the_polarity(rows: Rows) -> None:
    assert rows(
        """
        select compare.area_name, compare.indicator_id, compare.comparator_name
        from mart_compare as compare
        left join fct_observation as own
            on compare.area_code = own.area_code and compare.indicator_id = own.indicator_id
            and compare.year = own.year and compare.value = own.value
        left join fct_observation as other
            on compare.comparator_code = other.area_code and compare.indicator_id = other.indicator_id
            and compare.year = other.year and compare.comparator_value = other.value
        where own.value is null or (other.value is null and compare.comparator_kind <> 'typical_district')
        """
    ) == []  # fmt: skip
    assert rows(
        "select * from mart_compare where verdict = 'better' and polarity * difference <= 0 "
        "or verdict = 'worse' and polarity * difference >= 0 or verdict = 'not clear' and probability_better >= 0.95"
    ) == []  # fmt: skip
    assert {kind for (kind,) in rows("select distinct comparator_kind from mart_compare")} == {
        "region", "nation", "country", "typical_district", "combined_authority", "county", "group",
    }  # fmt: skip


def test_what_nations_measure_differently_is_not_compared_across_them(rows: Rows) -> None:
    names = rows(
        "select distinct comparator_name from mart_compare where indicator_id = 'income_deprivation_gap' order by 1"
    )
    assert names
    assert all(name.startswith("Typical district of ") and name != "Typical district of the UK" for (name,) in names)


def test_a_quadrant_is_that_of_the_two_scores_where_it_is_sure(rows: Rows) -> None:
    assert rows(
        """
        select area_name, growth_score, sharing_score, label
        from mart_shared_growth
        where quadrant_probability > 0.999 and growth_score not between 49.9 and 50.1
            and sharing_score not between 49.9 and 50.1
            and (most_probable_quadrant in ('prosperous and sharing', 'growing and sharing'))
                <> (growth_score > 50 and sharing_score > 50)
        """
    ) == []  # fmt: skip
    [(level, change)] = rows(
        "select count(*) filter (where flavour = 'level'), count(*) filter (where flavour = 'change') "
        "from mart_shared_growth where framework_id = 'shared_growth' and is_latest_year"
    )
    assert (level, change) == (359, 2 * 359) or (level > 340 and change > 680)
    assert rows(
        "select s.area_name from mart_shared_growth as s inner join mart_label as l "
        "using (area_code, framework_id, window_years, year) where s.flavour = 'change' and s.label <> l.label"
    ) == []  # fmt: skip


def test_the_columns_of_the_profile_do_not_depend_on_which_source_answered(
    rows: Rows, offline_run: tuple[Run, Outcome]
) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)["mart_area_profile"]
    for indicator in offline_run[0].inputs.catalogue.indicators.values():
        if indicator.in_profile:
            names = {column.name for column in declared.columns}
            parts = {
                f"{indicator.id}_{part}" for part in ("year", "typical", "region", "country", "rank_band", "trend")
            }
            assert {indicator.column_name, *parts} <= names


def test_a_profile_says_what_the_trend_the_region_and_the_uk_say(rows: Rows) -> None:
    assert rows(
        """
        select profile.area_name
        from mart_area_profile as profile
        inner join mart_indicator_trend as trend
            on profile.area_code = trend.area_code and trend.indicator_id = 'employment_rate'
        inner join mart_compare as compare
            on profile.area_code = compare.area_code and compare.indicator_id = 'employment_rate'
            and compare.comparator_kind = 'region'
        left join fct_observation as united_kingdom
            on united_kingdom.area_code = 'K02000001' and united_kingdom.indicator_id = 'employment_rate'
            and united_kingdom.year = profile.employment_rate_year
        where profile.employment_rate_percent <> trend.latest_value
            or profile.employment_rate_trend <> trend.direction
            or profile.employment_rate_typical <> trend.typical_value
            or profile.employment_rate_region <> compare.comparator_value
            or profile.employment_rate_country is distinct from united_kingdom.value
        """
    ) == []  # fmt: skip
