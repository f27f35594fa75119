"""The twenty questions of docs/questions.yaml: warm, on one open connection, and cold, in a process that opens the file first."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.case import measure_commands
from benchmarks.measure import Figure, Limit, Sample, side, single
from benchmarks.timing import PROJECT, run_command
from benchmarks.workshop import PYTHON, Workshop

COMMAND = "python -m benchmarks queries"
WARM_MILLISECONDS, COLD_MILLISECONDS = 20, 200
COLD = """
import sys, time
began = time.perf_counter()
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as file:
    file.execute(sys.argv[2]).fetchall()
print(time.perf_counter() - began, time.process_time())
"""


def measure(workshop: Workshop) -> Iterator[Figure]:
    database = str(workshop.database)
    runs, cold_runs = (3, 1) if workshop.quick else (21, 3)
    command = [PYTHON, "-m", "benchmarks.bench_queries", database, str(runs)]
    printed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    asked: list[dict[str, Any]] = json.loads(printed)
    warm = {each["id"]: [Sample(*sample) for sample in each["samples"]] for each in asked}
    cold = {each["id"]: _cold(database, each["sql"], cold_runs) for each in asked}
    both = (("warm", warm, runs, WARM_MILLISECONDS), ("cold", cold, cold_runs, COLD_MILLISECONDS))
    for words, found, count, most in both:
        limits = (Limit(at_most=most),)
        for id_, samples in found.items():
            here = side("here", samples, of_seconds=_milliseconds)
            yield Figure(f"{words}-{id_}", f"Question {id_}, {words}", "ms", COMMAND, count, here, limits=limits)
        medians = [_milliseconds(statistics.median(sample.wall for sample in samples)) for samples in found.values()]
        slowest, typical = single("here", max(medians)), single("here", statistics.median(medians))
        of_all = f"of the {len(asked)} questions, {words}"
        yield Figure(f"slowest-{words}", f"Slowest {of_all}", "ms", COMMAND, 1, slowest, limits=limits)
        yield Figure(f"typical-{words}", f"Median {of_all}", "ms", COMMAND, 1, typical)
    yield measure_commands(
        "process",
        "A whole process that opens the file and asks the first question",
        lambda: run_command([PYTHON, "-c", COLD, database, asked[0]["sql"]]),
        lambda: run_command([PYTHON, "-c", "import duckdb"]),
        peer_title="a process that imports DuckDB and ends",
        command=COMMAND,
        repeats=2 if workshop.quick else 7,
    )


def _milliseconds(seconds: float) -> float:
    return 1000 * seconds


def _cold(database: str, sql: str, runs: int) -> list[Sample]:
    """Each in a process of its own, timed inside it from before DuckDB is imported; the first is not counted."""
    found = []
    for _ in range(runs + 1):
        command = [PYTHON, "-c", COLD, database, sql]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        wall, cpu = map(float, printed.split())
        found.append(Sample(wall, cpu))
    return found[1:]


def ask_warm(database: str, runs: int) -> list[dict[str, Any]]:
    """Every question with its SQL and (seconds by the clock, of processor time) of each run; the first is not counted."""
    import duckdb

    from pipeline.questions import questions

    found = []
    with duckdb.connect(database, read_only=True) as file:
        for question in questions():
            samples = []
            for _ in range(runs + 1):
                began, cpu = time.perf_counter(), time.process_time()
                file.execute(question.sql).fetchall()
                samples.append((time.perf_counter() - began, time.process_time() - cpu))
            found.append({"id": question.id, "sql": question.sql, "samples": samples[1:]})
    return found


if __name__ == "__main__":
    print(json.dumps(ask_warm(sys.argv[1], int(sys.argv[2]))))
