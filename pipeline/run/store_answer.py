"""Store a publisher's new answer once it has passed its checks, or keep it as evidence if it has not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline import __version__
from pipeline.http.payload import Payload, PayloadRejected
from pipeline.raw import RawStore, Snapshot, SnapshotKey

Read = TypeVar("Read")


@dataclass(frozen=True)
class Stored(Generic[Read]):
    """An answer in the raw store, and what was read from it.

    Bytes that were held already keep the provenance of the snapshot that first brought them.
    """

    snapshot: Snapshot
    payload: Payload
    read: Read


def store_checked(
    raw: RawStore, key: SnapshotKey, payload: Payload, licence: str, read: Callable[[], Read]
) -> Stored[Read]:
    """Read and check a new answer with ``read``, then store it.

    Raises PayloadRejected, saying where it is kept, if ``read`` does, and OSError if the store cannot be written.
    """
    try:
        found = read()
    except PayloadRejected as error:
        kept = raw.put_rejected(key, payload, str(error), licence=licence, code_version=__version__)
        raise PayloadRejected(f"{error} (kept as {kept.relative_to(raw.root)})") from error
    snapshot = raw.put(key, payload, licence=licence, code_version=__version__)
    return Stored(snapshot, payload if snapshot.is_new else raw.read(snapshot), found)
