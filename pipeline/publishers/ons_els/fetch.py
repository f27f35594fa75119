"""Fetch one indicator from ONS Explore Local Statistics: all areas of the project, all periods, as the API's CSV.

Two API contracts are in use (WIRE_FORMATS section 2.1). ``data/{slug}.csv`` is tried first; a server without that route
answers with an HTML 404 and is asked for ``data.csv?indicator={slug}``. The JSON form is never used: in one generation
its numbers are wrong when a dimension is reduced (section 2.6).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.http.answers import complete_payload, table_only
from pipeline.http.bodies import fields_of, json_of, lines_of, text
from pipeline.http.payload import (
    Description,
    HostUnreachable,
    Incomplete,
    Payload,
    RequestRefused,
    SourceError,
    WrongContent,
)
from pipeline.publishers.ons_els.query import ElsQuery

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.response import HttpResponse

SOURCE_ID = "ons_els"
# The five levels, and Great Britain and England with Wales, which belong to no level: `ctry` holds only the United
# Kingdom
# and its nations (WIRE_FORMATS section 2.3). A request may mix levels and codes (recorded response data_other/051).
AREAS = "ltla,utla,cauth,rgn,ctry,K03000001,K04000001"
SELECTION: Mapping[str, str] = {"time": "all", "geo": AREAS, "includeStatus": "true"}
REQUIRED_COLUMNS = ("areacd", "period", "value")


def fetch(query: ElsQuery, client: HttpClient) -> Payload:
    """All figures of one indicator with their intervals and status marks.

    Raises RequestRefused (with the server's message), WrongContent (empty, HTML, or not the promised columns),
    Incomplete (the last line or the last published period is missing), HostUnreachable.
    """
    described = _metadata_if_given(query, client)
    response, warnings = table_only(_request_csv(query, client))
    lines = _checked_lines(response, query)
    _check_last_period(lines, described, query)
    return complete_payload(
        response,
        len(lines) - 1,
        publisher_updated=text(described.get("dataModified")),
        edition=text(described.get("updated")),
        description=_description(described),
        warnings=warnings,
    )


def was_asked_for_all_areas(held: Payload) -> bool:
    """Whether an answer held was asked for with today's selection: one asked for with another may lack areas."""
    return all(held.parameters.get(name) == value for name, value in SELECTION.items())


def last_updated(query: ElsQuery, client: HttpClient) -> str | None:
    """The date (``YYYY-MM-DD``) on which ELS last changed this indicator's figures; None if it does not say."""
    return text(metadata(query, client).get("dataModified"))


def metadata(query: ElsQuery, client: HttpClient) -> dict[str, Any]:
    """ELS's description of one indicator: label, unit, dates, caveats, period and value range (WIRE_FORMATS 2.4).

    Taken from the list of all indicators, which is fetched once in a run.
    Raises RequestRefused for an unknown slug or any error status, WrongContent for anything but a list of descriptions.
    """
    response = client.get_once(SOURCE_ID, "metadata/indicators")
    if response.status != 200:
        raise RequestRefused(_refusal(query, response))
    try:
        listed = json_of(response.content)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise WrongContent(
            f"ELS sent no description of '{query.slug}' at {response.url_without_secrets}: expected a JSON list, "
            f"got {response.message}."
        )
    described = next((entry for entry in listed if entry.get("slug") == query.slug), None)
    if described is None:
        raise RequestRefused(
            f"ELS does not list '{query.slug}' among its {len(listed)} indicators. "
            f"Check the slug in indicators.yaml against {response.url_without_secrets}."
        )
    return described


def _description(described: Mapping[str, Any]) -> Description | None:
    """The unit and the caveats of a description, as ELS words them; None without one."""
    if not described:
        return None
    caveats = described.get("caveats")
    said = map(text, caveats if isinstance(caveats, list) else [caveats])
    return Description(unit=text(described.get("unit")), caveats=tuple(words for words in said if words))


def _metadata_if_given(query: ElsQuery, client: HttpClient) -> dict[str, Any]:
    """The description, or nothing: complete figures are worth keeping without their description.

    The payload then has no publisher's date, so the next run fetches the figures again.
    """
    try:
        return metadata(query, client)
    except HostUnreachable:
        raise
    except SourceError:
        return {}


def _request_csv(query: ElsQuery, client: HttpClient) -> HttpResponse:
    response = client.get(SOURCE_ID, f"data/{query.slug}.csv", SELECTION)
    if response.status == 404 and not _is_unknown_indicator(response):
        response = client.get(SOURCE_ID, "data.csv", {"indicator": query.slug, **SELECTION})
    if response.status != 200:
        raise RequestRefused(_refusal(query, response))
    return response


def _is_unknown_indicator(response: HttpResponse) -> bool:
    """The newer generation's own 404 (`Indicator "x" not found.`), as opposed to a route the server does not have."""
    return not response.is_html and response.message.startswith("Indicator ")


def _refusal(query: ElsQuery, response: HttpResponse) -> str:
    return (
        f"ELS refused '{query.slug}' with status {response.status}: {response.message} "
        f"Check the slug in indicators.yaml against {response.url_without_secrets}."
    )


def _checked_lines(response: HttpResponse, query: ElsQuery) -> list[str]:
    """The body's lines, once it is known to be the expected table with a complete last line."""
    where = f"ELS sent '{query.slug}'"
    if not response.content.strip():
        raise WrongContent(
            f"{where} as an empty body (status 200): expected a CSV table; no figure matched the request."
        )
    if response.is_html:
        raise WrongContent(f"{where} as an HTML page with status 200: expected a CSV table; try again later.")
    try:
        lines = lines_of(response.content)
    except UnicodeDecodeError as error:
        raise WrongContent(f"{where} with bytes that are not UTF-8 at position {error.start}.") from None
    header = [name.casefold() for name in fields_of(lines)]
    missing = [column for column in REQUIRED_COLUMNS if column not in header]
    if missing:
        raise WrongContent(
            f"{where} without the column(s) {', '.join(missing)}: its first line is {''.join(lines[:1])!r:.120}."
        )
    if lines[0] in lines[1:]:
        again = lines.index(lines[0], 1) + 1
        raise WrongContent(
            f"{where} with its header repeated in line {again}: two answers were joined in transit (a cache or a proxy). "
            "None of it is used; try again later."
        )
    if len(lines) == 1:
        raise WrongContent(f"{where} with a header and no figures.")
    last = fields_of(lines[-1:])
    if len(last) != len(header):
        raise Incomplete(
            f"{where} with a last line of {len(last)} fields where the header has {len(header)}: "
            f"the answer was cut off after {len(lines) - 1:,} lines."
        )
    return lines


def _check_last_period(lines: list[str], described: Mapping[str, Any], query: ElsQuery) -> None:
    """Check that the figures include ELS's newest period: rows are in area order, so a cut would not show."""
    domain = described.get("periodDomain")
    if not isinstance(domain, list) or not domain:
        return
    period_column = [name.casefold() for name in fields_of(lines)].index("period")
    try:
        periods = {row[period_column] for row in csv.reader(lines[1:]) if len(row) > period_column}
    except csv.Error as error:
        raise WrongContent(f"ELS sent '{query.slug}' as a table that cannot be read: {error}.") from None
    if str(domain[-1]) not in periods:
        raise Incomplete(
            f"ELS says that '{query.slug}' runs to {domain[-1]}, but the newest period it sent is {max(periods, default='none')}."
        )
