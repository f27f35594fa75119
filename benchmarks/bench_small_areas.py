"""5.6 million rows from the raw store to a published file: 35,000 small areas x 160 months, by the command a person gives.

The payload is made in Nomis's own form and put into a raw store first; that is not timed. The peer is the least that
could be done with the same bytes: DuckDB reads the CSV and writes one table of codes, dates and numbers, nothing checked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.case import measure_commands
from benchmarks.measure import Figure, Limit
from benchmarks.timing import run_command
from benchmarks.workshop import PYTHON, Workshop

SERIES = "claimants_by_small_area"
AREAS, MONTHS, MONTHS_QUICK = 35_000, 160, 8
MOST_SECONDS, MOST_MEGABYTES = 30, 3000
BARE = """
create table figure as
select GEOGRAPHY_CODE, (DATE || '-01')::date as month, OBS_VALUE::double as value
from read_csv('{source}', header = true, all_varchar = true)
"""


def measure(workshop: Workshop) -> Iterator[Figure]:
    months = MONTHS_QUICK if workshop.quick else MONTHS
    run_command([PYTHON, "-m", "benchmarks.bench_small_areas", "store", str(workshop.folder), str(AREAS), str(months)])
    [payload] = (workshop.folder / "raw" / "nomis" / "payloads").glob("*.csv")
    bare = workshop.folder / "bare.duckdb"
    yield measure_commands(
        "small-areas",
        f"{AREAS:,} small areas x {months} months ({AREAS * months / 1e6:.2g} million rows) from raw to mart",
        lambda: workshop.pipeline("small-areas", SERIES, "--offline", "--force"),
        lambda: run_command([PYTHON, "-m", "benchmarks.bench_small_areas", "bare", str(payload), str(bare)]),
        peer_title="DuckDB alone reads the CSV into one table, unchecked",
        command="python -m benchmarks small-areas",
        repeats=1 if workshop.quick else 2,
        limits=(Limit(at_most=MOST_SECONDS), Limit(at_most=MOST_MEGABYTES, of="peak")),
        warm_up=False,
        note=f"`python -m pipeline small-areas {SERIES} --offline --force` on a payload of {payload.stat().st_size / 1e9:.2g} GB: "
        "its digest proved, every line parsed, every figure checked, every row accounted for, marts built and checked.",
    )
    payload.unlink()
    bare.unlink()


def store(folder: Path, areas: int, months: int) -> None:
    """Put the made payload into the raw store of a data folder."""
    from benchmarks.made import store_small_areas
    from pipeline.catalogue.small_area_series import load_small_areas

    store_small_areas(folder / "raw", load_small_areas()[SERIES], areas, months)


def read_barely(source: Path, target: Path) -> None:
    """The payload into one table, by DuckDB alone."""
    import duckdb

    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute(BARE.format(source=source))


if __name__ == "__main__":
    if sys.argv[1] == "store":
        store(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        read_barely(Path(sys.argv[2]), Path(sys.argv[3]))
