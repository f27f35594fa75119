"""With data/raw lost, the newer figures of the newest release stand: older ones, shipped or sent, never take their place."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.catalogue import Catalogue, Part
from pipeline.errors import VerbError
from pipeline.publishers.baseline.shipped_figures import Baseline, ShippedFile
from pipeline.run import job
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.from_release import is_older, is_older_answer
from pipeline.run.job import JobOptions, run_job
from pipeline.run.published_before import PublishedPart, read_published_before
from pipeline.run.refresh import refresh
from pipeline.run.results import Account, PartResult
from pipeline.settings import Settings
from tests.nightly.checkout import scored_catalogue
from tests.nightly.publishers import NO_FILES
from tests.quick import quick as quick_settings
from tests.small_world import World
from tests.standin.figures import Figures, Table
from tests.standin.server import StandIn

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_small_world")]
INCOME = "gdhi_per_head"
SLUG = "gross-disposable-household-income-per-head"
FROM_NOMIS = ("pay_annual_p20", "pay_annual_median")  # a ratio is made of the two


def _asked_of_few(part: Part, name: str) -> Part:
    """The part without Nomis, whose tables take the stand-in long to make, but for ``FROM_NOMIS``."""
    live = tuple(query for query in part.live if name in FROM_NOMIS or query.source != "nomis")
    return part.model_copy(update={"live": live})


@functools.cache
def catalogue() -> Catalogue:
    whole = scored_catalogue()
    few = {
        name: entry.model_copy(update={"parts": tuple(_asked_of_few(part, name) for part in entry.parts)})
        for name, entry in whole.indicators.items()
    }
    return dataclasses.replace(whole, indicators=few)


FIGURES = """
select
    area_code::varchar, indicator_id::varchar, period, value, lower, upper, standard_error, status::varchar,
    geography_rule::varchar, source_area_codes::varchar, source_id::varchar, edition::varchar, payload_sha256::varchar, source_row
from fct_observation order by all
"""
SCORES = "select * exclude (area_name) from mart_score order by all"


class Newer(Figures):
    """Household income as published since: that of 2023 was revised a little, or with ``until`` does not reach so far yet."""

    def __init__(self, day: str, *, raised: float = 1.0, until: str = "2023") -> None:
        super().__init__(NO_FILES)
        self._day, self._raised, self._until = day, raised, until

    def table(self, slug: str) -> Table:
        table = super().table(slug)
        if slug != SLUG:
            return table
        cells = {
            key: dataclasses.replace(
                cell, value=cell.value and cell.value * (self._raised if key[1][:4] == "2023" else 1)
            )
            for key, cell in table.cells.items()
            if key[1][:4] <= self._until
        }
        return dataclasses.replace(table, cells=cells, metadata=self._dated(dict(table.metadata)))

    def metadata(self) -> list[dict[str, Any]]:
        return [self._dated(dict(entry)) for entry in super().metadata()]

    def recorded_metadata(self) -> None:
        return None

    def behind(self, dataset_id: str) -> Figures:
        return Figures(self.data_dir)

    def _dated(self, entry: dict[str, Any]) -> dict[str, Any]:
        if entry["slug"] == SLUG:
            domain = [entry["periodDomain"][0], f"{self._until}-01-01/P1Y"]
            entry |= {"dataModified": self._day, "updated": self._day, "periodDomain": domain}
        return entry


@pytest.fixture(scope="module")
def publisher(in_small_world: World) -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def at_a_test_s_pace() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        quick = functools.partial(open_run, catalogue=catalogue(), throttle=False, backoff_seconds=0.01)
        patch.setattr(job, "open_run", quick)
        yield


@pytest.fixture(scope="module")
def published(
    publisher: StandIn,
    at_a_test_s_pace: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A data folder after a night on which publishers had newer figures than those shipped."""
    folder = tmp_path_factory.mktemp("published")
    publisher.hold(Newer("2026-11-20", raised=1.002))
    assert run_job(refresh, JobOptions(draws=0), settings=settings_of(publisher, folder)) == 0
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    copy = tmp_path / "data"
    shutil.copytree(published, copy)
    return copy


def settings_of(publisher: StandIn, folder: Path) -> Settings:
    return quick_settings(data_dir=folder, base_urls=publisher.base_urls)


