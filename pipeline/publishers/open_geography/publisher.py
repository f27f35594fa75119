"""The Open Geography portal as a publisher of the pipeline: tables of areas, which no indicator reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pipeline.publishers.protocol import Publisher, Question
from pipeline.publishers.query import Query

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient


class OpenGeography(Publisher[Query]):
    source_ids = ("open_geography",)

    def questions(self, queries: Sequence[Query]) -> Iterator[Question]:
        from pipeline.publishers.open_geography import fetch

        for table_id, table in fetch.TABLES.items():
            if not table.has_geometry:
                yield Question("open_geography", table_id.replace("_", " "), partial(_table, table_id))


def _table(table_id: str, client: HttpClient) -> str:
    from pipeline.publishers.open_geography import fetch as open_geography

    payload = open_geography.fetch(table_id, client)
    newest = open_geography.TABLES[table_id].services[0]
    return f"{payload.row_count} rows from {payload.edition}" + (
        "" if payload.edition == newest else f"; the newest name, {newest}, does not answer"
    )


PUBLISHER = OpenGeography()
