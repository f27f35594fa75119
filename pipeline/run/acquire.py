"""Get one part of an indicator: live, else the last good snapshot, else the figures shipped with the project.

The order is that of the catalogue. For each of a part's queries, the preferred first: where a good
snapshot is held, ask the publisher whether anything has changed since, and use it if not; else ask
for the figures; where that fails, take the last snapshot that passed its checks. Only when no query gives anything is the baseline used. So a publisher's bad night never swaps a longer
series for a shorter one while a good copy of the longer is held.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

import pandas as pd

from pipeline import __version__, sources
from pipeline.catalogue import Indicator, Part, Query
from pipeline.catalogue.model import SmallAreaQuery
from pipeline.raw import SnapshotKey
from pipeline.run.accept import NOTHING_HELD, Accepted, HeldDistricts, PayloadRejected, accept, ground_cells
from pipeline.run.context import RunContext
from pipeline.run.official import checked_against_official
from pipeline.sources.base import Description, HostUnreachable, Payload, SourceError

Tier = Literal["live", "snapshot", "baseline", "none"]
AttemptOutcome = Literal["used", "unchanged", "unreachable", "failed", "rejected", "corrupt", "not held", "not asked"]


@dataclass(frozen=True)
class Attempt:
    """One way that was tried to get a part, and how it ended, in a sentence."""

    source_id: str
    tier: Tier
    outcome: AttemptOutcome
    sentence: str


@dataclass(frozen=True)
class PartResult:
    """What a run holds of one part: its figures and rows set aside, where they came from, and what was tried.

    ``tier`` is ``none`` when nothing gave usable figures; ``accepted`` is then None.
    ``retrieved_at`` is when the bytes were fetched, or for the baseline when the publisher released them.
    An ``is_optional`` part may be without figures.
    """

    indicator_id: str
    part_id: str
    tier: Tier
    source_id: str
    accepted: Accepted | None
    payload_sha256: str = ""
    url: str = ""
    edition: str = ""
    publisher_updated: str | None = None
    retrieved_at: datetime | None = None
    description: Description | None = None
    is_optional: bool = False
    attempts: tuple[Attempt, ...] = field(default_factory=tuple)

    @property
    def observations(self) -> pd.DataFrame | None:
        return None if self.accepted is None else self.accepted.observations

    @property
    def failures(self) -> list[str]:
        """What went wrong on the way, apart from hosts that could not be reached (reported once a host)."""
        wrong = {"failed", "rejected", "corrupt"}
        return [attempt.sentence for attempt in self.attempts if attempt.outcome in wrong]


def acquire_part(context: RunContext, indicator: Indicator, part: Part) -> PartResult:
    """Get one part by the first way that works. Never raises for a source's failure: it is in ``attempts``.

    Writes a new snapshot when a publisher sent new bytes. Raises OSError when the raw store cannot be written.
    """
    attempts: list[Attempt] = []
    for query in part.live:
        for way in (_if_unchanged, _from_publisher, _from_snapshot):
            result = way(context, indicator, part, query, attempts)
            if result is not None:
                return result
    return _from_baseline(context, indicator, part, attempts)


def _key(indicator: Indicator, part: Part, query: Query) -> SnapshotKey:
    return SnapshotKey(query.source, indicator.id, part.id, query.model_dump(mode="json"))


def _name(indicator: Indicator, part: Part) -> str:
    return indicator.id if part.id == "main" else f"{indicator.id} ({part.id})"


def _if_unchanged(
    context: RunContext, indicator: Indicator, part: Part, query: Query, attempts: list[Attempt]
) -> PartResult | None:
    """The last good snapshot as a live answer, where the publisher says that it has changed nothing since."""
    if context.offline or context.force:
        return None
    snapshot, _ = context.raw.latest_good(_key(indicator, part, query))
    if snapshot is None:
        return None
    held = context.raw.read(snapshot)
    try:
        if not sources.is_unchanged(query, held, context.client):
            return None
        accepted = accept(context, indicator, part, query, held)
    except (SourceError, PayloadRejected):
        return None  # the figures are asked for next, and what is wrong is reported there
    since = held.publisher_updated or f"{held.fetched_at:%Y-%m-%d}"
    sentence = f"{_name(indicator, part)}: {query.source} says nothing changed since {since}"
    attempts.append(Attempt(query.source, "live", "unchanged", sentence))
    return _result(indicator, part, "live", query.source, accepted, held, snapshot.sha256, attempts)


def _from_publisher(
    context: RunContext, indicator: Indicator, part: Part, query: Query, attempts: list[Attempt]
) -> PartResult | None:
    name = _name(indicator, part)
    if context.offline:
        attempts.append(Attempt(query.source, "live", "not asked", f"{name}: {query.source} not asked (offline run)"))
        return None
    try:
        payload = sources.fetch(query, context.client)
    except HostUnreachable as error:
        attempts.append(Attempt(query.source, "live", "unreachable", f"{name}: {error}"))
        return None
    except SourceError as error:
        attempts.append(Attempt(query.source, "live", "failed", f"{name}: {error}"))
        return None
    key = _key(indicator, part, query)
    licence = context.catalogue.sources[query.source].licence
    try:
        accepted = accept(
            context, indicator, part, query, payload, held=_held_districts(context, indicator, part, query)
        )
        if isinstance(query, SmallAreaQuery):
            accepted = checked_against_official(context, query, payload, accepted)
    except PayloadRejected as error:
        kept = context.raw.put_rejected(key, payload, str(error), licence=licence, code_version=__version__)
        attempts.append(
            Attempt(
                query.source,
                "live",
                "rejected",
                f"{name}: what {query.source} sent was not used: {error} (kept as {kept.relative_to(context.raw.root)})",
            )
        )
        return None
    snapshot = context.raw.put(key, payload, licence=licence, code_version=__version__)
    outcome: AttemptOutcome = "used" if snapshot.is_new else "unchanged"
    attempts.append(Attempt(query.source, "live", outcome, f"{name}: {query.source} answered, {outcome}"))
    # Unchanged bytes keep the provenance of the snapshot that first brought them.
    payload = payload if snapshot.is_new else context.raw.read(snapshot)
    return _result(indicator, part, "live", query.source, accepted, payload, snapshot.sha256, attempts)


def _from_snapshot(
    context: RunContext, indicator: Indicator, part: Part, query: Query, attempts: list[Attempt]
) -> PartResult | None:
    name = _name(indicator, part)
    snapshot, passed_over = context.raw.latest_good(_key(indicator, part, query))
    attempts.extend(Attempt(query.source, "snapshot", "corrupt", f"{name}: {sentence}") for sentence in passed_over)
    if snapshot is None:
        attempts.append(
            Attempt(query.source, "snapshot", "not held", f"{name}: no earlier answer of {query.source} is held")
        )
        return None
    payload = context.raw.read(snapshot)
    try:
        accepted = accept(context, indicator, part, query, payload)
    except PayloadRejected as error:
        attempts.append(
            Attempt(
                query.source,
                "snapshot",
                "rejected",
                f"{name}: the held answer of {query.source} no longer passes: {error}",
            )
        )
        return None
    attempts.append(Attempt(query.source, "snapshot", "used", f"{name}: last good answer of {query.source} used"))
    return _result(indicator, part, "snapshot", query.source, accepted, payload, snapshot.sha256, attempts)


def _from_baseline(context: RunContext, indicator: Indicator, part: Part, attempts: list[Attempt]) -> PartResult:
    name = _name(indicator, part)
    missing = PartResult(indicator.id, part.id, "none", "none", None, is_optional=part.optional)
    try:
        payload = context.baseline.payload(indicator.id, part.id)
        if payload is None:
            attempts.append(
                Attempt("baseline", "baseline", "not held", f"{name}: no figures are shipped with the project")
            )
            return replace(missing, attempts=tuple(attempts))
        accepted = accept(context, indicator, part, None, payload)
    except (SourceError, PayloadRejected) as error:
        attempts.append(Attempt("baseline", "baseline", "rejected", f"{name}: {error}"))
        return replace(missing, attempts=tuple(attempts))
    attempts.append(Attempt("baseline", "baseline", "used", f"{name}: figures shipped with the project used"))
    return _result(indicator, part, "baseline", "baseline", accepted, payload, accepted.payload_sha256, attempts)


def _held_districts(context: RunContext, indicator: Indicator, part: Part, query: Query) -> HeldDistricts:
    """What figures already held speak of: the same query's last good answer, else the baseline.

    The baseline may rest on another publisher's table, so its districts only speak for the nations a new answer covers.
    """
    snapshot, _ = context.raw.latest_good(_key(indicator, part, query))
    try:
        if snapshot is not None:
            held = accept(context, indicator, part, query, context.raw.read(snapshot))
        elif (payload := context.baseline.payload(indicator.id, part.id)) is not None:
            held = accept(context, indicator, part, None, payload)
        else:
            return NOTHING_HELD
    except (SourceError, PayloadRejected):
        return NOTHING_HELD  # what is held is reported by the step that would use it; here nothing can be compared
    with_value = held.observations[held.observations["value"].notna()]
    return HeldDistricts(held.districts, is_same_query=snapshot is not None, cells=ground_cells(context, with_value))


def _result(
    indicator: Indicator,
    part: Part,
    tier: Tier,
    source_id: str,
    accepted: Accepted,
    payload: Payload,
    sha256: str,
    attempts: list[Attempt],
) -> PartResult:
    return PartResult(
        indicator_id=indicator.id,
        part_id=part.id,
        tier=tier,
        source_id=source_id,
        accepted=accepted,
        payload_sha256=sha256,
        url=payload.url,
        edition=accepted.edition,
        publisher_updated=payload.publisher_updated,
        retrieved_at=payload.fetched_at.astimezone(UTC),
        description=payload.description,
        is_optional=part.optional,
        attempts=tuple(attempts),
    )
