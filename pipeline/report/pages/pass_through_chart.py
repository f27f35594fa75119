"""The charts of growth of pay and income beside growth of output, over the same years."""

from __future__ import annotations

from typing import Any

from pipeline.published import words
from pipeline.published.residents_and_output import Growth, SideBySide
from pipeline.report.chart import Chart, Column, rounded
from pipeline.report.facts import Area, Facts
from pipeline.report.pages.page import publisher_source

OUTPUT_TITLE = "Output per hour worked"
_TYPICAL = "Typical district"
_COLUMNS = (
    Column("name", "Measure"),
    Column("series", "Place"),
    Column("value", "Growth a year, per cent", 1),
    Column("lower", "Lower end of 90% interval", 1),
    Column("upper", "Upper end of 90% interval", 1),
)


def pass_through_charts(area: Area, facts: Facts) -> list[Chart]:
    """One chart for each outcome of residents; none for a place without figures of both in the same years."""
    return [_chart(n, area, facts, held) for n, held in enumerate(facts.pass_through.get(area.code, ()), start=1)]


def _chart(number: int, area: Area, facts: Facts, held: SideBySide) -> Chart:
    title = held.outcome_title.replace("'", "’")
    said, outcome, output = words.spoken(area.name), held.outcome.percent, held.output.percent
    verb = "rose" if min(outcome, output) > 0 else "changed"
    return Chart(
        id=f"{area.code}-beside-output-{number}",
        spec="growths",
        title=f"From {held.first_year} to {held.last_year}, {words.small(title)} in {said} {verb} by "
        f"{words.number(outcome, 1)}% a year and output per hour by {words.number(output, 1)}%",
        caption="Growth a year over the years in which both are published, before inflation, with 90% intervals where an "
        "error is held here. The typical district is the median of those scored, over the same years. The two are not "
        "subtracted: across districts they hardly move together.",
        source=publisher_source(facts, "Office for National Statistics", None),
        columns=_COLUMNS,
        rows={"points": [*_points(title, held.outcome, area), *_points(OUTPUT_TITLE, held.output, area)], "field": []},
        text={"x_title": "Per cent a year", "a": area.name, "b": _TYPICAL},
    )


def _points(name: str, growth: Growth, area: Area) -> list[dict[str, Any]]:
    own = {"value": growth.percent, "lower": growth.lower, "upper": growth.upper}
    return [
        {"name": name, "series": area.name} | {field: rounded(value, 2) for field, value in own.items()},
        {"name": name, "series": _TYPICAL, "value": rounded(growth.typical_percent, 2), "lower": None, "upper": None},
    ]
