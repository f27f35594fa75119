"""The raw store: write-once snapshots of what publishers sent, each with a sidecar that says where it came from.

Layout, one folder an indicator::

    data/raw/<source>/<indicator>/<part>.<fetched>.<sha256, 12 digits>.<csv>    the bytes, as sent
    data/raw/<source>/<indicator>/<the same>.json                               the sidecar
    data/raw/<source>/<indicator>/rejected/...                                  payloads that failed a check, kept as evidence

A snapshot exists once its sidecar does; the payload is written first, so a crash in between leaves
nothing that counts. Nothing is ever overwritten, and content that is already the latest makes no new file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.sources.base import Description, Page, Payload

_SUFFIXES = {"text/csv": ".csv", "application/json": ".json.body", "application/vnd.apache.parquet": ".parquet"}
_STAMP = "%Y%m%dT%H%M%S%fZ"


class CorruptSnapshot(ValueError):
    """A stored payload's bytes do not match the sha256 in its sidecar, or one of the two files cannot be read."""


@dataclass(frozen=True)
class SnapshotKey:
    """What a snapshot is of: the part of an indicator, asked of a source with one exact query.

    ``query`` is the catalogue's query as plain data. A changed query has another fingerprint, so
    snapshots taken with the old one are no longer offered.
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
    """One stored payload. ``is_new`` is False where the store already held these bytes as its latest."""

    path: Path
    sidecar: Mapping[str, Any]
    is_new: bool = False

    @property
    def sha256(self) -> str:
        return str(self.sidecar["sha256"])

    @property
    def fetched_at(self) -> datetime:
        return datetime.fromisoformat(self.sidecar["fetched_at"])


class RawStore:
    """Snapshots below one folder, ``data/raw``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: SnapshotKey, payload: Payload, *, licence: str, code_version: str) -> Snapshot:
        """Store a payload that passed its checks, unless the latest good snapshot of ``key`` holds the same bytes.

        Raises OSError when the folder cannot be written.
        """
        digest = hashlib.sha256(payload.content).hexdigest()
        latest, _ = self.latest_good(key)
        if latest is not None and latest.sha256 == digest:
            return latest
        return self._write(self._folder(key), key, payload, digest, licence=licence, code_version=code_version)

    def put_rejected(self, key: SnapshotKey, payload: Payload, reason: str, *, licence: str, code_version: str) -> Path:
        """Keep a payload that failed its checks as evidence, once for the same bytes; it is never offered as data."""
        digest = hashlib.sha256(payload.content).hexdigest()
        folder = self._folder(key) / "rejected"
        held = [p for p in folder.glob(f"{key.part_id}.*.{digest[:12]}.*") if p.suffix != ".json"]
        if held:
            return held[0]
        return self._write(
            folder, key, payload, digest, licence=licence, code_version=code_version, rejected_because=reason
        ).path

    def latest_good(self, key: SnapshotKey) -> tuple[Snapshot | None, list[str]]:
        """The newest whole snapshot of ``key``, and one sentence for each newer one that is corrupt and was passed over."""
        passed_over: list[str] = []
        for snapshot in self._newest_first(key, passed_over):
            try:
                self.read(snapshot)
            except CorruptSnapshot as error:
                passed_over.append(str(error))
                continue
            return snapshot, passed_over
        return None, passed_over

    def read(self, snapshot: Snapshot) -> Payload:
        """The payload of a snapshot, its bytes proved against the sidecar.

        Raises CorruptSnapshot when they differ or cannot be read.
        """
        sidecar = snapshot.sidecar
        try:
            content = snapshot.path.read_bytes()
        except OSError as error:
            raise CorruptSnapshot(f"{self._name(snapshot.path)}: cannot be read ({error.strerror})") from error
        found = hashlib.sha256(content).hexdigest()
        if found != sidecar["sha256"]:
            raise CorruptSnapshot(
                f"{self._name(snapshot.path)}: sha256 is {found[:12]}, its sidecar says {sidecar['sha256'][:12]}; "
                "the file was changed after it was stored and is not used"
            )
        return Payload(
            content=content,
            media_type=sidecar["media_type"],
            url=sidecar["url"],
            parameters=sidecar["parameters"],
            fetched_at=snapshot.fetched_at,
            http_status=sidecar["http_status"],
            headers=sidecar["headers"],
            row_count=sidecar["row_count"],
            publisher_updated=sidecar["publisher_updated"],
            edition=sidecar["edition"],
            pages=tuple(Page(**page) for page in sidecar["pages"]),
            description=_description(sidecar.get("description")),
        )

    def snapshots(self) -> Iterator[Snapshot]:
        """Every good snapshot held, by path."""
        for path in sorted(self.root.glob("*/*/*.json")):
            if not path.name.endswith(".json.body"):
                yield self._open(path)

    def verify(self) -> tuple[int, list[str]]:
        """Rehash everything held: the number of snapshots, and a sentence for each that is corrupt."""
        count, problems = 0, []
        for path in sorted(self.root.glob("*/*/*.json")):
            count += 1
            try:
                self.read(self._open(path))
            except CorruptSnapshot as error:
                problems.append(str(error))
        return count, problems

    def _folder(self, key: SnapshotKey) -> Path:
        return self.root / key.source_id / key.indicator_id

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _newest_first(self, key: SnapshotKey, passed_over: list[str]) -> Iterator[Snapshot]:
        for path in sorted(self._folder(key).glob(f"{key.part_id}.*.json"), reverse=True):
            try:
                snapshot = self._open(path)
            except CorruptSnapshot as error:
                passed_over.append(str(error))
                continue
            if snapshot.sidecar["query_fingerprint"] == key.query_fingerprint:
                yield snapshot

    def _open(self, sidecar_path: Path) -> Snapshot:
        try:
            sidecar = json.loads(sidecar_path.read_text(encoding="utf-8"))
            return Snapshot(sidecar_path.parent / sidecar["payload_file"], sidecar)
        except (OSError, ValueError, KeyError) as error:
            raise CorruptSnapshot(f"{self._name(sidecar_path)}: the sidecar cannot be read ({error})") from error

    def _write(self, folder: Path, key: SnapshotKey, payload: Payload, digest: str, **extra: str) -> Snapshot:
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{key.part_id}.{payload.fetched_at.astimezone(UTC).strftime(_STAMP)}.{digest[:12]}"
        path = folder / (stem + _SUFFIXES.get(payload.media_type, ".bin"))
        sidecar = {
            "payload_file": path.name,
            "source_id": key.source_id,
            "indicator_id": key.indicator_id,
            "part_id": key.part_id,
            "query": dict(key.query),
            "query_fingerprint": key.query_fingerprint,
            "url": payload.url,
            "parameters": dict(payload.parameters),
            "fetched_at": payload.fetched_at.isoformat(),
            "http_status": payload.http_status,
            "headers": dict(payload.headers),
            "media_type": payload.media_type,
            "sha256": digest,
            "byte_count": len(payload.content),
            "row_count": payload.row_count,
            "publisher_updated": payload.publisher_updated,
            "edition": payload.edition,
            "pages": [_page_record(page) for page in payload.pages],
            "description": None if payload.description is None else dataclasses.asdict(payload.description),
            **extra,
        }
        write_atomically(path, payload.content)
        write_atomically(folder / f"{stem}.json", (json.dumps(sidecar, indent=2) + "\n").encode())
        return Snapshot(path, sidecar, is_new=True)


def _description(recorded: Mapping[str, Any] | None) -> Description | None:
    """The publisher's words as they stand in a sidecar; sidecars written before they were kept have none."""
    return None if recorded is None else Description(recorded["unit"], tuple(recorded["caveats"]))


def _page_record(page: Page) -> dict[str, Any]:
    """A page as plain data; its mappings may be read-only views, which JSON does not know."""
    fields = {field.name: getattr(page, field.name) for field in dataclasses.fields(page)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items()}


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either wholly there or not there: beside the target, flushed to disk, then renamed."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's file mode mask; a temporary file starts private, and the published one must not stay so."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
