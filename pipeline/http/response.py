"""A publisher's answer, as the adapters get it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HttpResponse:
    """One complete answer. Addresses, parameters and headers hold no key."""

    content: bytes = field(repr=False)
    status: int
    headers: Mapping[str, str]
    url_without_secrets: str
    params_without_secrets: Mapping[str, str]
    not_modified: bool = False

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def is_html(self) -> bool:
        return "html" in self.media_type.lower() or self.content[:64].lstrip()[:1] == b"<"

    @property
    def message(self) -> str:
        """The server's own message, in at most 200 characters, for an error sentence."""
        if not self.content:
            return "(empty body)"
        if self.is_html:
            return "(an HTML page)"
        text = self.content[:2000].decode("utf-8", "replace").strip()
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return " ".join(text.split())[:200]
        if isinstance(parsed, dict):
            said = parsed.get("message") or parsed.get("error") or parsed
            if isinstance(said, dict):
                said = said.get("message") or said
            return str(said)[:200]
        return text[:200]
