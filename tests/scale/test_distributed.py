"""Several workers on a Prefect server with PostgreSQL: the one at work dies, and the work is done all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.flows.servers import (
    AUTOMATIONS,
    PrefectServer,
    Worker,
    on_request,
    postgres_server,
    prefect_server,
    wait_for,
)

pytestmark = [on_request, pytest.mark.timeout(1200)]
NIGHT = {"offline": True, "quick": True, "report": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with (
        postgres_server() as address,
        prefect_server(
            tmp_path_factory.mktemp("distributed"), PREFECT_SERVER_DATABASE_CONNECTION_URL=address
        ) as running,
    ):
        running.deploy()
        running.prefect("automation", "create", "--from-file", str(AUTOMATIONS))
        yield running


@pytest.fixture(scope="module")
def killed_and_rerun(server: PrefectServer) -> tuple[str, str]:
    """A run whose machine died while it built the file, and the run that took its place; the second has ended."""
    workers = [server.start_worker(name) for name in ("one", "two")]
    first = server.run(**NIGHT)
    server.wait_until_at(first, "build the marts")
    at_work = busy(workers)
    at_work.lose_its_machine()
    second = wait_for("a run in the place of the one that died", lambda: server.successor_of(first), 300)
    state = server.wait_until_ended(second)
    assert state["type"] == "COMPLETED", "\n".join(server.log_of(worker) for worker in workers)
    return first, second


def busy(workers: list[Worker]) -> Worker:
    (worker,) = [worker for worker in workers if worker.flow_run_processes()]
    return worker


def test_a_run_whose_machine_died_is_called_crashed(server: PrefectServer, killed_and_rerun: tuple[str, str]) -> None:
    state = server.state(killed_and_rerun[0])
    assert state["type"] == "CRASHED"
    assert "No sign of life" in state["message"]


def test_another_worker_does_the_work_once_and_right(server: PrefectServer, killed_and_rerun: tuple[str, str]) -> None:
    marts = server.folder / "data" / "marts"
    with duckdb.connect(str(marts / "inclusive_growth.duckdb"), read_only=True) as connection:
        versions = connection.execute("select release_version from meta_release").fetchall()
        districts = connection.execute("select count(*) from mart_area_profile").fetchone()
    assert versions == [("1.0.0",)]
    assert districts == (361,)
    assert len(server.runs()) == 2
    assert not [path.name for path in marts.iterdir() if "building" in path.name]


def test_the_run_in_its_place_is_asked_for_the_same_and_knows_that_it_is_the_second(
    server: PrefectServer, killed_and_rerun: tuple[str, str]
) -> None:
    assert server.get(f"flow_runs/{killed_and_rerun[1]}")["parameters"] == {**NIGHT, "attempt": 2}


@pytest.mark.parametrize("runner", ["processes", "dask"])
def test_work_spread_over_processes_gives_the_same_file(
    server: PrefectServer, killed_and_rerun: tuple[str, str], runner: str
) -> None:
    if runner == "dask":
        pytest.importorskip("prefect_dask", reason="the optional package prefect-dask is not installed")
    folder = server.folder / runner
    worker = server.start_worker(runner, IG_TASK_RUNNER=runner, IG_DATA_DIR=str(folder))
    for other in server.workers:
        if other is not worker and other.process.poll() is None:
            other.lose_its_machine()
    state = server.wait_until_ended(server.run(**NIGHT))
    assert state["type"] == "COMPLETED", server.log_of(worker)
    assert differences(server.folder / "data", folder) == []


def differences(one: Path, other: Path) -> list[str]:
    """Names of the score and figure tables in which two published files differ."""
    compared = ("fct_observation", "mart_score", "mart_label", "mart_change", "mart_contribution")
    name = "marts/inclusive_growth.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one / name}' as one (read_only)")
        connection.execute(f"attach '{other / name}' as other (read_only)")
        found = []
        for table in compared:
            sums = [
                connection.execute(f"select count(*), bit_xor(hash(t)) from {db}.{table} t").fetchone()
                for db in ("one", "other")
            ]
            found += [] if sums[0] == sums[1] else [f"{table}: {sums}"]
    return found
