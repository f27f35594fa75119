"""One adapter a publisher: a query of the catalogue in, the publisher's bytes out. Only this room touches the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.catalogue.model import ElsQuery, NomisQuery, Query
from pipeline.sources import nomis, ons_els

if TYPE_CHECKING:
    from pipeline.sources.base import Payload
    from pipeline.sources.http import HttpClient

__all__ = ["fetch", "last_updated"]


def fetch(query: Query, client: HttpClient) -> Payload:
    """What the publisher sends for ``query`` today, complete, with its provenance.

    Raises a SourceError that names the source and what came instead.
    """
    match query:
        case ElsQuery():
            return ons_els.fetch(query, client)
        case NomisQuery():
            return nomis.fetch(query, client)


def last_updated(query: Query, client: HttpClient) -> str | None:
    """The publisher's own last-updated mark of what ``query`` asks for, as sent; None where it gives none.

    Equal marks on two days mean that nothing has changed. Raises a SourceError when the publisher cannot be asked.
    """
    match query:
        case ElsQuery():
            return ons_els.last_updated(query, client)
        case NomisQuery():
            return nomis.last_updated(query, client)
