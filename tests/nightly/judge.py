"""What stands in a data folder after a night, read without the pipeline's own readers, and held against the ledger."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb

from pipeline.catalogue import Catalogue
from tests.nightly.publishers import Delivered, Series, series_of

Figures = Mapping[tuple[str, str, str], float]  # (indicator, area, first day of the period) to value

_FIGURES = """
select indicator_id::varchar, area_code::varchar, period_start::varchar, value
from fct_observation
join dim_indicator using (indicator_id)
where level = 'district' and geography_rule = 'as_published' and value is not null and source_id in ('ons_els', 'nomis')
    and not is_computed
"""


@dataclass(frozen=True)
class Published:
    """The published file as any reader finds it."""

    version: str
    districts: frozenset[str]
    figures: Figures
    profile_columns: frozenset[str]


def read(database: Path) -> Published:
    """Read the file, every table to its last row. Raises duckdb.Error when it is not whole."""
    with duckdb.connect(str(database), read_only=True) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"select count(*), max(hash(t)) from {table} as t").fetchall()
        versions = connection.execute("select release_version from meta_release order by released_at desc").fetchall()
        districts = connection.execute("select area_code::varchar from mart_area_profile").fetchall()
        columns = connection.execute("describe mart_area_profile").fetchall()
        rows = connection.execute(_FIGURES).fetchall()
    return Published(
        version=versions[0][0],
        districts=frozenset(code for (code,) in districts),
        figures={(indicator, area, day): value for indicator, area, day, value in rows},
        profile_columns=frozenset(name for name, *_ in columns),
    )


def expected_figures(
    catalogue: Catalogue, delivered: Mapping[Series, Delivered], districts: frozenset[str]
) -> dict[tuple[str, str, str], float]:
    """What publishers gave of today's districts, by indicator."""
    return {
        (indicator.id, area, day): value
        for indicator in catalogue.collected
        for part in indicator.parts
        if part.live and series_of(part.live[0]) in delivered
        for (area, day), value in delivered[series_of(part.live[0])].cells.items()
        if area in districts
    }


def differences(expected: Figures, found: Figures) -> list[str]:
    """Figures that are in the file and were not given, were given and are not in the file, or are otherwise."""
    wrong = [key for key, value in found.items() if expected.get(key) != value]
    lost = [key for key in expected if key not in found]
    told = [f"{key}: the file has {found[key]}, the publisher gave {expected.get(key)}" for key in wrong[:3]]
    told += [f"{key}: the publisher gave {expected[key]}, the file has nothing" for key in lost[:3]]
    return [f"{len(wrong)} figures wrong, {len(lost)} lost: {'; '.join(told)}"] if told else []


def unnamed(report: Mapping[str, Any], catalogue: Catalogue, faulty: Iterable[Series]) -> list[str]:
    """Faulty series of which the run report has no word."""
    said = " ".join([*report["failures"], *report["sources_unreachable"]])
    found = []
    for series in faulty:
        users = [i.id for i in catalogue.collected for p in i.parts if p.live and series_of(p.live[0]) == series]
        source = "ons_els" if series.startswith("ELS") else "nomis"
        if users and not any(name in said for name in (*users, f"{source}: ")):
            found.append(f"nobody is told that {series} failed")
    return found


def held_too_much(raw: Path, keep: int) -> list[str]:
    """Queries of which more answers are kept than the policy says, good or rejected."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in [*raw.glob("*/*/*.json"), *raw.glob("*/*/rejected/*.json")]:
        sidecar = json.loads(path.read_text(encoding="utf-8"))
        counts[str(path.parent), sidecar["query_fingerprint"] + sidecar["part_id"]] += 1
    return [f"{folder}: {count} answers of one query are held" for (folder, _), count in counts.items() if count > keep]


def baseline_used(report: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Parts with a live source for which the figures shipped with the project had to do: their last good answer is lost."""
    asked = {(i.id, p.id) for i in catalogue.collected for p in i.parts if p.live}
    return [
        f"{part['indicator_id']} ({part['part_id']}): the last good answer is lost"
        for part in report["parts"]
        if (part["indicator_id"], part["part_id"]) in asked and part["tier"] not in ("live", "snapshot")
    ]


def holding(folder: Path, secret: str) -> list[Path]:
    """Files below ``folder`` that hold the secret in their name or bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if secret in str(path) or secret.encode() in path.read_bytes()]


class Reader:
    """Another process that opens the published file again and again, all through the nights."""

    def __init__(self, database: Path) -> None:
        context = get_context("spawn")
        self._stop, self._found = context.Event(), context.Queue()
        self._process = context.Process(target=_read_on, args=(database, self._stop, self._found), daemon=True)

    def start(self) -> None:
        self._process.start()

    def stop(self) -> tuple[int, list[str]]:
        """How often the file was read, and a line for each time it could not be."""
        self._stop.set()
        reads, errors = self._found.get(timeout=60)
        self._process.join(timeout=60)
        return reads, errors


def _read_on(database: Path, stop: Any, found: Any) -> None:
    reads, errors = 0, []
    for _ in _until(stop):
        try:
            with duckdb.connect(str(database), read_only=True) as connection:
                connection.execute("select count(*), sum(value), max(hash(t)) from fct_observation as t").fetchall()
                reads += 1
        except duckdb.Error as error:
            errors.append(str(error)[:300])
    found.put((reads, errors))


def _until(stop: Any) -> Iterator[None]:
    while not stop.is_set():
        yield
        time.sleep(0.5)
