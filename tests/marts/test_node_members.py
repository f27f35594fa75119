"""Which indicators a pillar holds in a year is told from the gates, for whoever names the pillar."""

from __future__ import annotations

import duckdb

from pipeline.marts.build import SQL_FOLDER


def test_a_pillar_tells_which_of_its_indicators_are_scored(published: duckdb.DuckDBPyConnection) -> None:
    model = (SQL_FOLDER / "10_staging" / "18_stg_node_members.sql").read_text(encoding="utf-8")
    gate = published.sql("from mart_gate").to_arrow_table()
    node = published.sql("from dim_node").to_arrow_table()
    with duckdb.connect() as connection:
        connection.register("input_gate", gate)
        connection.register("input_node", node)
        for name, of in (("framework", "framework_id"), ("node", "node_id")):
            connection.execute(f"create type {name}_code as enum (select distinct {of}::varchar from input_node)")
        connection.execute("create type flavour_code as enum ('level', 'change')")
        connection.execute(f"create table members as {model}")
        found = connection.execute(
            """
            select node_id::varchar, flavour::varchar, window_years, member_ids::varchar[], is_whole
            from members
            where framework_id = 'shared_growth' and year = 2023 and window_years in (0, 10)
                and node_id in ('participation', 'jobs', 'pay_spread')
            order by 1, 2 desc
            """
        ).fetchall()
        [(rows, keys)] = connection.execute(
            "select count(*), count(distinct (framework_id, flavour, window_years, year, node_id)) from members"
        ).fetchall()
    assert rows == keys > 500
    assert found == [
        ("jobs", "level", 0, [], False),
        ("jobs", "change", 10, [], False),
        ("participation", "level", 0, ["employment_rate", "unemployment_rate_modelled", "claimant_rate"], True),
        ("participation", "change", 10, ["employment_rate", "unemployment_rate_modelled", "claimant_rate"], True),
        ("pay_spread", "level", 0, ["pay_p20_to_p50_annual", "pay_p25_to_p75_annual"], True),
        ("pay_spread", "change", 10, ["pay_p20_to_p50_annual", "pay_p25_to_p75_annual"], True),
    ]
