"""The result of every source adapter, and the ways in which it can fail."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Page:
    """One HTTP response in a payload. ``url`` and ``parameters`` hold no secret."""

    url: str
    parameters: Mapping[str, str]
    http_status: int
    headers: Mapping[str, str]
    sha256: str
    byte_count: int
    row_count: int | None = None

    def record(self) -> dict[str, Any]:
        """The response as plain data; its mappings may be read-only views, which JSON does not accept."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


@dataclass(frozen=True)
class Description:
    """The publisher's own words about a table: the unit of its figures and its caveats."""

    unit: str | None = None
    caveats: tuple[str, ...] = ()

    @classmethod
    def from_record(cls, recorded: Mapping[str, Any] | None) -> Description | None:
        """The publisher's words, restored from plain data; None if none were kept."""
        return None if recorded is None else cls(recorded["unit"], tuple(recorded["caveats"]))


@dataclass(frozen=True)
class StoredFile:
    """Bytes in a file rather than in memory; their sha256 was computed while they were written."""

    path: Path
    sha256: str
    byte_count: int


@dataclass(frozen=True)
class Payload:
    """The bytes that a publisher sent for one query, with what is needed to prove their origin.

    ``body`` is unchanged, except that several pages of one table are joined with their header kept once. Tables that
    come in pages are in a file, so that memory does not grow with them; the file exists until the client that fetched
    it is closed. ``publisher_updated`` is the publisher's own last-updated mark, as sent. It was requested before the
    figures, so the figures are at least that new. ``areas_without_rows`` are areas that the publisher lists but sent
    nothing for. ``warnings`` are sentences on what was left out of the body.
    """

    body: bytes | StoredFile
    media_type: str
    url: str
    parameters: Mapping[str, str]
    fetched_at: datetime
    http_status: int
    headers: Mapping[str, str]
    row_count: int | None = None
    publisher_updated: str | None = None
    edition: str | None = None
    pages: tuple[Page, ...] = field(default_factory=tuple)
    description: Description | None = None
    areas_without_rows: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """The complete body, in memory."""
        return self.body if isinstance(self.body, bytes) else self.body.path.read_bytes()

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest() if isinstance(self.body, bytes) else self.body.sha256

    @property
    def byte_count(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.byte_count

    def open(self) -> BinaryIO:
        """The body as a stream from its start; the caller closes it."""
        return io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body.path.open("rb")


class SourceError(PipelineError):
    """A source did not give usable data. The message is one sentence that a person can act on."""


class HostUnreachable(SourceError):
    """No connection to the publisher's host, which says nothing about whether data exist."""


class RequestRefused(SourceError):
    """The publisher answered, and the answer was an error (status and message are in the text)."""


class WrongContent(SourceError):
    """The publisher answered with something other than the expected table (empty, HTML, other columns)."""


class Incomplete(SourceError):
    """Fewer rows arrived than the publisher announces."""


class PayloadRejected(ValueError):
    """A payload as a whole cannot be used. The message says what was expected, what came, and what follows."""
