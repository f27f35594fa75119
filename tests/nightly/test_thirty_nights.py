"""A few of the thirty nights in every test run; ``make thirty-nights`` lets all of them pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

NIGHTS = os.environ.get("IG_NIGHTS") or "few"


@pytest.mark.timeout(1200)
def test_night_after_night_the_file_is_what_publishers_gave_and_its_version_says_what_changed(tmp_path: Path) -> None:
    """Two runs at once, a kill, faults and a revision, and a new map: each night told in a line, and nothing wrong."""
    command = [sys.executable, "-m", "tests.nightly.thirty_nights", str(tmp_path / "nights"), "--nights", NIGHTS]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert "WRONG" not in ended.stdout
    log = (tmp_path / "nights" / "log.txt").read_text(encoding="utf-8").splitlines()
    assert len(log) >= 4
    heading = next(place for place, line in enumerate(log) if line.split()[:3] == ["nt", "day", "exit"])
    nights = [line for line in log[heading + 1 :] if not line.startswith(" " * 6)]
    assert all(re.match(r" ?\d+  \d{4}-\d\d-\d\d +\d  \d+\.\d+\.\d+ ", line) for line in nights)
