"""Compare new answers with their sister series, once all answers of a run are known.

Which of two new answers arrived first says nothing about which is wrong. So every answer not published yet is compared
with the figures its sisters use now. If two new answers contradict each other, neither is used, unless one of them
contradicts more sisters than the other. Once a person accepts an answer, it stays accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.catalogue import Indicator, Part, Query
from pipeline.gates.plausibility import Breach, Sister, in_words, sister_breaches
from pipeline.geography import Register
from pipeline.http.payload import PayloadRejected
from pipeline.raw import CorruptSnapshot, Snapshot
from pipeline.run.acquire import acquire_held
from pipeline.run.inputs import Inputs
from pipeline.run.origins import origin, snapshot_key
from pipeline.run.payload_checks import accept
from pipeline.run.plausible import answer_of, area_facts, gate_policy
from pipeline.run.results import Attempt, PartResult
from pipeline.run.shipped import read_shipped
from pipeline.run.stores import Stores

Name = tuple[str, str]


@dataclass(frozen=True)
class _New:
    """An answer in use that was not published yet, and the figures of its part that were in use before it."""

    result: PartResult
    indicator: Indicator
    part: Part
    query: Query
    snapshot: Snapshot
    held: pd.DataFrame | None


@dataclass(frozen=True)
class _Contradiction:
    """Gates that an answer does not pass beside a sister; ``other`` is the sister's name where it is as new."""

    name: Name
    other: Name | None
    title: str
    breaches: list[Breach]


def hold_contradictions(inputs: Inputs, stores: Stores, results: Sequence[PartResult]) -> list[PartResult]:
    """The results of a run; an answer that contradicts a sister is replaced by what was in use before.

    The answer itself is kept in the raw store among the rejected ones. Raises OSError where the store cannot be written.
    """
    by_name = {(result.indicator_id, result.part_id): result for result in results}
    new = {(item.indicator.id, item.part.id): item for item in _new_answers(inputs, stores, results)}
    found = [
        item
        for name in new
        for item in _contradictions(inputs.catalogue.indicators, inputs.register, new, by_name, name)
    ]
    for name, why in _to_hold(found).items():
        by_name[name] = _held_back(inputs, stores, new[name], why)
    return list(by_name.values())


def _new_answers(inputs: Inputs, stores: Stores, results: Sequence[PartResult]) -> Iterator[_New]:
    known = stores.run_state.accounts if stores.run_state else {}
    for result in results:
        is_publishers = result.tier in ("live", "snapshot") and result.accepted is not None
        if not is_publishers or not gate_policy().sisters_of(result.indicator_id):
            continue
        if (result.indicator_id, result.part_id, result.source_id, result.payload_sha256) in known:
            continue
        indicator, part, query = origin(inputs.catalogue, result)
        editions = stores.raw.editions(snapshot_key(indicator, part, query))
        in_use = next((s for s in reversed(editions) if s.sha256 == result.payload_sha256), None)
        if in_use is not None and "accepted_because" not in in_use.sidecar:
            before = [s for s in editions[: editions.index(in_use)] if s.sha256 != result.payload_sha256]
            yield _New(result, indicator, part, query, in_use, _before(inputs, stores, indicator, part, query, before))


def _before(
    inputs: Inputs, stores: Stores, indicator: Indicator, part: Part, query: Query, earlier: Sequence[Snapshot]
) -> pd.DataFrame | None:
    """The figures of a part before its new answer: those of the newest earlier answer that can be read, else the shipped."""
    sources, register = inputs.catalogue.sources, inputs.register
    for snapshot in reversed(earlier):
        try:
            return accept(sources, register, indicator, part, query, stores.raw.read(snapshot)).observations
        except (CorruptSnapshot, PayloadRejected):
            continue
    shipped = read_shipped(stores.baseline, register, indicator, part)
    return None if shipped is None else shipped.observations


def _contradictions(
    indicators: Mapping[str, Indicator],
    register: Register,
    new: dict[Name, _New],
    by_name: dict[Name, PartResult],
    name: Name,
) -> Iterator[_Contradiction]:
    item = new[name]
    if item.result.accepted is None or item.held is None:
        return
    for sister_id, order, shares_of in gate_policy().sisters_of(item.indicator.id):
        other = (sister_id, item.part.id)
        result = by_name.get(other)
        if result is None or result.accepted is None:
            continue
        title = indicators[sister_id].label
        is_new = other in new
        before = new[other].held if is_new else None
        sister = Sister(title, result.accepted.observations, order, shares_of, before)
        answer = answer_of(item.indicator, item.result.accepted, item.held, sister)
        found = sister_breaches(answer, area_facts(register), gate_policy().answers(item.indicator.id))
        if found:
            yield _Contradiction(name, other if is_new else None, title, found)


def _to_hold(found: Sequence[_Contradiction]) -> dict[Name, str]:
    """Which answers are held, and why: those that contradict a sister in use, then of each contradiction the more involved."""
    held = {item.name: _why(item) for item in found if item.other is None}
    left = [item for item in found if item.name not in held and item.other not in held]
    while left:
        pairs = {frozenset((item.name, item.other)) for item in left if item.other is not None}
        involved = Counter(name for pair in pairs for name in pair)
        most = max(involved.values())
        for item in left:
            for name in (item.name, item.other):
                if name is not None and involved[name] == most:
                    held.setdefault(name, _why(item))
        left = [item for item in left if item.name not in held and item.other not in held]
    return held


def _why(item: _Contradiction) -> str:
    said = in_words(item.breaches)
    return said if item.other is None else f"{said}; both are new, so neither is known to be right"


def _held_back(inputs: Inputs, stores: Stores, item: _New, why: str) -> PartResult:
    """A part without its new answer, which is kept as rejected."""
    source = inputs.catalogue.sources[item.query.source]
    accept_it = f'python -m pipeline accept {item.query.source}/{item.indicator.id} "REASON"'
    reason = f"{why}; the held figures stay in use; if the publisher meant this: {accept_it}"
    stores.raw.reject(item.snapshot, reason)
    sentence = f"{item.result.name}: what {source.title} sent was not used: {reason}"
    attempts = [a for a in item.result.attempts if a.outcome not in ("used", "unchanged", "not due")]
    attempts.append(Attempt(item.query.source, "live", "rejected", sentence))
    return acquire_held(inputs, stores, item.indicator, item.part, attempts)
