"""Many readers, each a process of its own, while the file is swapped under them: every one sees a whole file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipeline.publish import swap
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from tests.clients import make

READERS = 8
SWAPS = 50
# Opens the file anew until the file `stop` is there; a file that is whole says of itself how many figures it holds.
# DuckDB 2.0 opens a file twice, and fails where it is swapped in between (docs/querying.md): then, and only then, once more.
READER = """
import json, os, sys, time
from pathlib import Path
import duckdb

live, stop = sys.argv[1], Path(sys.argv[2])

def identity():
    found = os.stat(live)
    return found.st_ino, found.st_mtime_ns

def opened():
    while True:
        before = identity()
        try:
            return duckdb.connect(live, read_only=True)
        except duckdb.Error:
            if duckdb.__version__.startswith("1.") or identity() == before:
                raise
seen = set()
count = 0
while not stop.exists():
    with opened() as file:
        run, said = file.execute("select run_id, observation_count from meta_run").fetchone()
        held = file.execute("select count(*) from fct_observation").fetchone()[0]
        assert held == said, (held, said)
        file.execute("select avg(score) from latest_score where node_id = 'index'").fetchone()
    seen.add(run)
    count += 1
print(json.dumps({"seen": sorted(seen), "count": count}))
"""


@pytest.fixture
def two_files(offline_run: tuple[Run, Outcome], tmp_path: Path) -> list[Path]:
    """The published file, and another that differs in its run and its number of figures."""
    database = offline_run[0].settings.database
    first, second = (Path(shutil.copyfile(database, tmp_path / f"{name}.duckdb")) for name in ("first", "second"))
    with duckdb.connect(str(second)) as connection:
        connection.execute("delete from fct_observation where indicator_id = 'claimant_rate'")
        connection.execute(
            "update meta_run set run_id = 'second', observation_count = (select count(*) from fct_observation)"
        )
    return [first, second]


def interpreters() -> list[Path]:
    """This Python, and those of the older clients that are made."""
    older = [make.python_of(release) for release in make.RELEASES]
    return [Path(sys.executable), *(python for python in older if python.exists())]


def test_every_reader_sees_a_whole_file_while_it_is_swapped(two_files: list[Path], tmp_path: Path) -> None:
    live, stop = tmp_path / "live.duckdb", tmp_path / "stop"
    shutil.copyfile(two_files[0], live)
    pythons = interpreters()
    readers = [
        subprocess.Popen(
            [pythons[n % len(pythons)], "-c", READER, live, stop],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for n in range(READERS)
    ]  # fmt: skip
    try:
        for n in range(SWAPS):
            swap(Path(shutil.copyfile(two_files[n % 2], tmp_path / "candidate.duckdb")), live)
            time.sleep(0.05)
    finally:
        stop.touch()
        ended = [(*reader.communicate(timeout=60), reader.returncode) for reader in readers]
    assert [error for _, error, code in ended if code] == []
    found = [json.loads(out) for out, _, _ in ended]
    assert all(reader["count"] > 1 for reader in found)
    assert len({run for reader in found for run in reader["seen"]}) == 2
