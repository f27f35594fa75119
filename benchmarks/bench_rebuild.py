"""A whole offline rebuild, as ``python -m pipeline refresh --offline --force`` does it, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Measure, peak_megabytes
from pipeline.run.context import open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings


def rebuild() -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        context = open_run(Settings(Path(folder)), offline=True)
        outcome = refresh(context)
        size = context.settings.database.stat().st_size / 2**20
    return [
        Measure("offline rebuild, the work itself", outcome.timings.total, "s", at_most=10),
        Measure("offline rebuild, peak memory", peak_megabytes(), "MB", at_most=1500),
        Measure("published file", size, "MB", at_most=60),
    ]


def main() -> list[Measure]:
    command = [sys.executable, "-m", "benchmarks.bench_rebuild"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return [Measure(**fields) for fields in json.loads(printed)]


if __name__ == "__main__":
    print(json.dumps([measure.__dict__ for measure in rebuild()]))
