"""A publisher that says nothing changed is not asked for its figures again; `--force` asks all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.results import PartResult
from pipeline.settings import Settings
from tests.standin.server import StandIn

PARTS = [("claimant_rate", "main"), ("no_qualifications_rate", "main")]  # one of ELS, one of Nomis
DATA = ("/data/", ".data.csv")


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def run_of(standin: StandIn, folder: Path, *, force: bool = False) -> Run:
    settings = Settings(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, force=force, throttle=False, backoff_seconds=0.01, draws=0)


def acquire(context: Run, indicator_id: str, part_id: str = "main") -> PartResult:
    indicator = context.inputs.catalogue.indicators[indicator_id]
    return acquire_part(
        context.inputs,
        context.stores,
        context.publishers,
        indicator,
        next(part for part in indicator.parts if part.id == part_id),
    )


def data_requests(standin: StandIn) -> int:
    return sum(standin.count(text) for text in DATA)


@pytest.mark.parametrize(("indicator_id", "part_id"), PARTS)
def test_a_second_run_asks_for_no_figures_and_has_the_same(
    standin: StandIn, tmp_path: Path, indicator_id: str, part_id: str
) -> None:
    first = acquire(run_of(standin, tmp_path), indicator_id, part_id)
    asked = data_requests(standin)
    second = acquire(run_of(standin, tmp_path), indicator_id, part_id)
    assert data_requests(standin) == asked > 0
    assert second.tier == "live"
    assert [attempt.outcome for attempt in second.attempts] == ["unchanged"]
    assert "says nothing changed since 2026-" in second.attempts[0].sentence
    assert second.observations.equals(first.observations)
    assert second.description == first.description


@pytest.mark.parametrize(("indicator_id", "part_id"), PARTS)
def test_force_asks_for_the_figures_all_the_same(
    standin: StandIn, tmp_path: Path, indicator_id: str, part_id: str
) -> None:
    acquire(run_of(standin, tmp_path), indicator_id, part_id)
    asked = data_requests(standin)
    assert acquire(run_of(standin, tmp_path, force=True), indicator_id, part_id).tier == "live"
    assert data_requests(standin) == 2 * asked


def test_many_indicators_need_one_request_to_learn_that_nothing_changed(standin: StandIn, tmp_path: Path) -> None:
    names = ("claimant_rate", "gva_per_hour", "gdhi_per_head", "child_poverty_bhc")
    for _ in range(2):
        before = len(standin.requests)
        context = run_of(standin, tmp_path)
        assert {acquire(context, name).tier for name in names} == {"live"}
    assert len(standin.requests) - before == 1


@pytest.mark.parametrize(
    ("fault", "pattern"), [("html_200", "metadata"), ("unavailable", r"metadata"), ("empty_200", "metadata")]
)
def test_where_the_question_fails_the_figures_are_asked_for(
    standin: StandIn, tmp_path: Path, fault: str, pattern: str
) -> None:
    acquire(run_of(standin, tmp_path), "claimant_rate")
    asked = data_requests(standin)
    standin.faults.switch_on(fault, pattern)
    again = acquire(run_of(standin, tmp_path), "claimant_rate")
    assert again.tier == "live"
    assert data_requests(standin) == asked + 1


def test_an_unreachable_publisher_is_reported_once_and_the_last_good_answer_used(
    standin: StandIn, tmp_path: Path
) -> None:
    acquire(run_of(standin, tmp_path), "claimant_rate")
    closed = Settings(data_dir=tmp_path, base_urls={"ons_els": "http://127.0.0.1:9/els"})
    result = acquire(open_run(closed, draws=0), "claimant_rate")
    assert [(attempt.tier, attempt.outcome) for attempt in result.attempts] == [
        ("live", "unreachable"),
        ("snapshot", "used"),
    ]


def test_a_changed_mark_brings_the_figures_anew(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire(run_of(standin, tmp_path), "claimant_rate")
    asked = data_requests(standin)
    monkeypatch.setattr(
        "pipeline.publishers.ons_els.publisher.ExploreLocalStatistics.last_updated", lambda *_: "2099-01-01"
    )
    assert acquire(run_of(standin, tmp_path), "claimant_rate").tier == "live"
    assert data_requests(standin) == asked + 1


def test_the_publishers_unit_and_caveats_are_kept_with_the_snapshot(
    standin: StandIn, tmp_path: Path, publishers_files: Path
) -> None:
    acquire(run_of(standin, tmp_path), "pay_median_weekly")
    offline = open_run(Settings(data_dir=tmp_path), offline=True, draws=0)
    held = acquire(offline, "pay_median_weekly")
    assert held.tier == "snapshot"
    assert held.description is not None
    assert held.description.unit == "£"
    assert held.description.caveats[0].startswith("For Great Britain data, 2025 estimates are provisional")
