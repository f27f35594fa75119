"""A thorough run also studies what choices do to ranks, in the small world."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings
from tests.small_world import World

STUDIES = ("mart_rank", "mart_audit", "mart_sensitivity", "mart_sensitivity_variant")


@pytest.fixture(scope="module")
def thorough(in_small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    context = open_run(Settings(tmp_path_factory.mktemp("thorough")), offline=True, draws=20, is_thorough=True)
    refresh(context)
    return context.settings.database


def ask(database: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


FRAMEWORKS = [("jrf_monitor",), ("shared_growth",)]


def test_a_thorough_run_fills_every_study(thorough: Path) -> None:
    for table in STUDIES:
        assert ask(thorough, f"select distinct framework_id from {table} order by framework_id") == FRAMEWORKS
    assert ask(thorough, "select is_thorough from meta_run") == [(True,)]


def test_its_rank_sets_hold_their_rank_and_those_right_at_once_are_wider(thorough: Path) -> None:
    assert ask(
        thorough,
        "select area_name from mart_rank where not rank between rank_lower and rank_upper "
        "or rank_lower_simultaneous > rank_lower or rank_upper_simultaneous < rank_upper",
    ) == []  # fmt: skip
