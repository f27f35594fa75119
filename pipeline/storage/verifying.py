"""Verify the bucket: every payload against its sidecar, every release against its manifest, the published file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pipeline.releases import ReleaseProblem
from pipeline.storage import publishing, snapshots
from pipeline.storage.bucket import Bucket, Held, NotInBucket, StoreProblem, in_parallel


@dataclass
class Proved:
    """How much was read and found intact, and a sentence for each fault."""

    snapshots: int = 0
    releases: int = 0
    byte_count: int = 0
    published: int = 0
    problems: list[str] = field(default_factory=list)


def verify(bucket: Bucket) -> Proved:
    """Read every relevant object once, and check it against its record.

    Raises StoreProblem if the bucket does not answer.
    """
    bucket.require()
    there = bucket.list("")
    found = Proved(byte_count=sum(held.byte_count for held in there.values()))
    _verify_snapshots(bucket, there, found)
    for version in publishing.versions_there(bucket):
        try:
            release = publishing.release_there(bucket, version)
        except (ReleaseProblem, NotInBucket) as problem:
            found.problems.append(str(problem))
            continue
        place = f"{publishing.RELEASES}/{version}"
        expected = [(f"{place}/{part.file}", part.sha256) for part in release.parts.values()]
        wrong = _wrong(bucket, expected)
        found.problems += wrong
        found.releases += not wrong
    newest = publishing.latest(bucket)
    if newest is not None:
        one_name = f"{newest.file.split('/')[-1].rsplit('-', 1)[0]}.duckdb"
        wrong = _wrong(bucket, [(newest.file, newest.sha256), (one_name, newest.sha256)])
        found.problems += wrong
        found.published = 2 - len(wrong)
    return found


def _verify_snapshots(bucket: Bucket, there: dict[str, Held], found: Proved) -> None:
    names = snapshots.sidecars(list(there))
    payloads: dict[str, str] = {}
    whose: dict[str, list[str]] = {}
    for name, text in zip(names, in_parallel(bucket.read, names), strict=True):
        payload = snapshots.payload_of(name, text)
        if payload is None:
            found.problems.append(f"{name}: the sidecar cannot be read")
            continue
        payloads[payload] = str(json.loads(text)["sha256"])
        whose.setdefault(payload, []).append(name)
    wrong = dict(zip(payloads, in_parallel(lambda pair: _problem(bucket, *pair), payloads.items()), strict=True))
    found.problems += [problem for problem in wrong.values() if problem]
    found.snapshots = sum(len(names) for payload, names in whose.items() if not wrong[payload])


def _wrong(bucket: Bucket, expected: list[tuple[str, str]]) -> list[str]:
    return [problem for problem in in_parallel(lambda pair: _problem(bucket, *pair), expected) if problem]


def _problem(bucket: Bucket, name: str, sha256: str) -> str | None:
    try:
        held = bucket.sha256(name)
    except NotInBucket:
        return f"{name}: it is missing"
    except StoreProblem as problem:
        return str(problem)
    return None if held == sha256 else f"{name}: sha256 is {held[:12]}, what was uploaded had {sha256[:12]}"
