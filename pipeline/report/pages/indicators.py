"""The list of indicators and a page for each: what it is, how districts spread, how it moved, and caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.published import wording, words
from pipeline.published.figures import UK, Typical
from pipeline.published.verdicts import NOT_KNOWN
from pipeline.report.chart import Chart, Column, rounded
from pipeline.report.facts import Area, Facts, Indicator
from pipeline.report.pages.page import Page, editions, method_changes, publisher_source, why_not_live
from pipeline.report.shown_measures import Measure, measures

_NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}
_NATION_CODES = ("E92000001", "W92000004", "S92000003", "N92000002")
_INTERVALS = {
    "bounds": "The publisher gives 95% confidence intervals.",
    "cv": "The publisher gives coefficients of variation, from which 95% intervals are calculated.",
    "half_width": "The publisher gives the half-width of the 95% interval.",
}
_POLARITY = {1: "Higher is better.", -1: "Lower is better.", 0: "Context: it is never scored."}


def indicator_path(indicator_id: str) -> str:
    """Path of the indicator's page, from the root of the site."""
    return f"indicators/{indicator_id}.html"


def indicator_list(facts: Facts) -> Page:
    """All indicators by theme, with those without figures marked."""
    themes: dict[str, list[dict[str, Any]]] = {}
    for i in facts.indicators.values():
        themes.setdefault(words.capital(i.theme.replace("_", " ")), []).append(
            {
                "title": i.title,
                "path": indicator_path(i.id),
                "years": f"{i.first_year} to {i.last_year}" if i.has_figures else None,
                "publisher": i.publisher,
                "districts": words.count(i.district_count, "district") if i.has_figures else None,
            }
        )
    held = sum(i.has_figures for i in facts.indicators.values())
    return Page(
        path="indicators/index.html",
        template="indicators.html",
        title="Indicators",
        description="Every indicator the report draws on, by theme.",
        active="indicators",
        content={
            "themes": [
                {"title": title, "held": [e for e in entries if e["years"]], "awaited": [e for e in entries if not e["years"]]}
                for title, entries in themes.items()
            ],
            "held": words.count(held, "indicator"),
            "awaited": len(facts.indicators) - held,
        },
    )  # fmt: skip


def indicator_pages(facts: Facts) -> Iterator[Page]:
    """A page for every indicator in the catalogue. One without figures says so and shows no chart."""
    named = editions(facts)
    by_id = {m.id: m for m in measures(facts)}
    for indicator in facts.indicators.values():
        yield _page(indicator, by_id.get(indicator.id), facts, named.get(indicator.id))


def _page(indicator: Indicator, measure: Measure | None, facts: Facts, edition: str | None) -> Page:
    if measure and measure.is_apart:
        edition = None  # each nation's figures have their own edition; the Quality page names them
    source = publisher_source(facts, indicator.publisher, edition)
    scripts = (
        (f"data/measures/{indicator.id}.js", "data/measures.js", "data/cells.js", "data/typical.js") if measure else ()
    )
    nations = [code for code in _NATION_CODES if facts.latest(indicator.id, code) is not None]
    return Page(
        path=indicator_path(indicator.id),
        template="indicator.html",
        title=indicator.title,
        description=indicator.description,
        active="indicators",
        scripts=(*scripts, *(f"data/areas/{code}.js" for code in nations)) if measure else (),
        content={
            "indicator": indicator,
            "theme": words.capital(indicator.theme.replace("_", " ")),
            "nations": words.listing([_NATIONS[n] for n in indicator.nations.split(", ") if n in _NATIONS]),
            "error": _error(indicator),
            "no_error": wording.no_interval_sentence(indicator.error_status),
            "polarity": _POLARITY[indicator.polarity],
            "unit": words.axis_title(indicator.unit),
            "edition": edition,
            "swarms": _swarms(indicator, measure, facts, source) if measure else [],
            "caterpillar": _caterpillar(indicator, measure, facts, source) if measure else None,
            "trend": _trend(indicator, facts, source, nations) if measure and not measure.is_apart else None,
            "years_apart": _years_apart(indicator, facts) if measure and measure.is_apart else None,
            "map": _map(indicator, measure, facts, source) if measure else None,
            "awaited": next((why_not_live(s) for s in facts.sources if s.indicator_id == indicator.id), None),
            "scored": [facts.node_title(n) for n, held in facts.node_indicators.items() if indicator.id in held],
        },
    )  # fmt: skip


