"""A site built once from the offline run, and one from a file with everything in it that should not be."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.report.site import Built, build_site
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT
from tests.kept import kept

METHODOLOGY = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
EVIL_NAME = "Saint-Évêque’s <script>alert('x')</script> & O'Neill"


@dataclass(frozen=True)
class Site:
    """A built site, how long it took, and its files by their path from the root."""

    folder: Path
    built: Built
    seconds: float

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def rows(self, path: str, name: str) -> list[dict[str, Any]]:
        """The rows that a data script registers under ``name``."""
        match = re.search(rf'IG\.table\("{re.escape(name)}",(\[.*?\]),(\[.*\])\);$', self.text(path), re.MULTILINE)
        assert match, f"{path} registers no {name}"
        columns, rows = (json.loads(part) for part in match.groups())
        return [dict(zip(columns, row, strict=True)) for row in rows]


def built(database: Path, folder: Path) -> Site:
    started = time.perf_counter()
    result = build_site(database, folder, methodology=METHODOLOGY)
    return Site(folder, result, time.perf_counter() - started)


@pytest.fixture(scope="session")
def published_file(offline_run: tuple[Run, Outcome]) -> Path:
    return offline_run[0].settings.database


@pytest.fixture(scope="session")
def published_rows(published_file: Path) -> Iterator[Callable[..., list[tuple]]]:
    """Rows of a query on the published file, for fixtures that outlive a test."""
    with duckdb.connect(str(published_file), read_only=True) as connection:
        yield lambda sql, *parameters: connection.execute(sql, list(parameters)).fetchall()


@pytest.fixture(scope="session")
def site(published_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of the offline run; see `tests.kept`."""
    folder = tmp_path_factory.mktemp("site") / "report"
    with kept("site") as cache:
        if not cache.is_complete:
            made = built(published_file, cache.folder / "report")
            cache.keep((made.built, made.seconds))
        shutil.copytree(cache.folder / "report", folder)
        return Site(folder, *cache.kept_value())


@pytest.fixture(scope="session")
def odd_site(published_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of a file in which Preston has a name full of traps, the employment rate has rows but no figures, nothing
    is known of Adur, and none of the studies of a thorough run was made."""
    odd = tmp_path_factory.mktemp("odd") / "odd.duckdb"
    shutil.copy(published_file, odd)
    with duckdb.connect(str(odd)) as connection:
        connection.execute("update dim_area set area_name = ? where area_code = 'E07000123'", [EVIL_NAME])
        connection.execute("update dim_indicator set last_year = null where indicator_id = 'employment_rate'")
        connection.execute("update fct_observation set value = null where indicator_id = 'employment_rate'")
        connection.execute("delete from mart_indicator_trend where indicator_id = 'employment_rate'")
        for table in (
            "fct_observation",
            "mart_score",
            "mart_contribution",
            "mart_indicator_trend",
            "mart_pass_through",
            "mart_rank",
        ):
            connection.execute(f"delete from {table} where area_name = 'Adur'")
        for table in ("mart_rank", "mart_audit", "mart_sensitivity", "mart_sensitivity_variant", "meta_quarantine"):
            connection.execute(f"delete from {table}")
    return built(odd, odd.with_name("report"))
