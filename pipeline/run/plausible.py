"""Hold an answer that cannot be right: the gates of `pipeline.gates.plausibility` on what a publisher has just sent."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import pandas as pd

from pipeline.catalogue import Indicator, Part, Query
from pipeline.gates.panels import AreaFacts
from pipeline.gates.plausibility import Answer, Sister, breaches, in_words
from pipeline.gates.policy import GatePolicy, load_gate_policy
from pipeline.geography import Register
from pipeline.geography.names import tidy_name
from pipeline.raw import SnapshotKey
from pipeline.run.accept import Accepted, accept
from pipeline.run.context import RunContext
from pipeline.run.results import PayloadRejected
from pipeline.sources.base import SourceError


def refuse_implausible(
    context: RunContext, indicator: Indicator, part: Part, query: Query, accepted: Accepted, held: Accepted | None
) -> None:
    """Raise PayloadRejected where an answer to ``query`` does not pass the gates, with the areas that show it most.

    ``held`` is the last good answer, else what is shipped; without it only names are looked at. What a person has
    accepted is held from then on, so it is not stopped again.
    """
    if held is not None and accepted.payload_sha256 == held.payload_sha256:
        return
    policy = _policy()
    answer = Answer(
        title=indicator.label,
        decimals=indicator.decimals,
        is_log=indicator.transform == "log_ratio",
        new=accepted.observations,
        held=accepted.observations.iloc[:0] if held is None else held.observations,
        area_names=accepted.area_names,
        sisters=lambda: _sisters(context, policy, indicator, part),
    )
    if policy.sisters_of(indicator.id):
        _remember(indicator, part, accepted)
    found = breaches(answer, area_facts(context.register), policy.answers(indicator.id))
    if found:
        raise PayloadRejected(
            f"{in_words(found)}; the held figures stay in use; if the publisher means it: "
            f'python -m pipeline accept {query.source}/{indicator.id} "REASON"'
        )


@lru_cache(maxsize=1)
def _policy() -> GatePolicy:
    return load_gate_policy()


def _sisters(context: RunContext, policy: GatePolicy, indicator: Indicator, part: Part) -> list[Sister]:
    """The newest figures held of each sister: where both are new in one run, the second is held against the first."""
    found = []
    for sister_id, order in policy.sisters_of(indicator.id):
        sister = context.catalogue.indicators.get(sister_id)
        if sister is None:
            continue
        if own := next((other for other in sister.parts if other.id == part.id), None):
            figures = held_figures(context, sister, own)
            if figures is not None:
                found.append(Sister(sister.label, figures, order, policy.shares_level(indicator.id, sister_id)))
    return found


def held_figures(context: RunContext, indicator: Indicator, part: Part) -> pd.DataFrame | None:
    """The figures in use of a part: the last good answer to the first of its queries that has one, else those shipped."""
    for query in part.live:
        key = SnapshotKey(query.source, indicator.id, part.id, query.model_dump(mode="json"))
        snapshot, _ = context.raw.latest_good(key)
        if snapshot is not None:
            known = _read_before.get((indicator.id, part.id, snapshot.sha256))
            if known is not None:
                return known
            try:
                return _remember(indicator, part, accept(context, indicator, part, query, context.raw.read(snapshot)))
            except PayloadRejected:
                continue
    try:
        payload = context.baseline.payload(indicator.id, part.id)
        if payload is None:
            return None
        known = _read_before.get((indicator.id, part.id, payload.sha256))
        return (
            known if known is not None else _remember(indicator, part, accept(context, indicator, part, None, payload))
        )
    except (SourceError, PayloadRejected):
        return None


# Figures of sister series by indicator, part and digest, so that each is read once in a run.
_read_before: dict[tuple[str, str, str], pd.DataFrame] = {}
_MOST_REMEMBERED = 64
_NEEDED = ["area_code", "period", "period_start", "year", "value", "lower", "upper"]


def _remember(indicator: Indicator, part: Part, accepted: Accepted) -> pd.DataFrame:
    if len(_read_before) >= _MOST_REMEMBERED:
        _read_before.clear()
    figures = accepted.observations[_NEEDED]
    _read_before[indicator.id, part.id, accepted.payload_sha256] = figures
    return figures


@lru_cache(maxsize=2)
def area_facts(register: Register) -> AreaFacts:
    """What the gates need of the register, worked out once."""
    areas = register.areas
    codes_of_name: dict[str, set[str]] = defaultdict(set)
    for code, name in zip(areas["area_code"], areas["area_name"], strict=True):
        codes_of_name[tidy_name(name)].add(code)
    others = register.area_names[register.area_names["kind"] != "code"]
    for code, name in zip(others["area_code"], others["name"], strict=True):
        codes_of_name[tidy_name(name)].add(code)
    return AreaFacts(
        name=dict(zip(areas["area_code"], areas["area_name"], strict=True)),
        codes_of_name={name: frozenset(codes) for name, codes in codes_of_name.items()},
        tidy_name=lru_cache(maxsize=None)(tidy_name),
        region=_known(areas, "region_code"),
        districts=frozenset(areas.loc[areas["level"] == "district", "area_code"]),
        members=_members(register),
        people=_known(areas, "population_2020"),
    )


def _known(areas: pd.DataFrame, column: str) -> dict:
    there = areas[areas[column].notna()]
    return dict(zip(there["area_code"], there[column], strict=True))


_COUNTRIES = {"K02000001": "EWSN", "K03000001": "EWS", "K04000001": "EW"}


def _members(register: Register) -> dict[str, list[str]]:
    """The current districts of each wider area."""
    districts = register.areas[register.areas["area_code"].isin(register.districts())]
    members: dict[str, list[str]] = defaultdict(list)
    for column in ("region_code", "county_code", "nation_code"):
        for wider, rows in districts.groupby(column)["area_code"]:
            members[str(wider)] = sorted(rows)
    for district, authority in register.membership().items():
        members[authority].append(district)
    for country, letters in _COUNTRIES.items():
        members[country] = sorted(code for code in districts["area_code"] if code[0] in letters)
    return dict(members)