def _error(indicator: Indicator) -> str:
    """What we know about the indicator's margin of error, and the form in which its publisher gives it."""
    form = _INTERVALS.get(indicator.intervals)
    status = f"{words.capital(wording.error_words(indicator.error_status))}."
    if form is None:
        return status
    return form if indicator.error_status is None else f"{status} {form}"


def _latest_typical(indicator: Indicator, facts: Facts) -> Typical | None:
    return facts.typical.get((indicator.id, UK), {}).get(indicator.last_year or 0)


def _say(value: float | None, indicator: Indicator) -> str:
    return words.bare_amount(value, indicator.unit, indicator.decimals)


def field_columns(indicator: Indicator) -> tuple[Column, ...]:
    """The table behind a chart of one indicator over districts."""
    return (
        Column("name", "District"),
        Column("value", f"{indicator.title} ({indicator.unit})", indicator.decimals),
        Column("lower", "Lower bound of 95% interval", indicator.decimals),
        Column("upper", "Upper bound of 95% interval", indicator.decimals),
        Column("year", "Year"),
        Column("status", "Status"),
    )


def _swarms(indicator: Indicator, measure: Measure, facts: Facts, source: str) -> list[Chart]:
    """How districts spread: all together, or each nation's on their own if nations do not compare."""
    if not measure.is_apart:
        typical = _latest_typical(indicator, facts)
        return [_swarm(indicator, typical, None, source)] if typical else []
    return [
        _swarm(indicator, list(facts.typical[indicator.id, code].values())[-1], facts.areas[code], source)
        for code in facts.nations_apart(indicator.id)
    ]


def _swarm(indicator: Indicator, typical: Typical, nation: Area | None, source: str) -> Chart:
    where = f" of {nation.name}" if nation else ""
    return Chart(
        id=f"{indicator.id}-distribution{'-' + nation.code if nation else ''}",
        spec="beeswarm",
        title=f"In {typical.year}, the middle 80% of districts{where} lay between {_say(typical.low, indicator)} "
        f"and {_say(typical.high, indicator)}; the typical district had {_say(typical.median, indicator)}",
        caption=f"{indicator.title}, {typical.year}. Each dot is a district: {words.count(typical.districts, 'scored district')} with a figure.",
        source=source,
        columns=field_columns(indicator),
        rows={
            "points": {"from": "measure", "measure": indicator.id} | ({"nation": nation.name} if nation else {}),
            "typical": [{"value": rounded(typical.median, indicator.decimals), "name": "Typical district"}],
        },
        text={"x_title": words.axis_title(indicator.unit)},
    )  # fmt: skip


def _caterpillar(indicator: Indicator, measure: Measure, facts: Facts, source: str) -> Chart | None:
    """Published intervals of all districts, in the order of the figures; None if none are published."""
    held = [facts.latest(indicator.id, a.code) for a in facts.districts]
    known = [f for f in held if f and f.year == measure.year and f.has_interval]
    if len(known) < 2 or measure.typical is None:
        return None
    ranked = facts.rank_sets.get(indicator.id, {})
    wide = sum(3 * (s.upper - s.lower + 1) > s.count for s in ranked.values())
    rank_note = (
        f" The confidence sets for ranks (Mogstad and others, 2024) of {wide} of {len(ranked)} districts span more than a third of the field."
        if ranked else ""
    )  # fmt: skip
    return Chart(
        id=f"{indicator.id}-intervals",
        spec="caterpillar",
        title=f"In {measure.year}, of {words.count(len(known), 'district')} with a 95% interval, "
        f"{wording.counted_verdicts(f.verdict for f in known)}",
        caption=f"{indicator.title}, {measure.year}. Each line is a district’s 95% interval as published, in the order of the figures. Where lines overlap, the order says little.{rank_note}",
        source=source,
        columns=field_columns(indicator),
        rows={"points": {"from": "ordered", "measure": indicator.id}},
        text={"x_title": "Districts in the order of their figures", "y_title": words.axis_title(indicator.unit)},
        signals={"best_on_top": False},
    )  # fmt: skip


