"""What passes between the stand-in's server and the services behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as it arrived: the path without its query, and the query in order, undecided about duplicates."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def accept(self) -> str | None:
        return next((value for name, value in self.headers.items() if name.lower() == "accept"), None)

    @property
    def target(self) -> str:
        return f"{self.path}?{'&'.join(f'{name}={value}' for name, value in self.query)}"


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off_after: int | None = None  # announce the whole body, send this many bytes, close
    silent_seconds: float = 0.0  # before anything is sent


def json_reply(content: Any, status: int = 200, media_type: str = "application/json") -> Reply:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"content-type": media_type})


def html_reply(status: int) -> Reply:
    body = f'<!doctype html>\n<html lang="en"><head><title>Error {status}</title></head><body></body></html>\n'.encode()
    return Reply(status, body, {"content-type": "text/html; charset=utf-8"})
