"""The ONS Open Geography portal: names, codes, lookups and, for maps, boundaries of local authority districts.

The portal is an ArcGIS server (WIRE_FORMATS section 4). Service names follow no rule from year to year, so each table
has a list of names, newest first. The payload's ``edition`` is the one that answered. Errors come with status 200 and
an ``error`` object. Answers are cut at the server's page size and say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.http.answers import page_of
from pipeline.http.bodies import inside, json_of, mappings
from pipeline.http.payload import Incomplete, Page, Payload, RequestRefused, WrongContent

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.response import HttpResponse

SOURCE_ID = "open_geography"
PAGE_ROWS = 2000  # the portal's usual limit; a server with a lower one says that there are more rows
MAX_PAGES = 100
MOST_TIMES_EXPECTED = 10  # a service with more rows is not that table, and would fill memory
_GSS_CODE = re.compile(r"[A-Z][0-9]{8}")


@dataclass(frozen=True)
class PortalTable:
    """One table of the portal, by its names over time.

    ``services`` are names of feature services, newest first, with the layer unless it is 0 (``NAME/1``). ``fields`` are
    the columns it must have, with ``##`` for the two digits of the year. ``expected_rows`` gives the least and most
    rows of a valid table.
    """

    services: tuple[str, ...]
    fields: tuple[str, ...]
    expected_rows: tuple[int, int]
    has_geometry: bool = False


# Names that others used from 2022 to 2025; none was requested while this was written.
TABLES: Mapping[str, PortalTable] = {
    "district_names": PortalTable(
        services=(
            "Local_Authority_Districts_DEC_2025_Boundaries_UK_BUC",  # of December 2025 no list of names alone was seen
            *("LAD_APR_2025_UK_NC_v2", "LAD_APR_2025_UK_NC", "LAD_DEC_2024_UK_NC", "LAD_APR_2023_UK_NC"),
        ),
        fields=("LAD##CD", "LAD##NM"),
        expected_rows=(350, 380),
    ),
    "district_to_region": PortalTable(
        services=("LAD25_RGN25_EN_LU_v2", "LAD25_RGN25_EN_LU", "LAD24_RGN24_EN_LU"),
        fields=("LAD##CD", "RGN##CD", "RGN##NM"),
        expected_rows=(290, 320),
    ),
    "district_to_county": PortalTable(
        services=("LAD25_CTYUA25_UK_LU_v2", "LAD25_CTYUA25_UK_LU"),
        fields=("LAD##CD", "CTYUA##CD", "CTYUA##NM"),
        expected_rows=(350, 380),
    ),
    "district_to_combined_authority": PortalTable(
        services=("LAD25_CAUTH25_EN_LU",), fields=("LAD##CD", "CAUTH##CD", "CAUTH##NM"), expected_rows=(40, 320)
    ),
    "combined_authority_names": PortalTable(
        services=(
            "Combined_Authorities_December_2025_Boundaries_EN_BSC/1",
            "Combined_Authorities_December_2025_Boundaries_EN_BUC",
            "CAUTH_MAY_2025_EN_BGC",
        ),
        fields=("CAUTH##CD", "CAUTH##NM"),
        expected_rows=(10, 40),
    ),
    "district_boundaries": PortalTable(
        services=(
            "Local_Authority_Districts_DEC_2025_Boundaries_UK_BUC",
            "LAD_MAY_2025_UK_BUC",
            "Local_Authority_Districts_December_2024_Boundaries_UK_BUC",
            "Local_Authority_Districts_December_2023_Boundaries_UK_BUC",
        ),
        fields=("LAD##CD", "LAD##NM"),
        expected_rows=(350, 380),
        has_geometry=True,
    ),
}


@dataclass
class _Pages:
    features: list[Any] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)


def fetch(table_id: str, client: HttpClient) -> Payload:
    """One table of TABLES, complete: the first page's document with the features of all pages.

    Tables without boundaries are ArcGIS JSON (``features[].attributes``); boundaries are GeoJSON in longitude and
    latitude. ``edition`` is the name of the service that answered. If a name is refused, for whatever reason, the next
    is tried.

    Raises RequestRefused (every name is refused, each with its reason), WrongContent (not a feature collection, other
    columns, far too few or too many rows), Incomplete (fewer rows than the portal counts), HostUnreachable.
    """
    table, refused = TABLES[table_id], []
    for service in table.services:
        try:
            collected = _collect(service, table, client)
        except RequestRefused as error:
            refused.append(str(error))
            continue
        _check(collected, service, table, client)
        document = collected.first | {"features": collected.features}
        document.pop("exceededTransferLimit", None)
        document.pop("properties", None)
        first = collected.pages[0]
        return Payload(
            body=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
            media_type="application/geo+json" if table.has_geometry else "application/json",
            url=first.url,
            parameters=first.parameters,
            fetched_at=datetime.now(UTC),
            http_status=first.http_status,
            headers=first.headers,
            row_count=len(collected.features),
            edition=service,
            pages=tuple(collected.pages),
        )
    raise RequestRefused(
        f"The Open Geography portal gave no '{table_id}' under any known name: {'; '.join(refused)}. Try again later; if "
        "it has been renamed, look for it at https://geoportal.statistics.gov.uk/ and add the name to TABLES."
    )


def records(content: bytes) -> list[dict[str, Any]]:
    """The rows of a payload of ``fetch`` as plain columns, without geometry."""
    return [_row(feature) for feature in mappings(inside(json_of(content), "features"))]


def _row(feature: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of one feature: ArcGIS calls them attributes, GeoJSON properties."""
    row = feature.get("attributes") or feature.get("properties")
    return row if isinstance(row, dict) else {}