def _trend(indicator: Indicator, facts: Facts, source: str, nations: list[str]) -> Chart | None:
    series = list(facts.typical.get((indicator.id, UK), {}).values())
    if len(series) < 2:
        return None
    first, last = series[0], series[-1]
    names = {code: facts.areas[code].name for code in nations}
    return Chart(
        id=f"{indicator.id}-trend",
        spec="lines",
        title=_moved(indicator, series),
        caption=f"{indicator.title}. The typical district is the median of those scored; the ribbon holds the middle 80% of them. "
        "Which districts have a figure can differ between years. Money is in the prices of the year."
        f"{method_changes(indicator.series_breaks, first.year, last.year)}",
        source=source,
        columns=(
            Column("year", "Year"),
            Column("series", "Series"),
            Column("value", "Figure", indicator.decimals),
            Column("lower", "10th percentile of districts", indicator.decimals),
            Column("upper", "90th percentile of districts", indicator.decimals),
        ),
        rows={"points": {"from": "nations", "indicator": indicator.id, "nations": names}},
        text={"y_title": words.axis_title(indicator.unit), "a": "Typical district"}
        | dict(zip("bcde", names.values(), strict=False)),
        breaks=indicator.series_breaks,
    )  # fmt: skip


def _moved(indicator: Indicator, series: Sequence[Typical]) -> str:
    """How the typical figure moved since the last change of method; if there was none, over all years."""
    last = series[-1]
    since = max((year for year in indicator.series_breaks if year < last.year), default=None)
    first = next(typical for typical in series if since is None or typical.year > since)
    if first is last:
        return f"In {last.year} the typical district’s figure was {_say(last.median, indicator)}; earlier years were measured differently"
    verb = "rose" if last.median > first.median else "fell" if last.median < first.median else "stayed"
    tail = (
        f"from {_say(first.median, indicator)} to {_say(last.median, indicator)}"
        if verb != "stayed"
        else f"at {_say(last.median, indicator)}"
    )
    return f"The typical district’s figure {verb} {tail} between {first.year} and {last.year}"


def _years_apart(indicator: Indicator, facts: Facts) -> str:
    """The years of each nation's own index, in place of a trend across indices that do not compare."""
    years = [
        f"{facts.areas[code].name} {words.listing([str(y) for y in facts.typical[indicator.id, code]])}"
        for code in facts.nations_apart(indicator.id)
    ]
    return (
        f"Figures are held of {words.listing(years)}. Nations, and editions of one nation’s index, may define "
        "this differently, so no common trend is drawn; a district’s own page has its figures."
    )


def _map(indicator: Indicator, measure: Measure, facts: Facts, source: str) -> Chart:
    latest = [facts.latest(indicator.id, a.code) for a in facts.districts]
    held = len([f for f in latest if f and (measure.is_apart or f.year == measure.year)])
    missing = len(facts.districts) - held
    what = "Each nation’s latest figures" if measure.is_apart else f"Figures for {measure.year}"
    title = (
        f"{what} cover all {held} districts"
        if not missing
        else f"{what} cover {held} of {len(facts.districts)} districts; {words.count(missing, 'has', 'have')} none"
    )
    some_known = any(f and f.verdict != NOT_KNOWN for f in latest)
    return Chart(
        id=f"{indicator.id}-map",
        spec="cartogram",
        title=title,
        caption=f"{indicator.title}. One hexagon a district, near neighbours near. "
        + (
            "Nations measure this differently, so a district’s colour is its fifth within its own nation."
            if measure.is_apart
            else "Small hexagons are districts that are not clearly above or below the typical district."
            if some_known
            else wording.no_interval_sentence(indicator.error_status)
        ),
        source=source,
        columns=field_columns(indicator),
        rows={"points": {"from": "map", "measure": indicator.id}, "borders": {"from": "borders"}},
    )  # fmt: skip
