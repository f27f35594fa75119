"""The ELS API as WIRE_FORMATS section 2 describes it, in either generation, for CSV and metadata."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable

from pipeline.tidy.observations import parse_period
from tests.standin.exchange import Reply, Request, html_reply, json_reply
from tests.standin.figures import Cell, Figures, Table

PREFIX = "/explore-local-statistics/api/v1"
LEVELS = {
    "ctry": ("K02", "E92", "N92", "S92", "W92"),
    "rgn": ("E12", "N92", "S92", "W92"),
    "cauth": ("E47",),
    "utla": ("E10", "E06", "E08", "E09", "N09", "S12", "W06"),
    "ltla": ("E06", "E07", "E08", "E09", "N09", "S12", "W06"),
}
SINGLE_KEYS = frozenset(
    [
        "geo",
        "geoExtent",
        "geoCluster",
        "hasGeo",
        "time",
        "timeNearest",
        "measure",
        "includeNames",
        "includeStatus",
        "dimension_sex",
        "dimension_age",
    ]
)
DATA_KEYS = SINGLE_KEYS | {"topic", "indicator", "excludeMultivariate"}
NOT_SPOKEN = frozenset(["geoExtent", "geoCluster", "hasGeo", "timeNearest", "dimension_sex", "dimension_age", "topic"])
METADATA_KEYS = frozenset(["indicator", "topic", "excludeMultivariate", "hasGeo", "hasYear", "fullDims", "asLookup"])
FORMATS = ("json", "xlsx", "csv", "csvw", "cols.json", "rows.json")
INVALID_PARAMETERS = "Request contained invalid or duplicate parameters."
NO_DATA = "No data available for the selected filters."


class ElsService:
    """``generation`` is "A" (up to mid 2026) or "B" (September 2026)."""

    def __init__(self, figures: Figures, generation: str = "B") -> None:
        self._figures = figures
        self._generation = generation

    def answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(PREFIX)
        if path.endswith("/"):
            return Reply(308, b"", {"location": request.path.rstrip("/") + request.target[len(request.path) :]})
        single = re.fullmatch(r"/data/([^/.]+)\.([a-z.]+)", path) if self._generation == "B" else None
        grouped = re.fullmatch(r"/data\.([a-z.]+)", path)
        if single or grouped:
            if request.method not in ("GET", "HEAD"):
                return Reply(405, f"{request.method} method not allowed".encode(), {"allow": "GET, HEAD"})
            return self._data(request, single[1], single[2]) if single else self._grouped(request, grouped[1])  # type: ignore[index]
        if path == "/metadata/indicators":
            return self._all_metadata(request)
        described = re.fullmatch(r"/metadata/indicators/([^/]+)", path)
        if described:
            return self._metadata(request, described[1])
        return html_reply(404)  # an unknown route is HTML even for Accept: */*

    # --- metadata ---------------------------------------------------------------------------------------------------

    def _all_metadata(self, request: Request) -> Reply:
        if not _is_strictly(request, METADATA_KEYS):
            return _error(request, 400, INVALID_PARAMETERS)
        if not request.query and (recorded := self._figures.recorded_metadata()) is not None:
            return Reply(200, recorded, {"content-type": "application/json"})
        wanted = dict(request.query).get("indicator", "all").split(",")
        return json_reply([m for m in self._figures.metadata() if wanted == ["all"] or m["slug"] in wanted])

    def _metadata(self, request: Request, slug: str) -> Reply:
        if not _is_strictly(request, METADATA_KEYS):
            return _error(request, 400, INVALID_PARAMETERS)
        for described in self._figures.metadata():
            if described["slug"] == slug:
                return json_reply(described)
        return _error(request, 404, f'Indicator "{slug}" not found.')

    # --- data -------------------------------------------------------------------------------------------------------

    def _grouped(self, request: Request, suffix: str) -> Reply:
        query = dict(request.query)
        slugs = query.get("indicator", "all").split(",")
        is_wide = query.get("time", "latest") == "all" and query.get("geo", "all") in ("all", "ltla", "utla")
        if _is_strictly(request, DATA_KEYS) and is_wide and (slugs == ["all"] or len(slugs) > 20):
            return _error(request, 400, "Too much data requested. Try narrowing your parameters.")
        return self._data(request, ",".join(slugs), suffix)

    def _data(self, request: Request, indicator: str, suffix: str) -> Reply:
        is_single_route = request.path != f"{PREFIX}/data.{suffix}"
        if suffix not in FORMATS:
            message = f'Requested data format "{suffix}" not found. Only {", ".join(FORMATS)} available.'
            return _error(request, 404, message)
        if not _is_strictly(request, SINGLE_KEYS if is_single_route else DATA_KEYS):
            return _error(request, 400, INVALID_PARAMETERS)
        query = dict(request.query)
        if suffix != "csv" or NOT_SPOKEN & query.keys():
            return _error(
                request, 501, "The stand-in speaks data.csv with geo, time, measure, includeNames, includeStatus."
            )
        tables = []
        for slug in indicator.split(","):
            try:
                tables.append(self._figures.table(slug))
            except KeyError:
                if is_single_route:
                    return _error(request, 404, f'Indicator "{slug}" not found.')
        if query.get("measure", "all") not in ("all", "value"):
            return self._nothing(request, is_single_route)
        geo = query.get("geo", "all")
        is_in_geo = _geo_filter(geo.upper() if self._generation == "B" and geo.upper() != geo else geo)
        try:
            rows = [self._rows(table, is_in_geo, query) for table in tables]
        except _BadTimeError as bad:
            return _error(request, bad.status, bad.message)
        if not any(rows):
            return self._nothing(request, is_single_route)
        with_indicator = len(tables) > 1 or (self._generation == "B" and not is_single_route)
        return Reply(200, _csv(tables, rows, query, with_indicator))  # the application sends no content type for CSV

    def _nothing(self, request: Request, is_single_route: bool) -> Reply:
        if self._generation == "A" or "measure" in dict(request.query):
            return _error(request, 400, NO_DATA)
        return Reply(200, b"" if is_single_route else b"indicator,areacd,areanm,period,value")

    def _rows(
        self, table: Table, is_in_geo: Callable[[str], bool], query: dict[str, str]
    ) -> list[tuple[str, str, Cell]]:
        """(area, period, cell) by area and period. A cell nobody filled in is in no answer."""
        periods = _chosen_periods({period for _, period in table.cells}, query.get("time", "latest"), self._generation)
        return [
            (area, period, cell)
            for (area, period), cell in sorted(table.cells.items(), key=lambda item: item[0])
            if is_in_geo(area) and period in periods and (cell.value is not None or cell.mark)
        ]


def _is_strictly(request: Request, accepted: frozenset[str]) -> bool:
    keys = [name for name, _ in request.query]
    return len(keys) == len(set(keys)) and set(keys) <= accepted


def _error(request: Request, status: int, message: str) -> Reply:
    """JSON when Accept admits it; no Accept header, text/html or text/csv get an HTML page with the same status."""
    accept = request.accept or ""
    if "*/*" in accept or "application/json" in accept:
        return json_reply({"message": message}, status)
    return html_reply(status)


def _geo_filter(geo: str) -> Callable[[str], bool]:
    if geo in ("all", "ALL"):
        return lambda area: True
    parts = geo.split(",")
    prefixes = tuple(prefix for part in parts for prefix in LEVELS.get(part.lower(), ()))
    codes = frozenset(parts)
    return lambda area: area in codes or area[:3] in prefixes


class _BadTimeError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def _chosen_periods(periods: set[str], time: str, generation: str) -> set[str]:
    ordered = sorted(periods)
    if time == "all":
        return periods
    bounds = time.split(",")
    if len(bounds) == 1 and bounds[0] not in ("latest", "earliest"):
        first, last = _day_span(bounds[0], generation)
        found = [p for p in ordered if _contains(p, first, last)]
        return set(found[-1:])
    starts = {period: parse_period(period).start for period in ordered}
    ends = [
        (starts[ordered[-1]],) * 2
        if b == "latest"
        else (starts[ordered[0]],) * 2
        if b == "earliest"
        else _day_span(b, generation)
        for b in bounds
    ]
    return {period for period in ordered if ends[0][0] <= starts[period] <= ends[-1][1]}


def _day_span(text: str, generation: str) -> tuple[dt.date, dt.date]:
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if match is None:
        raise _BadTimeError(400, "Invalid time period requested.")
    if not 1990 <= int(match[1]) <= 2030:
        raise _BadTimeError(400, "Request contained invalid time period.")
    try:
        first = dt.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        if match[3]:
            return first, first
        after = dt.date(first.year + (not match[2] or first.month == 12), first.month % 12 + 1 if match[2] else 1, 1)
    except ValueError:
        raise _BadTimeError(
            *((500, "Internal Error") if generation == "A" else (400, "Invalid time period requested."))
        ) from None
    return first, after - dt.timedelta(days=1)


def _contains(period: str, first: dt.date, last: dt.date) -> bool:
    span = parse_period(period)
    if "/" in period:
        return span.start <= last and first <= span.end
    return first <= span.start <= last


def _csv(
    tables: list[Table], rows: list[list[tuple[str, str, Cell]]], query: dict[str, str], with_indicator: bool
) -> bytes:
    with_names = query.get("includeNames", "true") == "true"
    with_status = query.get("includeStatus", "false") == "true"
    with_intervals = query.get("measure", "all") == "all" and any(table.has_intervals for table in tables)
    header = [
        *(["indicator"] if with_indicator else []),
        "areacd",
        *(["areanm"] if with_names else []),
        "period",
        "value",
        *(["lci_95", "uci_95"] if with_intervals else []),
        *(["status"] if with_status else []),
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for table, cells in zip(tables, rows, strict=True):
        for area, period, cell in cells:
            if cell.value is None and not with_status:
                continue
            writer.writerow(
                [
                    *([table.metadata["label"]] if with_indicator else []),
                    area,
                    *([table.names[area]] if with_names else []),
                    period,
                    *_numbers([cell.value, cell.lower, cell.upper] if with_intervals else [cell.value]),
                    *([cell.mark] if with_status else []),
                ]
            )
    text = out.getvalue()
    return b"" if text.count("\n") == 1 else text.rstrip("\n").encode()  # no final newline; nothing at all without rows


def _numbers(values: Iterable[float | None]) -> list[str]:
    """As JavaScript prints them: no trailing zeros, no rounding."""
    return ["" if value is None else repr(value).removesuffix(".0") for value in values]
