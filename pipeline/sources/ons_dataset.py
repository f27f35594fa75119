"""The ONS dataset API (beta): the newest edition of one data set as its CSV in the ``v4`` layout, checked on arrival.

A secondary source: its tables of pay are years behind Nomis and its other local series are in Explore Local Statistics
(WIRE_FORMATS section 3.3), so no entry of the catalogue asks it today. One that names it (``source: ons_dataset``) will.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.catalogue.model import OnsDatasetQuery
from pipeline.sources.answers import whole_payload
from pipeline.sources.base import Incomplete, Payload, RequestRefused, WrongContent
from pipeline.sources.documents import fields_of, inside, json_of, lines_of, text

if TYPE_CHECKING:
    from pipeline.sources.http import HttpClient
    from pipeline.sources.response import HttpResponse

SOURCE_ID = "ons_dataset"
# The first column of the table: its name says how many columns of remarks follow it. The case varies.
VALUE_COLUMN = re.compile(r"v4_([0-9]{1,3})", re.IGNORECASE)


def fetch(query: OnsDatasetQuery, client: HttpClient) -> Payload:
    """The CSV of the newest version of a data set's newest edition. ``edition`` names both.

    Raises RequestRefused (unknown data set or another error, in the API's words), WrongContent (no link where one must
    be, or not a v4 table), Incomplete (the last line is cut off), HostUnreachable.
    """
    version = _latest_version(query, client)
    address = inside(version, "downloads", "csv", "href")
    if not isinstance(address, str):
        raise WrongContent(f"The ONS dataset API offers no CSV of the latest version of '{query.dataset}'.")
    response = client.get(SOURCE_ID, address)
    if response.status != 200:
        raise RequestRefused(_refusal(response))
    return whole_payload(
        response,
        _checked_rows(response, query.dataset),
        publisher_updated=_mark(version),
        edition=f"{version.get('edition')}, version {version.get('version')}",
    )


def last_updated(query: OnsDatasetQuery, client: HttpClient) -> str | None:
    """Which version is the latest, and when it was released; None if the API does not say. Raises as ``fetch`` does."""
    return _mark(_latest_version(query, client))


def _mark(version: Mapping[str, Any]) -> str | None:
    released = text(version.get("release_date"))
    return f"{released}, version {version.get('version')}" if released else None


def _latest_version(query: OnsDatasetQuery, client: HttpClient) -> dict[str, Any]:
    described = _document(f"datasets/{query.dataset}", client)
    link = inside(described, "links", "latest_version", "href")
    if not isinstance(link, str) or "/datasets/" not in link:
        raise WrongContent(f"The ONS dataset API names no latest version of '{query.dataset}'.")
    # A path below the base URL, so that a mirror is asked for it as well.
    return _document(link[link.index("/datasets/") + 1 :], client)


def _document(path: str, client: HttpClient) -> dict[str, Any]:
    response = client.get_once(SOURCE_ID, path)
    if response.status != 200:
        raise RequestRefused(_refusal(response))
    try:
        document = json_of(response.content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise WrongContent(
            f"The ONS dataset API sent no document at {response.url_without_secrets}: expected JSON, got {response.message}."
        )
    return document


def _refusal(response: HttpResponse) -> str:
    """Its errors are plain text, a sentence and a line end."""
    return (
        f"The ONS dataset API refused {response.url_without_secrets} with status {response.status}: {response.message}"
    )


def _checked_rows(response: HttpResponse, dataset_id: str) -> int:
    """How many rows came, once they are known to be a v4 table with a whole last line."""
    where = f"ONS data set '{dataset_id}'"
    if not response.content.strip() or response.is_html:
        raise WrongContent(f"{where}: expected a CSV table, got {response.message}.")
    try:
        lines = lines_of(response.content)
    except UnicodeDecodeError as error:
        raise WrongContent(f"{where}: bytes that are not UTF-8 at position {error.start}.") from None
    header = fields_of(lines)
    if not header or not VALUE_COLUMN.fullmatch(header[0].strip()):
        raise WrongContent(f"{where}: expected a first column like 'v4_1', got {''.join(lines[:1])!r:.120}.")
    if len(lines) == 1 or len(fields_of(lines[-1:])) != len(header):
        raise Incomplete(f"{where}: the answer was cut off after {len(lines) - 1:,} lines.")
    return len(lines) - 1
