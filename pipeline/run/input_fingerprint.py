"""Of which bytes a file is made: those in use, and those before them where errors are made of how figures were revised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from pipeline.catalogue import Indicator, Part, Query
from pipeline.raw import Snapshot
from pipeline.run.acquire import snapshot_key
from pipeline.run.context import RunContext, code_fingerprint
from pipeline.run.results import PartResult


def fingerprint(context: RunContext, results: Iterable[PartResult]) -> str:
    """A digest of everything the published file depends on: the bytes of each part, how it was got, and the code.

    Earlier editions count too where errors are made of them, and the shipped one where it may complete an answer. No day and no clock is in it: equal bytes make an equal file.
    """
    inputs = [
        (
            result.indicator_id,
            result.part_id,
            result.tier,
            result.source_id,
            result.payload_sha256,
            *(edition.sha256 for edition in earlier_editions(context, result)),
            *_shipped(context, result),
        )
        for result in results
    ]
    made_with = [code_fingerprint(), context.draws, context.is_thorough, context.settings.first_scored_year]
    return hashlib.sha256(json.dumps([*made_with, inputs]).encode()).hexdigest()


def _shipped(context: RunContext, result: PartResult) -> Iterator[str]:
    """The sha256 of the shipped figures of a part whose figures are a publisher's answer (see `choice.missing_from`)."""
    entry = context.shipped_entry(result.indicator_id, result.part_id)
    if entry is not None and result.tier in ("live", "snapshot", "release"):
        yield entry.sha256


def earlier_editions(context: RunContext, result: PartResult) -> list[Snapshot]:
    """What the publisher sent for a part before the figures in use, oldest first; empty where errors need none of it."""
    uses_revisions = context.catalogue.indicators[result.indicator_id].intervals == "revisions"
    if not uses_revisions or result.tier not in ("live", "snapshot"):
        return []
    snapshots = context.raw.editions(snapshot_key(*origin(context, result)))
    count = len(snapshots)
    in_use = next((n for n in reversed(range(count)) if snapshots[n].sha256 == result.payload_sha256), count)
    # No more than are kept beside the one in use: pruning must not make other figures, and so a release.
    most = context.settings.keep_snapshots - 1
    return snapshots[max(in_use - most, 0) : in_use]


def origin(context: RunContext, result: PartResult) -> tuple[Indicator, Part, Query]:
    """The indicator, its part and the query a publisher's figures came from."""
    indicator = context.catalogue.indicators[result.indicator_id]
    part = next(part for part in indicator.parts if part.id == result.part_id)
    return indicator, part, next(query for query in part.live if query.source == result.source_id)
