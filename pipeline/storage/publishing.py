"""Releases and the published file in the bucket, uploaded in an order that always shows readers a complete version.

First come the tables of a release, then its ``release.json``. Then comes the DuckDB file under its own permanent name.
Last, in one step each, come the file under the fixed name and ``latest.json``.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import publish
from pipeline.compare.version import Version
from pipeline.releases import Release, ReleaseProblem, ReleaseStore
from pipeline.releases.finding import live_version, named
from pipeline.releases.manifest import MANIFEST, read_manifest
from pipeline.releases.release_folder import share_file, to_delete
from pipeline.storage.bucket import Bucket, NotInBucket, StoreProblem, in_parallel

RELEASES = "releases"
PUBLISHED = "published"
LATEST = "latest.json"
FORMAT = 1
# Files under permanent names: the newest, and the one before it, which readers may still have open.
_PUBLISHED_KEPT = 2
_PART = re.compile(r"[a-z][a-z0-9_]*\.(parquet|sql)")
_MANIFEST_OF = re.compile(rf"{RELEASES}/(\d+\.\d+\.\d+)/{re.escape(MANIFEST)}")
_PUBLISHED_AS = re.compile(rf"{PUBLISHED}/[a-z_]+-(\d+\.\d+\.\d+)\.duckdb")


@dataclass(frozen=True)
class Latest:
    """The contents of ``latest.json``: the newest release, and the file it was published as."""

    version: Version
    run_id: str
    released_at: str
    file: str
    byte_count: int
    sha256: str

    def text(self) -> bytes:
        fields = {
            "format": FORMAT,
            "version": str(self.version),
            "run_id": self.run_id,
            "released_at": self.released_at,
            "database": {"file": self.file, "byte_count": self.byte_count, "sha256": self.sha256},
            "tables": f"{RELEASES}/{self.version}/",
        }
        return (json.dumps(fields, indent=2) + "\n").encode()


def latest(bucket: Bucket) -> Latest | None:
    """The newest release in the bucket; None if nothing has been published there yet.

    Raises StoreProblem, also for an unreadable ``latest.json``.
    """
    text = bucket.read_if_there(LATEST)
    if text is None:
        return None
    try:
        held = json.loads(text)
        if held["format"] != FORMAT or not _PUBLISHED_AS.fullmatch(held["database"]["file"]):
            raise ValueError("it is in another format")
        return Latest(Version.parse(held["version"]), held["run_id"], held["released_at"], **held["database"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreProblem(
            f"{LATEST} in the bucket {bucket.url} cannot be read ({error}); remove it, and the next run will upload it again"
        ) from error


def run_ids(database: Path) -> list[str]:
    """The runs behind the releases that a published file lists, its own last; empty if it cannot be read."""
    if not database.exists():
        return []
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            found = connection.execute("select run_id from meta_release order by released_at").fetchall()
    except duckdb.Error:
        return []
    return [run for (run,) in found]


def bring_published(bucket: Bucket, store: ReleaseStore, live: Path, found: Latest) -> list[str]:
    """Make the bucket's newest release the live one, unless the live file already is it or follows it.

    Returns notes for people. Releases made here that the bucket's newest does not list (this machine was cut off while
    another published) are set aside. Raises StoreProblem, Damaged, OSError.
    """
    if found.run_id in run_ids(live):
        return []
    live.parent.mkdir(parents=True, exist_ok=True)
    brought = publish.candidate_path(live)
    try:
        bucket.download(found.file, brought, found.sha256)
        known = run_ids(brought)
        said = [_set_aside(release) for release in store.kept() if release.run_id not in known]
        publish.swap(brought, live)
    finally:
        publish.discard(brought)
    return [*said, f"release {found.version} was downloaded from the bucket ({found.byte_count / 1e6:.0f} MB)"]


def bring_release(bucket: Bucket, store: ReleaseStore, version: Version) -> None:
    """Download one release's files and verify each; one that is already here is left unchanged.

    Raises NotInBucket, Damaged, StoreProblem and OSError; a release is here completely or not at all.
    """
    target = store.folder / str(version)
    if (target / MANIFEST).exists():
        return
    place = f"{RELEASES}/{version}"
    store.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=f".{version}.", suffix=".building") as name:
        building = Path(name) / "release"
        building.mkdir()
        (building / MANIFEST).write_bytes(bucket.read(f"{place}/{MANIFEST}"))
        release = _checked(read_manifest(building))
        held = {part.sha256: other.folder / part.file for other in store.kept() for part in other.parts.values()}

        def fetch(part: tuple[str, str]) -> None:
            file, sha256 = part
            source = held.get(sha256)
            if source is None or not share_file(source, building / file, sha256):
                bucket.download(f"{place}/{file}", building / file, sha256)

        in_parallel(fetch, [(part.file, part.sha256) for part in release.parts.values()])
        building.replace(target)


def put_up(bucket: Bucket, store: ReleaseStore, live: Path) -> Latest | None:
    """Upload every kept release that the live file lists and the bucket lacks, then the live file as the newest.

    Returns what is new in the bucket, None if nothing is. The caller holds the claim and has confirmed it. Raises
    StoreProblem, Damaged and OSError.
    """
    known = run_ids(live)
    mine = [release for release in store.kept() if release.run_id in known]
    if not known:
        return None
    if not mine or mine[-1].version != live_version(live):
        raise StoreProblem(
            f"{live.name} is not kept as a release on this machine yet, so it is not uploaded; the next run will upload it"
        )
    there = bucket.list(RELEASES)
    before: Release | None = None
    for release in mine:
        if f"{RELEASES}/{release.version}/{MANIFEST}" not in there:
            _put_up_release(bucket, release, before)
        before = release
    return _put_up_file(bucket, mine[-1], live)


def versions_there(bucket: Bucket) -> list[Version]:
    """The releases in the bucket, oldest first."""
    return sorted(Version.parse(m[1]) for name in bucket.list(RELEASES) if (m := _MANIFEST_OF.fullmatch(name)))


def release_there(bucket: Bucket, version: Version) -> Release:
    """The manifest of a release in the bucket. Raises StoreProblem, and ReleaseProblem if it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="inclusive-growth-") as name:
        folder = Path(name) / str(version)
        folder.mkdir()
        (folder / MANIFEST).write_bytes(bucket.read(f"{RELEASES}/{version}/{MANIFEST}"))
        return _checked(read_manifest(folder))


