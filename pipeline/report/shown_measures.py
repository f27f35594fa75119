"""What maps, dot charts and comparisons can show for every district: a node's score or an indicator's latest figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.published import verdicts, wording, words
from pipeline.published.figures import UK
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, LEVEL, TYPICAL
from pipeline.report.chart import rounded
from pipeline.report.facts import Facts, Indicator
from pipeline.report.pages.page import editions, method_changes, own_source, publisher_source

MEASURE_COLUMNS = ("code", "value", "lower", "upper", "verdict", "unsure", "year", "rank_lower", "rank_upper", "status")
_DEEPEST_NODE = 2


@dataclass(frozen=True)
class Measure:
    """One measure. ``typical`` is the typical district's value; ``is_score`` marks values from 0 to 100.

    ``when`` is the year or span of years, as worded in a title. If nations do not compare (``is_apart``), there is no
    typical district and ``year`` is the latest of any nation. ``breaks`` are the last years before a change of method;
    ``break_note`` is the sentence about them.
    """

    id: str
    title: str
    section: str
    is_score: bool
    unit: str
    decimals: int
    polarity: int
    year: int
    typical: float | None
    source: str
    is_apart: bool = False
    when: str = ""
    breaks: tuple[int, ...] = ()
    break_note: str = ""

    def as_json(self) -> dict[str, Any]:
        before, after = words.amount(8, self.unit).split("8") if self.unit else ("", "")
        return {
            "id": self.id,
            "title": self.title,
            "section": self.section,
            "isScore": self.is_score,
            "before": before,
            "after": after,
            "axis": words.axis_title(self.unit) if self.unit else "Score, 0 to 100",
            "decimals": words.shown_decimals(self.unit, self.decimals),
            "polarity": self.polarity,
            "year": self.year,
            "when": self.when or str(self.year),
            "typical": rounded(self.typical, words.shown_decimals(self.unit, self.decimals)),
            "source": self.source,
            "isApart": self.is_apart,
            "breaks": list(self.breaks),
            "breakNote": self.break_note,
            "verdicts": wording.counted_words(CHANGE if self.id.startswith(f"{CHANGE}-") else LEVEL),
        }


def sections(facts: Facts) -> dict[str, str]:
    """The headings of a list of measures, by section."""
    found = {LEVEL: f"Scores: where places stand, {facts.years.get(LEVEL, '')}"}
    if CHANGE in facts.years:
        found[CHANGE] = f"Scores: where places have been heading, {CHANGE_WINDOW_YEARS} years to {facts.years[CHANGE]}"
    return found


def measures(facts: Facts) -> list[Measure]:
    """Every measure with a value for some district, scores first."""
    return [*_score_measures(facts), *_figure_measures(facts)]


def _score_measures(facts: Facts) -> Iterator[Measure]:
    source = own_source(facts)
    for flavour, section in sections(facts).items():
        for node in facts.nodes:
            if node.depth <= _DEEPEST_NODE and facts.scores.get(flavour, {}).get(node.id):
                yield Measure(
                    id=f"{flavour}-{node.id}",
                    title=facts.usual_title(flavour, node.id),
                    section=section,
                    is_score=True,
                    unit="",
                    decimals=0,
                    polarity=1,
                    year=facts.years[flavour],
                    typical=TYPICAL,
                    source=source,
                    when=f"change over the {words.counted(CHANGE_WINDOW_YEARS, 'year')} to {facts.years[flavour]}"
                    if flavour == CHANGE
                    else "",
                )


def _figure_measures(facts: Facts) -> Iterator[Measure]:
    named = editions(facts)
    for indicator in facts.indicators.values():
        if indicator.last_year is not None:
            is_apart = bool(facts.nations_apart(indicator.id))
            typical = None if is_apart else facts.typical.get((indicator.id, UK), {}).get(indicator.last_year)
            yield Measure(
                id=indicator.id,
                title=indicator.title,
                section=words.capital(indicator.theme.replace("_", " ")),
                is_score=False,
                unit=indicator.unit,
                decimals=indicator.decimals,
                polarity=indicator.polarity,
                year=indicator.last_year,
                typical=typical.median if typical else None,
                source=publisher_source(facts, indicator.publisher, None if is_apart else named.get(indicator.id)),
                is_apart=is_apart,
                breaks=indicator.series_breaks,
                break_note=method_changes(
                    indicator.series_breaks, indicator.first_year or indicator.last_year, indicator.last_year
                ),
            )


def measure_rows(measure: Measure, facts: Facts) -> list[list[Any]]:
    """A row of `MEASURE_COLUMNS` for every district that has a value and compares with most others."""
    if measure.is_score:
        flavour, node = measure.id.split("-", 1)
        rows = list(_score_rows(facts, flavour, node))
    else:
        rows = list(_figure_rows(facts, facts.indicators[measure.id], measure))
    return _with_unsure(rows)


def measure_finding(measure: Measure, rows: list[list[Any]]) -> str:
    """What the rows of a measure show, as the title of its map."""
    said = [row[MEASURE_COLUMNS.index("verdict")] for row in rows]
    if measure.is_apart:
        return f"{measure.title}: nations measure it differently, so districts are compared within their nation"
    start = f"{measure.title}, {measure.when or measure.year}"
    if not rows:
        return f"{start}: no district has a figure"
    if any(verdict != verdicts.NOT_KNOWN for verdict in said):
        flavour = CHANGE if measure.id.startswith(f"{CHANGE}-") else LEVEL
        return f"{start}: of {words.count(len(rows), 'district')}, {wording.counted_verdicts(said, flavour)}"
    low, high = (end(row[1] for row in rows) for end in (min, max))
    ends = f"{words.bare_amount(low, measure.unit, measure.decimals)} to {words.amount(high, measure.unit, measure.decimals)}"
    return f"{start}: from {ends}; we do not know how sure the differences are"


def _with_unsure(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows with 1 after the verdict if it is not *clearly*; 0 throughout if no verdict is known."""
    at = MEASURE_COLUMNS.index("verdict")
    some_known = any(row[at] != verdicts.NOT_KNOWN for row in rows)
    return [
        [*row[: at + 1], int(some_known and verdicts.sureness(row[at]) != verdicts.CLEARLY), *row[at + 1 :]]
        for row in rows
    ]


def _score_rows(facts: Facts, flavour: str, node: str) -> Iterator[list[Any]]:
    title = facts.usual_title(flavour, node)
    for area in facts.districts:
        score = facts.score(flavour, node, area.code)
        if score is not None and score.is_comparable and score.title == title:
            numbers = [rounded(v, 1) for v in (score.score, score.lower, score.upper)]
            ranks = [score.rank_lower, score.rank_upper]
            yield [area.code, *numbers, wording.verdict(score, flavour), facts.years[flavour], *ranks, ""]


def _figure_rows(facts: Facts, indicator: Indicator, measure: Measure) -> Iterator[list[Any]]:
    """Figures of the latest year; if nations do not compare, each nation's own latest."""
    for area in facts.districts:
        figure = facts.latest(indicator.id, area.code)
        if figure is None or (figure.year != indicator.last_year and not measure.is_apart):
            continue
        ranked = facts.rank_sets.get(indicator.id, {}).get(area.code)
        ranks = [ranked.lower, ranked.upper] if ranked and ranked.year == figure.year else [None, None]
        decimals = words.shown_decimals(indicator.unit, indicator.decimals)
        values = [rounded(v, decimals) for v in (figure.value, figure.lower, figure.upper)]
        yield [area.code, *values, figure.verdict, figure.year, *ranks, figure.status]
