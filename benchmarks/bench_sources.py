"""Sources: each publisher's parser on a payload in its own form, beside a bare read of the same bytes; memory by pages.

Payloads come from the stand-in's answers to the catalogue's own queries; those of the indices of deprivation only
where the publishers' files are at hand. Nothing here keeps the publishers' pace: a first live run makes some 240
requests, which at two a second take 120 seconds whatever the code does (``make demo-live ARGS=--polite``).
"""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.case import Case, work
from benchmarks.made import EMPLOYMENT_HEADER, employment_csv, employment_rows
from benchmarks.measure import Limit
from benchmarks.timing import peak_of_this_process
from pipeline.catalogue import load_catalogue
from pipeline.http.client import HttpClient
from pipeline.http.payload import Payload
from pipeline.http.response import HttpResponse
from pipeline.publishers.nomis import fetch as nomis
from pipeline.publishers.nomis import parse as tidy_nomis
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.publishers.registry import publisher_of
from pipeline.raw import RawStore, SnapshotKey
from pipeline.run.context import Run, open_run
from pipeline.run.payload_checks import accept, accept_shipped
from pipeline.settings import Settings
from tests.standin.figures import SHARED_DATA
from tests.standin.server import StandIn

ROWS, ROWS_QUICK = 600_000, 60_000
PAGE_ROWS = nomis.PAGE_ROWS
FEW_PAGES, MANY_PAGES = 4, 40
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
# Indicator and part to ask the stand-in for, by source; and how the same bytes are read without a thought.
ASKED: dict[str, tuple[str, str, str]] = {
    "ons_els": ("gdhi_per_head", "main", "Explore Local Statistics API, CSV"),
    "nomis": ("pay_annual_p90", "main", "Nomis, CSV in eight pages"),
    "govuk": ("imd_average_score", "iod2025", "GOV.UK, File 7 of the English index, CSV"),
    "gov_wales": ("wimd_most_deprived_tenth", "", "gov.wales, WIMD 2025, .ods"),
    "gov_scot": ("income_deprivation_gap", "scotland_2020", "gov.scot, SIMD 2020, .xlsx"),
    "nisra": ("income_deprivation_gap", "northern_ireland_2017", "NISRA, NIMDM 2017, .xls"),
}
OF_DEPRIVATION = ("govuk", "gov_wales", "gov_scot", "nisra")


def accepting(source_id: str) -> Callable[[bool], dict[str, Any]]:
    """What ``accept`` is given for one source: a payload of the stand-in's, and its part of the catalogue."""

    def make(quick: bool) -> dict[str, Any]:
        context = open_run(Settings(Path(tempfile.gettempdir()) / "benchmark-none"), draws=0)
        indicator_id, part_id, _ = ASKED[source_id]
        indicator = context.inputs.catalogue.indicators[indicator_id]
        part = next((part for part in indicator.parts if part.id == part_id), indicator.parts[-1])
        [query, *_] = [query for query in part.live if query.source == source_id]
        with StandIn() as standin:
            settings = Settings(context.settings.data_dir, base_urls=standin.base_urls)
            client = HttpClient(context.inputs.catalogue.sources, settings, throttle=False)
            payload = publisher_of(query).fetch(query, client)
            body = payload.content
            client.close()
        # In memory, since what was last read of a file is kept, and would be read once for all runs.
        payload = dataclasses.replace(payload, body=body)
        return {"inputs": context.inputs, "indicator": indicator, "part": part, "query": query, "payload": payload}

    return make


def accepted(given: dict[str, Any]) -> None:
    inputs, entry = given["inputs"], (given["indicator"], given["part"])
    if given["query"] is None:
        accept_shipped(inputs.register, *entry, given["payload"])
    else:
        accept(inputs.catalogue.sources, inputs.register, *entry, given["query"], given["payload"])


def read_bare(given: dict[str, Any]) -> int:
    """The same bytes by pandas' own reader: CSV, the sheets of a workbook, or Parquet; returns how many rows they hold."""
    payload: Payload = given["payload"]
    match payload.media_type:
        case "text/csv":
            return len(pd.read_csv(io.BytesIO(payload.content), encoding_errors="replace"))
        case "application/vnd.apache.parquet":
            return len(pd.read_parquet(io.BytesIO(payload.content)))
        case _:
            sheets = pd.read_excel(io.BytesIO(payload.content), sheet_name=None, engine="calamine")
            return sum(map(len, sheets.values()))


def of_rows(given: dict[str, Any]) -> float:
    """Rows of the payload, in all its sheets."""
    if "rows" not in given:
        given["rows"] = read_bare(given)
    return float(given["rows"])


