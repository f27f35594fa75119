"""Nomis API v01: one slice of a data set as CSV, page by page, with proof that it is complete.

Rows are requested by RecordOffset until RECORD_COUNT of them, from every area the data set lists, have arrived. Each
page is written straight to a file, so memory does not grow with the number of pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.http.answers import page_of, table_only
from pipeline.http.payload import HostUnreachable, Incomplete, Page, Payload, SourceError, WrongContent
from pipeline.publishers.nomis.definitions import (
    SOURCE_ID,
    areas_listed,
    code_by_name,
    described,
    geography_types,
    last_updated,
    periods_wanted,
    places,
    wider_type,
    year_of_map,
)
from pipeline.publishers.nomis.pages import (
    BYTE_ORDER_MARK,
    Asked,
    Completeness,
    OtherOptionError,
    read_page,
    record_count,
    require_measures,
    require_options,
)
from pipeline.publishers.nomis.query import NomisQuery

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.once import SpoolFile
    from pipeline.http.response import HttpResponse

__all__ = ["fetch", "geography_types", "last_updated", "periods_wanted", "wider_type", "year_of_map"]

PAGE_ROWS = 25_000  # the limit without a key
# The limit with a key is uncertain (100,000 in one client's documentation, a million in others; WIRE_FORMATS 1.3). So
# the smaller is requested, and the rows are counted in any case.
PAGE_ROWS_WITH_KEY = 100_000
# A table in pages smaller than these would take more requests than it is fair to send a publisher.
MOST_PAGES = 1_000
# The list of all small areas is tens of megabytes; the catalogue gives their number instead.
MOST_AREAS_LISTED = 5_000
DATES_PER_REQUEST = 100  # keeps the address under 2,048 characters, which some servers refuse to exceed

Codes = Mapping[str, Sequence[int]]


def fetch(query: NomisQuery, client: HttpClient) -> Payload:
    """Every row of ``query``: all areas of its geography types, all its periods, its options and measures.

    A request shared by several queries is made once in a run. The names of the dimensions must match the catalogue's.
    If one does not, or nothing arrives, the codes are looked up by name in the data set's own definition and the slice
    is requested again. Any remaining mismatch is an error.

    Raises RequestRefused (error status, unknown name, no such period), WrongContent (empty, HTML, other columns or an
    option that was not requested), Incomplete (rows missing), HostUnreachable.
    """
    if not query.asked_together:
        return _fetch(query, client)
    shared = {name: [option.name for option in options] for name, options in query.options.items()}
    request = query.model_dump(mode="json", exclude={"dimensions", "asked_together"}) | {"options": shared}
    return client.once((SOURCE_ID, json.dumps(request, sort_keys=True)), lambda: _fetch(query, client))


def _fetch(query: NomisQuery, client: HttpClient) -> Payload:
    updated, description = described(query, client)
    dates = periods_wanted(query, client)
    codes = _codes(query, client, by_name=False)
    try:
        collected = _collect(query, codes, dates, client)
    except OtherOptionError as other:
        try:
            resolved = _codes(query, client, by_name=True)
        except HostUnreachable:
            raise
        except SourceError as error:  # the first error is the cause, so it comes first
            raise type(error)(f"{other}. Looked up by name: {error}") from None
        if resolved == codes:
            raise WrongContent(f"{other}; the definition agrees with the codes requested.") from None
        try:
            collected = _collect(query, resolved, dates, client)
        except OtherOptionError as still:
            raise WrongContent(f"{still}; looking the codes up by name did not help.") from None
    first = collected.pages[0]
    return Payload(
        body=collected.file.stored(),
        media_type="text/csv",
        url=first.url,
        parameters=first.parameters,
        fetched_at=datetime.now(UTC),
        http_status=first.http_status,
        headers=first.headers,
        row_count=collected.row_count,
        publisher_updated=updated,
        pages=tuple(collected.pages),
        description=description,
        areas_without_rows=tuple(collected.areas_without_rows),
        warnings=tuple(dict.fromkeys(collected.warnings)),
    )


def _codes(query: NomisQuery, client: HttpClient, *, by_name: bool) -> Codes:
    """The catalogue's codes to request. Where it has none, or with ``by_name``, the definition's codes for the names."""
    return {
        dimension: [
            code_by_name(query, dimension, option, client) if by_name or option.code is None else option.code
            for option in options
        ]
        for dimension, options in query.options.items()
    }


@dataclass
class _Collected:
    """Pages joined so far: the header once, then rows. Only the file grows with the number of pages."""

    file: SpoolFile
    header: bytes | None = None
    row_count: int = 0
    pages: list[Page] = field(default_factory=list)
    areas_without_rows: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def _collect(query: NomisQuery, codes: Codes, dates: Sequence[str], client: HttpClient) -> _Collected:
    with client.spool.new_file() as file:
        collected = _Collected(file)
        for geography in query.geography:
            asked_for = places(query, geography, client)
            if asked_for is None:
                continue
            for start in range(0, len(dates), DATES_PER_REQUEST):
                asked = Asked(query, codes, geography, dates[start : start + DATES_PER_REQUEST])
                _collect_block(asked, asked_for, client, collected)
    return collected


def _collect_block(asked: Asked, asked_for: str, client: HttpClient, collected: _Collected) -> None:
    """All pages of one geography type and block of periods, checked together; ``asked_for`` is the type in Nomis's terms."""
    complete = Completeness(asked)
    expected: int | None = None
    while expected is None or complete.received < expected:
        offset = complete.received
        parameters = _parameters(asked, asked_for, offset, PAGE_ROWS_WITH_KEY if client.has_nomis_key else PAGE_ROWS)
        response, warnings = table_only(client.get(SOURCE_ID, f"dataset/{asked.query.dataset}.data.csv", parameters))
        collected.warnings += warnings
        page = read_page(response, asked)
        require_options(page, asked)
        require_measures(page, asked)
        announced = record_count(page, offset, asked)
        if announced is None or (expected is not None and announced != expected):
            raise Incomplete(
                f"{asked.where}: {offset:,} of {expected if expected is not None else '?'} rows arrived, "
                f"then {'a page without rows' if announced is None else f'a page of a table of {announced:,} rows'}."
            )
        if len(collected.pages) == MOST_PAGES:
            raise Incomplete(
                f"{asked.where}: {offset:,} of {announced:,} rows had arrived after {MOST_PAGES:,} pages, the most that is "
                "requested for one table."
            )
        expected = announced
        complete.add(page)
        _add_page(collected, response, page.num_rows, asked)
    is_listed = complete.area_count <= MOST_AREAS_LISTED
    listed = areas_listed(asked.query, asked.geography, client) if is_listed else frozenset()
    collected.areas_without_rows += complete.require(expected, listed)


