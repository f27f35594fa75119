"""Only one run at a time works on a data folder, and no dead process can stand in the way of the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.run.lock import Locked, Owner, holder, one_at_a_time
from pipeline.settings import PROJECT_ROOT

HOLD = """
import sys, time
from pathlib import Path
from pipeline.run.lock import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holding_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_is_told_who_holds_the_folder_since_when_and_what_to_do(tmp_path: Path) -> None:
    with holding_process(tmp_path) as process:
        with pytest.raises(Locked) as refused, one_at_a_time(tmp_path):
            pass
        assert f"process {process.pid} on " in str(refused.value)
        assert "0 minutes ago" in str(refused.value)
        assert f"kill {process.pid}" in str(refused.value)
        owner = holder(tmp_path)
        assert owner is not None
        assert owner.process == process.pid


def test_a_second_run_is_refused_though_the_record_of_the_first_is_damaged(tmp_path: Path) -> None:
    with holding_process(tmp_path):
        record = json.loads((tmp_path / "refresh.owner.json").read_text())
        (tmp_path / "refresh.owner.json").write_text(json.dumps(record | {"since": "last night"}))
        with pytest.raises(Locked, match="another process"), one_at_a_time(tmp_path):
            pass


def test_the_lock_of_a_killed_process_is_taken_over_and_its_owner_named(tmp_path: Path) -> None:
    with holding_process(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
    with one_at_a_time(tmp_path) as left_behind:
        assert left_behind is not None
        assert left_behind.process == process.pid
    with one_at_a_time(tmp_path) as left_behind:
        assert left_behind is None


@pytest.mark.parametrize(
    "record",
    [
        "{half a rec",
        "null",
        "[1, 2]",
        '{"process": 1, "host": "a", "command": "refresh", "since": "last night"}',
        '{"process": 1, "host": "a", "command": "refresh", "since": "2026-11-22T03:00:00"}',
        '{"process": 1, "host": "a", "command": "refresh", "since": 3}',
    ],
)
def test_an_unreadable_record_of_the_owner_stops_nobody(tmp_path: Path, record: str) -> None:
    (tmp_path / "refresh.owner.json").write_text(record)
    with one_at_a_time(tmp_path) as left_behind:
        assert left_behind is None
        assert json.loads((tmp_path / "refresh.owner.json").read_text())["process"] == os.getpid()
    assert not (tmp_path / "refresh.owner.json").exists()
    assert holder(tmp_path) is None


def test_an_age_is_never_negative_though_the_clock_was_set_back() -> None:
    now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    owner = Owner.this_process(now)
    assert "0 minutes ago" in owner.words(now - timedelta(hours=3))
    assert "1 minute ago" in owner.words(now + timedelta(seconds=75))
    assert "5 hours ago" in owner.words(now + timedelta(hours=5, minutes=20))
