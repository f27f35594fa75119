"""The raw store: write-once snapshots of publishers' answers, each with a sidecar that records its origin.

Layout, one folder a source::

    data/raw/<source>/payloads/<sha256>.<csv>                                    the bytes, as sent, stored once
    data/raw/<source>/<indicator>/<part>.<fetched>.<sha256, 12 digits>.json      a sidecar: what they are to an indicator
    data/raw/<source>/<indicator>/rejected/...                                   sidecars of failed payloads: evidence

Several indicators may share one payload (a file of small areas, percentiles requested together). Each has its own
sidecar, which says whether the payload passed that indicator's checks. A snapshot exists once its sidecar does; the
payload is written first, so a crash in between leaves nothing that counts. Nothing complete is ever overwritten, and
content that is already the latest creates no new file.
"""

from pipeline.raw.raw_store import RawStore
from pipeline.raw.snapshot import CorruptSnapshot, Digest, Snapshot, SnapshotKey

__all__ = ["CorruptSnapshot", "Digest", "RawStore", "Snapshot", "SnapshotKey"]
