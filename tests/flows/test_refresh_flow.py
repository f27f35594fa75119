"""The main job as people start it: a real process with a real, temporary Prefect server."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.small_world import DISTRICTS, small_world

pytestmark = pytest.mark.slow


def run_flow(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m flows.refresh`` with an empty home and every address closed."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    closed = "http://127.0.0.1:9"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "XDG_"))}
    environment |= {
        "HOME": str(home),
        "IG_DATA_DIR": str(folder / "data"),
        "PREFECT_HOME": str(folder / "prefect"),
        "IG_ELS_URL": closed,
        "IG_NOMIS_URL": closed,
        **settings,
    }
    command = [sys.executable, "-m", "flows.refresh", *arguments]
    return subprocess.run(
        command, cwd=small_world().folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("flow")
    return folder, run_flow(folder)


def test_it_publishes_and_exits_0(first_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, ended = first_run
    assert ended.returncode == 0, ended.stderr
    with duckdb.connect(str(folder / "data" / "marts" / "inclusive_growth.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from mart_area_profile").fetchone() == (len(DISTRICTS),)


def test_it_says_what_was_used_and_times_prefect_apart(
    first_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out = " ".join(first_run[1].stdout.split())  # lines break where they are full
    assert "shipped baseline" in out
    assert "Not reached: ons_els" in out
    assert "Prefect's own start took" in out


def test_it_makes_no_noise(first_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert first_run[1].stderr == ""
    assert not {"nanobind", "Traceback", "leaked"} & set(first_run[1].stdout.split())


def test_it_writes_nothing_outside_the_project(first_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert list((first_run[0] / "home").rglob("*")) == []


def test_prefect_recorded_the_flow_and_a_task_for_each_part(
    first_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    with sqlite3.connect(first_run[0] / "prefect" / "prefect.db") as connection:
        states = connection.execute("select state_type, count(*) from flow_run group by 1").fetchall()
        names = {name for (name,) in connection.execute("select name from task_run")}
    connection.close()
    assert states == [("COMPLETED", 1)]
    assert {"fetch gva_per_hour (main)", "score shared_growth"} <= names


def test_a_second_run_finds_nothing_new_in_a_single_task(
    first_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    ended = run_flow(first_run[0])
    assert ended.returncode == 0
    assert "Nothing new" in ended.stdout
    with sqlite3.connect(first_run[0] / "prefect" / "prefect.db") as connection:
        names = connection.execute(
            "select task.name from task_run task join flow_run flow on flow.id = task.flow_run_id "
            "where flow.created = (select max(created) from flow_run)"
        ).fetchall()
    connection.close()
    assert [name.rsplit("-", 1)[0] for (name,) in names] == ["check for updates"]


def test_a_teams_server_that_is_away_is_named_and_the_work_is_done_without_it(
    first_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    address = "http://127.0.0.1:9/api"
    ended = run_flow(first_run[0], "--offline", PREFECT_API_URL=address)
    assert ended.returncode == 0
    assert "Nothing new" in ended.stdout
    assert (
        f"The Prefect server at {address} (PREFECT_API_URL) does not answer: the work is done without it"
        in ended.stderr
    )
    assert "Traceback" not in ended.stderr


def test_the_temporary_server_ends_with_the_run(first_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home = f"PREFECT_HOME={first_run[0] / 'prefect'}".encode()
    left = [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if home in environment_of(path)]
    assert left == []


def environment_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # of a process that has ended, or is somebody else's
        return b""


def test_a_failure_ends_with_its_sentence_and_exit_1(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "marts").write_text("a file where the folder should be")
    ended = run_flow(tmp_path, "--offline")
    assert ended.returncode == 1
    assert "cannot be written or read" in ended.stderr
    assert "Traceback" not in ended.stderr