def rows(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "marts" / "inclusive_growth.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "marts" / "run_report.json").read_text())
    return found


def tiers(folder: Path) -> Mapping[str, str]:
    return dict(rows(folder, "select indicator_id::varchar || ' ' || part_id, tier from meta_source"))


class Lost:
    """A data folder whose answers were lost, after a run that asked nobody, and what was published before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.figures, self.scores = rows(folder, FIGURES), rows(folder, SCORES)
        self.from_publishers = {name for name, tier in tiers(folder).items() if tier == "live"}


@pytest.fixture(scope="module")
def lost(publisher: StandIn, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Lost:
    folder = tmp_path_factory.mktemp("lost") / "data"
    shutil.copytree(published, folder)
    found = Lost(folder)
    shutil.rmtree(folder / "raw")
    assert run_job(refresh, JobOptions(offline=True, draws=0), settings=settings_of(publisher, folder)) == 0
    return found


def test_with_data_raw_lost_every_newer_figure_and_score_stands_and_nothing_is_revised(lost: Lost) -> None:
    assert {f"{INCOME} main", *(f"{name} main" for name in FROM_NOMIS)} < lost.from_publishers
    assert rows(lost.folder, FIGURES) == lost.figures
    assert rows(lost.folder, SCORES) == lost.scores
    assert {name for name, tier in tiers(lost.folder).items() if tier == "release"} == lost.from_publishers
    assert rows(lost.folder, "select count(*) from mart_revision") == [(0,)]
    assert rows(lost.folder, "select count(*) from meta_gate where severity = 'refuse'") == [(0,)]


def test_the_file_says_which_release_they_are_of_and_why(lost: Lost) -> None:
    [(why, edition, stale)] = rows(
        lost.folder,
        f"select why_not_live, edition, is_stale from meta_source where indicator_id = '{INCOME}' and part_id = 'main'",
    )
    assert "gdhi_per_head: the figures of release 1.0.0 (fetched " in why
    assert "only the older shipped figures are" in why
    assert "2026-11-20" in edition
    assert stale


def test_the_report_and_the_console_say_it_and_the_next_night_finds_nothing_new(
    publisher: StandIn, lost: Lost, capsys: pytest.CaptureFixture
) -> None:
    [sentence] = report(lost.folder)["from_release"]
    assert sentence.startswith(f"the figures of {len(lost.from_publishers)} parts are taken from release 1.0.0 (")
    assert "the answers they came from are no longer held in data/raw" in sentence
    assert "## Figures that stand as they were published" in (lost.folder / "marts" / "run_report.md").read_text()

    assert run_job(refresh, JobOptions(offline=True, draws=0), settings=settings_of(publisher, lost.folder)) == 0
    assert "From the newest release: the figures of" in " ".join(capsys.readouterr().out.split())
    assert report(lost.folder)["status"] == "nothing new"
    assert not report(lost.folder)["figures_were_read"]
    assert report(lost.folder)["from_release"]


def test_once_publishers_answer_again_theirs_take_over(publisher: StandIn, lost: Lost, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(lost.folder, folder)
    publisher.hold(Newer("2026-11-20", raised=1.002))
    assert run_job(refresh, JobOptions(draws=0), settings=settings_of(publisher, folder)) == 0
    assert {name for name, tier in tiers(folder).items() if tier == "live"} == lost.from_publishers
    assert rows(folder, FIGURES) == lost.figures
    assert report(folder)["from_release"] == []


def acquire(context: Run, indicator_id: str = INCOME) -> PartResult:
    indicator = context.inputs.catalogue.indicators[indicator_id]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def context_of(publisher: StandIn, folder: Path, **options: Any) -> Run:
    given = {"catalogue": catalogue(), "throttle": False, "backoff_seconds": 0.01, "draws": 0, **options}
    return open_run(settings_of(publisher, folder), **given)


def test_with_data_raw_lost_a_publisher_s_older_answer_does_not_take_its_place_either(
    publisher: StandIn, folder: Path
) -> None:
    shutil.rmtree(folder / "raw")
    publisher.hold(Newer("2025-01-10", until="2022"))
    result = acquire(context_of(publisher, folder))
    assert result.tier == "release"
    assert result.account is not None
    assert result.account.last_year == 2023
    assert "its figures end in 2022, those held in 2023" in " ".join(result.failures)
    publisher.hold(Newer("2026-11-20", raised=1.002))
    assert acquire(context_of(publisher, folder)).tier == "live"


def test_an_older_answer_that_a_backup_brought_back_does_not_take_its_place(publisher: StandIn, folder: Path) -> None:
    before = acquire(context_of(publisher, folder, offline=True))
    assert before.tier == "snapshot", "the very bytes that were published are no older"
    older = folder / "older"
    publisher.hold(Newer("2025-10-31", raised=1.001))
    acquire(context_of(publisher, older))
    shutil.rmtree(folder / "raw")
    shutil.move(older / "raw", folder / "raw")
    [sidecar] = (folder / "raw" / "ons_els" / INCOME).glob("*.json")
    held = json.loads(sidecar.read_text()) | {"fetched_at": "2025-10-31T03:17:00+00:00"}
    sidecar.write_text(json.dumps(held))
    result = acquire(context_of(publisher, folder, offline=True))
    assert (result.tier, result.payload_sha256) == ("release", before.payload_sha256)
    assert "is no longer held, only an older one of 2025-10-31" in result.attempts[-1].sentence


def test_figures_that_mean_something_else_since_are_held_by_the_last_gate(
    publisher: StandIn, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another meaning in the catalogue: the published figures cannot stand, nor can the older ones take their place unseen."""
    shutil.rmtree(folder / "raw")
    income = (
        catalogue().indicators[INCOME].model_copy(update={"description": "Household income, counted in another way."})
    )
    other = dataclasses.replace(catalogue(), indicators={**catalogue().indicators, INCOME: income})
    result = acquire(context_of(publisher, folder, offline=True, catalogue=other))
    assert result.tier == "baseline"
    assert "are not used, since the catalogue describes the indicator in other words since" in " ".join(result.failures)
    monkeypatch.setattr(job, "open_run", functools.partial(open_run, catalogue=other))
    with pytest.raises(VerbError) as refused:
        run_job(refresh, JobOptions(offline=True, draws=0), settings=settings_of(publisher, folder))
    assert refused.value.exit_code == 3
    assert "gdhi_per_head: the answers it was published from are no longer held (data/raw)" in str(refused.value)


def test_the_kept_release_is_read_where_the_live_file_is_gone(publisher: StandIn, folder: Path) -> None:
    live = read_published_before(settings_of(publisher, folder))
    assert live is not None
    figures = live.figures(INCOME, live.parts[INCOME, "main"].payload_sha256)
    (folder / "marts" / "inclusive_growth.duckdb").unlink()
    kept = read_published_before(settings_of(publisher, folder))
    assert kept is not None
    assert (kept.version, kept.parts) == (live.version, live.parts)
    assert len(figures) > 200
    assert kept.figures(INCOME, kept.parts[INCOME, "main"].payload_sha256).equals(figures)
    damaged = next((folder / "marts" / "releases").glob("*/fct_observation.parquet"))
    damaged.write_bytes(b"damaged")
    assert read_published_before(settings_of(publisher, folder)) is None


def test_nothing_was_published_yet(tmp_path: Path) -> None:
    assert read_published_before(quick_settings(tmp_path)) is None


def _part(retrieved_on: date, last_year: int) -> PublishedPart:
    ends = date(last_year, 12, 31)
    return PublishedPart(INCOME, "main", "ons_els", "", None, retrieved_on, "", "a" * 64, last_year, ends)


def _shipped(published: date, last_period: str) -> ShippedFile:
    entry = Baseline(quick_settings(Path()).baseline_dir).entry(INCOME)
    assert entry is not None
    return dataclasses.replace(entry, published=published, last_period=last_period)


@pytest.mark.parametrize(
    ("shipped_on", "last_period", "expected"),
    [
        (date(2026, 6, 1), "2023-01-01/P1Y", True),
        (date(2026, 11, 20), "2023-01-01/P1Y", True),
        (date(2026, 12, 1), "2023-01-01/P1Y", False),  # a newer version of the project
        (date(2026, 6, 1), "2024-01-01/P1Y", False),  # reaches further
    ],
)
def test_shipped_figures_are_newer_where_they_came_later_or_reach_further(
    shipped_on: date, last_period: str, expected: bool
) -> None:
    assert is_older(_shipped(shipped_on, last_period), _part(date(2026, 11, 20), 2023)) is expected


@pytest.mark.parametrize(
    ("fetched", "ends", "accepted", "expected"),
    [
        ("2026-11-01", 2023, None, True),
        ("2026-11-20", 2023, None, False),
        ("2026-11-20", 2022, None, True),
        ("2026-11-21", 2022, None, False),
        ("2026-11-01", 2022, "2026-11-22", False),  # a person took it since
    ],
)
def test_a_held_answer_is_older_by_its_day_and_of_one_day_by_its_end(
    fetched: str, ends: int, accepted: str | None, expected: bool
) -> None:
    account = Account("", "b" * 64, 1, 0, 1, 2020, ends, date(ends, 12, 31))
    moment = datetime.fromisoformat(f"{fetched}T03:17:00+00:00")
    held = PartResult(INCOME, "main", "snapshot", "ons_els", None, account, "b" * 64, retrieved_at=moment)
    accepted_at = None if accepted is None else datetime.fromisoformat(accepted).replace(tzinfo=UTC)
    assert is_older_answer(held, accepted_at, _part(date(2026, 11, 20), 2023)) is expected