def _parameters(asked: Asked, asked_for: str, offset: int, rows: int) -> dict[str, str]:
    columns = ["date", "date_name", "geography_name", "geography_code", "geography_type"]
    columns += [name for dimension in asked.query.dimensions for name in (dimension, f"{dimension}_name")]
    columns += ["measures", "measures_name", "obs_value", "obs_status", "obs_status_name"]
    columns += ["record_offset", "record_count"]
    return {
        "geography": asked_for,
        "date": ",".join(asked.dates),
        **{dimension: ",".join(map(str, codes)) for dimension, codes in asked.codes.items()},
        "measures": ",".join(map(str, asked.query.measures)),
        "select": ",".join(columns),
        "RecordLimit": str(rows),
        "RecordOffset": str(offset),
    }


def _add_page(collected: _Collected, response: HttpResponse, rows: int, asked: Asked) -> None:
    content = response.content
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    end = content.find(b"\n")
    header, body = content[start:end].rstrip(b"\r"), memoryview(content)[end + 1 :]
    if collected.header is None:
        collected.header = header
        collected.file.write(header + b"\n")
    elif header != collected.header:
        raise WrongContent(f"{asked.where}: a later page has other columns ({header[:120]!r}) than the first.")
    collected.file.write(body)
    if not content.endswith(b"\n"):
        collected.file.write(b"\n")
    collected.row_count += rows
    collected.pages.append(page_of(response, rows))
