"""Whether a publisher's answer is plausible, compared with held figures, the register, sister series and wider areas.

Sister series are series that constrain each other, such as the mean and the median of one survey's pay. The measures
are in ``measures`` and ``relations``; ``gates.yaml`` sets how much is allowed. Both suites behind the limits are in
``tests/gates``: plausible mistakes, and real editions and years (docs/gates.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.gates.measures import measures
from pipeline.gates.panels import (
    AreaFacts,
    Pair,
    Panel,
    Scale,
    are_equal,
    districts,
    logarithm,
    panels,
    root,
    yearly_panel,
)
from pipeline.gates.policy import AnswerLimits
from pipeline.gates.relations import aligned, common_moves, of_sister, of_sisters, of_wider_areas
from pipeline.gates.tested_series import Measure
from pipeline.numerals import rounded, times


@dataclass(frozen=True)
class Sister:
    """A series that moves with an indicator's: see ``SisterSeries`` for ``order`` and ``shares_of``.

    ``held`` are its earlier figures, if ``figures`` are as new as the answer under test. ``shares_level`` says that it
    can confirm a common move, since it is made independently. One that ``only_confirms`` is not compared with the
    answer.
    """

    title: str
    figures: pd.DataFrame
    order: int | None
    shares_of: float | None = None
    held: pd.DataFrame | None = None
    shares_level: bool = False
    only_confirms: bool = False


@dataclass(frozen=True)
class Answer:
    """A publisher's answer and the held figures of the same part, as tidy observations.

    ``is_log`` says that moves are ratios (`Indicator.transform`). ``area_names`` is the publisher's name for each code.
    ``sisters`` reads the sister series, which is done only if a figure is new.
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
    """A gate that an answer fails: ``measured`` and ``allowed`` in the gate's unit, and a sentence naming areas."""

    gate_id: str
    period: str
    measured: float
    allowed: float
    sentence: str


def breaches(answer: Answer, facts: AreaFacts, limits: AnswerLimits) -> list[Breach]:
    """The gates that an answer fails: those of its own figures first, then by severity. Equal figures pass unmeasured."""
    found = _names_of_others(answer, facts)
    new, held = (frame[frame["value"].notna()] for frame in (answer.new, answer.held))
    if len(new) and len(held):
        released, measured = measured_of(answer, new, held, facts, limits.usual_share)
        for measure in measured:
            allowed = limits.allowed(measure.gate_id, released)
            if allowed is not None and measure.measured > allowed:
                found.append(_breach(answer, measure, allowed, facts))
    return sorted(found, key=lambda breach: (breach.gate_id.startswith(_BESIDE), -_excess(breach)))


def sister_breaches(answer: Answer, facts: AreaFacts, limits: AnswerLimits) -> list[Breach]:
    """The gates that an answer fails against its sister series alone, most serious first."""
    new, held = (frame[frame["value"].notna()] for frame in (answer.new, answer.held))
    if not len(new) or not len(held):
        return []
    pair = districts(*panels(new, held), facts)
    found, released = [], max(pair.released, default="")
    for measure in _beside_sisters(answer, pair, _scale(answer), limits.usual_share):
        allowed = limits.allowed(measure.gate_id, released)
        if allowed is not None and measure.measured > allowed:
            found.append(_breach(answer, measure, allowed, facts))
    return sorted(found, key=lambda breach: -_excess(breach))


def _scale(answer: Answer) -> Scale:
    return logarithm if answer.is_log else root


def measured_of(
    answer: Answer, new: pd.DataFrame, held: pd.DataFrame, facts: AreaFacts, usual_share: float
) -> tuple[str, list[Measure]]:
    """The newest period in an answer that is not held ('' for none), and every measure of the answer."""
    scale = _scale(answer)
    now, before = panels(new, held)
    if are_equal(now, before):
        return "", []
    pair = districts(now, before, facts)
    shared_level: dict[str, float] = {}
    for sister in _with_figures(answer):
        if sister.shares_level:
            shared_level |= common_moves(pair, _panel_beside(pair, sister.figures), scale)
    found = list(measures(pair, scale, usual_share, shared_level))
    found += of_wider_areas(now, before, facts, scale, usual_share)
    found += _beside_sisters(answer, pair, scale, usual_share)
    return max(pair.released, default=""), found


