"""Sources: rows of Nomis parsed and stored a second on one core, memory by pages, and a polite live refresh.

The rows are a stand-in's answer to a real query, repeated under new area codes until there are enough of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Measure
from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import NomisQuery
from pipeline.raw import RawStore, SnapshotKey
from pipeline.run.context import open_run
from pipeline.run.refresh import acquire_all
from pipeline.settings import Settings
from pipeline.sources import nomis
from pipeline.sources.base import Payload
from pipeline.sources.http import HttpClient, HttpResponse
from pipeline.tidy import nomis as tidy
from tests.standin.server import StandIn

ROWS = 600_000
PAGE_ROWS = nomis.PAGE_ROWS
HEADER = (
    "DATE,DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,GEOGRAPHY_TYPE,VARIABLE,VARIABLE_NAME,MEASURES,MEASURES_NAME,"
    "OBS_VALUE,OBS_STATUS,OBS_STATUS_NAME,RECORD_OFFSET,RECORD_COUNT"
)
QUERY = NomisQuery.model_validate(
    {
        "source": "nomis",
        "dataset": "NM_17_5",
        "geography": ["TYPE424"],
        "dates": {"from_year": 2004, "months": [12]},
        "dimensions": {"variable": {"code": 45, "name": "Employment rate - aged 16-64"}},
        "value_measure": 20599,
        "error_measure": 21003,
        "error_form": "half_width",
    }
)


def main() -> list[Measure]:
    return [*parse_and_store(), *memory_by_pages(), *polite_refresh()]


def rows(count: int, first: int = 0, limit: int | None = None) -> Iterator[str]:
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


def payload(count: int) -> Payload:
    header = ",".join(f'"{name}"' for name in HEADER.split(","))
    content = "\n".join([header, *rows(count), ""]).encode()
    return Payload(content, "text/csv", "http://127.0.0.1/", {}, datetime.now(UTC), 200, {}, row_count=count)


def parse_and_store() -> list[Measure]:
    """Storing with its hash and the flush to disk, and parsing the stored file into figures, the best of three runs."""
    seconds = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            sent = payload(ROWS)
            began = time.process_time()
            key = SnapshotKey("nomis", "employment_rate", "main", QUERY.model_dump(mode="json"))
            snapshot = RawStore(Path(folder)).put(key, sent, licence="OGL-UK-3.0", code_version="bench")
            parsed = tidy.parse(snapshot.path, QUERY)
            seconds.append(time.process_time() - began)
    assert len(parsed.figures) == ROWS / 2
    return [Measure("Nomis rows parsed and stored a second a core", ROWS / min(seconds), "rows/s", at_least=300_000)]


class _Pages(HttpClient):
    """A client that gives pages of made rows without a network, so that memory is the adapter's own."""

    def __init__(self, count: int) -> None:
        super().__init__(load_catalogue().sources, Settings(data_dir=Path()))
        self._count = count

    def get(self, source_id: str, path_or_url: str, params: object = None, **_: object) -> HttpResponse:  # type: ignore[override]
        if "time.def" in path_or_url:
            codes = [{"value": f"{year}-12", "description": {"value": ""}} for year in range(2004, 2024)]
            text = json.dumps({"structure": {"codelists": {"codelist": [{"code": codes}]}}})
            return HttpResponse(text.encode(), 200, {}, path_or_url, {})
        if path_or_url.endswith(".json"):
            return HttpResponse(b'{"structure": {}}', 200, {}, path_or_url, {})
        assert isinstance(params, dict)
        offset = int(params["RecordOffset"])
        header = ",".join(f'"{name}"' for name in HEADER.split(","))
        lines = [header, *rows(self._count, offset, PAGE_ROWS)]
        return HttpResponse(("\n".join(lines) + "\n").encode(), 200, {}, path_or_url, dict(params))


def memory_by_pages() -> list[Measure]:
    """Peak memory of fetching and storing few pages and many, each in a process of its own: it must not grow with them."""
    few, many = (peak_of_process(pages) for pages in (4, 40))
    return [
        Measure("peak memory of fetching and storing 4 pages", few, "MB"),
        Measure("peak memory of fetching and storing 40 pages", many, "MB"),
        Measure("memory grown for each further page", (many - few) / 36, "MB", at_most=0.5),
    ]


def peak_of_process(pages: int) -> float:
    """``peak_of`` in a new process, in MB."""
    code = f"from benchmarks.bench_sources import peak_of; print(peak_of({pages}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return float(ran.stdout)


def peak_of(pages: int) -> float:
    """The peak of this process in MB for so many pages fetched, proved complete and stored."""
    key = SnapshotKey("nomis", "employment_rate", "main", QUERY.model_dump(mode="json"))
    with tempfile.TemporaryDirectory() as folder, _Pages(pages * PAGE_ROWS) as client:
        sent = nomis.fetch(QUERY, client)
        snapshot = RawStore(Path(folder)).put(key, sent, licence="OGL-UK-3.0", code_version="bench")
        assert sent.row_count == pages * PAGE_ROWS
        assert snapshot.path.stat().st_size == sent.byte_count
    return _peak_in_megabytes()


def _peak_in_megabytes() -> float:
    """Linux keeps the parent's peak in rusage across a spawn, so its own note of this process is read where there is one."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def polite_refresh() -> list[Measure]:
    """Every part from the stand-in at the publishers' pace, then again with nothing changed."""
    measures = []
    with StandIn() as standin, tempfile.TemporaryDirectory() as folder:
        for what in ("a first live run", "a live run without news"):
            before, began = standin.count(), time.perf_counter()
            context = open_run(Settings(data_dir=Path(folder), base_urls=standin.base_urls), draws=0)
            acquire_all(context)
            context.client.close()
            asked, seconds = standin.count() - before, time.perf_counter() - began
            measures += [
                Measure(f"requests of {what}", asked, "requests"),
                Measure(f"fetching and checking in {what}", seconds, "s"),
            ]
        at_pace = measures[0].value / 2  # two requests a second; the stand-in is one host for all four publishers
        measures.append(Measure("of which the publishers' pace alone", at_pace, "s"))
    return measures
