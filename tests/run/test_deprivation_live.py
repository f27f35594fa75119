"""The nations' indices live: figures computed from the published small areas are the shipped ones, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.publishers.deprivation import iod_files
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.payload_checks import accept_shipped
from pipeline.run.results import PartResult
from pipeline.settings import Settings
from tests.standin import files
from tests.standin.faults import NAMES
from tests.standin.server import StandIn

pytestmark = pytest.mark.usefixtures("publishers_files")  # the stand-in has no files without them
PARTS = [
    ("imd_average_score", "iod2019"),
    ("imd_average_score", "iod2025"),
    ("income_deprivation_gap", "england_2019"),
    ("income_deprivation_gap", "england_2025"),
    ("income_deprivation_concentration", "england_2019"),
    ("income_deprivation_concentration", "england_2025"),
    ("income_deprivation_gap", "scotland_2020"),
    ("income_deprivation_gap", "northern_ireland_2017"),
    ("income_deprivation_concentration", "scotland_2020"),
    ("income_deprivation_concentration", "northern_ireland_2017"),
]
FILES = {"File_7": 2, "SIMD": 1, "NIMDM": 1}  # by what is in their address, how many there are


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(autouse=True)
def undisturbed_again(standin: StandIn) -> Iterator[None]:
    yield
    for name in NAMES:
        standin.faults.switch_off(name)


@pytest.fixture
def context(standin: StandIn, tmp_path: Path) -> Run:
    settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls)
    return open_run(settings, throttle=False, backoff_seconds=0.01, draws=0)


def acquire(context: Run, indicator_id: str, part_id: str) -> PartResult:
    indicator = context.inputs.catalogue.indicators[indicator_id]
    return acquire_part(
        context.inputs,
        context.stores,
        context.publishers,
        indicator,
        next(part for part in indicator.parts if part.id == part_id),
    )


def test_live_figures_equal_the_shipped_ones(context: Run) -> None:
    for indicator_id, part_id in PARTS:
        result = acquire(context, indicator_id, part_id)
        assert result.tier == "live", result.attempts
        indicator = context.inputs.catalogue.indicators[indicator_id]
        part = next(part for part in indicator.parts if part.id == part_id)
        shipped = context.stores.baseline.payload(indicator_id, part_id)
        assert shipped is not None
        accepted = accept_shipped(context.inputs.register, indicator, part, shipped)
        expected = accepted.observations.set_index("area_code")["value"]
        assert result.observations is not None
        found = result.observations.set_index("area_code")["value"]
        assert found.index.sort_values().tolist() == expected.index.sort_values().tolist()
        assert (found - expected).abs().max() < 1e-9
        assert result.accepted is not None
        assert result.accepted.warnings == ()


def test_an_index_is_fetched_once_however_many_indicators_are_made_of_it(context: Run, standin: StandIn) -> None:
    before = {name: standin.count(name) for name in FILES}
    for indicator_id, part_id in PARTS:
        acquire(context, indicator_id, part_id)
    assert {name: standin.count(name) - count for name, count in before.items()} == FILES


def test_a_file_is_stored_once_however_many_indicators_are_made_of_it(context: Run) -> None:
    hashes = {acquire(context, indicator_id, part_id).payload_sha256 for indicator_id, part_id in PARTS}
    stored = [path for path in context.stores.raw.root.glob("*/payloads/*") if path.is_file()]
    assert {path.stem for path in stored} == hashes
    assert len(stored) == 4
    assert len(list(context.stores.raw.snapshots())) == len(PARTS)
    assert context.stores.raw.verify() == (len(PARTS), [])


@pytest.mark.parametrize(("index", "nation"), [("SIMD", "scotland_2020"), ("NIMDM", "northern_ireland_2017")])
@pytest.mark.parametrize("fault", ["moved_file", "html_200", "truncated_file", "unavailable", "dropped_connection"])
def test_a_fault_in_another_nations_file_is_named_and_the_last_good_one_kept(
    context: Run, standin: StandIn, fault: str, index: str, nation: str
) -> None:
    good = acquire(context, "income_deprivation_gap", nation)
    assert good.tier == "live"
    standin.faults.switch_on(fault, index)
    again = open_run(context.settings, force=True, throttle=False, backoff_seconds=0.01, draws=0)
    result = acquire(again, "income_deprivation_gap", nation)
    assert result.tier == "snapshot"
    assert result.failures[0].startswith(f"income_deprivation_gap ({nation}): ")
    assert result.observations is not None
    assert good.observations is not None
    assert result.observations.equals(good.observations)


def test_the_older_address_of_a_moved_file_is_tried(context: Run, standin: StandIn) -> None:
    standin.faults.switch_on("moved_file", "^/files/nisra")
    before = standin.count("sites/nisra.gov.uk")
    result = acquire(context, "income_deprivation_gap", "northern_ireland_2017")
    assert standin.count("sites/nisra.gov.uk") == before + 1
    assert result.tier == "baseline"  # the stand-in has it under the newer address only
    assert "none of its 2 known addresses answers" in result.failures[0]


def test_the_welsh_ranks_come_from_below_the_notes(context: Run) -> None:
    result = acquire(context, "wimd_most_deprived_tenth", "wimd2019")
    assert result.tier == "live"
    assert result.edition == "WIMD 2019: index and domain ranks by small area"
    assert result.observations is not None
    assert len(result.observations) == 22


def test_averages_equal_the_official_file_for_all_317_districts_of_2019(publishers_files: Path) -> None:
    small_areas = iod_files.small_areas(files._file_7_of_2019(publishers_files / "deprivation"))
    computed = iod_files.average_scores(small_areas)
    official = iod_files.official_average_scores((publishers_files / "deprivation" / files.FILE_10).read_bytes())
    assert len(computed) == len(official) == 317
    assert (computed - official).abs().max() <= 0.0006


def test_averages_that_differ_from_the_official_file_are_refused(context: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = iod_files.official_average_scores
    monkeypatch.setattr(iod_files, "official_average_scores", lambda content: real(content) + 0.01)
    result = acquire(context, "imd_average_score", "iod2019")
    assert result.tier == "baseline"
    assert "317 of 317 district averages differ from the official file, first E06000001" in result.failures[0]


def test_without_the_official_file_figures_pass_with_a_warning(context: Run, standin: StandIn) -> None:
    standin.faults.switch_on("moved_file", "File_10")
    result = acquire(context, "imd_average_score", "iod2019")
    assert result.tier == "live"
    assert result.accepted is not None
    assert "could not be checked against the official district file" in result.accepted.warnings[0]


def test_a_moved_file_is_named_and_the_last_good_one_kept(context: Run, standin: StandIn, tmp_path: Path) -> None:
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
