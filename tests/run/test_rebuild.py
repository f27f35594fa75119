"""The same figures give the same file: a rebuild is a way to check a published one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import Run, open_run
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import Settings

pytestmark = pytest.mark.slow

SCORES = "select * exclude (area_name) from mart_score order by all"


def read(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_rebuild_gives_the_same_scores_to_the_last_bit(offline_run: tuple[Run, Outcome], tmp_path: Path) -> None:
    again = open_run(Settings(data_dir=tmp_path), offline=True)
    refresh(again)
    assert read(again.settings.database, SCORES) == read(offline_run[0].settings.database, SCORES)
