"""A whole offline rebuild, beside DuckDB alone reading the published file and writing the same bytes into another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.case import measure_commands
from benchmarks.measure import Figure, Limit, Sample, single
from benchmarks.timing import run_command
from benchmarks.workshop import PYTHON, Workshop

COMMAND = "python -m pipeline refresh --offline --force"


def measure(workshop: Workshop) -> Iterator[Figure]:
    works: list[float] = []

    def rebuild() -> Sample:
        sample = workshop.pipeline("refresh", "--offline", "--force")
        report = json.loads((database.parent / "run_report.json").read_text(encoding="utf-8"))
        works.append(sum(report["seconds"].values()))
        return sample

    database = workshop.database
    copied = workshop.folder / "copied.duckdb"
    yield measure_commands(
        "rebuild",
        "Offline rebuild, the whole command",
        rebuild,
        lambda: run_command([PYTHON, "-m", "benchmarks.bench_rebuild", str(database), str(copied)]),
        peer_title="DuckDB alone reads the published file and writes it anew, keys included",
        command=COMMAND,
        repeats=1 if workshop.quick else 3,
        limits=(Limit(at_most=1500, of="peak"),),
        warm_up=False,
        note="Both with the start of their process. The rest of the rebuild's time is what the project is for: parsing, "
        "checks, one map, scores with their errors, comparison with the file before.",
    )
    yield Figure(
        "rebuild-work",
        "Offline rebuild, the work itself as the command prints it",
        "s",
        COMMAND,
        len(works),
        single("here", sorted(works)[len(works) // 2]),
        limits=(Limit(at_most=10),),
    )
    size = single("here", database.stat().st_size / 2**20)
    yield Figure("file-size", "Published file", "MB", COMMAND, 1, size, limits=(Limit(at_most=60),))
    copied.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Every table and view of one DuckDB file into a new one, by DuckDB's own means."""
    import duckdb

    target.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute(f"attach '{target}' as target (storage_version 'v1.4.0')")
        connection.execute("copy from database source to target")
        connection.execute("checkpoint target")


if __name__ == "__main__":
    copy_file(Path(sys.argv[1]), Path(sys.argv[2]))
