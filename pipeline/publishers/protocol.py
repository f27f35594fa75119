"""What the pipeline asks of a publisher."""

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
    """The columns an answer must have, by name or by a pattern of their name; publishers may add others."""

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Districts:
    """Today's map for a parser: today's districts on the ground of a code, and the code of each by its name."""

    today: Callable[[str], Iterable[str]]
    by_name: Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """One small question of `python -m pipeline doctor`; ``ask`` gives a sentence or raises a SourceError."""

    source_id: str
    words: str
    ask: Callable[[HttpClient], str]


class Publisher(Generic[AskedFor]):
    """A publisher: what can be asked of it, how its answers are fetched and read, and what must be in them.

    ``source_ids`` are the entries of ``sources.yaml`` it answers for. ``columns`` are, for each source whose answers are
    tables of text, what such a table must have on arrival; a workbook has no head to look at. ``has_editions`` says
    whether a table grows from one edition to the next, so that an older edition can be told from a newer one.
    """

    source_ids: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, Columns]] = {}
    has_editions: ClassVar[bool] = True

    def fetch(self, query: AskedFor, client: HttpClient) -> Payload:
        """What the publisher sends for ``query`` today, complete, with its provenance.

        Raises a SourceError that names the source and what came instead.
        """
        raise NotImplementedError

    def parse(self, query: AskedFor, payload: Payload, districts: Districts) -> Parsed:
        """The figures of an answer, and every row that cannot be believed with its reason. Raises UnreadablePayload."""
        raise NotImplementedError

    def asked_with(self, query: AskedFor) -> str:
        """What is asked about to learn whether figures have changed: queries that share it share the answer."""
        return query.table

    def last_updated(self, query: AskedFor, client: HttpClient) -> str | None:
        """The publisher's own last-updated mark of what ``query`` asks for, as sent; None where it gives none.

        Equal marks on two days mean that nothing has changed. Raises a SourceError when the publisher cannot be asked.
        """
        return None

    def is_unchanged(self, query: AskedFor, held: Payload, client: HttpClient) -> bool:
        """Whether the publisher says that nothing has changed since ``held`` was fetched for ``query``.

        False where it gives no mark to tell by. Raises a SourceError when the publisher cannot be asked.
        """
        mark = None if held.publisher_updated is None else self.last_updated(query, client)
        return mark is not None and mark == held.publisher_updated

    def edition(self, payload: Payload, title: str) -> str:
        """The edition of an answer in words; ``title`` is that of the source."""
        if payload.edition:
            return f"{title}, edition of {payload.edition}"
        if payload.publisher_updated:
            return f"{title}, updated {payload.publisher_updated}"
        return f"{title}, fetched {payload.fetched_at:%Y-%m-%d}"

    def check_totals(self, query: AskedFor, payload: Payload, client: HttpClient) -> str | None:
        """Hold figures computed from an answer against the publisher's own totals.

        Returns a warning where the totals cannot be had, None where they agree or there are none. Raises PayloadRejected
        naming areas that differ.
        """
        return None

    def questions(self, queries: Sequence[AskedFor]) -> Iterator[Question]:
        """What the doctor asks, given the catalogue's queries of this publisher."""
        yield from ()
