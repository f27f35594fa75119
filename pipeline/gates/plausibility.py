"""Whether a publisher's answer can be right: held against what is held, the register, sister series and wider areas.

What is measured is in ``measures`` and ``relations``; how much of it is allowed is in ``gates.yaml``. Both suites that the
limits rest on are in ``tests/gates``: plausible mistakes, and real editions and years (docs/gates.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.gates.measures import Measure, measures
from pipeline.gates.panels import AreaFacts, Scale, are_equal, districts, logarithm, panels, root, yearly_panel
from pipeline.gates.policy import AnswerLimits
from pipeline.gates.relations import aligned, common_moves, of_sister, of_sisters, of_wider_areas


@dataclass(frozen=True)
class Sister:
    """A series that an indicator's moves with: see ``GatePolicy.sisters_of`` for ``order``.

    ``shares_level`` is whether it confirms a common move: it is made independently.
    """

    title: str
    figures: pd.DataFrame
    order: int | None
    shares_level: bool = False


@dataclass(frozen=True)
class Answer:
    """A publisher's answer and what is held of the same part, as tidy observations.

    ``is_log`` is whether moves are ratios (`Indicator.transform`); ``area_names`` is what the publisher calls each code.
    ``sisters`` reads the sister series, where any figure is new.
    """

    title: str
    decimals: int
    is_log: bool
    new: pd.DataFrame
    held: pd.DataFrame
    area_names: Mapping[str, str] = field(default_factory=dict)
    sisters: Callable[[], Sequence[Sister]] = tuple


@dataclass(frozen=True)
class Breach:
    """A gate that an answer does not pass: ``measured`` and ``allowed`` in the gate's unit, and a sentence with areas."""

    gate_id: str
    period: str
    measured: float
    allowed: float
    sentence: str


def breaches(answer: Answer, facts: AreaFacts, limits: AnswerLimits) -> list[Breach]:
    """The gates an answer does not pass, those of its own figures first, then the gravest. Equal figures pass unmeasured."""
    found = _names_of_others(answer, facts)
    new, held = (frame[frame["value"].notna()] for frame in (answer.new, answer.held))
    if len(new) and len(held):
        released, measured = measured_of(answer, new, held, facts, limits.usual_share)
        for measure in measured:
            allowed = limits.allowed(measure.gate_id, released)
            if allowed is not None and measure.measured > allowed:
                found.append(_breach(answer, measure, allowed, facts))
    return sorted(found, key=lambda breach: (breach.gate_id.startswith(_BESIDE), -_excess(breach)))


def measured_of(
    answer: Answer, new: pd.DataFrame, held: pd.DataFrame, facts: AreaFacts, usual_share: float
) -> tuple[str, list[Measure]]:
    """The newest period an answer brings that is not held ('' for none), and everything measured of it."""
    scale: Scale = logarithm if answer.is_log else root
    now, before = panels(new, held)
    if are_equal(now, before):
        return "", []
    pair = districts(now, before, facts)
    sisters = [sister for sister in answer.sisters() if sister.figures["value"].notna().any()]
    beside = [aligned(yearly_panel(sister.figures[sister.figures["value"].notna()]), pair.codes) for sister in sisters]
    shared_level: dict[str, float] = {}
    for sister, panel in zip(sisters, beside, strict=True):
        if sister.shares_level:
            shared_level |= common_moves(pair, panel, scale)
    found = list(measures(pair, scale, usual_share, shared_level))
    found += of_wider_areas(now, before, facts, scale, usual_share)
    far = [sister.title for sister in sisters if sister.order is None]
    by_title = {sister.title: panel for sister, panel in zip(sisters, beside, strict=True)}
    found += of_sisters(pair, by_title, far, scale, usual_share)
    for sister, panel in zip(sisters, beside, strict=True):
        if sister.order is not None:
            found += of_sister(pair, panel, sister.title, scale, usual_share, sister.order)
    return max(pair.released, default=""), found


def in_words(found: Iterable[Breach], most: int = 3) -> str:
    """The gravest breaches, one of each gate, as sentences; how many gates more it does not pass."""
    gravest: dict[str, Breach] = {}
    for breach in found:
        gravest.setdefault(breach.gate_id, breach)
    told = [breach.sentence for breach in list(gravest.values())[:most]]
    more = len(gravest) - len(told)
    return "; ".join(told) + (f"; and {more} more gates" if more > 0 else "")


_BESIDE = ("interval_", "sister_", "wider_")  # what stands beside a figure says less than the figure


def _excess(breach: Breach) -> float:
    return breach.measured / breach.allowed if breach.allowed > 0 else math.inf


_COUNTED = {"exchanged": "districts", "wider_range": "areas"}


def _breach(answer: Answer, measure: Measure, allowed: float, facts: AreaFacts) -> Breach:
    if measure.gate_id in _COUNTED:
        size = f"{measure.measured:.0f} {_COUNTED[measure.gate_id]}"
    elif measure.gate_id == "off_centre":
        size = f"by {measure.measured:.0%} of their width"
    else:
        seen = "more than anything seen" if measure.measured > 1000 else f"{measure.measured:.1f} times what is usual"
        size = f"{seen}, at most {allowed:.1f} times is allowed"
    areas = "; ".join(_area(answer, measure, number, facts) for number in range(len(measure.codes)))
    sentence = f"{answer.title} in {measure.period}: {measure.what} ({size})" + (f": {areas}" if areas else "")
    return Breach(measure.gate_id, measure.period, measure.measured, allowed, sentence)


def _area(answer: Answer, measure: Measure, number: int, facts: AreaFacts) -> str:
    code = measure.codes[number]
    name = facts.name.get(code, code)
    after = f"{measure.after[number]:,.{answer.decimals}f}"
    if not measure.before or math.isnan(measure.before[number]):
        return f"{name} {after}"
    return f"{name} {after}, before {measure.before[number]:,.{answer.decimals}f}"


def _names_of_others(answer: Answer, facts: AreaFacts) -> list[Breach]:
    """Codes that come with a name that is another area's and not theirs; a name nobody knows is no breach."""
    wrong = []
    for code, name in answer.area_names.items():
        codes = facts.codes_of_name.get(facts.tidy_name(name), frozenset())
        if codes and code in facts.name and code not in codes:
            wrong.append(f"{code} is {facts.name[code]} and comes as '{name}'")
    if not wrong:
        return []
    sentence = f"{answer.title}: {len(wrong)} codes come with the name of another area: {'; '.join(wrong[:3])}"
    return [Breach("names", "", len(wrong), 0, sentence)]
