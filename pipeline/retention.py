"""Let go of old snapshots and releases by policy, never of the last good one of anything.

``IG_KEEP_SNAPSHOTS`` says how many answers of each query are kept, ``IG_KEEP_RELEASES`` how many minor versions of the
data set; see docs/operations.md.
"""

from __future__ import annotations

from pipeline.raw import RawStore
from pipeline.releases import ReleaseStore
from pipeline.settings import Settings


def prune(settings: Settings) -> list[str]:
    """Let go of what the policy no longer keeps; return a sentence for each kind of thing let go.

    No run may be at work on the data folder meanwhile. Raises OSError when something cannot be removed.
    """
    found = []
    snapshots, freed = RawStore(settings.raw_dir).prune(settings.keep_snapshots)
    if snapshots or freed:
        found.append(f"{snapshots:,} old snapshots let go, {freed / 1e6:,.1f} MB of payloads freed")
    releases = ReleaseStore(settings.database, settings.keep_releases).prune()
    if releases:
        found.append(f"old releases let go: {', '.join(map(str, releases))}")
    return found
