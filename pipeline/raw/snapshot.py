"""A snapshot in the raw store: what it is a snapshot of, where it is, and the digest of its bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple


class CorruptSnapshot(ValueError):
    """A stored payload's bytes do not match the sha256 in its sidecar, or one of the two files cannot be read."""


@dataclass(frozen=True)
class SnapshotKey:
    """The identity of a snapshot: the part of an indicator, requested from a source with one exact query.

    ``query`` is the catalogue's query as plain data. A changed query has another fingerprint, so snapshots taken with
    the old one are no longer used.
    """

    source_id: str
    indicator_id: str
    part_id: str
    query: Mapping[str, Any]

    @property
    def query_fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.query, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Snapshot:
    """One stored payload. ``is_new`` is False if these bytes were already the store's latest."""

    path: Path
    sidecar_path: Path
    sidecar: Mapping[str, Any]
    is_new: bool = False

    @property
    def sha256(self) -> str:
        return str(self.sidecar["sha256"])

    @property
    def fetched_at(self) -> datetime:
        return datetime.fromisoformat(self.sidecar["fetched_at"])

    @property
    def accepted_at(self) -> datetime | None:
        """When a person last accepted a rejected answer to this query; None if never."""
        moment = self.sidecar.get("accepted_at")
        return None if moment is None else datetime.fromisoformat(moment)


class Digest(NamedTuple):
    """The sha256 of a file, and the file system's evidence that it is unchanged."""

    changed_at_ns: int
    byte_count: int
    sha256: str

    def is_of(self, state: os.stat_result) -> bool:
        return (self.changed_at_ns, self.byte_count) == (state.st_mtime_ns, state.st_size)
