"""Explore Local Statistics as a publisher of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.publishers.protocol import Columns, Districts, Publisher, Question

# Adapters and parsers are imported on first use, so that a check for updates need not wait for pandas and pyarrow.
if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.payload import Payload
    from pipeline.tidy.observations import Parsed


class ExploreLocalStatistics(Publisher[ElsQuery]):
    source_ids = ("ons_els",)
    columns: ClassVar = {"ons_els": Columns(names=("areacd", "period", "value"))}

    def fetch(self, query: ElsQuery, client: HttpClient) -> Payload:
        from pipeline.publishers.ons_els import fetch

        return fetch.fetch(query, client)

    def parse(self, query: ElsQuery, payload: Payload, districts: Districts) -> Parsed:
        from pipeline.publishers.ons_els import parse

        return parse.parse(payload.content, unreliable_without_interval=query.unreliable_without_interval)

    def asked_with(self, query: ElsQuery) -> str:
        return "all indicators"  # one document says when each was updated

    def last_updated(self, query: ElsQuery, client: HttpClient) -> str | None:
        from pipeline.publishers.ons_els import fetch

        return fetch.last_updated(query, client)

    def is_unchanged(self, query: ElsQuery, held: Payload, client: HttpClient) -> bool:
        from pipeline.publishers.ons_els import fetch

        return fetch.was_asked_for_all_areas(held) and super().is_unchanged(query, held, client)

    def questions(self, queries: Sequence[ElsQuery]) -> Iterator[Question]:
        if queries:
            yield Question("ons_els", f"figures of {queries[0].slug}", partial(_figures, queries[0]))
            yield Question("ons_els", f"descriptions of {len(queries)} indicators", partial(_descriptions, queries))


def _figures(query: ElsQuery, client: HttpClient) -> str:
    from pipeline.publishers.ons_els import fetch

    payload = fetch.fetch(query, client)
    generation = "A (data.csv?indicator=)" if "indicator" in payload.parameters else "B (data/{slug}.csv)"
    return f"{payload.row_count:,} rows by generation {generation}, updated {payload.publisher_updated}"


def _descriptions(queries: Sequence[ElsQuery], client: HttpClient) -> str:
    """Check that every slug still exists; raises RequestRefused naming those that do not."""
    from pipeline.http.payload import RequestRefused
    from pipeline.publishers.ons_els import fetch

    unknown = []
    for query in queries:
        try:
            fetch.metadata(query, client)
        except RequestRefused:
            unknown.append(query.slug)
    if unknown:
        raise RequestRefused(
            f"ELS no longer knows {', '.join(unknown)}: look for their new slugs and change the catalogue."
        )
    return "every slug is known"


PUBLISHER = ExploreLocalStatistics()
