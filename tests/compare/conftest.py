"""Published files to compare: copies of one real file, each changed as a test needs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

Changed = Callable[..., Path]


@pytest.fixture
def live(offline_run: tuple[Run, Outcome]) -> Path:
    return offline_run[0].settings.database


@pytest.fixture
def changed(live: Path, tmp_path: Path) -> Changed:
    """A function that copies the published file and runs statements on the copy."""

    def make(*statements: str, name: str = "changed.duckdb") -> Path:
        path = tmp_path / name
        shutil.copyfile(live, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return make
