"""The figures behind the capacity arithmetic of docs/scaling.md, measured: ``python -m tests.scale.capacity``.

Two things are measured: what the bucket is asked and what travels (against the test server, whose log counts requests),
and what a row of small areas takes as it was sent, in the published file and as Parquet. Needs a data
folder with a published file (``make refresh`` or ``make demo-live``; ``IG_DATA_DIR`` names it) and the tools for tests; writes
into a temporary folder only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import duckdb
import pyarrow.fs
import pytest

from benchmarks.bench_small_areas import SERIES, store
from pipeline.settings import PROJECT_ROOT, Settings, settings_from_environment
from pipeline.storage.session import at_work
from tests.scale.bucket_server import BUCKET, BucketServer, bucket_server
from tests.scale.test_bucket_snapshots import put

URL = f"s3://{BUCKET}/capacity"
# Small areas of the UK as of the last censuses: England and Wales (ONS, LSOA 2021), Scotland (data zones 2022), Northern
# Ireland (NISRA, data zones 2021).
SMALL_AREAS = {"England and Wales": 35_672, "Scotland": 7_392, "Northern Ireland": 3_780}
MONTHLY, YEARLY = 3, 17
MONTHS, YEARS = 160, 12
CELLS_A_REQUEST, REQUESTS_A_SECOND = 25_000, 2
COUNCILS = 350


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scale.capacity", description=__doc__)
    parser.add_argument("--areas", type=int, default=35_000)
    parser.add_argument("--months", type=int, default=16, help="more months hardly change what a row takes")
    arguments = parser.parse_args()
    settings = settings_from_environment()
    if not (settings.marts_dir / "releases").is_dir():
        print("error: no release is kept in the data folder; run `make refresh` first", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="inclusive-growth-capacity-") as name:
        measure_bucket(Path(name), settings)
        row_bytes = measure_rows(Path(name), arguments.areas, arguments.months)
    print_arithmetic(row_bytes)
    print_scored(settings)
    return 0


def measure_bucket(folder: Path, held: Settings) -> None:
    """What each kind of run asks of the bucket, by what is held in a data folder, which is copied first."""
    one, two = (Settings(folder / name, store_url=URL) for name in ("one", "two"))
    shutil.copytree(held.marts_dir, one.marts_dir, ignore=shutil.ignore_patterns("refresh.*", "report", ".*"))
    shutil.copytree(held.raw_dir, one.raw_dir, ignore=shutil.ignore_patterns("baseline"))
    with bucket_server(folder) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        log = folder / "s3.log"
        kept = len(list((one.marts_dir / "releases").iterdir()))
        print("| a run with the bucket | requests | bytes uploaded | bytes brought |")
        print("|---|---:|---:|---:|")
        report(log, server, f"the first, which uploads all answers and {kept} releases", lambda: work(one))
        report(log, server, "nothing new", lambda: work(one))
        report(log, server, "one new answer of a publisher, nothing published", lambda: work(one, b"x" * 1_000_000))
        report(log, server, "a new machine", lambda: work(two))


def work(settings: Settings, new: bytes = b"") -> None:
    with at_work(settings, URL) as shared:
        if new:
            put(settings.raw_dir, new)
    if shared.problems:
        raise SystemExit("\n".join(shared.problems))


def report(log: Path, server: BucketServer, what: str, run: Callable[[], None]) -> None:
    before, held = log.stat().st_size, bytes_held(server)
    run()
    with log.open("rb") as stream:
        stream.seek(before)
        asked = [line for line in stream if b"HTTP/1.1" in line]
    brought = sum(path.stat().st_size for path in (log.parent / "two").rglob("*") if path.is_file())
    print(f"| {what} | {len(asked)} | {bytes_held(server) - held:,} | {brought:,} |")


def bytes_held(server: BucketServer) -> int:
    found = server.filesystem().get_file_info(pyarrow.fs.FileSelector(BUCKET, recursive=True))
    return sum(info.size or 0 for info in found)


def measure_rows(folder: Path, areas: int, months: int) -> dict[str, float]:
    """Bytes a row takes in each form, of a made series of small areas that went through the pipeline."""
    data = folder / "small"
    with redirect_stderr(StringIO()):
        store(data, areas, months)
    command = [sys.executable, "-m", "pipeline", "small-areas", SERIES, "--offline", "--force"]
    environment = {**os.environ, "IG_DATA_DIR": str(data)}
    subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    (payload,) = (data / "raw" / "nomis" / "payloads").iterdir()
    published = data / "marts" / f"{SERIES}.duckdb"
    parquet = folder / "rows.parquet"
    with duckdb.connect(str(published), read_only=True) as connection:
        [(rows,)] = connection.execute("select count(*) from fct_small_area").fetchall()
        connection.execute(f"copy fct_small_area to '{parquet}' (format parquet, compression zstd)")
    sizes = {"as Nomis sends it": payload, "published DuckDB file": published, "Parquet": parquet}
    found = {name: path.stat().st_size / rows for name, path in sizes.items()}
    print(f"\n| a row of small areas, of {rows:,} | bytes |")
    print("|---|---:|")
    for name, size in found.items():
        print(f"| {name} | {size:.1f} |")
    return found


def print_arithmetic(row_bytes: dict[str, float]) -> None:
    areas = sum(SMALL_AREAS.values())
    rows = areas * (MONTHLY * MONTHS + YEARLY * YEARS)
    of_nomis = SMALL_AREAS["England and Wales"] * MONTHS
    print(f"\n{areas:,} small areas x ({MONTHLY} x {MONTHS} months + {YEARLY} x {YEARS} years) = {rows:,} rows")
    for name, size in row_bytes.items():
        print(f"* {name}: {rows * size / 1e9:.2f} GB")
    requests = -(-of_nomis // CELLS_A_REQUEST)
    print(
        f"* one monthly series from Nomis: {of_nomis:,} cells, {requests} requests, {requests / REQUESTS_A_SECOND:.0f} s"
    )
    print(
        f"* {COUNCILS} councils asking for it: {COUNCILS * requests:,} requests, {COUNCILS * of_nomis / 1e9:.1f} billion cells"
    )


def print_scored(settings: Settings) -> None:
    """What it would take to hold of each small area all that is held of a scored area today."""
    with duckdb.connect(str(settings.database), read_only=True) as connection:
        [(scored,)] = connection.execute("select count(distinct area_code) from mart_score").fetchall()
    newest = max((settings.marts_dir / "releases").iterdir(), key=lambda path: path.stat().st_mtime)
    parquet = sum(path.stat().st_size for path in newest.glob("*.parquet"))
    areas = sum(SMALL_AREAS.values())
    print(f"\nThe published file holds scores of {scored} areas; of {areas:,} areas the same would take")
    for name, size in (("published DuckDB file", settings.database.stat().st_size), ("Parquet", parquet)):
        print(f"* {name}: {size / 1e6:.1f} MB today, {size / scored * areas / 1e9:.1f} GB")


if __name__ == "__main__":
    sys.exit(main())
