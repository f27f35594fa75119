"""Two runs at once, what a dead one leaves, and a snapshot that was changed on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.raw import RawStore
from pipeline.run.acquire import acquire_part
from pipeline.run.context import open_run
from pipeline.run.lock import holder, one_at_a_time
from pipeline.run.results import PartResult
from pipeline.settings import Settings
from tests.nightly.publishers import NO_FILES
from tests.small_world import small_world
from tests.standin.server import StandIn

NIGHT = [sys.executable, "-m", "pipeline", "nightly", "--offline", "--quick", "--no-report"]


def test_a_second_night_ends_with_5_at_once_and_leaves_the_first_ones_lock_and_report_alone(tmp_path: Path) -> None:
    marts = tmp_path / "marts"
    with one_at_a_time(marts):
        (marts / "run_report.json").write_text('{"status": "the report of another run"}')
        environment = {**os.environ, "IG_DATA_DIR": str(tmp_path)}
        began = time.monotonic()
        second = subprocess.run(
            NIGHT, cwd=small_world().folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        seconds = time.monotonic() - began
        assert second.returncode == 5, second.stderr
        assert f"process {os.getpid()} on " in second.stdout
        assert "not run, another run is at work" in second.stdout
        owner = holder(marts)
        assert owner is not None
        assert owner.process == os.getpid()
        assert json.loads((marts / "run_report.json").read_text()) == {"status": "the report of another run"}
        assert not (marts / "inclusive_growth.duckdb").exists()
    assert seconds < 60
    assert holder(marts) is None


def test_a_dead_runs_record_stops_nobody_though_its_number_belongs_to_another_process_now(tmp_path: Path) -> None:
    """The system gives the numbers of dead processes to new ones; the lock goes by what is held, not by numbers."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        record = {
            "process": bystander.pid,
            "host": "this-host",
            "command": "pipeline nightly",
            "since": "2026-11-20T03:17:00+00:00",
        }
        (tmp_path / "refresh.owner.json").write_text(json.dumps(record))
        with one_at_a_time(tmp_path) as left_behind:
            assert left_behind is not None
            assert left_behind.process == bystander.pid
        assert bystander.poll() is None, "the bystander was harmed"
        bystander.kill()


@pytest.fixture
def held(tmp_path: Path) -> tuple[Path, bytes]:
    """A folder with one answer of a publisher, and that answer."""
    with StandIn(NO_FILES) as standin:
        assert acquire(tmp_path, standin.base_urls).tier == "live"
    (payload,) = tmp_path.glob("raw/ons_els/payloads/*")
    content = payload.read_bytes()
    payload.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    return payload, content


def acquire(folder: Path, base_urls: dict[str, str], *, offline: bool = False) -> PartResult:
    context = open_run(Settings(folder, base_urls=base_urls), offline=offline, throttle=False, backoff_seconds=0.01)
    indicator = context.inputs.catalogue.indicators["claimant_rate"]
    with context.client:
        return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def test_a_snapshot_changed_on_disk_is_fetched_again_and_is_whole_after_it(
    held: tuple[Path, bytes], tmp_path: Path
) -> None:
    assert len(RawStore(tmp_path / "raw").verify()[1]) == 1
    with StandIn(NO_FILES) as standin:
        assert acquire(tmp_path, standin.base_urls).tier == "live"
        assert standin.count("data/claimant-count.csv") == 1
    assert held[0].read_bytes() == held[1]
    assert RawStore(tmp_path / "raw").verify()[1] == []


def test_a_snapshot_changed_on_disk_is_named_and_passed_over_where_nobody_can_be_asked(
    held: tuple[Path, bytes], tmp_path: Path
) -> None:
    result = acquire(tmp_path, {}, offline=True)
    assert result.tier == "baseline"
    (sentence,) = result.failures
    assert "sha256 is" in sentence
    assert "is not used" in sentence
    assert result.observations is not None
    assert held[0].exists(), "what was set aside is evidence"
