"""One small question to each publisher: who answers, what has moved, what has changed its shape.

For the day the network is there: every question is a real, small query of the kind a refresh makes, put through the
same adapter and checks, so that what fails here would fail there, with the same sentence.
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
    """What one question brought. ``detail`` is a sentence: what came, or what is wrong and what to do."""

    source_id: str
    question: str
    verdict: Verdict
    detail: str
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.verdict == "answers"


def examine(queries: Sequence[Query], client: HttpClient) -> Iterator[Finding]:
    """Ask every source its questions, one after the other, and yield each finding as it comes.

    ``queries`` are the catalogue's live queries. Never raises a SourceError: that is the finding.
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
