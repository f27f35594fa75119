"""The twenty questions of docs/questions.yaml: warm, on one open connection, and cold, in a process that opens the file first."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.measure import Measure
from pipeline.questions import questions
from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings, settings_from_environment

WARM_RUNS = 21
COLD_RUNS = 3
COLD = """
import sys, time
began = time.perf_counter()
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as file:
    file.execute(sys.argv[2]).fetchall()
print(time.perf_counter() - began)
"""


def main() -> list[Measure]:
    database = settings_from_environment().database
    if database.exists():
        return measured(database)
    with tempfile.TemporaryDirectory() as folder:
        context = open_run(Settings(Path(folder)), offline=True)
        refresh(context)
        return measured(context.settings.database)


def measured(database: Path) -> list[Measure]:
    """Each question warm and cold, in milliseconds; a cold run is a new process, timed from before it imports DuckDB."""
    measures = []
    for question in questions():
        measures.append(Measure(f"{question.id}, warm", 1000 * warm(database, question.sql), "ms", at_most=20))
        measures.append(Measure(f"{question.id}, cold", 1000 * cold(database, question.sql), "ms", at_most=200))
    return measures


def warm(database: Path, sql: str) -> float:
    """The median of WARM_RUNS on one connection, in seconds; the first run is not counted."""
    with duckdb.connect(str(database), read_only=True) as file:
        file.execute(sql).fetchall()
        return statistics.median(_seconds(file, sql) for _ in range(WARM_RUNS))


def _seconds(file: duckdb.DuckDBPyConnection, sql: str) -> float:
    began = time.perf_counter()
    file.execute(sql).fetchall()
    return time.perf_counter() - began


def cold(database: Path, sql: str) -> float:
    """The median of COLD_RUNS, each in a process of its own, in seconds."""
    command = [sys.executable, "-c", COLD, str(database), sql]
    printed = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        for _ in range(COLD_RUNS)
    ]
    return statistics.median(map(float, printed))
