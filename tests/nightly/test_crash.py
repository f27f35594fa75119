"""A run killed at random moments leaves the previous or the new file, whole, and the next run succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_world import small_world

pytestmark = pytest.mark.slow

# tests/releases/test_crash.py kills a run at the moments that matter most; these are at random. `make crash`: a hundred.
KILLS = int(os.environ.get("IG_CRASH_KILLS") or 12)


def test_whatever_the_moment_of_death_readers_find_a_whole_file_and_the_next_run_succeeds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.nightly.crash", str(tmp_path), str(KILLS)]
    world = small_world()
    ended = subprocess.run(
        command, cwd=world.folder, env=world.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["kills"] == KILLS
    assert sum(told["killed_in"].values()) == KILLS
    assert sum(count for step, count in told["killed_in"].items() if step != "had ended") >= KILLS / 2
    assert told["left_behind"] == []
