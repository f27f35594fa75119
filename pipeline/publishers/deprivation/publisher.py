"""The nations' indices of deprivation as a publisher of the pipeline: files, requested only if they changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pipeline.publishers.deprivation.query import SmallAreaQuery
from pipeline.publishers.protocol import Columns, Districts, Publisher, Question

if TYPE_CHECKING:  # see pipeline.publishers.ons_els.publisher
    from pipeline.http.client import HttpClient
    from pipeline.http.payload import Payload
    from pipeline.tidy.observations import Parsed


class IndicesOfDeprivation(Publisher[SmallAreaQuery]):
    source_ids = ("govuk", "gov_wales", "gov_scot", "nisra")
    has_editions = False  # each index is one file of one year
    # File 7 of an English index, one row a small area; header names contain years and blanks. The others are workbooks.
    columns: ClassVar = {
        "govuk": Columns(
            patterns=(
                r"^LSOA code",
                r"^Local Authority District code",
                r"^Index of Multiple Deprivation \(IMD\) Score",
                r"^Income Score \(rate\)",
                r"^Total population",
            )
        )
    }

    def fetch(self, query: SmallAreaQuery, client: HttpClient) -> Payload:
        from pipeline.publishers.deprivation import files

        return files.complete_file(files.file_of(query.index), client)

    def parse(self, query: SmallAreaQuery, payload: Payload, districts: Districts) -> Parsed:
        from pipeline.publishers.deprivation import parse

        return parse.parse(payload.content, query, districts)

    def asked_with(self, query: SmallAreaQuery) -> str:
        from pipeline.publishers.deprivation import files

        return files.file_of(query.index)

    def is_unchanged(self, query: SmallAreaQuery, held: Payload, client: HttpClient) -> bool:
        """Compare the held file with one that was sent although it was requested only if changed."""
        from pipeline.publishers.deprivation import files

        headers = {name.lower(): value for name, value in held.headers.items()}
        etag, modified = headers.get("etag"), headers.get("last-modified")
        sent = files.fetch(files.file_of(query.index), client, etag=etag, last_modified=modified)
        return sent is None or sent.sha256 == held.sha256

    def edition(self, payload: Payload, title: str) -> str:
        return payload.edition or title

    def check_totals(self, query: SmallAreaQuery, payload: Payload, client: HttpClient) -> str | None:
        from pipeline.publishers.deprivation import official

        return official.check_against_official(query, payload, client)

    def questions(self, queries: Sequence[SmallAreaQuery]) -> Iterator[Question]:
        from pipeline.publishers.deprivation import files

        for file_id, file in files.FILES.items():
            # England's small areas are tens of megabytes, so this only checks that the file is still in place.
            ask = files.whereabouts if file.form == "csv" else _size_of
            yield Question(file.source_id, file.edition, partial(ask, file_id))


def _size_of(file_id: str, client: HttpClient) -> str:
    from pipeline.publishers.deprivation import files

    payload = files.fetch(file_id, client)
    return "unchanged" if payload is None else f"{payload.byte_count:,} bytes from {payload.url}"


PUBLISHER = IndicesOfDeprivation()
