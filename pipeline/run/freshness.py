"""Find out whether there is any news before anything is read: on most nights there is none.

Publishers are asked what `pipeline.run.check_schedule` says. Where they have changed nothing, and the bytes held, the code, the
options and the live file are those the last run left, the file stands and nothing is parsed, scored or built.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pipeline.catalogue import Indicator, Part, Query
from pipeline.http.payload import SourceError
from pipeline.publishers.registry import publisher_of
from pipeline.raw import RawStore
from pipeline.run.acquire import acquire_part, snapshot_key
from pipeline.run.check_schedule import Question
from pipeline.run.context import RunContext, code_fingerprint
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.run_state import Look, News, RunState, write_run_state

Asker = tuple[Indicator, Part, Query]


def nothing_new(context: RunContext, timings: Timings) -> Outcome | None:
    """What a run comes to that finds nothing new; None where there is news, or nothing is known to compare with.

    Asks publishers at most small questions and writes nothing but what it found out. Answers are remembered by the run's
    client, so that the rest of the run does not ask again.
    """
    with timings.step("check for updates"):
        state = None if context.force else context.run_state
        if state is None or not _fits(context, state):
            return None
        look = Look(state, RawStore(context.raw.root, known=state.digests, looking=True))
        if not context.offline:
            _ask_publishers(context, look)
        try:
            results = tuple(acquire_part(context, *pair, look) for pair in context.parts)
        except News:
            return None
        if fingerprint(context, results) != state.inputs:
            return None
        found = replace(state, looked_at=asked_at(context, results), digests=look.raw.digests)
        problem = _note(context, found)
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


def asked_at(context: RunContext, results: Sequence[PartResult]) -> dict[str, dict[str, datetime]]:
    """When each table was last asked about, this run's questions that were answered among them."""
    before = context.run_state.looked_at if context.run_state else {}
    known = {source_id: dict(tables) for source_id, tables in before.items()}
    for (_, part), result in zip(context.parts, results, strict=True):
        answered = {a.source_id for a in result.attempts if a.tier == "live" and a.outcome in ("used", "unchanged")}
        for query in part.live:
            if query.source in answered:
                question = Question.of(query)
                known.setdefault(question.source_id, {})[question.table] = context.started_at
    return known


def _fits(context: RunContext, state: RunState) -> bool:
    """Whether what the last run knew still speaks of this code and of the file that is live."""
    folder, live = context.settings.marts_dir, context.settings.database
    return state.code == code_fingerprint() and state.is_kept(folder) and state.is_of(live)


def _note(context: RunContext, state: RunState) -> str | None:
    """Write down what was found; return what went wrong, if anything: then the next run asks the same again, no worse."""
    try:
        write_run_state(context.settings.marts_dir, state)
    except OSError as error:
        return f"when each table was asked about could not be noted, so the next run asks the same: {error}"
    return None


def _ask_publishers(context: RunContext, look: Look) -> None:
    """Put this run's questions, all publishers at once and each publisher's one after the other.

    The client keeps the answers, failures too, for ``acquire_part`` to judge.
    """
    askers: dict[str, dict[Question, Asker]] = {}
    for indicator, part in context.parts:
        for query in part.live:
            asked = askers.setdefault(query.source, {})
            if context.check_schedule.is_asked(query):
                asked.setdefault(Question.of(query), (indicator, part, query))

    def ask(source_id: str) -> None:
        with suppress(SourceError):
            context.client.require_reachable(source_id)
            for asker in askers[source_id].values():
                _ask(context, look, *asker)

    with ThreadPoolExecutor(max_workers=len(askers) or 1) as pool:
        list(pool.map(ask, askers))


def _ask(context: RunContext, look: Look, indicator: Indicator, part: Part, query: Query) -> None:
    with suppress(Exception):  # acquire_part meets the same failure, and reports it by the part's name
        snapshot, _ = look.raw.latest_good(snapshot_key(indicator, part, query))
        if snapshot is not None:
            publisher_of(query).is_unchanged(query, look.raw.read(snapshot), context.client)
