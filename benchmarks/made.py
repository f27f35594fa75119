"""Made figures of any size in the publishers' own wire form, for benchmarks and for tests of large inputs.

No figure in here is anybody's: they are drawn from a seeded generator, or follow from the row's number.
"""

from __future__ import annotations

import calendar
import hashlib
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pipeline.catalogue.small_area_series import SmallAreaSeries
from pipeline.http.payload import Page, Payload, StoredFile
from pipeline.publishers.nomis.fetch import PAGE_ROWS
from pipeline.raw import RawStore, Snapshot, SnapshotKey

FIRST_YEAR = 2013  # of claimants by small area
PLACES = ("Oldham", "Allerdale", "Cardiff", "Hartlepool", "Leeds", "Mendip", "Barnsley", "Bristol, City of")
AREAS_OF_A_PLACE = 400
NOTHING = hashlib.sha256(b"").hexdigest()  # in place of the digest of a page that was never sent
_HEADER = (
    "DATE,DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,GEOGRAPHY_TYPE,GENDER,GENDER_NAME,AGE,AGE_NAME,MEASURE,MEASURE_NAME,"
    "MEASURES,MEASURES_NAME,OBS_VALUE,OBS_STATUS,OBS_STATUS_NAME,RECORD_OFFSET,RECORD_COUNT"
)
_KIND = '"2011 super output areas - lower layer",0,"Total",0,"All categories: Age 16+",1,"Claimant count",20100,"value"'


def small_area_months(areas: int, months: int) -> Iterator[bytes]:
    """A header line, then for each month the lines of all areas, as Nomis words claimants by small area.

    Counts are multiples of five, as Nomis rounds them.
    """
    yield (",".join(f'"{name}"' for name in _HEADER.split(",")) + "\n").encode()
    named = [
        f'"{PLACES[number // AREAS_OF_A_PLACE % len(PLACES)]} {number % 1000:03d}A","E01{number:06d}",{_KIND}'
        for number in range(areas)
    ]
    usual = np.random.default_rng(1).gamma(2.0, 15.0, areas)
    total = areas * months
    for month in range(months):
        year, of_year = FIRST_YEAR + month // 12, month % 12
        date = f'"{year}-{of_year + 1:02d}","{calendar.month_name[of_year + 1]} {year}",'
        counts = (5 * np.rint(usual * (1 + 0.3 * math.sin(month / 9)) / 5)).astype(int).tolist()
        lines = [
            f'{date}{name},{count},"A","Normal Value",{offset},{total}\n'
            for offset, (name, count) in enumerate(zip(named, counts, strict=True), month * areas)
        ]
        yield "".join(lines).encode()


def store_small_areas(root: Path, series: SmallAreaSeries, areas: int, months: int) -> Snapshot:
    """Put such a table into a raw store as one payload in a file, with the record of the pages it would have come in."""
    spool = root / "spool.csv"
    root.mkdir(parents=True, exist_ok=True)
    digest, byte_count = hashlib.sha256(), 0
    with spool.open("wb") as stream:
        for block in small_area_months(areas, months):
            stream.write(block)
            digest.update(block)
            byte_count += len(block)
    rows = areas * months
    pages = [
        Page("http://127.0.0.1/", {"RecordOffset": str(start)}, 200, {}, NOTHING, 0, min(PAGE_ROWS, rows - start))
        for start in range(0, rows, PAGE_ROWS)
    ]
    payload = Payload(
        body=StoredFile(spool, digest.hexdigest(), byte_count),
        media_type="text/csv",
        url="http://127.0.0.1/",
        parameters={},
        fetched_at=datetime.now(UTC),
        http_status=200,
        headers={},
        row_count=rows,
        pages=tuple(pages),
    )
    key = SnapshotKey(series.query.source, series.id, "main", series.query.model_dump(mode="json"))
    snapshot = RawStore(root).put(key, payload, licence=series.licence, code_version="made for a benchmark")
    spool.unlink()
    return snapshot


EMPLOYMENT_HEADER = (
    "DATE,DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,GEOGRAPHY_TYPE,VARIABLE,VARIABLE_NAME,MEASURES,MEASURES_NAME,"
    "OBS_VALUE,OBS_STATUS,OBS_STATUS_NAME,RECORD_OFFSET,RECORD_COUNT"
)


def employment_rows(count: int, first: int = 0, limit: int | None = None) -> Iterator[str]:
    """Lines of a table of ``count`` as Nomis words them: areas x 20 years x value and error, different in every value."""
    kind = '"local authorities: district / unitary (as of April 2023)"'
    for number in range(first, count if limit is None else min(count, first + limit)):
        area, rest = divmod(number, 40)
        year, is_error = 2004 + rest // 2, rest % 2
        value = f"{2 + number % 40 / 10:.1f}" if is_error else f"{60 + number % 250 / 10:.1f}"
        measure = '"21003","Confidence"' if is_error else '"20599","Variable"'
        yield (
            f'"{year}-12","Jan {year}-Dec {year}","Place {area}","E{area + 7000001:08d}",{kind},"45",'
            f'"Employment rate - aged 16-64",{measure},{value},"A","Normal Value",{number},{count}'
        )


def employment_csv(count: int) -> bytes:
    """All such lines under their header."""
    header = ",".join(f'"{name}"' for name in EMPLOYMENT_HEADER.split(","))
    return "\n".join([header, *employment_rows(count), ""]).encode()
