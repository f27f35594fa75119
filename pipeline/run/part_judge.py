"""Judge whether an answer can be used: in itself, and against all other figures held of its part.

An answer is held against the last good answer to the same query, the figures of the newest release, the answers to the
part's other queries and the figures shipped with the project.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part, Query
from pipeline.gates.plausibility import Sister
from pipeline.http.payload import Payload, PayloadRejected
from pipeline.publishers.registry import publisher_of
from pipeline.raw import Snapshot
from pipeline.run import payload_checks
from pipeline.run.from_release import published_figures, published_part
from pipeline.run.inputs import Inputs
from pipeline.run.older_editions import Edition, why_older, why_shorter, years_dropped
from pipeline.run.origins import snapshot_key
from pipeline.run.payload_checks import NOTHING_HELD, HeldDistricts
from pipeline.run.plausible import confirming, refuse_implausible
from pipeline.run.results import Accepted
from pipeline.run.shipped import read_shipped, shipped_entry
from pipeline.run.stores import Stores
from pipeline.run.todays_districts import ground_cells

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient

    Read = tuple[Accepted, Payload]


@dataclass(frozen=True)
class PartJudge:
    """Judges payloads for one part. What it cannot accept it rejects with PayloadRejected, which says why."""

    inputs: Inputs
    stores: Stores
    indicator: Indicator
    part: Part

    def accept_new(self, query: Query, payload: Payload, client: HttpClient) -> Accepted:
        """What a publisher has just sent, once it passed all checks."""
        held = self._last_good(query)
        before, edition = (None, None) if held is None else (held[0], Edition.of(*held))
        found = published_part(self.stores, self.indicator, self.part) if held is None else None
        if found is not None and found[1].source_id == query.source:
            release, published = found
            with suppress(PayloadRejected):  # a release whose figures cannot be used says nothing of today's
                before = published_figures(release, self.inputs.register, self.indicator, self.part, published)
                edition = Edition(before.observations, (published.publisher_updated, None))
        try:
            accepted = self._accepted(query, payload, self._held_districts(before))
        except PayloadRejected:
            if edition is not None:  # if it is an older edition, that is why figures are missing from it
                self._not_older(query, (self._accepted(query, payload), payload), edition)
            raise
        if warning := publisher_of(query).check_totals(query, payload, client):
            accepted = replace(accepted, warnings=(*accepted.warnings, warning))
        if publisher_of(query).has_editions:
            accepted = accepted if edition is None else self._not_older(query, (accepted, payload), edition)
            self._refuse_shorter(query, accepted)
        known = before or self._shipped()
        refuse_implausible(self.inputs.register, self.indicator, query, accepted, known, self._confirming)
        return accepted

    def accept_held(self, query: Query, payload: Payload) -> Accepted:
        """An answer that is held, read again."""
        accepted = self._accepted(query, payload)
        self._refuse_shorter(query, accepted)
        return accepted

    def accept_shipped(self, payload: Payload) -> Accepted:
        """The figures shipped with the project."""
        return payload_checks.accept_shipped(self.inputs.register, self.indicator, self.part, payload)

    def _accepted(self, query: Query, payload: Payload, held: HeldDistricts = NOTHING_HELD) -> Accepted:
        sources, register = self.inputs.catalogue.sources, self.inputs.register
        return payload_checks.accept(sources, register, self.indicator, self.part, query, payload, held=held)

    def _confirming(self) -> list[Sister]:
        return confirming(self.inputs, self.stores, self.indicator, self.part)

    def _shipped(self) -> Accepted | None:
        return read_shipped(self.stores.baseline, self.inputs.register, self.indicator, self.part)

    def _not_older(self, query: Query, answer: Read, before: Edition) -> Accepted:
        """An answer that is no older an edition than the last good one; if it reaches back less far, it warns of that."""
        accepted, now = answer[0], Edition.of(*answer)
        if why := why_older(self.inputs.register, now, before):
            raise PayloadRejected(f"{why}; the held figures stay in use; {self._how_to_accept(query)}")
        if dropped := years_dropped(now, before):
            years = f"{dropped[0]} to {dropped[-1]}" if len(dropped) > 1 else f"{dropped[0]}"
            return replace(accepted, warnings=(*accepted.warnings, f"it no longer gives figures for {years}"))
        return accepted

    def _refuse_shorter(self, query: Query, accepted: Accepted) -> None:
        """Raise PayloadRejected where other figures held of the part reach further than an answer to ``query``.

        What a person has accepted stands against all that was held by then.
        """
        for words, other in self._other_editions(query):
            if why := why_shorter(Edition(accepted.observations), Edition(other.observations)):
                raise PayloadRejected(f"{why.format(words)}; these are used; {self._how_to_accept(query)}")

    def _how_to_accept(self, query: Query) -> str:
        return f'if the publisher meant this: python -m pipeline accept {query.source}/{self.indicator.id} "REASON"'

    def _latest(self, query: Query) -> Snapshot | None:
        return self.stores.raw.latest_good(snapshot_key(self.indicator, self.part, query))[0]

    def _last_good(self, query: Query) -> Read | None:
        """The last good answer to the same query; None without one that still passes."""
        snapshot = self._latest(query)
        if snapshot is None:
            return None
        payload = self.stores.raw.read(snapshot)
        try:
            return self._accepted(query, payload), payload
        except PayloadRejected:
            return None  # reported by the step that would use it; here nothing can be compared

    def _other_editions(self, query: Query) -> Iterator[tuple[str, Accepted]]:
        """What else is held of the part, and what to call it: answers to its other queries, and the shipped figures."""
        snapshot = self._latest(query)
        accepted_at = None if snapshot is None else snapshot.accepted_at
        for other in self.part.live:
            latest = self._latest(other) if other != query else None
            if latest is not None and (accepted_at is None or latest.fetched_at > accepted_at):
                held = self._last_good(other)
                if held is not None:
                    yield f"held figures of {self.inputs.catalogue.sources[other.source].title}", held[0]
        entry = shipped_entry(self.stores.baseline, self.indicator.id, self.part.id)
        if entry is not None and (accepted_at is None or entry.published > accepted_at.date()):
            shipped = self._shipped()
            if shipped is not None:
                yield "the figures shipped with the project", shipped

    def _held_districts(self, before: Accepted | None) -> HeldDistricts:
        """What figures already held speak of: the same query's last good answer, else the baseline.

        The baseline may rest on another publisher's table, so its districts only speak for the nations a new answer
        covers.
        """
        known = before or self._shipped()
        if known is None:
            return NOTHING_HELD
        with_value = known.observations[known.observations["value"].notna()]
        cells = ground_cells(self.inputs.register, with_value)
        return HeldDistricts(known.districts, is_same_query=before is not None, cells=cells)
