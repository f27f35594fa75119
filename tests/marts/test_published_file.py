"""The published file: what a person who has only the file finds in it."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.marts.build import dictionary_rows
from pipeline.marts.declaration import declared_tables
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

Rows = Callable[..., list[tuple]]

DUCKDB_1_4_STORAGE = 67  # the number v1.4.0 writes into its header


def test_it_has_today_s_map_indicators_observations_and_scores(rows: Rows) -> None:
    assert rows("select count(*) from dim_area where level = 'district'") == [(361,)]
    assert rows("select count(*) from dim_indicator where last_year is not null")[0][0] >= 15
    assert rows("select count(*) from fct_observation")[0][0] >= 80_000
    years = {year for (year,) in rows("select distinct year from mart_score where flavour = 'level'")}
    assert set(range(2009, 2026)) <= years


def test_the_file_and_the_declaration_agree_on_tables_columns_and_types(
    rows: Rows, offline_run: tuple[Run, Outcome]
) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows(
        "select table_name, column_name, data_type from duckdb_columns() where not internal order by table_name, column_index"
    ):
        found.setdefault(table, []).append((column, "ENUM" if kind.startswith("ENUM") else kind))
    assert found == {name: [(c.name, c.type) for c in table.columns] for name, table in declared.items()}


def test_every_table_has_its_key(rows: Rows, offline_run: tuple[Run, Outcome]) -> None:
    keys = dict(
        rows(
            "select table_name, constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
        )
    )
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    assert {name: tuple(columns) for name, columns in keys.items()} == {
        name: table.key for name, table in declared.items() if not table.is_view
    }


def test_every_comment_is_the_declared_one_with_its_unit_and_views_are_explained_too(
    rows: Rows, offline_run: tuple[Run, Outcome]
) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    tables = dict(rows("select table_name, comment from duckdb_tables()"))
    views = dict(rows("select view_name, comment from duckdb_views() where not internal"))
    assert {**tables, **views} == {name: table.comment for name, table in declared.items()}
    assert set(views) == {name for name, table in declared.items() if table.is_view}
    columns = {
        (t, c): words
        for t, c, words in rows("select table_name, column_name, comment from duckdb_columns() where not internal")
    }
    assert columns == {
        (name, column.name): column.comment for name, table in declared.items() for column in table.columns
    }


def test_the_dictionary_inside_the_file_is_the_declaration(rows: Rows, offline_run: tuple[Run, Outcome]) -> None:
    declared = declared_tables(offline_run[0].inputs.catalogue.indicators)
    assert rows("select * from meta_dictionary") == [
        tuple(row.values()) for row in dictionary_rows(declared.values()).to_pylist()
    ]


def test_may_be_null_is_what_the_file_enforces(rows: Rows) -> None:
    assert rows(
        """
        select words.table_name, words.column_name
        from meta_dictionary as words
        inner join duckdb_columns() as held using (table_name, column_name)
        inner join duckdb_tables() as is_table using (table_name)
        where words.may_be_null <> held.is_nullable
        """
    ) == []  # fmt: skip


def test_comments_name_the_values_a_column_may_have_the_table_it_leads_to_and_its_unit(rows: Rows) -> None:
    comments = {
        (table, column): words
        for table, column, words in rows("select table_name, column_name, comment from duckdb_columns()")
    }
    assert comments["fct_observation", "status"].endswith(
        "One of: ok, rounded, provisional, unreliable, suppressed, not_available, estimated."
    )
    assert comments["mart_score", "node_id"].endswith("Leads to dim_node.")
    assert comments["mart_score", "probability_top_fifth"].endswith("Unit: probability, 0 to 1.")


# Numbers without a unit: directions, running numbers and places in an order.
BARE_NUMBERS = {"polarity", "position", "depth", "audit_id", "quarantine_id", "finding_id"}


def test_every_column_of_numbers_has_a_unit(offline_run: tuple[Run, Outcome]) -> None:
    numbers = {"DOUBLE", "INTEGER", "BIGINT"}
    for table in declared_tables(offline_run[0].inputs.catalogue.indicators).values():
        names = {column.name for column in table.columns}
        for column in table.columns:
            assert column.type not in numbers or column.unit or column.name in BARE_NUMBERS, f"{table.id}.{column.name}"
            elsewhere = re.fullmatch(r"see the column (\w+).*", column.unit or "")
            assert elsewhere is None or elsewhere[1] in names, f"{table.id}.{column.name}"


def test_every_reference_leads_to_a_row(rows: Rows, offline_run: tuple[Run, Outcome]) -> None:
    tables = declared_tables(offline_run[0].inputs.catalogue.indicators)
    followed = 0
    for table in tables.values():
        asked = [column.name for column in table.columns if column.refers_to]
        references = table.references(tables)
        assert [reference.columns[-1] for reference in references] == asked, (
            "a column refers to a table that is not there"
        )
        for reference in references:
            pairs = " and ".join(
                f"here.{name}::varchar = there.{key}::varchar"
                for name, key in zip(reference.columns, reference.key, strict=True)
            )
            [(held, found)] = rows(
                f"select count(*), count(there.{reference.key[0]}) "
                f"from (select distinct {', '.join(reference.columns)} from {table.id} "
                f"where {reference.columns[-1]} is not null) as here left join {reference.table} as there on {pairs}"
            )
            assert held == found, reference
            followed += found
    assert followed > 5_000


def test_units_are_told_in_the_comments_of_the_profile(rows: Rows) -> None:
    [(comment,)] = rows(
        "select comment from duckdb_columns() where table_name = 'mart_area_profile' and column_name = 'gdhi_per_head_gbp'"
    )
    assert comment.endswith("Unit: GBP.")


def test_a_profile_has_one_row_for_each_district_and_the_latest_figure_of_each_indicator(rows: Rows) -> None:
    assert rows("select count(*), count(distinct area_code) from mart_area_profile") == [(361, 361)]
    [(profile, observed, year)] = rows(
        """
        select p.gva_per_hour_gbp, o.value, p.gva_per_hour_year
        from mart_area_profile as p
        inner join fct_observation as o on o.area_code = p.area_code and o.year = p.gva_per_hour_year
        where p.area_name = 'Tower Hamlets' and o.indicator_id = 'gva_per_hour'
        """
    )
    assert profile == observed
    assert year == 2023


def test_barnsley_and_sheffield_appear_once_under_today_s_codes(rows: Rows) -> None:
    found = rows(
        "select area_name, area_code, count(*) from fct_observation "
        "where area_name in ('Barnsley', 'Sheffield') and indicator_id = 'child_poverty_bhc' group by all order by 1"
    )
    assert found == [("Barnsley", "E08000038", 4), ("Sheffield", "E08000039", 4)]


def test_a_missing_figure_is_null_with_a_reason_and_never_zero(rows: Rows) -> None:
    assert rows("select count(*) from fct_observation where value is null and status in ('ok', 'provisional')") == [
        (0,)
    ]
    assert rows("select count(*) from fct_observation where value is null")[0][0] > 0


@pytest.mark.parametrize(
    ("indicator", "file", "label", "period", "year"),
    [
        ("gva_per_hour", "gross-value-added", "Gross value added per hour worked", "2023-01-01/P1Y", 2023),
        ("gdhi_per_head", "gross-disposable-household-income-per-head", "Gross disposable household income", "2023-01-01/P1Y", 2023),
        ("pay_median_weekly", "gross-median-weekly-pay", "Gross median weekly pay", "2025-04-30", 2025),
    ],
)  # fmt: skip
def test_spot_figures_equal_the_source_for_every_district(
    rows: Rows, publishers_files: Path, indicator: str, file: str, label: str, period: str, year: int
) -> None:
    source = duckdb.sql(
        f"select areacd, observation::double from read_csv('{publishers_files / 'els' / file}.csv', all_varchar = true) "
        f"where indicator = '{label}' and period = '{period}' and observation <> ''"
    ).fetchall()
    expected = dict(source)
    published = rows(
        "select source_area_codes, value from fct_observation "
        "where indicator_id = ? and year = ? and level = 'district' and value is not null",
        indicator,
        year,
    )
    districts = {
        code: value for code, value in expected.items() if code[:3] in {"E06", "E07", "E08", "E09", "W06", "S12", "N09"}
    }
    assert len(published) >= 345
    assert all(expected[codes.split("+")[0]] == value for codes, value in published)
    assert {code for codes, _ in published for code in codes.split("+")} >= set(districts) - {
        "E08000016",
        "E08000019",
        "E08000038",
        "E08000039",
    }


def test_every_figure_leads_to_its_bytes(rows: Rows) -> None:
    orphans = rows(
        """
        select distinct unnest(string_split(payload_sha256, '+')) as sha from fct_observation
        except select payload_sha256 from meta_source
        """
    )
    assert orphans == []


def test_a_scored_district_without_a_score_has_a_reason(rows: Rows) -> None:
    silent = rows(
        """
        select area_code from dim_area where level = 'district' and is_scored
        except (
            select area_code from mart_score where framework_id = 'shared_growth' and flavour = 'level' and year = 2023 and node_id = 'index'
            union
            select area_code from mart_not_scored where framework_id = 'shared_growth' and flavour = 'level' and year = 2023 and node_id = 'index'
        )
        """
    )
    assert silent == []


def test_city_of_london_and_scilly_are_shown_and_not_scored(rows: Rows) -> None:
    unscored = rows("select area_name from dim_area where level = 'district' and not is_scored order by 1")
    assert unscored == [("City of London",), ("Isles of Scilly",)]
    assert rows("select count(*) from mart_score where area_name in ('City of London', 'Isles of Scilly')") == [(0,)]
    assert rows("select count(*) from fct_observation where area_name = 'City of London'")[0][0] > 0


def test_the_file_is_stored_in_the_format_of_duckdb_1_4(offline_run: tuple[Run, Outcome]) -> None:
    header = offline_run[0].settings.database.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert struct.unpack("<Q", header[12:20])[0] <= DUCKDB_1_4_STORAGE


def test_nothing_is_left_beside_the_published_file(offline_run: tuple[Run, Outcome]) -> None:
    names = {path.name for path in offline_run[0].settings.marts_dir.iterdir()}
    notes = {"inclusive_growth.duckdb.sha256", "made_from.json", "release.json"}
    assert names == {"inclusive_growth.duckdb", *notes, "releases"}
