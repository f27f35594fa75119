"""The interface of a publisher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from pipeline.publishers.query import Query

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.payload import Payload
    from pipeline.tidy.observations import Parsed

AskedFor = TypeVar("AskedFor", bound=Query)


@dataclass(frozen=True)
class Columns:
    """The columns an answer must have, by name or by a pattern. Publishers may add others."""

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Districts:
    """Today's map for a parser: the current districts on a code's ground, and the code of each current name."""

    today: Callable[[str], Iterable[str]]
    by_name: Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """One small question for `python -m pipeline doctor`; ``ask`` returns a sentence or raises a SourceError."""

    source_id: str
    words: str
    ask: Callable[[HttpClient], str]


class Publisher(Generic[AskedFor]):
    """A publisher: its queries, how its answers are fetched and parsed, and what they must contain.

    ``source_ids`` are its entries in ``sources.yaml``. ``columns`` gives, for each source whose answers are text
    tables, the columns required on arrival; workbooks are checked by their parsers. ``has_editions`` says that a table
    grows with each edition, so that an older edition can be distinguished from a newer one.
    """

    source_ids: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, Columns]] = {}
    has_editions: ClassVar[bool] = True

    def fetch(self, query: AskedFor, client: HttpClient) -> Payload:
        """The publisher's complete current answer to ``query``, with its provenance.

        Raises a SourceError that names the source and says what came instead.
        """
        raise NotImplementedError

    def parse(self, query: AskedFor, payload: Payload, districts: Districts) -> Parsed:
        """The figures of an answer, and every rejected row with its reason. Raises UnreadablePayload."""
        raise NotImplementedError

    def asked_with(self, query: AskedFor) -> str:
        """The unit of a check for updates: queries that share it share the answer."""
        return query.table

    def last_updated(self, query: AskedFor, client: HttpClient) -> str | None:
        """The publisher's own last-updated mark for ``query``, as sent; None if it gives none.

        Equal marks on two days mean no change. Raises a SourceError if the publisher cannot be asked.
        """
        return None

    def is_unchanged(self, query: AskedFor, held: Payload, client: HttpClient) -> bool:
        """Whether the publisher says that nothing has changed since ``held`` was fetched for ``query``.

        False if it gives no mark. Raises a SourceError if the publisher cannot be asked.
        """
        mark = None if held.publisher_updated is None else self.last_updated(query, client)
        return mark is not None and mark == held.publisher_updated

    def edition(self, payload: Payload, title: str) -> str:
        """The edition of an answer in words; ``title`` is the source's."""
        if payload.edition:
            return f"{title}, edition of {payload.edition}"
        if payload.publisher_updated:
            return f"{title}, updated {payload.publisher_updated}"
        return f"{title}, fetched {payload.fetched_at:%Y-%m-%d}"

    def check_totals(self, query: AskedFor, payload: Payload, client: HttpClient) -> str | None:
        """Check figures computed from an answer against the publisher's own totals.

        Returns a warning if the totals are unavailable, None if they agree or there are none. Raises PayloadRejected
        naming areas that differ.
        """
        return None

    def questions(self, queries: Sequence[AskedFor]) -> Iterator[Question]:
        """The doctor's questions, given the catalogue's queries to this publisher."""
        yield from ()