def _collect(service: str, table: PortalTable, client: HttpClient) -> _Pages:
    collected = _Pages()
    for _ in range(MAX_PAGES):
        response, document = _ask(service, _parameters(table, len(collected.features)), client)
        features = document.get("features")
        if not isinstance(features, list) or len(mappings(features)) != len(features):
            raise WrongContent(f"Open Geography {service}: expected features, got the fields {sorted(document)[:6]}.")
        collected.first = collected.first or document
        collected.features += features
        if len(collected.features) > MOST_TIMES_EXPECTED * table.expected_rows[1]:
            raise WrongContent(
                f"Open Geography {service}: {len(collected.features)} or more rows, expected at most "
                f"{table.expected_rows[1]}."
            )
        collected.pages.append(page_of(response, len(features)))
        # The flag is at the top, or under ``properties`` in GeoJSON from some server versions.
        has_more = document.get("exceededTransferLimit") or inside(document, "properties", "exceededTransferLimit")
        if not has_more or not features:
            return collected
    raise Incomplete(
        f"Open Geography {service}: still more rows after {MAX_PAGES} pages; something is wrong with paging."
    )


def _parameters(table: PortalTable, offset: int) -> dict[str, str]:
    common = {"where": "1=1", "outFields": "*", "resultOffset": str(offset), "resultRecordCount": str(PAGE_ROWS)}
    if table.has_geometry:
        return common | {"returnGeometry": "true", "outSR": "4326", "geometryPrecision": "5", "f": "geojson"}
    return common | {"returnGeometry": "false", "f": "json"}


def _ask(service: str, parameters: Mapping[str, str], client: HttpClient) -> tuple[HttpResponse, dict[str, Any]]:
    """One query to a service's layer. The portal reports in the body the errors that others report with a status."""
    name, _, layer = service.partition("/")
    response = client.get(SOURCE_ID, f"{name}/FeatureServer/{layer or 0}/query", parameters)
    if response.status != 200:
        raise RequestRefused(f"{service} answered {response.status}: {response.message}")
    try:
        document = json_of(response.content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise WrongContent(f"Open Geography {service}: expected JSON, got {response.message}.")
    error = document.get("error")
    if error is None:
        return response, document
    code = error.get("code") if isinstance(error, dict) else None
    raise RequestRefused(f"{service} answered with error {code}: {response.message}")


def _check(collected: _Pages, service: str, table: PortalTable, client: HttpClient) -> None:
    rows = [_row(feature) for feature in collected.features]
    columns = set(rows[0]).intersection(*rows) if rows else set()
    missing = [name for name in table.fields if not any(_is_field(name, column) for column in columns)]
    if missing:
        raise WrongContent(f"Open Geography {service}: column(s) {', '.join(missing)} missing from {sorted(columns)}.")
    _, counted = _ask(service, {"where": "1=1", "returnCountOnly": "true", "f": "json"}, client)
    if counted.get("count") != len(rows):
        raise Incomplete(f"Open Geography {service}: {len(rows)} rows arrived of {counted.get('count')}.")
    wanted = [column for column in columns if any(_is_field(name, column) for name in table.fields)]
    bad = [row for row in rows if not all(_is_code_or_name(column, row[column]) for column in wanted)]
    if bad:
        raise WrongContent(
            f"Open Geography {service}: {len(bad)} rows without a code or a name, first {bad[0]!r:.120}."
        )
    codes = [row[column] for column in columns if _is_field(table.fields[0], column) for row in rows]
    if len(set(codes)) != len(codes):
        raise Incomplete(f"Open Geography {service}: an area appears twice, so another may be missing.")
    least, most = table.expected_rows
    if not least <= len(rows) <= most:
        raise WrongContent(f"Open Geography {service}: {len(rows)} rows, expected {least} to {most}.")


def _is_code_or_name(column: str, cell: object) -> bool:
    """Whether a cell fits its column: a GSS code, or any text that is not blank."""
    if not isinstance(cell, str):
        return False
    return bool(_GSS_CODE.fullmatch(cell) if column.endswith("CD") else cell.strip())


def _is_field(pattern: str, column: str) -> bool:
    return re.fullmatch(pattern.replace("##", r"\d\d"), column) is not None
