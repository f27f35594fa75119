"""The page of a district, a wider area or a named group: what is known of it, how surely, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.published import words
from pipeline.report import sentences
from pipeline.report.facts import CHANGE, DOMAINS, LEVEL, WINDOW_YEARS, Area, Facts
from pipeline.report.pages import area_charts as charts
from pipeline.report.pages.page import Page, editions
from pipeline.report.shared import area_path, shown_areas

# Six trends fit on the second page of a briefing: the pillars' chief indicators, in the framework's order.
_BRIEFED = 6
# Figures that fit on the first page of a briefing on a place without scores.
_MOST_PRINTED = 36
_PEOPLE = (
    "A change of a place can be a change of its people: those who live there now are not all those who lived there before, "
    "and nothing here follows anyone over time. Output is counted where people work, pay and income where they live."
)


def area_pages(facts: Facts) -> Iterator[Page]:
    """The pages of all areas, one at a time."""
    named = editions(facts)
    for area in shown_areas(facts):
        yield area_page(area, facts, named)


def area_page(area: Area, facts: Facts, named_editions: Mapping[str, str]) -> Page:
    """The page of one area. Sections without figures hold None or nothing, and the template says so in words."""
    beside = charts.comparators(area, facts)
    trends = [
        chart
        for indicator in trend_indicators(facts)
        if (chart := charts.trend(area, facts, indicator, beside, named_editions.get(indicator)))
    ]
    data = [area, *beside[:1]]
    return Page(
        path=area_path(area),
        template="area.html",
        title=area.name,
        description=sentences.about(area, facts),
        active="",
        scripts=(
            *(f"data/standings-{flavour}.js" for flavour in facts.years),
            "data/typical.js",
            *(f"data/areas/{place.code}.js" for place in data),
        ),
        content={
            "area": area,
            "said": words.spoken(area.name),
            "kind": words.kind(area.level),
            "wider": _wider(area, facts),
            "members": [facts.areas[c] for c in facts.members.get(area.code, ())] if not area.is_district else [],
            "paragraph": sentences.paragraph(area, facts),
            "tiles": [_tile(area, facts, domain) for domain in DOMAINS],
            "label": _label(area, facts),
            "level": charts.quadrant(area, facts, LEVEL) if LEVEL in facts.years else None,
            "change": charts.quadrant(area, facts, CHANGE) if CHANGE in facts.years else None,
            "pillars": charts.pillars(area, facts, LEVEL, beside) if LEVEL in facts.years else None,
            "pillars_change": charts.pillars(area, facts, CHANGE, beside) if CHANGE in facts.years else None,
            "ranks": [chart for domain in DOMAINS if (chart := charts.rank_band(area, facts, domain))],
            "contributions": [chart for domain in DOMAINS if (chart := charts.contributions(area, facts, domain))],
            "trends": trends,
            "briefed": {chart.id for chart in trends[:_BRIEFED]},
            "incidence": charts.growth_incidence(area, facts, beside),
            "profile": _profile(area, facts, beside),
            "beside": beside,
            "not_scored": _not_scored(area, facts),
            "figures": _figures(area, facts),
            "most_printed": _MOST_PRINTED,
            "people": _PEOPLE,
            "compare": f"compare.html#places={','.join([area.code, *(a.code for a in beside)])}",
            "years": facts.years,
            "window": WINDOW_YEARS,
        },
    )


def trend_indicators(facts: Facts) -> list[str]:
    """Indicators with a trend on an area's page, the chief one of each pillar first, then the pillars' other ones."""
    scored = facts.scored_indicators(LEVEL)
    chief = [next((i for i in facts.node_indicators.get(node.id, ()) if i in scored), None) for node in facts.nodes]
    return list(dict.fromkeys([i for i in chief if i] + scored))


def _wider(area: Area, facts: Facts) -> list[tuple[str, str]]:
    codes = (area.combined_authority_code, area.region_code, area.nation_code)
    groups = [g for g in facts.group_codes if area.code in facts.members.get(g, ())]
    found = [facts.areas[c] for c in dict.fromkeys([*codes, *groups]) if c and c != area.code and c in facts.areas]
    shown = {a.code for a in shown_areas(facts)}
    return [(place.name, area_path(place)) for place in found if place.code in shown]


def _tile(area: Area, facts: Facts, domain: str) -> dict[str, Any]:
    score = facts.score(LEVEL, domain, area.code)
    tile: dict[str, Any] = {
        "title": words.capital(domain),
        "meaning": words.capital(sentences.MEANINGS[domain]),
        "score": score,
    }
    if score:
        tile |= {
            "interval": None
            if score.lower is None or score.upper is None
            else f"{words.number(score.lower)} to {words.number(score.upper)}",
            "standing": words.capital(sentences.standing(score)),
            "rank": words.capital(sentences.rank_words(score)) if area.is_district else None,
            "fifth": sentences.fifth(score),
        }
    return tile


def _label(area: Area, facts: Facts) -> dict[str, str] | None:
    label = facts.labels.get(area.code)
    if label is None:
        return None
    return {
        "text": words.capital(label.label),
        "slug": label.label.replace(" ", "-"),
        "probability": words.probability(label.probability),
        "most_probable": label.most_probable,
        "clear": "" if label.label == "not clear" else "yes",
        "meaning": sentences.DIRECTIONS[label.most_probable],
    }


def _profile(area: Area, facts: Facts, beside: list[Area]) -> list[dict[str, Any]]:
    """The table of scores: a row for the index, each domain and each pillar that could be scored."""
    rows = []
    for node in facts.nodes:
        score = facts.score(LEVEL, node.id, area.code)
        if score is None:
            continue
        change = facts.score(CHANGE, node.id, area.code)
        rows.append(
            {
                "title": node.title,
                "depth": node.depth,
                "score": sentences.score_with_interval(score).replace("90% interval ", ""),
                "is_too_sure": score.is_too_sure,
                "is_carried": score.is_carried_forward,
                "rank": sentences.rank_short(score),
                "beside": [
                    words.number(s.score) if (s := facts.score(LEVEL, node.id, place.code)) else "–" for place in beside
                ],
                "change": sentences.score_with_interval(change).replace("90% interval ", "") if change else "–",
            }
        )
    return rows


def _not_scored(area: Area, facts: Facts) -> list[tuple[str, str, str]]:
    """(where it stands or is heading, what is not scored, why); the domain's own reason stands for its parts."""
    named = {LEVEL: "Where it stands", CHANGE: "Where it has been heading"}
    return [
        (named[flavour], title, _readable(reason, facts))
        for flavour in facts.years
        for title, reason in facts.not_scored.get(flavour, {}).get(area.code, ())
    ]


