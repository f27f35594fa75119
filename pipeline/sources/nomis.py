"""Nomis API v01: one slice of a data set as CSV, page by page, with proof that all of it came.

A guest's answer is cut at 25,000 rows with status 200 and no mark (WIRE_FORMATS section 1.3), so rows are
asked for by RecordOffset until RECORD_COUNT of them have arrived, and what arrived must be the whole product
of areas, periods and measures. Columns are found by header name, never by position (section 1.4).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from pipeline.catalogue.model import NomisQuery
from pipeline.sources.base import (
    Description,
    HostUnreachable,
    Incomplete,
    Page,
    Payload,
    RequestRefused,
    SourceError,
    WrongContent,
)

if TYPE_CHECKING:
    from pipeline.sources.http import HttpClient, HttpResponse

SOURCE_ID = "nomis"
PAGE_ROWS = 25_000  # a guest's limit; what a key allows is not settled (section 1.3), and the loop needs no more
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DATES_PER_REQUEST = 100  # keeps the address under 2,048 characters, which some servers refuse to exceed
KEY_COLUMNS = ["GEOGRAPHY_CODE", "DATE", "MEASURES"]
REQUIRED_COLUMNS = (*KEY_COLUMNS, "OBS_VALUE", "OBS_STATUS", "RECORD_OFFSET", "RECORD_COUNT")


def fetch(query: NomisQuery, client: HttpClient) -> Payload:
    """Every row of ``query``: all areas of its geography types, all its periods, value and error measures.

    The dimensions' names must come back as the catalogue gives them. If one does not, or nothing comes, the codes are
    looked up by name in the data set's own definition and the slice is asked for again; what then disagrees is an error.

    Raises RequestRefused (error status, unknown name, no such period), WrongContent (empty, HTML, other columns or
    another option than asked for), Incomplete (rows missing), HostUnreachable.
    """
    described = _annotations_if_given(query, client)
    dates = periods_wanted(query, client)
    codes = {
        dimension: _code_by_name(query, dimension, client) if option.code is None else option.code
        for dimension, option in query.dimensions.items()
    }
    try:
        collected = _collect(query, codes, dates, client)
    except _OtherOptionError as other:
        resolved = {dimension: _code_by_name(query, dimension, client) for dimension in query.dimensions}
        if resolved == codes:
            raise WrongContent(f"{other}; the definition agrees with the codes asked for.") from None
        try:
            collected = _collect(query, resolved, dates, client)
        except _OtherOptionError as still:
            raise WrongContent(f"{still}; looking the codes up by name did not settle it.") from None
    first = collected.pages[0]
    return Payload(
        content=collected.content.getvalue(),
        media_type="text/csv",
        url=first.url,
        parameters=first.parameters,
        fetched_at=datetime.now(UTC),
        http_status=first.http_status,
        headers=first.headers,
        row_count=collected.row_count,
        publisher_updated=described.get("LastUpdated"),
        pages=tuple(collected.pages),
        description=Description(unit=described.get("Units")) if described else None,
    )


def last_updated(query: NomisQuery, client: HttpClient) -> str | None:
    """When Nomis last updated the data set (``YYYY-MM-DD HH:MM:SS``), from its definition; None if it does not say."""
    return _annotations(query, client).get("LastUpdated")


def _annotations(query: NomisQuery, client: HttpClient) -> dict[str, str]:
    """The annotations of ``dataset/{id}.def.sdmx.json`` by title: Status, LastUpdated, Units ... (WIRE_FORMATS 1.8)."""
    structure = _definition(f"dataset/{query.dataset}.def.sdmx.json", client)
    families = (structure.get("keyfamilies") or {}).get("keyfamily") or []
    return {
        str(annotation.get("annotationtitle")): str(annotation.get("annotationtext"))
        for family in families
        for annotation in (family.get("annotations") or {}).get("annotation") or []
    }


def _annotations_if_given(query: NomisQuery, client: HttpClient) -> dict[str, str]:
    """The annotations, or none: complete figures are worth keeping even if the definition did not come.

    The payload then carries no date, so the next run asks for the figures again.
    """
    try:
        return _annotations(query, client)
    except HostUnreachable:
        raise
    except SourceError:
        return {}


# --- definitions ------------------------------------------------------------------------------------------------------


def _definition(path: str, client: HttpClient) -> dict[str, Any]:
    response = client.get_once(SOURCE_ID, path)
    if response.status != 200:
        raise RequestRefused(
            f"Nomis refused {response.url_without_secrets} with status {response.status}: {response.message}"
        )
    try:
        structure = json.loads(response.content)["structure"]
    except (ValueError, KeyError, TypeError):
        raise WrongContent(
            f"Nomis sent no definition at {response.url_without_secrets}: expected SDMX as JSON, got {response.message}"
        ) from None
    if not isinstance(structure, dict):
        raise WrongContent(f"Nomis sent an empty definition at {response.url_without_secrets}.")
    return structure


def _code_list(query: NomisQuery, dimension: str, client: HttpClient) -> list[tuple[str, str]]:
    """The options of one dimension of a data set: (code, name), in the order of the definition."""
    structure = _definition(f"dataset/{query.dataset}/{dimension}.def.sdmx.json", client)
    lists = (structure.get("codelists") or {}).get("codelist") or []
    codes = lists[0].get("code") or [] if lists else []
    return [(str(code["value"]), str((code.get("description") or {}).get("value", ""))) for code in codes]


def periods_wanted(query: NomisQuery, client: HttpClient) -> list[str]:
    """The data set's own periods that the query wants, as Nomis spells them (``2025`` or ``2025-09``)."""
    listed = [code for code, _ in _code_list(query, "time", client)]
    wanted = [date for date in listed if _is_wanted(date, query)]
    if not wanted:
        raise RequestRefused(
            f"Nomis {query.dataset} lists no period from {query.dates.from_year} on"
            f"{f' ending in month {query.dates.months}' if query.dates.months else ''}; "
            f"it lists {len(listed)} periods, the last {listed[-1] if listed else 'none'}."
        )
    return wanted


