"""Find out whether there is any news before anything is read: on most nights there is none.

Publishers are asked about the tables that `pipeline.run.check_schedule` names. If they have changed nothing, and the
bytes held, the code, the options and the live file are as the last run left them, nothing is parsed, scored or built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part, Query
from pipeline.http.payload import SourceError
from pipeline.publishers.registry import publisher_of
from pipeline.raw import RawStore
from pipeline.run.acquire import acquire_part
from pipeline.run.check_schedule import Question
from pipeline.run.code_digest import code_fingerprint
from pipeline.run.context import Run
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.origins import snapshot_key
from pipeline.run.publishers import Publishers
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.run_state import Look, News, RunState, write_run_state
from pipeline.settings import Settings

if TYPE_CHECKING:  # an offline run does without the network
    from pipeline.http.client import HttpClient

Parts = Sequence[tuple[Indicator, Part]]
Asker = tuple[Indicator, Part, Query]


def nothing_new(run: Run, timings: Timings) -> Outcome | None:
    """The outcome of a run that finds nothing new; None where there is news, or nothing to compare with.

    Asks publishers only small questions, and writes only what it found out. The run's client remembers the answers, so
    that the rest of the run does not ask again.
    """
    with timings.step("check for updates"):
        inputs, stores = run.inputs, run.stores
        state = None if run.options.force else stores.run_state
        if state is None or not _fits(run.settings, state):
            return None
        look, parts = Look(state, RawStore(stores.raw.root, known=state.digests, looking=True)), inputs.parts
        publishers = run.publishers
        if publishers is not None:
            _ask_publishers(publishers, look.raw, parts)
        try:
            results = tuple(acquire_part(inputs, stores, publishers, *pair, look) for pair in parts)
        except News:
            return None
        if fingerprint(inputs.catalogue, stores, run.scoring, results) != state.inputs:
            return None
        looked_at = asked_at(parts, results, run.started_at, state.looked_at)
        problem = _note(run.settings.marts_dir, replace(state, looked_at=looked_at, digests=look.raw.digests))
    return Outcome(
        False,
        results,
        {},
        timings,
        keeping_problem=problem,
        account=state.account,
        counts=state.counts,
        counts_before=state.counts,
        set_aside=state.set_aside,
    )


def asked_at(
    parts: Parts, results: Iterable[PartResult], now: datetime, before: Mapping[str, Mapping[str, datetime]]
) -> dict[str, dict[str, datetime]]:
    """When each table was last asked about: ``now`` where this run's question was answered, else as ``before``."""
    known = {source_id: dict(tables) for source_id, tables in before.items()}
    for (_, part), result in zip(parts, results, strict=True):
        answered = {a.source_id for a in result.attempts if a.tier == "live" and a.outcome in ("used", "unchanged")}
        for query in part.live:
            if query.source in answered:
                question = Question.of(query)
                known.setdefault(question.source_id, {})[question.table] = now
    return known


def _fits(settings: Settings, state: RunState) -> bool:
    """Whether what the last run knew is still true of this code and of the live file."""
    is_same_file = state.code == code_fingerprint() and state.is_kept(settings.marts_dir)
    return is_same_file and state.is_of(settings.database)


def _note(folder: Path, state: RunState) -> str | None:
    """Write down what was found; return what went wrong, if anything: then the next run asks the same again, no worse."""
    try:
        write_run_state(folder, state)
    except OSError as error:
        return f"when each table was asked about could not be noted, so the next run asks the same: {error}"
    return None


def _ask_publishers(publishers: Publishers, raw: RawStore, parts: Parts) -> None:
    """Ask this run's questions: all publishers at once, and each publisher one question after the other.

    The client keeps the answers, and failures too, for ``acquire_part`` to judge.
    """
    askers: dict[str, dict[Question, Asker]] = {}
    for indicator, part in parts:
        for query in part.live:
            asked = askers.setdefault(query.source, {})
            if publishers.schedule.is_asked(query):
                asked.setdefault(Question.of(query), (indicator, part, query))

    def ask(source_id: str) -> None:
        with suppress(SourceError):
            publishers.client.require_reachable(source_id)
            for asker in askers[source_id].values():
                _ask(publishers.client, raw, *asker)

    with ThreadPoolExecutor(max_workers=len(askers) or 1) as pool:
        list(pool.map(ask, askers))


def _ask(client: HttpClient, raw: RawStore, indicator: Indicator, part: Part, query: Query) -> None:
    with suppress(Exception):  # acquire_part meets the same failure, and reports it by the part's name
        snapshot, _ = raw.latest_good(snapshot_key(indicator, part, query))
        if snapshot is not None:
            publisher_of(query).is_unchanged(query, raw.read(snapshot), client)
