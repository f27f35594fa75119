"""HTTP answers turned into an adapter's result: a page of a payload, or a payload that came in one answer."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.http.bodies import without_footnotes
from pipeline.http.payload import Description, Page, Payload

if TYPE_CHECKING:
    from pipeline.http.response import HttpResponse


def page_of(response: HttpResponse, row_count: int | None) -> Page:
    """One answer as a page: its origin and its sha256. ``row_count`` is None if rows are not counted."""
    return Page(
        url=response.url_without_secrets,
        parameters=response.params_without_secrets,
        http_status=response.status,
        headers=response.headers,
        sha256=hashlib.sha256(response.content).hexdigest(),
        byte_count=len(response.content),
        row_count=row_count,
    )


def complete_payload(
    response: HttpResponse,
    row_count: int | None,
    *,
    media_type: str = "text/csv",
    publisher_updated: str | None = None,
    edition: str | None = None,
    description: Description | None = None,
    warnings: tuple[str, ...] = (),
) -> Payload:
    """A payload from one answer, fetched now; the other arguments are those of ``Payload``."""
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
        warnings=warnings,
    )


def table_only(response: HttpResponse) -> tuple[HttpResponse, tuple[str, ...]]:
    """An answer without the footnotes under its table, and a warning about what was left out."""
    content, notes = without_footnotes(response.content)
    if not notes:
        return response, ()
    warning = f"{len(notes)} lines of words under the table are not rows and were left out, first '{notes[0]:.80}'"
    return replace(response, content=content), (warning,)