def _is_wanted(date: str, query: NomisQuery) -> bool:
    year, _, month = date.partition("-")
    last_year = query.dates.to_year or 9999
    if not year.isdigit() or not query.dates.from_year <= int(year) <= last_year:
        return False
    if query.dates.months is None or not month:
        return True
    return month.isdigit() and int(month) in query.dates.months


def _code_by_name(query: NomisQuery, dimension: str, client: HttpClient) -> int:
    expected = query.dimensions[dimension]
    options = _code_list(query, dimension, client)
    found = [code for code, name in options if same_name(name, expected.name)]
    if len(found) != 1 or not found[0].isdigit():
        listed = dict(options)
        code = (
            "" if expected.code is None else f" (its code {expected.code} is named '{listed.get(str(expected.code))}')"
        )
        raise RequestRefused(
            f"Nomis {query.dataset} has {'no' if not found else 'more than one'} {dimension} named "
            f"'{expected.name}'{code}; correct indicators.yaml."
        )
    return int(found[0])


def same_name(one: str, other: str) -> bool:
    """Names are compared without case and surplus blanks: some of Nomis's end in one (WIRE_FORMATS section 9)."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


# --- pages ------------------------------------------------------------------------------------------------------------


class _OtherOptionError(Exception):
    """A code came back under another name than the catalogue gives it, or brought nothing at all."""


@dataclass
class _Collected:
    """Pages joined so far: the header once, then rows. Only ``content`` grows with the number of pages."""

    content: io.BytesIO = field(default_factory=io.BytesIO)
    header: bytes | None = None
    row_count: int = 0
    pages: list[Page] = field(default_factory=list)


def _collect(query: NomisQuery, codes: Mapping[str, int], dates: Sequence[str], client: HttpClient) -> _Collected:
    collected = _Collected()
    for geography in query.geography:
        for start in range(0, len(dates), DATES_PER_REQUEST):
            _collect_block(query, codes, geography, dates[start : start + DATES_PER_REQUEST], client, collected)
    return collected


def _collect_block(
    query: NomisQuery,
    codes: Mapping[str, int],
    geography: str,
    dates: Sequence[str],
    client: HttpClient,
    collected: _Collected,
) -> None:
    """All pages of one geography type and block of periods, checked as a whole."""
    where = f"Nomis {query.dataset} {geography} {dates[0]} to {dates[-1]}"
    keys: list[pa.Table] = []
    received, expected = 0, None
    while expected is None or received < expected:
        parameters = _parameters(query, codes, geography, dates, received)
        response = client.get(SOURCE_ID, f"dataset/{query.dataset}.data.csv", parameters)
        rows = _rows(response, query, where)
        for dimension, option in query.dimensions.items():
            _require_option(rows, dimension, option.name, codes[dimension], where)
        keys.append(rows.select(KEY_COLUMNS))
        announced = _record_count(rows, received, where)
        if announced is None or (expected is not None and announced != expected):
            raise Incomplete(
                f"{where}: {received:,} of {expected if expected is not None else '?'} rows arrived, "
                f"then {'a page without rows' if announced is None else f'a page of a table of {announced:,} rows'}."
            )
        expected = announced
        received += rows.num_rows
        _add_page(collected, response, rows.num_rows, where)
    _prove_complete(keys, received, expected, query, dates, where)


def _parameters(
    query: NomisQuery, codes: Mapping[str, int], geography: str, dates: Sequence[str], offset: int
) -> dict[str, str]:
    measures = [query.value_measure] + ([] if query.error_measure is None else [query.error_measure])
    columns = ["date", "date_name", "geography_name", "geography_code", "geography_type"]
    columns += [name for dimension in query.dimensions for name in (dimension, f"{dimension}_name")]
    columns += [
        "measures",
        "measures_name",
        "obs_value",
        "obs_status",
        "obs_status_name",
        "record_offset",
        "record_count",
    ]
    return {
        "geography": geography,
        "date": ",".join(dates),
        **{dimension: str(code) for dimension, code in codes.items()},
        "measures": ",".join(str(measure) for measure in measures),
        "select": ",".join(columns),
        "RecordLimit": str(PAGE_ROWS),
        "RecordOffset": str(offset),
    }


def _rows(response: HttpResponse, query: NomisQuery, where: str) -> pa.Table:
    """The columns of one page that tell whether it is the one asked for, as text; a page's rows are its lines."""
    if response.status != 200:
        raise RequestRefused(f"{where} was refused with status {response.status}: {response.message}")
    if not response.content.strip():
        raise _OtherOptionError(
            f"{where}: an empty body with status 200, which is how Nomis says that a code, measure or geography type "
            "does not exist in this data set; check the query in indicators.yaml"
        )
    if response.is_html:
        raise WrongContent(
            f"{where}: an HTML page with status 200 instead of CSV; Nomis may be overloaded, try again later."
        )
    content = response.content.removeprefix(BYTE_ORDER_MARK)
    first_line, newline, _ = content.partition(b"\n")
    header = next(csv.reader([first_line.decode("utf-8", "replace").rstrip("\r")]))
    columns = [name.strip().upper() for name in header]
    wanted = [*REQUIRED_COLUMNS, *(f"{dimension.upper()}_NAME" for dimension in query.dimensions)]
    missing = [name for name in wanted if name not in columns]
    if missing or len(set(columns)) != len(columns):
        raise WrongContent(
            f"{where}: column(s) {', '.join(missing) or 'given twice'}, header {','.join(header)!r:.160}."
        )
    text = pa.dictionary(pa.int32(), pa.string())
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(content if newline else content + b"\n"),
            read_options=pyarrow.csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, text), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise Incomplete(
            f"{where}: the page from row {response.params_without_secrets['RecordOffset']} on broke off ({error!s:.120})."
        ) from None


