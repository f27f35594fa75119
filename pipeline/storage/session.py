"""A run and the bucket: download what others made, work on this machine, upload what is new.

An unreachable bucket never stops a run's work. The next run that reaches it uploads what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pipeline.compare.version import Version
from pipeline.raw import RawStore
from pipeline.releases import ReleaseProblem, ReleaseStore
from pipeline.settings import Settings
from pipeline.storage import publishing, snapshots
from pipeline.storage.bucket import Bucket, Damaged, StoreProblem, open_bucket
from pipeline.storage.lease import Lease, claimed
from pipeline.storage.session_record import Shared

_LATER = "this run works with what is on this machine, and the next run that reaches the bucket uploads the results"


@contextmanager
def at_work(settings: Settings, url: str) -> Iterator[Shared]:
    """Hold the bucket at ``url`` for this run alone: download everything first, upload afterwards.

    Payloads are uploaded even if the run fails. Raises TakenElsewhere if another machine is at work; a bucket that does
    not work is a problem of ``Shared``, not an exception.
    """
    shared = Shared()
    with ExitStack() as stack:
        bucket = open_bucket(url)
        claim = _claim(stack, bucket, shared)
        seen = _brought(bucket, settings, shared) if claim else None
        try:
            yield shared
        finally:
            if claim and seen is not None:
                _put_up(bucket, settings, claim, seen, shared)


def _claim(stack: ExitStack, bucket: Bucket, shared: Shared) -> Lease | None:
    try:
        bucket.require()
        return stack.enter_context(claimed(bucket))
    except StoreProblem as problem:
        shared.problems.append(f"{problem}: {_LATER}")
        return None


def _brought(bucket: Bucket, settings: Settings, shared: Shared) -> str | None:
    """Download what others uploaded; return the run id of the newest release there ("" for none), None on failure."""
    try:
        moved = snapshots.bring(bucket, settings.raw_dir)
        shared.problems += moved.problems
        if moved.snapshots:
            shared.notes.append(f"{_counted(moved)} downloaded from the bucket")
        return _bring_newest(bucket, settings, shared)
    except StoreProblem as problem:
        shared.problems.append(f"{problem}: {_LATER}")
        return None


def _bring_newest(bucket: Bucket, settings: Settings, shared: Shared) -> str:
    found = publishing.latest(bucket)
    if found is None:
        return ""
    store = ReleaseStore(settings.database, settings.keep_releases)
    try:
        said = publishing.bring_published(bucket, store, settings.database, found)
        shared.notes += said
        shared.brought_file = bool(said)
        if found.version not in {release.version for release in store.kept()}:
            publishing.bring_release(bucket, store, found.version)
    except (Damaged, ReleaseProblem) as problem:
        shared.problems.append(f"{problem}: release {found.version} is not used")
    return found.run_id


def _put_up(bucket: Bucket, settings: Settings, claim: Lease, seen: str, shared: Shared) -> None:
    try:
        moved = snapshots.put_up(bucket, settings.raw_dir)
        shared.problems += moved.problems
        if moved.snapshots:
            shared.notes.append(f"{_counted(moved)} uploaded")
        if publishing.run_ids(settings.database)[-1:] in ([], [seen]):
            return  # nothing new was published
        newest = publishing.latest(bucket)
        if not claim.confirm() or (newest.run_id if newest else "") != seen:
            shared.problems.append(
                f"another machine took over the bucket {bucket.url} while this run was at work: the release published here is "
                "not uploaded; the next run starts from the other machine's release"
            )
            return
        store = ReleaseStore(settings.database, settings.keep_releases)
        new = publishing.put_up(bucket, store, settings.database)
        if new is not None:
            shared.notes.append(f"release {new.version} was uploaded as {bucket.url}/{settings.database.name}")
    except (StoreProblem, ReleaseProblem) as problem:
        shared.problems.append(f"{problem}; the next run will upload what is missing there")
    except OSError as error:
        shared.problems.append(f"{error.filename or 'a file'} cannot be read for the upload: {error.strerror or error}")


def _counted(moved: snapshots.Moved) -> str:
    words = "1 snapshot" if moved.snapshots == 1 else f"{moved.snapshots:,} snapshots"
    return f"{words} ({moved.byte_count / 1e6:,.1f} MB)"


def prune(settings: Settings, url: str) -> tuple[int, int, list[Version]]:
    """Delete old snapshots on this machine and in the bucket, and old releases there.

    Returns the sidecars and payload bytes deleted here, and the versions deleted there. Raises StoreProblem before
    anything is deleted if the bucket is unreachable, or holds snapshots that are not here (which may share a payload).
    Also raises TakenElsewhere and OSError.
    """
    bucket = open_bucket(url)
    bucket.require()
    with claimed(bucket):
        missing = snapshots.missing_here(bucket, settings.raw_dir)
        if missing:
            raise StoreProblem(f"the bucket {bucket.url} holds snapshots that are not on this machine ({len(missing)})")
        before = snapshots.names_here(settings.raw_dir)
        gone, freed = RawStore(settings.raw_dir).prune(settings.keep_snapshots)
        snapshots.prune(bucket, before - snapshots.names_here(settings.raw_dir))
        return gone, freed, publishing.prune(bucket, settings.keep_releases)


def bring_release(settings: Settings, url: str, as_of: str) -> None:
    """Download the release for a version or a day, unless it is on this machine.

    Raises ReleaseProblem if it is in neither place, StoreProblem and OSError.
    """
    store = ReleaseStore(settings.database, settings.keep_releases)
    publishing.bring_meant(open_bucket(url), store, settings.database, as_of)
