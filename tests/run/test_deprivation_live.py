"""The English indices live: figures computed from the published small areas are the official ones, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.run.accept import accept
from pipeline.run.acquire import PartResult, acquire_part
from pipeline.run.context import RunContext, open_run
from pipeline.settings import Settings
from pipeline.tidy import iod_files
from tests.standin import files
from tests.standin.server import StandIn

pytestmark = pytest.mark.usefixtures("publishers_files")  # the stand-in has no files without them
PARTS = [
    ("imd_average_score", "iod2019"),
    ("imd_average_score", "iod2025"),
    ("income_deprivation_gap", "england_2019"),
    ("income_deprivation_gap", "england_2025"),
    ("income_deprivation_concentration", "england_2019"),
    ("income_deprivation_concentration", "england_2025"),
]


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(autouse=True)
def undisturbed_again(standin: StandIn) -> Iterator[None]:
    yield
    for name in ("moved_file", "unavailable"):
        standin.faults.switch_off(name)


@pytest.fixture
def context(standin: StandIn, tmp_path: Path) -> RunContext:
    settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls)
    return open_run(settings, throttle=False, backoff_seconds=0.01, draws=0)


def acquire(context: RunContext, indicator_id: str, part_id: str) -> PartResult:
    indicator = context.catalogue.indicators[indicator_id]
    return acquire_part(context, indicator, next(part for part in indicator.parts if part.id == part_id))


def test_live_figures_equal_the_shipped_ones(context: RunContext) -> None:
    for indicator_id, part_id in PARTS:
        result = acquire(context, indicator_id, part_id)
        assert result.tier == "live", result.attempts
        indicator = context.catalogue.indicators[indicator_id]
        part = next(part for part in indicator.parts if part.id == part_id)
        shipped = context.baseline.payload(indicator_id, part_id)
        assert shipped is not None
        expected = accept(context, indicator, part, None, shipped).observations.set_index("area_code")["value"]
        assert result.observations is not None
        found = result.observations.set_index("area_code")["value"]
        assert found.index.sort_values().tolist() == expected.index.sort_values().tolist()
        assert (found - expected).abs().max() < 1e-9
        assert result.accepted is not None
        assert result.accepted.warnings == ()


def test_an_index_is_fetched_once_however_many_indicators_are_made_of_it(context: RunContext, standin: StandIn) -> None:
    before = standin.count("File_7")
    for indicator_id, part_id in PARTS:
        acquire(context, indicator_id, part_id)
    assert standin.count("File_7") - before == 2


def test_averages_equal_the_official_file_for_all_317_districts_of_2019(publishers_files: Path) -> None:
    small_areas = iod_files.small_areas(files._file_7_of_2019(publishers_files / "deprivation"))
    computed = iod_files.average_scores(small_areas)
    official = iod_files.official_average_scores((publishers_files / "deprivation" / files.FILE_10).read_bytes())
    assert len(computed) == len(official) == 317
    assert (computed - official).abs().max() <= 0.0006


def test_averages_that_differ_from_the_official_file_are_refused(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = iod_files.official_average_scores
    monkeypatch.setattr(iod_files, "official_average_scores", lambda content: real(content) + 0.01)
    result = acquire(context, "imd_average_score", "iod2019")
    assert result.tier == "baseline"
    assert "317 of 317 district averages differ from the official file, first E06000001" in result.failures[0]


def test_without_the_official_file_figures_pass_with_a_warning(context: RunContext, standin: StandIn) -> None:
    standin.faults.switch_on("moved_file", "File_10")
    result = acquire(context, "imd_average_score", "iod2019")
    assert result.tier == "live"
    assert result.accepted is not None
    assert "could not be checked against the official district file" in result.accepted.warnings[0]


def test_a_moved_file_is_named_and_the_last_good_one_kept(
    context: RunContext, standin: StandIn, tmp_path: Path
) -> None:
    standin.faults.switch_on("moved_file", "File_7")
    first = acquire(context, "imd_average_score", "iod2025")
    assert first.tier == "baseline"
    assert "has moved" in first.failures[0]
    standin.faults.switch_off("moved_file")
    settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls)
    assert acquire(open_run(settings, throttle=False, draws=0), "imd_average_score", "iod2025").tier == "live"
    standin.faults.switch_on("moved_file", "File_7")
    later = acquire(open_run(settings, throttle=False, draws=0), "imd_average_score", "iod2025")
    assert later.tier == "snapshot"
    assert "has moved" in later.failures[0]