def _record_count(rows: pa.Table, offset: int, where: str) -> int | None:
    """RECORD_COUNT of a page's first row, once its RECORD_OFFSET is known to be the one asked for; None without rows."""
    if not rows.num_rows:
        return None
    came, count = (str(rows.column(name)[0]) for name in ("RECORD_OFFSET", "RECORD_COUNT"))
    if not count.isdigit() or came != str(offset):
        raise WrongContent(f"{where}: asked for rows from {offset:,}, got rows from {came!r} of {count!r}.")
    return int(count)


def _require_option(rows: pa.Table, dimension: str, expected: str, code: int, where: str) -> None:
    for came in rows.column(f"{dimension.upper()}_NAME").unique().to_pylist():
        if not same_name(came, expected):
            raise _OtherOptionError(f"{where}: {dimension} {code} should be '{expected}' but came back as '{came}'")


def _add_page(collected: _Collected, response: HttpResponse, rows: int, where: str) -> None:
    content = response.content.removeprefix(BYTE_ORDER_MARK)
    header, _, body = content.partition(b"\n")
    header = header.rstrip(b"\r")
    if collected.header is None:
        collected.header = header
        collected.content.write(header + b"\n")
    elif header != collected.header:
        raise WrongContent(f"{where}: a later page has other columns ({header[:120]!r}) than the first.")
    collected.content.write(body if body.endswith(b"\n") else body + b"\n")
    collected.row_count += rows
    collected.pages.append(
        Page(
            url=response.url_without_secrets,
            parameters=response.params_without_secrets,
            http_status=response.status,
            headers=response.headers,
            sha256=hashlib.sha256(response.content).hexdigest(),
            byte_count=len(response.content),
            row_count=rows,
        )
    )


def _prove_complete(
    keys: Sequence[pa.Table], received: int, expected: int, query: NomisQuery, dates: Sequence[str], where: str
) -> None:
    """Rows equal RECORD_COUNT, all periods asked for are there, and every area has every period and measure."""
    together = pa.concat_tables(keys).unify_dictionaries().combine_chunks()
    areas, came, measures = (set(together.column(name).unique().to_pylist()) for name in KEY_COLUMNS)
    asked = {str(query.value_measure)} | ({str(query.error_measure)} if query.error_measure is not None else set())
    if unasked := sorted(measures - asked) + sorted(came - set(dates)):
        raise WrongContent(f"{where}: rows of {', '.join(unasked[:5])} came unasked.")
    distinct = together.group_by(KEY_COLUMNS).aggregate([]).num_rows
    product = len(areas) * len(dates) * len(asked)
    problems = list(_shortfalls(received, expected, set(dates) - came, asked - measures, distinct, product))
    if problems:
        raise Incomplete(f"{where}: {'; '.join(problems)}. Nothing of it is used.")


def _shortfalls(
    received: int, expected: int, dates: set[str], measures: set[str], distinct: int, product: int
) -> Iterator[str]:
    if received != expected:
        yield f"{received:,} rows arrived of {expected:,}"
    if dates:
        yield f"no rows for {', '.join(sorted(dates)[:5])}"
    if measures:
        yield f"no rows for measure {', '.join(sorted(measures))}"
    if distinct != product:
        yield f"{distinct:,} different rows where areas x periods x measures make {product:,}"
