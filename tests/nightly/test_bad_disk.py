"""A disk that fills up, a folder that cannot be written, a damaged file, a clock that goes back: real ones, in a process.

``bad_disk.py`` mounts a small disk that it alone sees, fills it at a chosen moment, and runs the real job on it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from tests.small_world import small_world

pytestmark = pytest.mark.slow

ALONE = ["unshare", "--map-root-user", "--mount"]
Runs = dict[str, dict[str, Any]]
FULL = ("no room for an answer", "no room to build", "no room to compare and publish")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """What each run of ``bad_disk.py`` came to, by its name."""
    folder = tmp_path_factory.mktemp("disk")
    mount = [*ALONE, "mount", "-t", "tmpfs", "none", str(folder)]
    if shutil.which("unshare") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system lets no process mount a disk of its own (unshare --map-root-user --mount)")
    command = [*ALONE, sys.executable, "-m", "tests.nightly.bad_disk", str(folder)]
    world = small_world()
    ended = subprocess.run(
        command, cwd=world.folder, env=world.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: Runs = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", FULL)
def test_on_a_full_disk_a_run_ends_with_1_and_a_sentence_and_the_file_is_as_it_was(runs: Runs, name: str) -> None:
    run = runs[name]
    assert run["code"] == 1
    assert "No space left on device" in run["said"]
    assert "Traceback" not in run["said"]
    assert "CRASH" not in run["said"]
    assert "a file cannot" not in run["said"], "it does not say which file"
    assert run["is_as_before"]
    assert run["left_over"] == []


def test_a_damaged_file_is_healed_and_a_full_disk_then_costs_the_record_and_not_the_release(runs: Runs) -> None:
    run = runs["a damaged file, and no room to keep the release"]
    assert run["code"] == 1
    assert run["said"].startswith("the file was published, but the run report could not be written")
    assert [version for version, _ in run["releases"]] == ["1.0.0", "1.0.1"]
    assert run["figures"] == runs["no room to build"]["figures"] > 1_000


def test_once_there_is_room_the_next_run_keeps_what_could_not_be_kept(runs: Runs) -> None:
    run = runs["room again"]
    assert run["code"] == 0
    assert run["report"]["status"] == "nothing new"
    assert run["kept"] == ["1.0.0", "1.0.1"]


def test_a_folder_that_cannot_be_written_ends_a_run_with_1_and_its_name(runs: Runs) -> None:
    run = runs["a folder that cannot be written"]
    assert run["code"] == 1
    assert "refresh.lock cannot be written or read: Read-only file system" in run["said"]
    assert run["is_as_before"]


def test_a_clock_that_goes_back_while_a_run_is_at_work_does_it_no_harm(runs: Runs) -> None:
    run = runs["the clock goes back while a run is at work"]
    assert run["code"] == 0
    report = run["report"]
    assert datetime.fromisoformat(report["finished_at"]) >= datetime.fromisoformat(report["started_at"])
    assert all(seconds >= 0 for seconds in report["seconds"].values())


def test_a_release_is_never_dated_before_the_one_it_follows_though_the_clock_went_back_two_days(runs: Runs) -> None:
    (_, first), (_, second) = runs["room again"]["releases"]
    assert datetime.fromisoformat(second) > datetime.fromisoformat(first)
