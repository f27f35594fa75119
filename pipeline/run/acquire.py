"""Get one part of an indicator: live, else the last good snapshot, else of the newest release, else what is shipped.

A part's queries are tried in the order of the catalogue, the preferred one first:

1. Where a good snapshot is held, ask the publisher whether anything has changed since (if it is the table's turn, see
   `pipeline.run.check_schedule`). If nothing has, use the snapshot.
2. Otherwise ask for the figures. An older edition than what is held counts as a failure, until a person accepts it
   (`pipeline.run.older_editions`).
3. If that fails, use the last snapshot that passed its checks.

When no query gives anything, or only a snapshot older than what was published, the part keeps the figures of the newest
release. The figures shipped with the project are used only where the release has none, or older ones. So a bad night at
a publisher never replaces a longer series with a shorter one while a good copy of the longer one is held.

The same search finds out whether there is any news: with a ``Look`` it reads no figures and asks for none, and raises
News where a run would have to.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part, Query
from pipeline.http.payload import HostUnreachable, Payload, PayloadRejected, SourceError
from pipeline.publishers.registry import publisher_of
from pipeline.raw import SnapshotKey
from pipeline.run import from_release
from pipeline.run.inputs import Inputs
from pipeline.run.origins import snapshot_key
from pipeline.run.publishers import Publishers
from pipeline.run.results import Account, Attempt, AttemptOutcome, PartResult, Tier, part_name
from pipeline.run.run_state import Look, News
from pipeline.run.shipped import shipped_entry
from pipeline.run.store_answer import store_checked
from pipeline.run.stores import Stores

if TYPE_CHECKING:  # reading figures takes pandas, which a run that finds nothing new does without
    from pipeline.run.part_judge import PartJudge
    from pipeline.run.published_before import PublishedBefore, PublishedPart
    from pipeline.run.results import Accepted

# Errors that stop every part: the disk is full or cannot be written.
_OF_THE_WHOLE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_MOST_OF_A_LINE = 200
_NOT_PUBLISHERS = {"baseline": "the shipped figures", "release": "the newest release"}


def acquire_part(
    inputs: Inputs,
    stores: Stores,
    publishers: Publishers | None,
    indicator: Indicator,
    part: Part,
    look: Look | None = None,
) -> PartResult:
    """Get one part by the first way that works. Never raises for a source's failure: it is in ``attempts``.

    Without ``publishers`` (an offline run) only what is held is used. An unforeseen error is a failure of that part
    alone, kept with its traceback; the other parts go on. Writes a new snapshot when a publisher sent new bytes. Raises
    OSError when the whole disk cannot be used. With ``look``, what is remembered of the same bytes stands in for the
    figures and nothing is written. It raises News where the bytes are not those remembered, or a publisher that can be
    reached would have to be asked for figures.
    """
    search = _Search(inputs, stores, publishers, indicator, part, look)
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


def acquire_held(
    inputs: Inputs, stores: Stores, indicator: Indicator, part: Part, attempts: Sequence[Attempt] = ()
) -> PartResult:
    """Get one part from what is held, after ``attempts`` to get it otherwise: no publisher is asked."""
    search = _Search(inputs, stores, None, indicator, part, None, list(attempts))
    for query in part.live:
        result = search.bounded(query.source, "snapshot", lambda query=query: search.from_snapshot(query))  # type: ignore[misc]
        if result is not None:
            return result
    return search.last_resort()


@dataclass
class _Search:
    """The search for one part: each way gives its result, or None once its failure is among ``attempts``."""

    inputs: Inputs
    stores: Stores
    publishers: Publishers | None
    indicator: Indicator
    part: Part
    look: Look | None
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._name = part_name(self.indicator.id, self.part.id)
        self._raw = self.stores.raw if self.look is None else self.look.raw

    def bounded(self, source_id: str, tier: Tier, way: Callable[[], PartResult | None]) -> PartResult | None:
        """What a way gives; None where it ends in an unforeseen error, which is then among ``attempts``.

        Raises News, and OSError where the disk is full or cannot be written: then no part can be kept.
        """
        try:
            return way()
        except News:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THE_WHOLE_DISK:
                raise
            without_secrets = self.stores.settings.without_secrets
            words = next(iter(str(error).splitlines()), "")[:_MOST_OF_A_LINE]
            known = self.inputs.catalogue.sources.get(source_id)
            title = known.title if known else _NOT_PUBLISHERS[source_id]
            sentence = f"{title}: an unforeseen error ({without_secrets(f'{type(error).__name__}: {words}')})"
            trace = without_secrets("".join(traceback.format_exception(error)))
            self._tried(source_id, tier, "failed", sentence, trace)
            return None

    def if_unchanged(self, query: Query) -> PartResult | None:
        """The last good snapshot as a live answer, where the publisher says that nothing has changed since.

        A table that this run does not ask about counts as unchanged, as long as its publisher can be reached.
        """
        if self.publishers is None or self.publishers.force:
            return None
        snapshot, _ = self._raw.latest_good(self._key(query))
        if snapshot is None:
            return None
        held = self._raw.read(snapshot)
        schedule, client = self.publishers.schedule, self.publishers.client
        outcome: AttemptOutcome = "unchanged" if schedule.is_asked(query) else "not due"
        try:
            if outcome == "not due":
                client.require_reachable(query.source)
                sentence = schedule.why_not_asked(query)
            elif publisher_of(query).is_unchanged(query, held, client):
                since = held.publisher_updated or f"{held.fetched_at:%Y-%m-%d}"
                sentence = f"{self._title(query)} says nothing changed since {since}"
            else:
                return None
            account, accepted = self._read(query, held)
        except (SourceError, PayloadRejected):
            return None  # the figures are asked for next, and what is wrong is reported there
        self._tried(query.source, "live", outcome, sentence)
        return self._result("live", query.source, account, accepted, held)

    def _title(self, query: Query) -> str:
        return self.inputs.catalogue.sources[query.source].title

    def from_publisher(self, query: Query) -> PartResult | None:
        """What the publisher sends, once it passed its checks and is stored."""
        if self.publishers is None:
            self._tried(query.source, "live", "not asked", f"{self._title(query)} not asked (offline run)")
            return None
        try:
            if self.look is not None:
                self.publishers.client.require_reachable(query.source)
                raise News(f"{self._name}: {self._title(query)} has to be asked for its figures")
            payload = publisher_of(query).fetch(query, self.publishers.client)
        except HostUnreachable as error:
            self._tried(query.source, "live", "unreachable", str(error))
            return None
        except SourceError as error:
            self._tried(query.source, "live", "failed", str(error))
            return None
        key, licence = self._key(query), self.inputs.catalogue.sources[query.source].licence
        try:
            check = partial(self._judge().accept_new, query, payload, self.publishers.client)
            stored = store_checked(self._raw, key, payload, licence, check)
        except PayloadRejected as error:
            self._tried(query.source, "live", "rejected", f"what {self._title(query)} sent was not used: {error}")
            return None
        outcome: AttemptOutcome = "used" if stored.snapshot.is_new else "unchanged"
        self._tried(query.source, "live", outcome, f"{self._title(query)} answered, {outcome}")
        return self._result("live", query.source, stored.read.account, stored.read, stored.payload)

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
        """What to use where no query gave anything: the newest release, or what is shipped unless that is older."""
        return (
            self.bounded("release", "release", self.from_release)
            or self.bounded("baseline", "baseline", self.from_baseline)
            or self.without_figures()
        )

    def from_release(self) -> PartResult | None:
        """The figures of the newest release, if a publisher gave them and what is shipped is not newer."""
        found = from_release.published_part(self.stores, self.indicator, self.part)
        if found is None:
            return None
        entry = shipped_entry(self.stores.baseline, self.indicator.id, self.part.id)
        if entry is not None and not from_release.is_older(entry, found[1]):
            return None
        held = "nothing else is" if entry is None else "only the older shipped figures are"
        return self._of_release(*found, f"the answer they came from is no longer held, and {held}")

    def newer_of_release(self, snapshot: PartResult, accepted_at: datetime | None) -> PartResult | None:
        """The figures of the newest release, where a snapshot is older than the answer they came from."""
        if self.look is not None:
            return None  # its bytes are those that the last run published
        found = from_release.published_part(self.stores, self.indicator, self.part)
        if found is None or snapshot.retrieved_at is None:
            return None
        if not from_release.is_older_answer(snapshot, accepted_at, found[1]):
            return None
        held = f"only an older one of {snapshot.retrieved_at:%Y-%m-%d}"
        return self._of_release(*found, f"the answer they came from is no longer held, {held}")

    def _of_release(self, before: PublishedBefore, published: PublishedPart, why: str) -> PartResult | None:
        name = f"the figures of {from_release.release_words(before, published)}"
        try:
            if self.look is not None:
                names = (self.indicator.id, self.part.id, published.source_id, published.payload_sha256)
                account, accepted = self.look.account_of(*names), None
            else:
                known = self.inputs.register, self.indicator, self.part
                accepted = from_release.published_figures(before, *known, published)
                account = accepted.account
        except PayloadRejected as error:
            self._tried("release", "release", "rejected", f"{name} are not used, since {error}")
            return None
        self._tried("release", "release", "used", f"{name} stand: {why}")
        return from_release.as_result(self.part, published, account, accepted, self.attempts)

    def from_baseline(self) -> PartResult:
        """What is shipped with the project; a result without figures where nothing is, or it cannot be used."""
        try:
            payload = self.stores.baseline.payload(self.indicator.id, self.part.id)
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
        """What a payload amounts to, and its figures where they are read. Raises PayloadRejected, News.

        A check for updates reads no figures: the bytes that the last run used passed these checks then.
        """
        if self.look is not None:
            source_id = "baseline" if query is None else query.source
            return self.look.account_of(self.indicator.id, self.part.id, source_id, payload.sha256), None
        judge = self._judge()
        accepted = judge.accept_shipped(payload) if query is None else judge.accept_held(query, payload)
        return accepted.account, accepted

    def _judge(self) -> PartJudge:
        from pipeline.run.part_judge import PartJudge  # with pandas, which a check for updates does without

        return PartJudge(self.inputs, self.stores, self.indicator, self.part)

    def without_figures(self) -> PartResult:
        """The part without any figures."""
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