def releases_there(bucket: Bucket, *, besides: Container[Version] = ()) -> list[Release]:
    """The manifests of the releases in the bucket, except some versions; an unreadable one is left out."""

    def read(version: Version) -> Release | None:
        try:
            return release_there(bucket, version)
        except (ReleaseProblem, NotInBucket):
            return None

    found = in_parallel(read, [version for version in versions_there(bucket) if version not in besides])
    return [release for release in found if release is not None]


def bring_meant(bucket: Bucket, store: ReleaseStore, live: Path, as_of: str) -> None:
    """Download the release for a version or a day, if it is in the bucket and not here.

    Raises ReleaseProblem if it is in neither place, StoreProblem, OSError.
    """
    kept = store.kept()
    elsewhere = releases_there(bucket, besides={release.version for release in kept})
    meant = named([*kept, *elsewhere], live, as_of, store.problems())
    bring_release(bucket, store, meant.version)


def prune(bucket: Bucket, keep_releases: int) -> list[Version]:
    """Delete old releases in the bucket by the local policy, and old DuckDB files; return the versions.

    ``release.json`` is deleted first, so that no release is ever half there.
    """
    gone = to_delete(versions_there(bucket), keep_releases)
    names = bucket.list(RELEASES) if gone else {}
    for version in gone:
        bucket.delete(f"{RELEASES}/{version}/{MANIFEST}")
        in_parallel(bucket.delete, [name for name in names if name.startswith(f"{RELEASES}/{version}/")])
    files = {Version.parse(m[1]): name for name in bucket.list(PUBLISHED) if (m := _PUBLISHED_AS.fullmatch(name))}
    in_parallel(bucket.delete, [files[version] for version in sorted(files)[:-_PUBLISHED_KEPT]])
    return gone


def _put_up_release(bucket: Bucket, release: Release, before: Release | None) -> None:
    place = f"{RELEASES}/{release.version}"
    shared: Mapping[str, str] = {p.sha256: p.file for p in before.parts.values()} if before else {}

    def send(part: tuple[str, str]) -> None:
        file, sha256 = part
        if before and sha256 in shared:
            try:
                bucket.copy(f"{RELEASES}/{before.version}/{shared[sha256]}", f"{place}/{file}")
                return
            except NotInBucket:
                pass  # the previous release was deleted there; the bytes are here
        bucket.upload(release.folder / file, f"{place}/{file}", sha256)

    in_parallel(send, [(part.file, part.sha256) for part in release.parts.values()])
    bucket.write(f"{place}/{MANIFEST}", release.manifest().encode())


def _put_up_file(bucket: Bucket, release: Release, live: Path) -> Latest | None:
    found = latest(bucket)
    if found is not None and found.run_id == release.run_id:
        return None
    with live.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    own_name = f"{PUBLISHED}/{live.stem}-{release.version}{live.suffix}"
    bucket.upload(live, own_name, sha256)
    bucket.copy(own_name, live.name)
    released_at = release.released_at.isoformat(timespec="seconds") + "Z"
    new = Latest(release.version, release.run_id, released_at, own_name, live.stat().st_size, sha256)
    bucket.write(LATEST, new.text())
    return new


def _checked(release: Release) -> Release:
    """A release whose file names are safe on this machine. Raises ReleaseProblem for any other."""
    for part in release.parts.values():
        if not _PART.fullmatch(part.file):
            raise ReleaseProblem(
                f"release {release.version} in the bucket names a file {part.file!r}, which no release has"
            )
    return release


def _set_aside(release: Release) -> str:
    hidden = release.folder.with_name(f".{release.version}.{release.run_id}.set-aside")
    release.folder.replace(hidden)
    return (
        f"release {release.version}, made here while another machine published, is set aside as {hidden.name}; "
        "what was fetched for it is kept"
    )
