"""What publishers' services answer to a query, recorded from the stand-in, and played back with one answer changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import Query
from pipeline.http.client import HttpClient
from pipeline.http.payload import Payload
from pipeline.http.response import HttpResponse
from pipeline.publishers.open_geography import fetch as open_geography
from pipeline.settings import Settings
from tests import ask
from tests.standin.server import StandIn

SOURCES = load_catalogue().sources
NOWHERE = Settings(data_dir=Path("nowhere"))


@dataclass(frozen=True)
class Recording:
    """A payload, and the answers it was made from in the order in which they came."""

    payload: Payload
    content: bytes
    answers: tuple[HttpResponse, ...]


class _Recorder(HttpClient):
    def __init__(self, settings: Settings) -> None:
        super().__init__(SOURCES, settings, throttle=False)
        self.answers: list[HttpResponse] = []

    def get(self, source_id: str, path_or_url: str, *arguments: Any, **options: Any) -> HttpResponse:
        self.answers.append(super().get(source_id, path_or_url, *arguments, **options))
        return self.answers[-1]


class Player(HttpClient):
    """Gives the recorded answers one after the other, whatever is asked; the one numbered ``which`` as ``content``.

    Asked more often than was recorded, it says that it is overloaded.
    """

    def __init__(self, recording: Recording, which: int, content: bytes) -> None:
        super().__init__(SOURCES, NOWHERE, throttle=False)
        self._answers = list(recording.answers)
        self._answers[which] = replace(self._answers[which], content=content)
        self._asked = 0

    def get(self, source_id: str, path_or_url: str, *arguments: Any, **options: Any) -> HttpResponse:
        self._asked += 1
        if self._asked > len(self._answers):
            return replace(self._answers[-1], status=503, content=b"Service Unavailable")
        return self._answers[self._asked - 1]


_RECORDED: dict[str, Recording] = {}


def recorded(query: Query | str) -> Recording:
    """The recording of one query, made once; a text is a table of the Open Geography portal."""
    if repr(query) not in _RECORDED:
        _RECORDED[repr(query)] = _record(query)
    return _RECORDED[repr(query)]


def _record(query: Query | str) -> Recording:
    with StandIn() as standin, _Recorder(replace(NOWHERE, base_urls=standin.base_urls)) as client:
        payload = fetch(query, client)
        content = payload.content
    return Recording(replace(payload, body=content), content, tuple(client.answers))


def fetch(query: Query | str, client: HttpClient) -> Payload:
    """What the adapter makes of the answers."""
    return open_geography.fetch(query, client) if isinstance(query, str) else ask.fetch(query, client)
