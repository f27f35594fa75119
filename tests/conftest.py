"""Fixtures shared by all tests: runs built once a session in folders of their own, never in the project's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.run import rebuild
from pipeline.run.context import RunContext, open_run
from pipeline.run.refresh import Outcome, refresh
from pipeline.settings import PROJECT_ROOT, Settings

SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"
BASE_YEAR = 2019
_FIRST_SCORED_YEAR = rebuild.FIRST_SCORED_YEAR


@pytest.fixture(scope="session")
def publishers_files() -> Path:
    """The publishers' own files, which stay beside the project; tests that compare with them skip without them."""
    if not (SHARED_DATA / "els").is_dir():
        pytest.skip("the publishers' files of ../shared/data are not here")
    return SHARED_DATA


@pytest.fixture(scope="module")
def few_scored_years() -> Iterator[None]:
    """For whole refreshes that are not about scores: the years since the frameworks' base year are scored, not all since 2009."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild, "FIRST_SCORED_YEAR", BASE_YEAR)
        yield


@pytest.fixture
def offline_context(tmp_path: Path) -> RunContext:
    """A run that asks no publisher and draws no errors, with a data folder of its own."""
    return open_run(Settings(data_dir=tmp_path / "data"), offline=True, draws=0)


@pytest.fixture(scope="session")
def offline_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunContext, Outcome]:
    """A whole refresh from the baseline, made once for all tests that only read what it published."""
    context = open_run(Settings(data_dir=tmp_path_factory.mktemp("offline")), offline=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild, "FIRST_SCORED_YEAR", _FIRST_SCORED_YEAR)  # also where a module scores few years
        return context, refresh(context)


@pytest.fixture
def published(offline_run: tuple[RunContext, Outcome]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the file of `offline_run`."""
    with duckdb.connect(str(offline_run[0].settings.database), read_only=True) as connection:
        yield connection


@pytest.fixture
def rows(published: duckdb.DuckDBPyConnection) -> Callable[..., list[tuple]]:
    """Rows of a query on the published file."""
    return lambda sql, *parameters: published.execute(sql, list(parameters)).fetchall()
