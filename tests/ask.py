"""Asks the publisher of a query, whichever it is."""

from __future__ import annotations

from pipeline.http.client import HttpClient
from pipeline.http.payload import Payload
from pipeline.publishers.query import Query
from pipeline.publishers.registry import publisher_of


def fetch(query: Query, client: HttpClient) -> Payload:
    """What the publisher of ``query`` answers."""
    return publisher_of(query).fetch(query, client)


def last_updated(query: Query, client: HttpClient) -> str | None:
    """When the publisher of ``query`` says it last changed the table, as it words it."""
    return publisher_of(query).last_updated(query, client)
