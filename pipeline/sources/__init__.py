"""One adapter a publisher: a query of the catalogue in, the publisher's bytes out. Only this room touches the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.catalogue.model import ElsQuery, NomisQuery, OnsDatasetQuery, Query, SmallAreaQuery
from pipeline.sources.base import WrongContent

# The adapters are imported when first used: who only wants to know what is shipped need not wait for pyarrow.
if TYPE_CHECKING:
    from pipeline.sources.base import Payload
    from pipeline.sources.http import HttpClient

__all__ = ["REQUESTS_TO_ASK", "asked_with", "fetch", "is_unchanged", "last_updated", "official_summary"]

# How many requests it takes to ask whether a table has changed, where it is not one.
REQUESTS_TO_ASK: Mapping[str, int] = {"ons_dataset": 2}


def asked_with(query: Query) -> str:
    """What is asked about to learn whether a query's figures have changed: queries with the same answer share it.

    A data set of Nomis or of the ONS dataset API, a published file; Explore Local Statistics answers for all at once.
    """
    match query:
        case ElsQuery():
            return "all indicators"
        case NomisQuery() | OnsDatasetQuery():
            return query.dataset
        case SmallAreaQuery():
            from pipeline.sources import published_files

            return published_files.file_of(query.index)


def fetch(query: Query, client: HttpClient) -> Payload:
    """What the publisher sends for ``query`` today, complete, with its provenance.

    Raises a SourceError that names the source and what came instead.
    """
    from pipeline.sources import nomis, ons_dataset, ons_els, published_files

    match query:
        case ElsQuery():
            return ons_els.fetch(query, client)
        case NomisQuery():
            return nomis.fetch(query, client)
        case OnsDatasetQuery():
            return ons_dataset.fetch(query, client)
        case SmallAreaQuery():
            return _whole_file(published_files.file_of(query.index), client)


def is_unchanged(query: Query, held: Payload, client: HttpClient) -> bool:
    """Whether the publisher says, or its bytes show, that nothing has changed since ``held`` was fetched for ``query``.

    False where it gives no mark to tell by, or the project asked for other areas then. A file is asked for on condition that it has changed; one that comes all
    the same is compared. Raises a SourceError when the publisher cannot be asked.
    """
    if isinstance(query, SmallAreaQuery):
        from pipeline.sources import published_files

        headers = {name.lower(): value for name, value in held.headers.items()}
        file_id, etag, modified = (
            published_files.file_of(query.index),
            headers.get("etag"),
            headers.get("last-modified"),
        )
        sent = published_files.fetch(file_id, client, etag=etag, last_modified=modified)
        return sent is None or sent.sha256 == held.sha256
    if isinstance(query, ElsQuery):
        from pipeline.sources import ons_els

        if not ons_els.was_asked_for_all_areas(held):
            return False
    mark = None if held.publisher_updated is None else last_updated(query, client)
    return mark is not None and mark == held.publisher_updated


def last_updated(query: ElsQuery | NomisQuery | OnsDatasetQuery, client: HttpClient) -> str | None:
    """The publisher's own last-updated mark of what ``query`` asks for, as sent; None where it gives none.

    Equal marks on two days mean that nothing has changed. Raises a SourceError when the publisher cannot be asked.
    """
    from pipeline.sources import nomis, ons_dataset, ons_els

    match query:
        case ElsQuery():
            return ons_els.last_updated(query, client)
        case NomisQuery():
            return nomis.last_updated(query, client)
        case OnsDatasetQuery():
            return ons_dataset.last_updated(query, client)


def official_summary(query: SmallAreaQuery, client: HttpClient) -> Payload:
    """The publisher's own district summary (File 10) of the same English index, to check computed averages against.

    Raises a SourceError.
    """
    return _whole_file(f"{query.index}_file_10", client)


def _whole_file(file_id: str, client: HttpClient) -> Payload:
    from pipeline.sources import published_files

    payload = published_files.fetch(file_id, client)
    if payload is None:  # nothing was held to compare with, so no server may say that nothing changed
        raise WrongContent(f"{published_files.FILES[file_id].edition}: answered 'not modified' to a first request.")
    return payload
