"""The deployment of prefect.yaml on a real Prefect server: scheduled as declared, run by a worker, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.flows.servers import PrefectServer, on_request, prefect_server, wait_for

pytestmark = [on_request, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(server: PrefectServer) -> dict[str, Any]:
    return server.deploy()


@pytest.fixture(scope="module")
def two_runs(server: PrefectServer, deployment: dict[str, Any]) -> tuple[str, str]:
    """A run, and another that was asked for while the first was at work; both have ended."""
    worker = server.start_worker("one")
    first = server.run(offline=True, quick=True, report=False)
    server.wait_until_at(first, "assemble")
    second = server.run(offline=True, quick=True, report=False)
    server.wait_until_ended(second)
    ended = server.wait_until_ended(first)
    assert ended["type"] == "COMPLETED", server.log_of(worker)
    return first, second


def test_it_runs_every_night_at_seventeen_past_three_in_london(deployment: dict[str, Any]) -> None:
    (schedule,) = deployment["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "17 3 * * *"
    assert schedule["schedule"]["timezone"] == "Europe/London"


def test_one_run_at_a_time_is_declared_on_the_server(deployment: dict[str, Any]) -> None:
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_a_run_publishes_the_file(server: PrefectServer, two_runs: tuple[str, str]) -> None:
    database: Path = server.folder / "data" / "marts" / "inclusive_growth.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select count(*) from meta_release").fetchone() == (1,)
        assert connection.execute("select count(*) from mart_area_profile").fetchone() == (361,)


def test_a_second_run_is_cancelled_while_one_is_at_work(server: PrefectServer, two_runs: tuple[str, str]) -> None:
    state = server.state(two_runs[1])
    assert state["type"] == "CANCELLED"
    assert "concurrency limit" in state["message"]


def test_what_became_of_the_night_is_in_the_runs_log(server: PrefectServer, two_runs: tuple[str, str]) -> None:
    # Prefect's own lines are not silenced on a team's server; logs are sent in batches, the last after the run's end
    log = wait_for(
        "the end of the log", lambda: text if "Finished in" in (text := server.logs(two_runs[0])) else None, 120
    )
    assert "Inclusive growth: published 1.0.0" in log


def test_the_next_nights_are_on_the_calendar(server: PrefectServer, two_runs: tuple[str, str]) -> None:
    scheduled = [run for run in server.filtered("flow_runs") if run["auto_scheduled"]]
    assert len(scheduled) >= 3


def test_a_run_that_failed_says_so_on_the_server(server: PrefectServer, two_runs: tuple[str, str]) -> None:
    marts = server.folder / "data" / "marts"
    marts.rename(marts.with_name("kept"))
    marts.write_text("a file where the folder should be")
    try:
        state = server.wait_until_ended(server.run(offline=True, quick=True, report=False))
    finally:
        marts.unlink()
        marts.with_name("kept").rename(marts)
    assert state["type"] == "FAILED"
    assert "cannot be written or read" in state["message"]