def _readable(reason: str, facts: Facts) -> str:
    """The reason without the identifier before its colon, indicators by their titles."""
    text = reason.split(": ", 1)[-1]
    for indicator in facts.indicators.values():
        if indicator.id in text:
            text = text.replace(indicator.id, f"“{indicator.title}”")
    return words.capital(text)


def _figures(area: Area, facts: Facts) -> list[dict[str, Any]]:
    """The latest figure of every indicator that the area has one of, by theme."""
    rows = []
    for indicator in facts.indicators.values():
        figure = facts.latest(indicator.id, area.code)
        if figure is None:
            continue
        typical = facts.typical_for(indicator.id, area).get(figure.year)
        has_interval = figure.lower is not None and figure.upper is not None
        rows.append(
            {
                "theme": words.capital(indicator.theme.replace("_", " ")),
                "id": indicator.id,
                "title": indicator.title,
                "value": words.amount(figure.value, indicator.unit, indicator.decimals),
                "interval": words.interval(figure.lower or 0.0, figure.upper or 0.0, indicator.unit, indicator.decimals)
                if has_interval
                else "not published",
                "year": figure.year,
                "typical": words.bare_amount(typical.median if typical else None, indicator.unit, indicator.decimals),
                "direction": facts.directions.get(indicator.id, {}).get(area.code, ""),
                "status": "" if figure.status == "ok" else figure.status.replace("_", " "),
            }
        )
    return rows
