"""The area codes of a table, matched to a map."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline.geography.area_errors import AmbiguousAreaError, UnknownAreaError
from pipeline.geography.lineage import Plan
from pipeline.geography.names import OUT_OF_SCOPE, tidy_code
from pipeline.geography.register import Register

# Limits the searches for near matches in a table: one of another geography has thousands of unknown codes.
SUGGESTIONS = 100


@dataclass(frozen=True)
class Reading:
    """The distinct area codes of a table matched to a map, in order.

    Each is an area of the plan (``node``), or has a reason why there is none (``refusal``, empty if it is out of scope
    on purpose). ``earlier`` is for a name that another area once had: the day before which that area may be meant, and
    a warning.
    """

    node: list[str | None]
    refusal: list[str | None]
    earlier: dict[int, tuple[pd.Timestamp, str]]


def read_codes(texts: list[str], register: Register, plan: Plan, day: pd.Timestamp) -> Reading:
    """Each distinct text as an area of the plan, or a sentence on why there is none ("": out of scope on purpose)."""
    nodes: list[str | None] = []
    refusals: list[str | None] = []
    earlier: dict[int, tuple[pd.Timestamp, str]] = {}
    unknown: set[str] = set()
    same = set(register.same_area["code"])
    for position, text in enumerate(texts):
        node, refusal = None, None
        code = tidy_code(text)
        if code not in same and OUT_OF_SCOPE.match(code):
            nodes.append(None)
            refusals.append("")
            continue
        try:
            node = code
            if code not in register.by_code and code not in same:
                area = register.find(text, suggest=len(unknown) < SUGGESTIONS)
                node, words = area.code, register.earlier_namesakes(text, day.year)
                if words is not None:
                    earlier[position] = (area.start_date, words)
            if not plan.targets_of(node):
                refusal, node = _no_place(register, node, day), None
        except (UnknownAreaError, AmbiguousAreaError) as error:
            refusal = str(error)
            unknown.add(text)
        nodes.append(node)
        refusals.append(refusal)
    return Reading(nodes, refusals, earlier)


def _no_place(register: Register, code: str, day: pd.Timestamp) -> str:
    area = register.by_code[code]
    level = area.level.replace("_", " ")
    if area.end_date is not None and area.end_date < day:
        return f"{area.name} ({code}, {level}) ended on {area.end_date:%Y-%m-%d} and no area of {day.year} covers its ground"
    return f"{area.name} ({code}, {level}) began on {area.start_date:%Y-%m-%d}, after the map of {day.year}"
