"""The map and the comparison, where readers choose what to see."""

from __future__ import annotations

from typing import Any

from pipeline.published import words
from pipeline.published.scores import LEVEL
from pipeline.report.boundaries import Boundaries
from pipeline.report.chart import Chart, Column
from pipeline.report.facts import Facts
from pipeline.report.pages.page import Page, made_on, own_source
from pipeline.report.shown_measures import Measure, measures

FIRST_MEASURE = f"{LEVEL}-sharing"
FIRST_INDICATOR = "pay_median_weekly"
_FIELD_COLUMNS = (
    Column("name", "District"),
    Column("region", "Region or nation"),
    Column("value", "Value", 2),
    Column("lower", "Lower end of interval", 2),
    Column("upper", "Upper end of interval", 2),
    Column("year", "Year"),
)


def map_page(facts: Facts, boundaries: Boundaries | None = None, note: str | None = None) -> Page:
    """The map, which shows any measure. `map.js` draws the charts from the choice in the address.

    ``boundaries``, if any, can be shown instead of tiles; ``note`` says why a boundary file cannot be drawn.
    """
    every = measures(facts)
    first = _first(every, FIRST_MEASURE)
    chart = (
        Chart(
            id="map",
            spec="cartogram",
            title=first.title,
            caption="One hexagon a district, neighbours close together; islands are drawn nearer than they are. Small hexagons are "
            "districts that are not clearly above or below the typical district. "
            "Move to the map with the Tab key and use the arrow keys; Enter opens a place’s page.",
            source=made_on(facts),
            columns=_FIELD_COLUMNS,
            rows={"points": {"from": "map", "measure": first.id}, "borders": {"from": "borders"}},
        )
        if first
        else None
    )
    swarm = (
        Chart(
            id="map-distribution",
            spec="beeswarm",
            title=first.title,
            caption="The same figures along a line. Each dot is a district.",
            source=made_on(facts),
            columns=_FIELD_COLUMNS,
            rows={"points": {"from": "measure", "measure": first.id}, "typical": []},
        )
        if first
        else None
    )
    return Page(
        path="map.html",
        template="map.html",
        title="Map",
        description="Every UK district as a hexagon, for any score or indicator.",
        active="map",
        scripts=("data/measures.js", "data/cells.js", *([f"data/measures/{first.id}.js"] if first else [])),
        content={
            "sections": sections_of(every),
            "first": first,
            "chart_map": chart,
            "swarm": swarm,
            "boundaries": boundaries,
            "changed": _changed(boundaries, facts) if boundaries else None,
            "note": note,
        },
    )  # fmt: skip


def _changed(boundaries: Boundaries, facts: Facts) -> str | None:
    """Which current districts the outlines lack, and which outlines are no longer districts; None if they agree."""
    if not boundaries.absent and not boundaries.ended:
        return None
    names = {shape.code: shape.name for shape in boundaries.shapes}
    absent = words.listing([facts.areas[code].name for code in boundaries.absent])
    ended = words.listing(sorted(names[code] for code in boundaries.ended))
    parts = [f"These are the boundaries of {boundaries.year}."]
    if boundaries.absent:
        has = words.count(len(boundaries.absent), "current district has", "current districts have")
        parts.append(
            f"{words.capital(has)} no outline in them and can be seen as tiles and in the table only: {absent}."
        )
    if boundaries.ended:
        outline = words.count(len(boundaries.ended), "outline is", "outlines are")
        parts.append(
            f"{words.capital(outline)} of areas that are no longer districts with this name and code, and have no figures: {ended}."
        )
    return " ".join(parts)  # fmt: skip


def compare_page(facts: Facts) -> Page:
    """The comparison of up to five places, or of a group's members. `compare.js` draws the charts."""
    every = measures(facts)
    figures = [m for m in every if not m.is_score]
    chosen = _first(figures, FIRST_INDICATOR)
    ranges = Chart(
        id="compare-scores",
        spec="ranges",
        title="Choose places to compare",
        caption="Scores with their 90% intervals; the grey band holds the middle 80% of districts. The verdict is against the "
        "typical district. A score made of different parts is not drawn.",
        source=own_source(facts),
        columns=(
            Column("name", "Place"),
            Column("value", "Score", 1),
            Column("lower", "Lower end of 90% interval", 1),
            Column("upper", "Upper end of 90% interval", 1),
            Column("verdict", "Against the typical district"),
            Column("ranks", "Rank (90% interval)"),
        ),
        rows={"points": [], "field": []},
    )
    trend = Chart(
        id="compare-trend",
        spec="lines",
        title="Choose places to compare",
        caption="Ribbons are the publishers’ 95% intervals where they are held here.",
        source=made_on(facts),
        columns=(
            Column("year", "Year"),
            Column("series", "Place"),
            Column("value", "Figure", 2),
            Column("lower", "Lower bound", 2),
            Column("upper", "Upper bound", 2),
        ),
        rows={"points": []},
    )
    return Page(
        path="compare.html",
        template="compare.html",
        title="Compare places",
        description="Up to five places side by side, or all members of a group.",
        active="compare",
        scripts=("data/measures.js", "data/typical.js", *(f"data/standings-{flavour}.js" for flavour in facts.years)),
        content={
            "scores": sections_of([m for m in every if m.is_score]),
            "figures": sections_of(figures),
            "chosen_score": FIRST_MEASURE,
            "chosen_figure": chosen.id if chosen else "",
            "ranges": ranges,
            "trend": trend,
        },
    )


def sections_of(every: list[Measure]) -> list[dict[str, Any]]:
    """Measures under their headings, for a drop-down list."""
    found: dict[str, list[Measure]] = {}
    for measure in every:
        found.setdefault(measure.section, []).append(measure)
    return [{"title": title, "measures": held} for title, held in found.items()]


def _first(every: list[Measure], wanted: str) -> Measure | None:
    return next((m for m in every if m.id == wanted), every[0] if every else None)
