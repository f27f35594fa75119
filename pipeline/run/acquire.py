"""Get one part of an indicator: live, else the last good snapshot, else of the newest release, else what is shipped.

The order is that of the catalogue. For each of a part's queries, the preferred first: where a good
snapshot is held, ask the publisher whether anything has changed since (where it is the table's turn, see
`pipeline.run.check_schedule`), and use it if not; else ask for the figures; where that fails, take the last snapshot that passed
its checks. Only when no query gives anything, or a snapshot older than what was published, do the figures of the newest
release stand and, unless they are older than these, those shipped with the project. So a publisher's bad night never swaps a longer
series for a shorter one while a good copy of the longer is held. An answer that is an older edition than what is held
counts as a failure too, until a person accepts it (`pipeline.run.editions`).

The same search tells whether there is any news at all: with a ``Look`` it reads no figures and asks
for none, and raises News where a run would have to.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.catalogue import Indicator, Part, Query
from pipeline.http.payload import HostUnreachable, Payload, PayloadRejected, SourceError
from pipeline.publishers.registry import publisher_of
from pipeline.raw import SnapshotKey
from pipeline.run import from_release
from pipeline.run.context import RunContext
from pipeline.run.results import Account, Attempt, AttemptOutcome, PartResult, Tier, part_name
from pipeline.run.run_state import Look, News

if TYPE_CHECKING:  # reading figures takes pandas, which a run that finds nothing new does without
    from pipeline.run.editions import Edition
    from pipeline.run.payload_checks import HeldDistricts
    from pipeline.run.published_before import PublishedPart
    from pipeline.run.results import Accepted

    Read = tuple[Accepted, Payload]

# What stops every part, not one: no room, or a store that cannot be written.
_OF_THE_WHOLE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_MOST_OF_A_LINE = 200
_NOT_PUBLISHERS = {"baseline": "the shipped figures", "release": "the newest release"}

__all__ = ["Attempt", "PartResult", "acquire_held", "acquire_part", "snapshot_key"]


def acquire_part(context: RunContext, indicator: Indicator, part: Part, look: Look | None = None) -> PartResult:
    """Get one part by the first way that works. Never raises for a source's failure: it is in ``attempts``.

    An error that nobody foresaw is a failure of that part too, by name and with its traceback; the others go on.
    Writes a new snapshot when a publisher sent new bytes. Raises OSError when the disk as a whole cannot be used. With
    ``look``, what is known of the same bytes stands for the figures, nothing is written, and News is raised where
    bytes are not those remembered or a publisher that can be reached would have to be asked for figures.
    """
    search = _Search(context, indicator, part, look)
    ways: tuple[tuple[Tier, Callable[[Query], PartResult | None]], ...] = (
        ("live", search.if_unchanged),
        ("live", search.from_publisher),
        ("snapshot", search.from_snapshot),
    )
    for query in part.live:
        for tier, way in ways:
            result = search.bounded(query.source, tier, lambda way=way, query=query: way(query))  # type: ignore[misc]
            if result is not None:
                return result
    return search.last_resort()


def acquire_held(context: RunContext, indicator: Indicator, part: Part, attempts: Sequence[Attempt] = ()) -> PartResult:
    """Get one part from what is held, after ``attempts`` to get it otherwise: no publisher is asked."""
    search = _Search(context, indicator, part, None, list(attempts))
    for query in part.live:
        result = search.bounded(query.source, "snapshot", lambda query=query: search.from_snapshot(query))  # type: ignore[misc]
        if result is not None:
            return result
    return search.last_resort()


def snapshot_key(indicator: Indicator, part: Part, query: Query) -> SnapshotKey:
    """Under which name what a query brings for a part is kept in the raw store."""
    return SnapshotKey(query.source, indicator.id, part.id, query.model_dump(mode="json"))


@dataclass
class _Search:
    """The search for one part: each way gives its result, or None once its failure is among ``attempts``."""

    context: RunContext
    indicator: Indicator
    part: Part
    look: Look | None
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._name = part_name(self.indicator.id, self.part.id)
        self._raw = self.context.raw if self.look is None else self.look.raw

    def bounded(self, source_id: str, tier: Tier, way: Callable[[], PartResult | None]) -> PartResult | None:
        """What a way gives; None where it ends in an error that nobody foresaw, which is then among ``attempts``.

        Raises News, and OSError where the disk is full or cannot be written: then no part can be kept.
        """
        try:
            return way()
        except News:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THE_WHOLE_DISK:
                raise
            without_secrets = self.context.settings.without_secrets
            words = next(iter(str(error).splitlines()), "")[:_MOST_OF_A_LINE]
            known = self.context.catalogue.sources.get(source_id)
            title = known.title if known else _NOT_PUBLISHERS[source_id]
            sentence = (
                f"{title}: an error that was not foreseen ({without_secrets(f'{type(error).__name__}: {words}')})"
            )
            trace = without_secrets("".join(traceback.format_exception(error)))
            self._tried(source_id, tier, "failed", sentence, trace)
            return None

    def if_unchanged(self, query: Query) -> PartResult | None:
        """The last good snapshot as a live answer, where the publisher says that it has changed nothing since.

        A table whose turn it is not to be asked about stands as it was found, as long as its publisher can be reached.
        """
        if self.context.offline or self.context.force:
            return None
        snapshot, _ = self._raw.latest_good(self._key(query))
        if snapshot is None:
            return None
        held = self._raw.read(snapshot)
        check_schedule, client = self.context.check_schedule, self.context.client
        outcome: AttemptOutcome = "unchanged" if check_schedule.is_asked(query) else "not due"
        try:
            if outcome == "not due":
                client.require_reachable(query.source)
                sentence = check_schedule.why_not_asked(query)
            elif publisher_of(query).is_unchanged(query, held, client):
                since = held.publisher_updated or f"{held.fetched_at:%Y-%m-%d}"
                sentence = f"{self._title(query)} says nothing changed since {since}"
            else:
                return None
            account, accepted = self._read(query, held)
            self._refuse_shorter(query, accepted)
        except (SourceError, PayloadRejected):
            return None  # the figures are asked for next, and what is wrong is reported there
        self._tried(query.source, "live", outcome, sentence)
        return self._result("live", query.source, account, accepted, held)

    def _title(self, query: Query) -> str:
        return self.context.catalogue.sources[query.source].title

    def from_publisher(self, query: Query) -> PartResult | None:
        """What the publisher sends, once it passed its checks and is stored."""
        if self.context.offline:
            self._tried(query.source, "live", "not asked", f"{self._title(query)} not asked (offline run)")
            return None
        try:
            if self.look is not None:
                self.context.client.require_reachable(query.source)
                raise News(f"{self._name}: {self._title(query)} has to be asked for its figures")
            payload = publisher_of(query).fetch(query, self.context.client)
        except HostUnreachable as error:
            self._tried(query.source, "live", "unreachable", str(error))
            return None
        except SourceError as error:
            self._tried(query.source, "live", "failed", str(error))
            return None
        key, licence = self._key(query), self.context.catalogue.sources[query.source].licence
        try:
            accepted = self._checked(query, payload)
        except PayloadRejected as error:
            kept = self._raw.put_rejected(key, payload, str(error), licence=licence, code_version=__version__)
            where = kept.relative_to(self._raw.root)
            sentence = f"what {self._title(query)} sent was not used: {error} (kept as {where})"
            self._tried(query.source, "live", "rejected", sentence)
            return None
        snapshot = self._raw.put(key, payload, licence=licence, code_version=__version__)
        outcome: AttemptOutcome = "used" if snapshot.is_new else "unchanged"
        self._tried(query.source, "live", outcome, f"{self._title(query)} answered, {outcome}")
        # Unchanged bytes keep the provenance of the snapshot that first brought them.
        payload = payload if snapshot.is_new else self._raw.read(snapshot)
        return self._result("live", query.source, accepted.account, accepted, payload)

    def from_snapshot(self, query: Query) -> PartResult | None:
        """The last good snapshot, where its publisher gives nothing."""
        snapshot, passed_over = self._raw.latest_good(self._key(query))
        for sentence in passed_over:
            self._tried(query.source, "snapshot", "corrupt", sentence)
        if snapshot is None:
            self._tried(query.source, "snapshot", "not held", f"no earlier answer of {self._title(query)} is held")
            return None
        payload = self._raw.read(snapshot)
        try:
            account, accepted = self._read(query, payload)
            self._refuse_shorter(query, accepted)
        except PayloadRejected as error:
            sentence = f"the held answer of {self._title(query)} is not used: {error}"
            self._tried(query.source, "snapshot", "rejected", sentence)
            return None
        held = self._result("snapshot", query.source, account, accepted, payload)
        if (newer := self.newer_of_release(held, snapshot.accepted_at)) is not None:
            return newer
        self._tried(query.source, "snapshot", "used", f"last good answer of {self._title(query)} used")
        return self._result("snapshot", query.source, account, accepted, payload)

    def last_resort(self) -> PartResult:
        """What there is of a part where no query gave anything: of the newest release or, unless older, what is shipped."""
        return (
            self.bounded("release", "release", self.from_release)
            or self.bounded("baseline", "baseline", self.from_baseline)
            or self.without_figures()
        )

    def from_release(self) -> PartResult | None:
        """The figures of the newest release, where they came from a publisher and what is shipped is not newer."""
        published = self._published()
        if published is None:
            return None
        entry = self.context.shipped_entry(self.indicator.id, self.part.id)
        if entry is not None and not from_release.is_older(entry, published):
            return None
        held = "nothing is" if entry is None else "only the older shipped figures are"
        return self._of_release(published, f"the answer they came from is not held any more, and {held}")

    def newer_of_release(self, snapshot: PartResult, accepted_at: datetime | None) -> PartResult | None:
        """The figures of the newest release, where a snapshot is older than the answer they came from."""
        if self.look is not None:
            return None  # its bytes are those that the last run published
        published = self._published()
        if published is None or snapshot.retrieved_at is None:
            return None
        if not from_release.is_older_answer(snapshot, accepted_at, published):
            return None
        held = f"only an older one of {snapshot.retrieved_at:%Y-%m-%d}"
        return self._of_release(published, f"the answer they came from is not held any more, {held}")

    def _published(self) -> PublishedPart | None:
        return from_release.published_part(self.context, self.indicator, self.part)

    def _of_release(self, published: PublishedPart, why: str) -> PartResult | None:
        name = f"the figures of {from_release.release_words(self.context, published)}"
        try:
            if self.look is not None:
                names = (self.indicator.id, self.part.id, published.source_id, published.payload_sha256)
                account, accepted = self.look.account_of(*names), None
            else:
                accepted = from_release.published_figures(self.context, self.indicator, self.part, published)
                account = accepted.account
        except PayloadRejected as error:
            self._tried("release", "release", "rejected", f"{name} are not used, since {error}")
            return None
        self._tried("release", "release", "used", f"{name} stand: {why}")
        return from_release.as_result(self.part, published, account, accepted, self.attempts)

    def from_baseline(self) -> PartResult:
        """What is shipped with the project; a result without figures where nothing is, or it cannot be used."""
        try:
            payload = self.context.baseline.payload(self.indicator.id, self.part.id)
            if payload is None:
                self._tried("baseline", "baseline", "not held", "no figures are shipped with the project")
                return self.without_figures()
            account, accepted = self._read(None, payload)
        except (SourceError, PayloadRejected) as error:
            self._tried("baseline", "baseline", "rejected", str(error))
            return self.without_figures()
        self._tried("baseline", "baseline", "used", "figures shipped with the project used")
        return self._result("baseline", "baseline", account, accepted, payload)

    def _key(self, query: Query) -> SnapshotKey:
        return snapshot_key(self.indicator, self.part, query)

    def _tried(self, source_id: str, tier: Tier, outcome: AttemptOutcome, sentence: str, trace: str = "") -> None:
        self.attempts.append(Attempt(source_id, tier, outcome, f"{self._name}: {sentence}", trace))

    def _read(self, query: Query | None, payload: Payload) -> tuple[Account, Accepted | None]:
        """What a payload amounts to, and its figures where they are read. Raises PayloadRejected, News."""
        if self.look is not None:
            source_id = "baseline" if query is None else query.source
            return self.look.account_of(self.indicator.id, self.part.id, source_id, payload.sha256), None
        from pipeline.run.payload_checks import accept

        accepted = accept(self.context, self.indicator, self.part, query, payload)
        return accepted.account, accepted

    def _checked(self, query: Query, payload: Payload) -> Accepted:
        """What a publisher has just sent, once it passed its checks. Raises PayloadRejected."""
        from pipeline.run.editions import Edition, read_shipped
        from pipeline.run.payload_checks import accept
        from pipeline.run.plausible import refuse_implausible

        context, held = self.context, self._last_good(query)
        before, edition = (None, None) if held is None else (held[0], Edition.of(*held))
        if held is None and (published := self._published()) is not None and published.source_id == query.source:
            with suppress(PayloadRejected):  # a release whose figures are not sound says nothing of today's
                before = from_release.published_figures(context, self.indicator, self.part, published)
                edition = Edition(before.observations, (published.publisher_updated, None))
        try:
            accepted = accept(context, self.indicator, self.part, query, payload, held=self._held_districts(before))
        except PayloadRejected:
            if edition is not None:  # that it is an older edition is the first cause of figures that it lacks
                self._not_older(query, (accept(context, self.indicator, self.part, query, payload), payload), edition)
            raise
        if warning := publisher_of(query).check_totals(query, payload, context.client):
            accepted = replace(accepted, warnings=(*accepted.warnings, warning))
        if publisher_of(query).has_editions:
            accepted = accepted if edition is None else self._not_older(query, (accepted, payload), edition)
            self._refuse_shorter(query, accepted)
        known = before or read_shipped(context, self.indicator.id, self.part.id)
        refuse_implausible(context, self.indicator, self.part, query, accepted, known)
        return accepted

    def _not_older(self, query: Query, answer: Read, before: Edition) -> Accepted:
        """An answer that is no older an edition than the last good one, which it warns of if it reaches back less far."""
        from pipeline.run.editions import Edition, why_older, years_dropped

        accepted, now = answer[0], Edition.of(*answer)
        if why := why_older(self.context, now, before):
            raise PayloadRejected(f"{why}; the held figures stay in use; {self._how_to_accept(query)}")
        if dropped := years_dropped(now, before):
            years = f"{dropped[0]} to {dropped[-1]}" if len(dropped) > 1 else f"{dropped[0]}"
            return replace(accepted, warnings=(*accepted.warnings, f"it no longer gives figures for {years}"))
        return accepted

    def _refuse_shorter(self, query: Query, accepted: Accepted | None) -> None:
        """Raise PayloadRejected where other figures held of the part reach further than an answer to ``query``.

        What a person has accepted stands against all that was held by then. A check for updates reads no figures: bytes
        that were used in the last run stood this test then.
        """
        if accepted is None:
            return
        from pipeline.run.editions import Edition, why_shorter

        for words, other in self._other_editions(query):
            if why := why_shorter(Edition(accepted.observations), Edition(other.observations)):
                raise PayloadRejected(f"{why.format(words)}; these are used; {self._how_to_accept(query)}")

    def _how_to_accept(self, query: Query) -> str:
        return f'if the publisher means it: python -m pipeline accept {query.source}/{self.indicator.id} "REASON"'

    def _last_good(self, query: Query) -> Read | None:
        """The last good answer to the same query; None without one that still passes."""
        from pipeline.run.payload_checks import accept

        snapshot, _ = self._raw.latest_good(self._key(query))
        if snapshot is None:
            return None
        payload = self._raw.read(snapshot)
        try:
            return accept(self.context, self.indicator, self.part, query, payload), payload
        except PayloadRejected:
            return None  # reported by the step that would use it; here nothing can be compared

    def _other_editions(self, query: Query) -> Iterator[tuple[str, Accepted]]:
        """What else is held of the part, and what to call it: answers to its other queries, and the shipped figures."""
        from pipeline.run.editions import read_shipped

        snapshot, _ = self._raw.latest_good(self._key(query))
        accepted_at = None if snapshot is None else snapshot.accepted_at
        for other in self.part.live:
            latest, _ = self._raw.latest_good(self._key(other)) if other != query else (None, [])
            if latest is not None and (accepted_at is None or latest.fetched_at > accepted_at):
                held = self._last_good(other)
                if held is not None:
                    yield f"held figures of {self._title(other)}", held[0]
        entry = self.context.shipped_entry(self.indicator.id, self.part.id)
        if entry is not None and (accepted_at is None or entry.published > accepted_at.date()):
            shipped = read_shipped(self.context, self.indicator.id, self.part.id)
            if shipped is not None:
                yield "the figures shipped with the project", shipped

    def _held_districts(self, before: Accepted | None) -> HeldDistricts:
        """What figures already held speak of: the same query's last good answer, else the baseline.

        The baseline may rest on another publisher's table, so its districts only speak for the nations a new answer
        covers.
        """
        from pipeline.run.editions import read_shipped
        from pipeline.run.payload_checks import NOTHING_HELD, HeldDistricts, ground_cells

        known = before or read_shipped(self.context, self.indicator.id, self.part.id)
        if known is None:
            return NOTHING_HELD
        with_value = known.observations[known.observations["value"].notna()]
        cells = ground_cells(self.context, with_value)
        return HeldDistricts(known.districts, is_same_query=before is not None, cells=cells)

    def without_figures(self) -> PartResult:
        """The part as nothing gave figures for it."""
        names = (self.indicator.id, self.part.id)
        return PartResult(*names, "none", "none", None, is_optional=self.part.optional, attempts=tuple(self.attempts))

    def _result(
        self, tier: Tier, source_id: str, account: Account, accepted: Accepted | None, payload: Payload
    ) -> PartResult:
        return PartResult(
            indicator_id=self.indicator.id,
            part_id=self.part.id,
            tier=tier,
            source_id=source_id,
            accepted=accepted,
            account=account,
            payload_sha256=account.payload_sha256,
            url=payload.url,
            edition=account.edition,
            publisher_updated=payload.publisher_updated,
            retrieved_at=payload.fetched_at.astimezone(UTC),
            description=payload.description,
            is_optional=self.part.optional,
            attempts=tuple(self.attempts),
        )
