"""A run killed at random moments leaves the previous or the new file, whole, and the next run succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.settings import PROJECT_ROOT

# A few in every test run; `make crash` does a hundred.
KILLS = int(os.environ.get("IG_CRASH_KILLS", "3"))


def test_whatever_the_moment_of_death_readers_find_a_whole_file_and_the_next_run_succeeds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.nightly.crash", str(tmp_path), str(KILLS)]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["kills"] == KILLS
    assert told["killed"] > 0
    assert told["left_behind"] == []
