"""Fixtures shared by all tests: runs built once a session in folders of their own, never in the project's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipeline.run.context import Run, open_run
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import PROJECT_ROOT, Settings
from tests.kept import kept
from tests.quick import quick
from tests.small_world import World, inhabited, is_inhabited, small_world

SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that have slow tests, so that none is left to one worker when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def publishers_files() -> Path:
    """The publishers' own files, which stay beside the project; tests that compare with them skip without them."""
    if not (SHARED_DATA / "els").is_dir():
        pytest.skip("the publishers' files of ../shared/data are not here")
    return SHARED_DATA


@pytest.fixture
def offline_context(tmp_path: Path) -> Run:
    """A run that asks no publisher, draws no errors and scores few years, with a data folder of its own."""
    return open_run(quick(data_dir=tmp_path / "data"), offline=True, draws=0)


@pytest.fixture(scope="session")
def offline_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Outcome]:
    """A whole refresh from the baseline, for all tests that only read what it published; see `tests.kept`."""
    assert not is_inhabited(), "a module in the small world has no run of the real one"
    return _kept_run("offline", Settings(data_dir=tmp_path_factory.mktemp("offline")))


def _kept_run(name: str, settings: Settings) -> tuple[Run, Outcome]:
    with kept(name) as cache:
        data = cache.folder / "data"
        if not cache.is_complete:
            context = open_run(replace(settings, data_dir=data), offline=True)
            outcome = refresh(context)
            cache.keep((context.started_at, outcome))
        shutil.copytree(data, settings.data_dir, dirs_exist_ok=True)
        started_at, outcome = cache.kept_value()
    return replace(open_run(settings, offline=True), started_at=started_at), outcome


@pytest.fixture(scope="module")
def in_small_world() -> Iterator[World]:
    """For the tests of a module, and the processes they start in its folder, the project is that of `tests.small_world`."""
    world = small_world()
    with inhabited(world):
        yield world


@pytest.fixture(scope="module")
def small_run(in_small_world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Outcome]:
    """A whole refresh of the small world from its baseline, for all tests that only read what it published."""
    return _kept_run("small_run", Settings(data_dir=tmp_path_factory.mktemp("small")))


@pytest.fixture
def published(offline_run: tuple[Run, Outcome]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the file of `offline_run`."""
    with duckdb.connect(str(offline_run[0].settings.database), read_only=True) as connection:
        yield connection


@pytest.fixture
def rows(published: duckdb.DuckDBPyConnection) -> Callable[..., list[tuple]]:
    """Rows of a query on the published file."""
    return lambda sql, *parameters: published.execute(sql, list(parameters)).fetchall()
