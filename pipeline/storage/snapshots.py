"""The raw store in the bucket: the same names as on disk, payloads before the sidecars that describe them.

Both sides only grow. A payload is named by its sha256, a sidecar by its time and its payload, so two machines never
write different bytes under one name. Whatever one fetched while the bucket was unreachable is simply added later.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.atomic import write_atomically
from pipeline.storage.bucket import Bucket, Damaged, Held, NotInBucket, in_parallel

FOLDER = "raw"
# Names that are safe on this machine; anything else in the bucket is ignored.
_WORD = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_SIDECAR = re.compile(
    rf"raw/(?P<place>{_WORD}/{_WORD})/(?P<rejected>rejected/)?(?P<part>[A-Za-z0-9_-]+)\.[0-9TZ]+\.(?P<sha>[0-9a-f]{{12}})\.json"
)
_PAYLOAD = re.compile(rf"raw/{_WORD}/payloads/(?P<sha>[0-9a-f]{{64}})(\.[a-z]+){{1,2}}")


@dataclass
class Moved:
    """How many snapshots and bytes were transferred, and a sentence for each that could not be."""

    snapshots: int = 0
    byte_count: int = 0
    problems: list[str] = field(default_factory=list)


def bring(bucket: Bucket, raw_dir: Path) -> Moved:
    """Download every snapshot that this machine lacks, verifying each payload before its sidecar is written.

    A sidecar whose payload is missing or damaged in the bucket is skipped and reported. Raises StoreProblem if the
    bucket does not answer, OSError for the disk.
    """
    there = bucket.list(FOLDER)
    moved = Moved()
    wanted = [name for name in sidecars(there) if not _here(raw_dir, name).exists()]
    texts = dict(zip(wanted, in_parallel(lambda name: _read(bucket, name), wanted), strict=True))
    payloads: dict[str, list[str]] = {}
    for name, text in texts.items():
        payload = payload_of(name, text)
        if payload is None:
            moved.problems.append(f"{name} in the bucket cannot be read and is not used")
        else:
            payloads.setdefault(payload, []).append(name)

    def fetch(payload: str) -> tuple[int, str | None]:
        path = _here(raw_dir, payload)
        if path.exists():
            return 0, None
        try:
            bucket.download(payload, path, _sha_of(payload))
        except (Damaged, NotInBucket) as error:
            return 0, f"{error}; the snapshots of it ({len(payloads[payload])}) are not used"
        return path.stat().st_size, None

    for payload, (size, problem) in zip(payloads, in_parallel(fetch, payloads), strict=True):
        if problem:
            moved.problems.append(problem)
            continue
        moved.byte_count += size
        for name in payloads[payload]:
            path = _here(raw_dir, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, texts[name])
            moved.snapshots += 1
    return moved


def put_up(bucket: Bucket, raw_dir: Path) -> Moved:
    """Upload every snapshot that the bucket lacks: payloads that are missing or truncated there, then sidecars.

    A snapshot that is corrupt on this machine is skipped and reported. Raises StoreProblem, OSError.
    """
    there = bucket.list(FOLDER)
    held_here = sidecars(_names(raw_dir))
    new = [name for name in held_here if name not in there]
    moved = Moved()
    texts = {name: _here(raw_dir, name).read_bytes() for name in new}
    payloads: dict[str, list[str]] = {}
    for name, text in texts.items():
        payload = payload_of(name, text)
        if payload is None or not _here(raw_dir, payload).exists():
            moved.problems.append(f"{name} on this machine has no payload that can be read; it is not uploaded")
        else:
            payloads.setdefault(payload, []).append(name)

    def send(payload: str) -> tuple[int, str | None]:
        path = _here(raw_dir, payload)
        size = path.stat().st_size
        if payload in there and there[payload].byte_count == size:
            return 0, None
        try:
            bucket.upload(path, payload, _sha_of(payload))
        except Damaged as error:
            return 0, str(error)
        return size, None

    sent = dict(zip(payloads, in_parallel(send, payloads), strict=True))
    moved.problems += [problem for _, problem in sent.values() if problem]
    moved.byte_count = sum(size for size, _ in sent.values())
    complete = [name for payload, (_, problem) in sent.items() if not problem for name in payloads[payload]]
    in_parallel(lambda name: bucket.write(name, texts[name]), complete)
    moved.snapshots = len(complete)
    return moved


def prune(bucket: Bucket, gone: set[str]) -> None:
    """Remove what the raw store deleted, by name: sidecars before their payloads."""
    for is_payload in (False, True):
        in_parallel(bucket.delete, sorted(name for name in gone if bool(_PAYLOAD.fullmatch(name)) == is_payload))


def names_here(raw_dir: Path) -> set[str]:
    """Everything of the raw store on this machine, by its name in the bucket."""
    return set(_names(raw_dir))


def missing_here(bucket: Bucket, raw_dir: Path) -> list[str]:
    """Snapshots in the bucket that this machine lacks, by name."""
    return [name for name in sidecars(bucket.list(FOLDER)) if not _here(raw_dir, name).exists()]


def sidecars(names: dict[str, Held] | list[str]) -> list[str]:
    """The names of sidecars, except those of rejected answers that have since been accepted."""
    found = {name: match for name in names if (match := _SIDECAR.fullmatch(name))}
    good = {(m["place"], m["part"], m["sha"]) for m in found.values() if not m["rejected"]}
    return sorted(n for n, m in found.items() if not m["rejected"] or (m["place"], m["part"], m["sha"]) not in good)


def payload_of(name: str, text: bytes) -> str | None:
    """The bucket name of a sidecar's payload; None if the sidecar may not be used."""
    try:
        sidecar = json.loads(text)
        joined = PurePosixPath(name).parent.as_posix() + "/" + sidecar["payload_file"]
        payload = _normal(joined)
        match = _PAYLOAD.fullmatch(payload)
        return payload if match and match["sha"] == sidecar["sha256"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _sha_of(payload: str) -> str:
    return PurePosixPath(payload).name.split(".")[0]


def _read(bucket: Bucket, name: str) -> bytes:
    try:
        return bucket.read(name)
    except NotInBucket:
        return b""  # deleted by a pruning machine, which can happen without a lease


def _names(raw_dir: Path) -> list[str]:
    found = [*raw_dir.glob("*/*/*"), *raw_dir.glob("*/*/rejected/*")]
    return [f"{FOLDER}/{path.relative_to(raw_dir).as_posix()}" for path in found]


def _here(raw_dir: Path, name: str) -> Path:
    return raw_dir / name.removeprefix(f"{FOLDER}/")
