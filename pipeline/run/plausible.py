"""Hold an answer that cannot be right: the gates of `pipeline.gates.plausibility` on what a publisher has just sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import pandas as pd

from pipeline.catalogue import Indicator, Part, Query
from pipeline.gates.panels import AreaFacts
from pipeline.gates.plausibility import Answer, Sister, breaches, in_words
from pipeline.gates.policy import GatePolicy, load_gate_policy
from pipeline.geography import Register
from pipeline.geography.names import tidy_name
from pipeline.http.payload import PayloadRejected
from pipeline.run.inputs import Inputs
from pipeline.run.origins import snapshot_key
from pipeline.run.payload_checks import accept
from pipeline.run.results import Accepted
from pipeline.run.shipped import read_shipped
from pipeline.run.stores import Stores


def refuse_implausible(
    register: Register,
    indicator: Indicator,
    query: Query,
    accepted: Accepted,
    held: Accepted | None,
    sisters: Callable[[], Sequence[Sister]],
) -> None:
    """Raise PayloadRejected where an answer to ``query`` does not pass the gates, with the areas that show it most.

    ``held`` is the last good answer, else what is shipped; without it only names are looked at. What a person has
    accepted is held from then on, so it is not stopped again. Here ``sisters``, made independently, can only confirm a
    common move; contradictions are looked for once all answers of the run are known (see `pipeline.run.sisters`).
    """
    if held is not None and accepted.payload_sha256 == held.payload_sha256:
        return
    before = accepted.observations.iloc[:0] if held is None else held.observations
    answer = replace(answer_of(indicator, accepted, before), sisters=sisters)
    found = breaches(answer, area_facts(register), gate_policy().answers(indicator.id))
    if found:
        raise PayloadRejected(
            f"{in_words(found)}; the held figures stay in use; if the publisher meant this: "
            f'python -m pipeline accept {query.source}/{indicator.id} "REASON"'
        )


def answer_of(indicator: Indicator, accepted: Accepted, held: pd.DataFrame, *sisters: Sister) -> Answer:
    """An answer and what is held of its part as the gates take them."""
    return Answer(
        title=indicator.label,
        decimals=indicator.decimals,
        is_log=indicator.transform == "log_ratio",
        new=accepted.observations,
        held=held,
        area_names=accepted.area_names,
        sisters=lambda: sisters,
    )


@lru_cache(maxsize=1)
def gate_policy() -> GatePolicy:
    """The limits, read once."""
    return load_gate_policy()


def confirming(inputs: Inputs, stores: Stores, indicator: Indicator, part: Part) -> list[Sister]:
    """The sisters of an indicator that confirm a common move of it, with the newest figures held of the same part."""
    found = []
    for sister_id, *_ in gate_policy().sisters_of(indicator.id):
        sister = inputs.catalogue.indicators.get(sister_id)
        if sister is None or not gate_policy().shares_level(indicator.id, sister_id):
            continue
        own = next((other for other in sister.parts if other.id == part.id), None)
        figures = None if own is None else _newest_figures(inputs, stores, sister, own)
        if figures is not None:
            found.append(Sister(sister.label, figures, None, shares_level=True, only_confirms=True))
    return found


def _newest_figures(inputs: Inputs, stores: Stores, indicator: Indicator, part: Part) -> pd.DataFrame | None:
    """The figures held of a part: the last good answer to the first of its queries that has one, else those shipped."""
    for query in part.live:
        snapshot, _ = stores.raw.latest_good(snapshot_key(indicator, part, query))
        if snapshot is not None:
            try:
                payload = stores.raw.read(snapshot)
                return accept(inputs.catalogue.sources, inputs.register, indicator, part, query, payload).observations
            except PayloadRejected:
                continue
    shipped = read_shipped(stores.baseline, inputs.register, indicator, part)
    return None if shipped is None else shipped.observations


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
