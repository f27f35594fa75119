"""One small question to each publisher: which answer, what has moved, and what has changed its format.

For use once the network is available. Every question is a real, small query like those of a refresh, sent through the
same adapter and checks. So whatever would fail in a refresh fails here, with the same message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.publishers.registry import publishers

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.publishers.query import Query

Verdict = Literal["answers", "unreachable", "moved or refused", "changed shape", "incomplete"]
VERDICT_OF_FAILURE: dict[type[SourceError], Verdict] = {
    HostUnreachable: "unreachable",
    RequestRefused: "moved or refused",
    WrongContent: "changed shape",
    Incomplete: "incomplete",
}


@dataclass(frozen=True)
class Finding:
    """The result of one question. ``detail`` is a sentence: what came, or what is wrong and what to do."""

    source_id: str
    question: str
    verdict: Verdict
    detail: str
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.verdict == "answers"


def examine(queries: Sequence[Query], client: HttpClient) -> Iterator[Finding]:
    """Ask every source its questions in turn, and yield each finding as it arrives.

    ``queries`` are the catalogue's live queries. Never raises a SourceError: it becomes the finding.
    """
    for publisher in publishers():
        for question in publisher.questions([query for query in queries if query.source in publisher.source_ids]):
            started = time.monotonic()
            verdict: Verdict = "answers"
            try:
                detail = question.ask(client)
            except SourceError as error:
                detail, verdict = str(error), VERDICT_OF_FAILURE[type(error)]
            yield Finding(question.source_id, question.words, verdict, detail, time.monotonic() - started)
