"""Which bytes a file is made of: those in use and, where errors are estimated from revisions, those before them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from pipeline.catalogue import Catalogue
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.raw import RawStore, Snapshot
from pipeline.run.code_digest import code_fingerprint
from pipeline.run.options import ScoreOptions
from pipeline.run.origins import origin, snapshot_key
from pipeline.run.results import PartResult
from pipeline.run.shipped import shipped_entry
from pipeline.run.stores import Stores


def fingerprint(catalogue: Catalogue, stores: Stores, scoring: ScoreOptions, results: Iterable[PartResult]) -> str:
    """A digest of everything the published file depends on: the bytes of each part, how it was got, and the code.

    Earlier editions count too where errors are made of them, and the shipped one where it may complete an answer. It
    holds no date and no time: equal bytes make an equal file.
    """
    raw, most = stores.raw, stores.settings.keep_snapshots
    inputs = [
        (
            result.indicator_id,
            result.part_id,
            result.tier,
            result.source_id,
            result.payload_sha256,
            *(edition.sha256 for edition in earlier_editions(catalogue, raw, result, most)),
            *_shipped(stores.baseline, result),
        )
        for result in results
    ]
    made_with = [code_fingerprint(), scoring.draws, scoring.is_thorough, scoring.first_year]
    return hashlib.sha256(json.dumps([*made_with, inputs]).encode()).hexdigest()


def _shipped(baseline: Baseline, result: PartResult) -> Iterator[str]:
    """The sha256 of what is shipped of a part whose figures are a publisher's answer (see `figure_choice.missing_from`)."""
    entry = shipped_entry(baseline, result.indicator_id, result.part_id)
    if entry is not None and result.tier in ("live", "snapshot", "release"):
        yield entry.sha256


def earlier_editions(catalogue: Catalogue, raw: RawStore, result: PartResult, keep_snapshots: int) -> list[Snapshot]:
    """What the publisher sent for a part before the figures in use, oldest first; empty where errors need none of it.

    No more than the ``keep_snapshots`` that are kept with the one in use: pruning must change no figures, and so make no
    release.
    """
    uses_revisions = catalogue.indicators[result.indicator_id].intervals == "revisions"
    if not uses_revisions or result.tier not in ("live", "snapshot"):
        return []
    snapshots = raw.editions(snapshot_key(*origin(catalogue, result)))
    count = len(snapshots)
    in_use = next((n for n in reversed(range(count)) if snapshots[n].sha256 == result.payload_sha256), count)
    return snapshots[max(in_use - (keep_snapshots - 1), 0) : in_use]
