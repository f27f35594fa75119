"""Delete old snapshots and releases by policy, but never the last good one of anything.

``IG_KEEP_SNAPSHOTS`` sets how many answers to each query are kept, ``IG_KEEP_RELEASES`` how many minor versions of the
data set; see docs/operations.md.
"""

from __future__ import annotations

from pipeline.leftovers import remove_leftovers
from pipeline.raw import RawStore
from pipeline.releases import ReleaseStore
from pipeline.settings import Settings


def prune(settings: Settings) -> list[str]:
    """Delete what the policy no longer keeps; return a sentence for each kind of thing deleted.

    No run may be using the data folder meanwhile. Raises OSError if something cannot be removed.
    """
    remove_leftovers(settings.marts_dir, settings.raw_dir)
    if settings.store_url is not None:
        return _prune_with_bucket(settings, settings.store_url)
    found = _snapshots(*RawStore(settings.raw_dir).prune(settings.keep_snapshots))
    releases = ReleaseStore(settings.database, settings.keep_releases).prune()
    if releases:
        found.append(f"old releases deleted: {', '.join(map(str, releases))}")
    return found


def _prune_with_bucket(settings: Settings, url: str) -> list[str]:
    """Delete here and in the bucket, or in neither: anything deleted only here would be downloaded by the next run."""
    from pipeline.storage.bucket import StoreProblem
    from pipeline.storage.lease import TakenElsewhere
    from pipeline.storage.session import prune as prune_both

    try:
        snapshots, freed, versions = prune_both(settings, url)
    except (StoreProblem, TakenElsewhere) as problem:
        return [f"nothing old was deleted, here or in the bucket ({problem}); the next night will try again"]
    ReleaseStore(settings.database, settings.keep_releases).prune()
    found = _snapshots(snapshots, freed)
    if versions:
        found.append(f"old releases deleted from the bucket: {', '.join(map(str, versions))}")
    return found


def _snapshots(gone: int, freed: int) -> list[str]:
    return [f"{gone:,} old snapshots deleted, {freed / 1e6:,.1f} MB of payloads freed"] if gone or freed else []