def baseline_part(quick: bool) -> dict[str, Any]:
    context: Run = open_run(Settings(Path(tempfile.gettempdir()) / "benchmark-none"), offline=True, draws=0)
    indicator = context.inputs.catalogue.indicators["employment_rate"]
    part = indicator.parts[0]
    payload = context.stores.baseline.payload(indicator.id, part.id)
    return {"inputs": context.inputs, "indicator": indicator, "part": part, "query": None, "payload": payload}


def payload_of(content: bytes) -> Payload:
    return Payload(content, "text/csv", "http://127.0.0.1/", {}, datetime.now(UTC), 200, {})


def employment(quick: bool) -> dict[str, Any]:
    rows = ROWS_QUICK if quick else ROWS
    return {"payload": payload_of(employment_csv(rows)), "rows": rows}


def parse_and_store(given: dict[str, Any]) -> None:
    """Storing with its hash and the flush to disk, and parsing the stored file into figures."""
    key = SnapshotKey("nomis", "employment_rate", "main", QUERY.model_dump(mode="json"))
    with tempfile.TemporaryDirectory() as folder:
        snapshot = RawStore(Path(folder)).put(key, given["payload"], licence="OGL-UK-3.0", code_version="bench")
        parsed = tidy_nomis.parse(snapshot.path, QUERY)
    if len(parsed.figures) != given["rows"] / 2:
        raise AssertionError(f"{len(parsed.figures):,} figures of {given['rows']:,} rows of values and errors")


def case_of(source_id: str) -> Case:
    return Case(
        id=f"parse-{source_id}",
        title=f"{ASKED[source_id][2]}: parsed and checked",
        prepare=accepting(source_id),
        ours=accepted,
        peer=read_bare,
        peer_title="pandas reads the same bytes",
        unit="rows/s",
        is_rate=True,
        amount=of_rows,
    )


def at_hand() -> list[str]:
    """The sources of which the stand-in has a payload in a clone like this one."""
    has_files = (SHARED_DATA / "deprivation").is_dir()
    return [source_id for source_id in ASKED if has_files or source_id not in OF_DEPRIVATION]


CASES = (
    Case(
        id="nomis-parse-and-store",
        title="Nomis, 600,000 made rows: stored and parsed",
        prepare=employment,
        ours=parse_and_store,
        peer=read_bare,
        peer_title="pandas reads the same bytes",
        unit="rows/s",
        is_rate=True,
        amount=of_rows,
        limits=(Limit(at_least=300_000),),
    ),
    *(case_of(source_id) for source_id in at_hand()),
    Case(
        id="parse-baseline",
        title="Shipped baseline, Parquet: parsed and checked",
        prepare=baseline_part,
        ours=accepted,
        peer=read_bare,
        peer_title="pandas reads the same bytes",
        unit="rows/s",
        is_rate=True,
        amount=of_rows,
    ),
)


class _Pages(HttpClient):
    """A client that gives pages of made rows without a network, so that memory is the adapter's own."""

    def __init__(self, count: int) -> None:
        super().__init__(load_catalogue().sources, Settings(data_dir=Path()))
        self._count = count

    def get(self, source_id: str, path_or_url: str, params: object = None, **_: object) -> HttpResponse:
        if "time.def" in path_or_url:
            codes = [{"value": f"{year}-12", "description": {"value": ""}} for year in range(2004, 2024)]
            text = json.dumps({"structure": {"codelists": {"codelist": [{"code": codes}]}}})
            return HttpResponse(text.encode(), 200, {}, path_or_url, {})
        if path_or_url.endswith(".json"):
            return HttpResponse(b'{"structure": {}}', 200, {}, path_or_url, {})
        if not isinstance(params, dict):
            raise TypeError(f"pages are asked for with parameters, not with {params!r}")
        offset = int(params["RecordOffset"])
        header = ",".join(f'"{name}"' for name in EMPLOYMENT_HEADER.split(","))
        lines = [header, *employment_rows(self._count, offset, PAGE_ROWS)]
        return HttpResponse(("\n".join(lines) + "\n").encode(), 200, {}, path_or_url, dict(params))


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
        if sent.row_count != pages * PAGE_ROWS or snapshot.path.stat().st_size != sent.byte_count:
            raise AssertionError(f"{sent.row_count} rows and {sent.byte_count} bytes came of {pages} pages")
    return peak_of_this_process()


if __name__ == "__main__":
    if sys.argv[1] == "pages":
        print(json.dumps(peak_of(int(sys.argv[2]))))
    else:
        work("sources", CASES, sys.argv[1:])
