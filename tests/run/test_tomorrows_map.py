"""A reorganisation of the future is rows in the register: series, scores and ranks come out on the new map."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.geography.register_tables import FACTS_DIR
from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings

NEW = "E08000098"
PARTS = ("E08000001", "E08000002")  # Bolton and Bury, which are in no such plan


@pytest.fixture(scope="module")
def tomorrow(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The file that a refresh would publish after an invented merger of April 2028."""
    folder = tmp_path_factory.mktemp("tomorrow")
    facts = Path(shutil.copytree(FACTS_DIR, folder / "facts"))
    with (facts / "areas.csv").open("a", encoding="utf-8") as areas:
        areas.write(f"{NEW},Bolton and Bury,district,2028-04-01,,E92000001,E12000002,E11000001,,,\n")
    with (facts / "changes.csv").open("a", encoding="utf-8") as changes:
        changes.writelines(f"{code},{NEW},2028-04-01,merge,1,,,An invented Order of 2027\n" for code in PARTS)
    context = open_run(Settings(data_dir=folder / "data"), offline=True, draws=0)
    context = dataclasses.replace(context, inputs=dataclasses.replace(context.inputs, facts=facts))
    refresh(context)
    return duckdb.connect(str(context.settings.database), read_only=True)


def test_the_new_district_stands_in_the_file_and_its_parts_do_not(tomorrow: duckdb.DuckDBPyConnection) -> None:
    assert tomorrow.execute("select count(*) from mart_area_profile").fetchone() == (360,)
    codes = {code for (code,) in tomorrow.execute("select distinct area_code from fct_observation").fetchall()}
    assert NEW in codes
    assert not codes & set(PARTS)


def test_it_has_the_ten_year_series_its_parts_had(tomorrow: duckdb.DuckDBPyConnection) -> None:
    rows = tomorrow.execute(
        "select year, value, status, source_area_codes from fct_observation "
        "where area_code = ? and indicator_id = 'claimant_rate' and year between 2016 and 2025 order by year",
        [NEW],
    ).fetchall()
    assert [row[0] for row in rows] == list(range(2016, 2026))
    assert all(value > 0 and status == "estimated" and codes == "+".join(PARTS) for _, value, status, codes in rows)


def test_it_is_scored_among_358(tomorrow: duckdb.DuckDBPyConnection) -> None:
    years = tomorrow.execute(
        "select year, score, rank, rank_count from mart_score where area_code = ? and node_id = 'sharing' "
        "and framework_id = 'shared_growth' and flavour = 'level' and year between 2015 and 2023 order by year",
        [NEW],
    ).fetchall()
    assert len(years) == 9
    assert all(0 < score < 100 for _, score, _, _ in years)
    assert {(rank, count <= 358) for _, _, rank, count in years} == {(None, True)}, (
        "a sixth of the evidence gives no rank"
    )


def test_what_cannot_be_made_from_its_parts_is_said_and_not_made_up(tomorrow: duckdb.DuckDBPyConnection) -> None:
    output = "select count(*) from fct_observation where area_code = ? and indicator_id = 'gva_per_hour' and value is not null"
    assert tomorrow.execute(output, [NEW]).fetchone() == (0,)
    reasons = tomorrow.execute(
        "select distinct reason from mart_not_scored where area_code = ? and node_id = 'productivity'", [NEW]
    ).fetchall()
    assert reasons
