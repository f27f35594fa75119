"""The release.json of a kept release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.compare.version import Version
from pipeline.errors import PipelineError

MANIFEST = "release.json"
SCHEMA = "schema.sql"
FORMAT = 1


class ReleaseProblem(PipelineError):
    """A release cannot be kept, found or rebuilt. The message says which, why, and what to do."""


@dataclass(frozen=True)
class Part:
    """One file of a kept release. ``digest`` names its rows: equal digests, equal rows (``pipeline.compare.digests``)."""

    file: str
    byte_count: int
    sha256: str
    row_count: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Release:
    """One kept release. ``released_at`` is in UTC; ``parts`` are its schema and tables by name."""

    version: Version
    released_at: datetime
    kind: str
    explanation: str
    previous: Version | None
    run_id: str
    code_version: str
    content_hash: str
    parts: Mapping[str, Part]
    folder: Path

    @property
    def byte_count(self) -> int:
        """Total size of its files in bytes, including those shared with other releases."""
        return sum(part.byte_count for part in self.parts.values())

    def described(self) -> dict[str, Any]:
        """Its description without its files, as plain data."""
        return {
            "format": FORMAT,
            "version": str(self.version),
            "released_at": self.released_at.isoformat(timespec="seconds") + "Z",
            "kind": self.kind,
            "explanation": self.explanation,
            "previous_version": str(self.previous) if self.previous else None,
            "run_id": self.run_id,
            "code_version": self.code_version,
            "content_hash": self.content_hash,
        }

    def manifest(self) -> str:
        """The text of its release.json."""
        parts = {
            name: {
                "file": part.file,
                "byte_count": part.byte_count,
                "sha256": part.sha256,
                "row_count": part.row_count,
                "digest": part.digest,
            }
            for name, part in self.parts.items()
        }
        return json.dumps(self.described() | {"parts": parts}, indent=2, ensure_ascii=False) + "\n"


def read_manifest(folder: Path) -> Release:
    """The release kept in a folder; its files are not checked. Raises ReleaseProblem if it cannot be read."""
    path = folder / MANIFEST
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["format"] != FORMAT:
            raise ReleaseProblem(
                f"release {folder.name} was kept in format {held['format']}, this project reads {FORMAT}; "
                "use the version of the project that made it"
            )
        return Release(
            version=Version.parse(held["version"]),
            released_at=datetime.fromisoformat(held["released_at"]).replace(tzinfo=None),
            kind=held["kind"],
            explanation=held["explanation"],
            previous=Version.parse(held["previous_version"]) if held["previous_version"] else None,
            run_id=held["run_id"],
            code_version=held["code_version"],
            content_hash=held["content_hash"],
            parts={name: Part(**part) for name, part in held["parts"].items()},
            folder=folder,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseProblem(
            f"release {folder.name} cannot be read: its {MANIFEST} is missing or damaged ({error}); "
            f"remove the folder {folder.name}, or restore it from a backup"
        ) from error