def _with_figures(answer: Answer) -> list[Sister]:
    return [sister for sister in answer.sisters() if sister.figures["value"].notna().any()]


def _panel_beside(pair: Pair, figures: pd.DataFrame) -> Panel:
    return aligned(yearly_panel(figures[figures["value"].notna()]), pair.codes)


def _beside_sisters(answer: Answer, pair: Pair, scale: Scale, usual_share: float) -> Iterator[Measure]:
    """Every measure of an answer against its sister series: all of them together, then the distance to each."""
    sisters = [sister for sister in _with_figures(answer) if not sister.only_confirms]
    together = {s.title: _panel_beside(pair, s.figures) for s in sisters if s.shares_of is None}
    far = [sister.title for sister in sisters if sister.order is None]
    yield from of_sisters(pair, together, far, scale, usual_share)
    for sister in sisters:
        if sister.order is not None:
            yield from _of_sister(pair, sister, sister.order, scale, usual_share)


def _of_sister(pair: Pair, sister: Sister, order: int, scale: Scale, usual_share: float) -> Iterator[Measure]:
    beside, before = (
        aligned(yearly_panel(_remainder(figures[figures["value"].notna()], sister.shares_of)), pair.codes)
        for figures in (sister.figures, sister.figures if sister.held is None else sister.held)
    )
    title = sister.title if sister.shares_of is None else f"what {sister.title} leaves of {rounded(sister.shares_of)}"
    return of_sister(pair, beside, before, title, scale, usual_share, order)


def _remainder(figures: pd.DataFrame, total: float | None) -> pd.DataFrame:
    """The remainder when a series of shares is taken from its whole; other series are returned unchanged."""
    if total is None:
        return figures
    rest = {"value": total - figures["value"], "lower": total - figures["upper"], "upper": total - figures["lower"]}
    return figures.assign(**rest)


def in_words(found: Iterable[Breach], most: int = 3) -> str:
    """The most serious breaches as sentences, one for each gate, and how many more gates fail."""
    gravest: dict[str, Breach] = {}
    for breach in found:
        gravest.setdefault(breach.gate_id, breach)
    shown = [breach.sentence for breach in list(gravest.values())[:most]]
    more = len(gravest) - len(shown)
    return "; ".join(shown) + (f"; and {more} more gates" if more > 0 else "")


_BESIDE = ("interval_", "sister_", "wider_")  # comparisons carry less weight than the figures themselves


def _excess(breach: Breach) -> float:
    return breach.measured / breach.allowed if breach.allowed > 0 else math.inf


_COUNTED = {"exchanged": "districts", "wider_range": "areas"}


def _breach(answer: Answer, measure: Measure, allowed: float, facts: AreaFacts) -> Breach:
    if measure.gate_id in _COUNTED:
        size = f"{measure.measured:,.0f} {_COUNTED[measure.gate_id]}"
    elif measure.gate_id == "off_centre":
        size = f"by {measure.measured:.0%} of their width"
    else:
        seen = "beyond anything seen before" if measure.measured > 1000 else f"{times(measure.measured)} the usual"
        size = f"{seen}, at most {times(allowed)} is allowed"
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
    """Codes that come with another area's name; a name that the register does not know is no breach."""
    wrong = []
    for code, name in answer.area_names.items():
        codes = facts.codes_of_name.get(facts.tidy_name(name), frozenset())
        if codes and code in facts.name and code not in codes:
            wrong.append(f"{code} is {facts.name[code]} and comes as '{name}'")
    if not wrong:
        return []
    sentence = f"{answer.title}: {len(wrong)} codes come with the name of another area: {'; '.join(wrong[:3])}"
    return [Breach("names", "", len(wrong), 0, sentence)]
