"""Store snapshots, find the last good one, and verify, accept, reject and delete them: see `pipeline.raw`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically, write_blocks_atomically
from pipeline.http.payload import Description, Page, Payload, StoredFile
from pipeline.raw.snapshot import CorruptSnapshot, Digest, Snapshot, SnapshotKey
from pipeline.sidecar import read_sidecar

_SUFFIXES = {
    "text/csv": ".csv",
    "application/json": ".json.body",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.ms-excel": ".xls",
}
_PAYLOADS = "payloads"
_BLOCK_BYTES = 1 << 20
# A payload up to this size is read into memory at once; a longer one stays in its file and is read from there.
LARGEST_IN_MEMORY_BYTES = 1 << 23
_STAMP = "%Y%m%dT%H%M%S%fZ"


class RawStore:
    """Snapshots below one folder, ``data/raw``.

    A store for ``looking`` verifies payloads and does not return their bytes. It does not even read those whose
    ``Digest`` is among the ``known``, by path below the root.
    """

    def __init__(self, root: Path, *, known: Mapping[str, Digest] | None = None, looking: bool = False) -> None:
        self.root = root
        self._looking = looking
        self._digests: dict[Path, Digest] = {root / path: digest for path, digest in (known or {}).items()}

    @property
    def digests(self) -> dict[str, Digest]:
        """The digests of the payloads that this store has read, by path below the root."""
        return {path.relative_to(self.root).as_posix(): digest for path, digest in sorted(self._digests.items())}

    def put(self, key: SnapshotKey, payload: Payload, *, licence: str, code_version: str) -> Snapshot:
        """Store a payload that passed its checks, unless the latest good snapshot of ``key`` holds the same bytes.

        Raises OSError if the folder cannot be written.
        """
        latest, _ = self.latest_good(key)
        if latest is not None and latest.sha256 == payload.sha256:
            return latest
        extra = {"licence": licence, "code_version": code_version}
        if latest is not None and latest.accepted_at is not None:
            extra["accepted_at"] = latest.accepted_at.isoformat()
        return self._write(self._folder(key), key, payload, after=latest, **extra)

    def put_rejected(self, key: SnapshotKey, payload: Payload, reason: str, *, licence: str, code_version: str) -> Path:
        """Keep a payload that failed its checks as evidence, once for the same bytes; it is never used as data."""
        folder = self._folder(key) / "rejected"
        for path in sorted(folder.glob(f"{key.part_id}.*.{payload.sha256[:12]}.json")):
            with suppress(CorruptSnapshot):
                return self._open(path).path
        return self._write(
            folder, key, payload, licence=licence, code_version=code_version, rejected_because=reason
        ).path

    def latest_good(self, key: SnapshotKey) -> tuple[Snapshot | None, list[str]]:
        """The newest intact snapshot of ``key``, and one sentence for each newer one that is corrupt and was skipped."""
        passed_over: list[str] = []
        for snapshot in self._newest_first(key, passed_over):
            try:
                self.read(snapshot)
            except CorruptSnapshot as error:
                passed_over.append(str(error))
                continue
            return snapshot, passed_over
        return None, passed_over

    def editions(self, key: SnapshotKey) -> list[Snapshot]:
        """Every good snapshot of ``key``, oldest first; their bytes are verified on reading."""
        return list(self._newest_first(key, []))[::-1]

    def read(self, snapshot: Snapshot) -> Payload:
        """The payload of a snapshot, its bytes verified against the sidecar.

        Raises CorruptSnapshot if they differ or cannot be read.
        """
        sidecar = snapshot.sidecar
        return Payload(
            body=self._proved(snapshot),
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
            description=Description.from_record(sidecar.get("description")),
            areas_without_rows=tuple(sidecar.get("areas_without_rows", ())),
            warnings=tuple(sidecar.get("warnings", ())),
        )

    def snapshots(self) -> Iterator[Snapshot]:
        """Every good snapshot held, by path; unreadable sidecars are left out."""
        for path in sorted(self.root.glob("*/*/*.json")):
            with suppress(CorruptSnapshot):
                yield self._open(path)

    def rejected(self, source_id: str, indicator_id: str) -> list[Snapshot]:
        """The rejected answers for an indicator, newest first; unreadable sidecars are left out."""
        found = []
        for path in sorted((self.root / source_id / indicator_id / "rejected").glob("*.json"), reverse=True):
            with suppress(CorruptSnapshot):
                found.append(self._open(path))
        return found

    def accept(self, snapshot: Snapshot, reason: str, person: str) -> Snapshot:
        """Accept a rejected snapshot on a person's word; it becomes the latest, and its sidecar says why.

        Raises CorruptSnapshot if its bytes are not those that were rejected.
        """
        self._proved(snapshot)
        sidecar = dict(snapshot.sidecar)
        folder = snapshot.sidecar_path.parent.parent
        sidecar["accepted_because"], sidecar["accepted_by"] = reason, person
        sidecar["accepted_at"] = datetime.now(UTC).isoformat()
        sidecar["payload_file"] = Path(os.path.relpath(snapshot.path, folder)).as_posix()
        key = SnapshotKey(sidecar["source_id"], sidecar["indicator_id"], sidecar["part_id"], sidecar["query"])
        latest, _ = self.latest_good(key)
        stem = f"{key.part_id}.{_stamp_after(latest, snapshot.fetched_at)}.{snapshot.sha256[:12]}"
        sidecar_path = folder / f"{stem}.json"
        write_atomically(sidecar_path, _as_json(sidecar))
        snapshot.sidecar_path.unlink()
        return Snapshot(snapshot.path, sidecar_path, sidecar, is_new=True)

    def reject(self, snapshot: Snapshot, reason: str) -> Path:
        """Reject a stored snapshot and keep it as evidence, as ``put_rejected`` does; return the path of its payload."""
        sidecar = {name: value for name, value in snapshot.sidecar.items() if name != "accepted_at"}
        folder = snapshot.sidecar_path.parent / "rejected"
        known = next(folder.glob(f"{sidecar['part_id']}.*.{snapshot.sha256[:12]}.json"), None)
        if known is None:
            folder.mkdir(parents=True, exist_ok=True)
            sidecar["payload_file"] = Path(os.path.relpath(snapshot.path, folder)).as_posix()
            sidecar["rejected_because"] = reason
            write_atomically(folder / snapshot.sidecar_path.name, _as_json(sidecar))
        snapshot.sidecar_path.unlink()
        return snapshot.path

    def prune(self, keep: int) -> tuple[int, int]:
        """Delete all but the newest ``keep`` snapshots of each query, and of each query's rejected answers.

        The last good snapshot of a query is never deleted: if none of the newest ``keep`` is intact, the newest intact
        one also stays. Payloads without any remaining sidecar are deleted too. Returns the number of sidecars and
        payload bytes deleted. Nothing else may write to the store meanwhile.
        """
        gone = 0
        for held in self._by_query().values():
            if len(held) <= keep:
                continue
            wanted = {snapshot.sidecar_path for snapshot in held[:keep]}
            good = next((s for s in held if s.sidecar_path.parent.name != "rejected" and self._is_intact(s)), None)
            for snapshot in held[keep:]:
                if snapshot is not good and snapshot.sidecar_path not in wanted:
                    snapshot.sidecar_path.unlink()
                    gone += 1
        return gone, self._drop_unused_payloads()

    def _by_query(self) -> dict[tuple[Path, str, str], list[Snapshot]]:
        """Every snapshot with a readable sidecar, newest first, by folder, part and query."""
        held: dict[tuple[Path, str, str], list[Snapshot]] = {}
        for path in sorted([*self.root.glob("*/*/*.json"), *self.root.glob("*/*/rejected/*.json")], reverse=True):
            with suppress(CorruptSnapshot):
                snapshot = self._open(path)
                key = (path.parent, snapshot.sidecar["part_id"], snapshot.sidecar["query_fingerprint"])
                held.setdefault(key, []).append(snapshot)
        return held

    def _is_intact(self, snapshot: Snapshot) -> bool:
        try:
            self._proved(snapshot)
        except CorruptSnapshot:
            return False
        return True

    def _drop_unused_payloads(self) -> int:
        """Remove payloads without a sidecar, unless a sidecar cannot be read: its payload is then unknown."""
        used: set[Path] = set()
        for path in [*self.root.glob("*/*/*.json"), *self.root.glob("*/*/rejected/*.json")]:
            try:
                used.add(self._open(path).path)
            except CorruptSnapshot:
                return 0
        freed = 0
        for path in self.root.glob(f"*/{_PAYLOADS}/*"):
            if path not in used and path.is_file():
                freed += path.stat().st_size
                path.unlink()
        return freed

    def verify(self) -> tuple[int, list[str]]:
        """Rehash everything held: the number of snapshots, and a sentence for each corrupt one."""
        count, problems = 0, []
        proved: set[tuple[Path, str]] = set()
        for path in sorted(self.root.glob("*/*/*.json")):
            count += 1
            try:
                snapshot = self._open(path)
                if (snapshot.path, snapshot.sha256) not in proved:
                    self._proved(snapshot)
                    proved.add((snapshot.path, snapshot.sha256))
            except CorruptSnapshot as error:
                problems.append(str(error))
        return count, problems

    def _proved(self, snapshot: Snapshot) -> bytes | StoredFile:
        """The bytes of a snapshot, or the file for large ones, once their sha256 matches the sidecar."""
        expected = snapshot.sha256
        try:
            with snapshot.path.open("rb") as stream:
                state = os.fstat(stream.fileno())
                is_in_memory = state.st_size <= LARGEST_IN_MEMORY_BYTES and not self._looking
                content = stream.read() if is_in_memory else b""
                if is_in_memory:
                    found = hashlib.sha256(content).hexdigest()
                    self._digests[snapshot.path] = Digest(state.st_mtime_ns, len(content), found)
                else:
                    found = self._digest_of(snapshot.path, stream)
        except OSError as error:
            raise CorruptSnapshot(f"{self._name(snapshot.path)}: cannot be read ({error.strerror})") from error
        if found != expected:
            raise CorruptSnapshot(
                f"{self._name(snapshot.path)}: sha256 is {found[:12]}, its sidecar says {expected[:12]}; "
                "the file was changed after it was stored and is not used"
            )
        return content if is_in_memory else StoredFile(snapshot.path, expected, state.st_size)

    def _digest_of(self, path: Path, stream: BufferedReader) -> str:
        """The sha256 of a large payload, computed once for many indicators while the file system shows no change."""
        state = os.fstat(stream.fileno())
        known = self._digests.get(path)
        if known is None or not known.is_of(state):
            found = hashlib.file_digest(stream, "sha256").hexdigest()
            known = self._digests[path] = Digest(state.st_mtime_ns, state.st_size, found)
        return known.sha256

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
            sidecar, payload_path = read_sidecar(sidecar_path, self.root)
            return Snapshot(payload_path, sidecar_path, sidecar)
        except (OSError, ValueError) as error:
            raise CorruptSnapshot(f"{self._name(sidecar_path)}: the sidecar cannot be read ({error})") from error

    def _write(
        self, folder: Path, key: SnapshotKey, payload: Payload, *, after: Snapshot | None = None, **extra: str
    ) -> Snapshot:
        folder.mkdir(parents=True, exist_ok=True)
        path = self._stored(key.source_id, payload)
        stem = f"{key.part_id}.{_stamp_after(after, payload.fetched_at)}.{payload.sha256[:12]}"
        sidecar = {
            "payload_file": Path(os.path.relpath(path, folder)).as_posix(),
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
            "sha256": payload.sha256,
            "byte_count": payload.byte_count,
            "row_count": payload.row_count,
            "publisher_updated": payload.publisher_updated,
            "edition": payload.edition,
            "pages": [page.record() for page in payload.pages],
            "description": None if payload.description is None else dataclasses.asdict(payload.description),
            "areas_without_rows": list(payload.areas_without_rows),
            "warnings": list(payload.warnings),
            **extra,
        }
        sidecar_path = folder / f"{stem}.json"
        write_atomically(sidecar_path, _as_json(sidecar))
        return Snapshot(path, sidecar_path, sidecar, is_new=True)

    def _stored(self, source_id: str, payload: Payload) -> Path:
        """Where the payload's bytes are; written there unless another snapshot already brought them intact."""
        folder = self.root / source_id / _PAYLOADS
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (payload.sha256 + _SUFFIXES.get(payload.media_type, ".bin"))
        with payload.open() as stream:
            if not self._holds(path, payload.sha256):
                write_blocks_atomically(path, iter(lambda: stream.read(_BLOCK_BYTES), b""))
                state = path.stat()
                self._digests[path] = Digest(state.st_mtime_ns, state.st_size, payload.sha256)
        return path

    def _holds(self, path: Path, sha256: str) -> bool:
        """Whether the bytes are already there; an altered file is rewritten."""
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return self._digest_of(path, stream) == sha256


def _as_json(sidecar: Mapping[str, Any]) -> bytes:
    return (json.dumps(sidecar, indent=2) + "\n").encode()


def _stamp_after(latest: Snapshot | None, fetched_at: datetime) -> str:
    """The time in a sidecar's name, which orders the snapshots: later than the latest one's, even if the clock was set
    back in between. The sidecar itself records the clock's time."""
    moment = fetched_at.astimezone(UTC)
    if latest is not None:
        before = datetime.strptime(latest.sidecar_path.name.split(".")[1], _STAMP).replace(tzinfo=UTC)
        moment = max(moment, before + timedelta(microseconds=1))
    return moment.strftime(_STAMP)
