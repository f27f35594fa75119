"""HTTP answers as what an adapter returns: a page of a payload, or a payload that came whole in one answer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.sources.base import Description, Page, Payload

if TYPE_CHECKING:
    from pipeline.sources.response import HttpResponse


def page_of(response: HttpResponse, row_count: int | None) -> Page:
    """One answer as a page: where it came from, and its sha256. ``row_count`` is None where rows are not counted."""
    return Page(
        url=response.url_without_secrets,
        parameters=response.params_without_secrets,
        http_status=response.status,
        headers=response.headers,
        sha256=hashlib.sha256(response.content).hexdigest(),
        byte_count=len(response.content),
        row_count=row_count,
    )


def whole_payload(
    response: HttpResponse,
    row_count: int | None,
    *,
    media_type: str = "text/csv",
    publisher_updated: str | None = None,
    edition: str | None = None,
    description: Description | None = None,
) -> Payload:
    """A payload that came in one answer, just now; the other arguments are those of ``Payload``."""
    page = page_of(response, row_count)
    return Payload(
        body=response.content,
        media_type=media_type,
        url=page.url,
        parameters=page.parameters,
        fetched_at=datetime.now(UTC),
        http_status=page.http_status,
        headers=page.headers,
        row_count=row_count,
        publisher_updated=publisher_updated,
        edition=edition,
        pages=(page,),
        description=description,
    )
