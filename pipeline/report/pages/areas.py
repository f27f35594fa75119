"""The page of a district, a wider area or a named group: what is known, how sure that is, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.published import wording, words
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, LEVEL, Score
from pipeline.report import sentences
from pipeline.report.facts import DOMAINS, Area, Facts
from pipeline.report.pages import area_charts as charts
from pipeline.report.pages.page import Page, editions
from pipeline.report.pages.pass_through_chart import pass_through_charts
from pipeline.report.shared_data import area_path, shown_areas

# The second page of a briefing has room for six trends: the pillars' main indicators, in framework order.
_BRIEFED = 6
# Figures that fit on the first page of a briefing for a place without scores.
_MOST_PRINTED = 36
_PEOPLE = (
    "A change in a place can be a change in its people: those who live there now are not all those who lived there before, "
    "and nothing here follows anyone over time. Output is counted where people work, pay and income where they live."
)


def area_pages(facts: Facts) -> Iterator[Page]:
    """The pages of all areas, one at a time."""
    named = editions(facts)
    for area in shown_areas(facts):
        yield area_page(area, facts, named)


def area_page(area: Area, facts: Facts, named_editions: Mapping[str, str]) -> Page:
    """The page of one area. Sections without figures are None or empty, and the template says so in words."""
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
            "heading": _heading(area, facts),
            "level": charts.quadrant(area, facts, LEVEL) if LEVEL in facts.years else None,
            "change": charts.quadrant(area, facts, CHANGE) if CHANGE in facts.years else None,
            "pillars": charts.pillars(area, facts, LEVEL, beside) if LEVEL in facts.years else None,
            "pillars_change": charts.pillars(area, facts, CHANGE, beside) if CHANGE in facts.years else None,
            "without_picture": [said for f in (LEVEL, CHANGE) if (said := charts.without_picture(area, facts, f))],
            "ranks": [chart for domain in DOMAINS if (chart := charts.rank_band(area, facts, domain))],
            "contributions": [chart for domain in DOMAINS if (chart := charts.contributions(area, facts, domain))],
            "trends": trends,
            "briefed": {chart.id for chart in trends[:_BRIEFED]},
            "pass_through": pass_through_charts(area, facts),
            "incidence": charts.growth_incidence(area, facts, beside),
            "profiles": [profile for f in facts.years if (profile := _profile(area, facts, f, beside))],
            "too_narrow": wording.TOO_NARROW,
            "beside": beside,
            "not_scored": _not_scored(area, facts),
            "figures": _figures(area, facts),
            "most_printed": _MOST_PRINTED,
            "people": _PEOPLE,
            "compare": f"compare.html#places={','.join([area.code, *(a.code for a in beside)])}",
            "years": facts.years,
            "window": CHANGE_WINDOW_YEARS,
        },
    )


def trend_indicators(facts: Facts) -> list[str]:
    """Indicators with a trend on an area's page: the main one of each pillar first, then the others."""
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
    """The card of a domain: its score with interval, its verdict, and a rank where the file has one."""
    score = facts.score(LEVEL, domain, area.code)
    tile: dict[str, Any] = {
        "title": words.capital(domain),
        "meaning": words.capital(sentences.MEANINGS[domain]),
        "score": score,
    }
    if score:
        tile |= {
            "number": words.number(score.score),
            "interval": wording.interval(score),
            "verdict": words.capital(wording.against_typical(score, LEVEL)),
            "not_comparable": words.capital(wording.not_comparable(score) or ""),
            "rank": words.capital(wording.rank_sentence(score)) if score.rank is not None else "",
            "fifth": wording.fifth(score),
        }
    return tile


def _heading(area: Area, facts: Facts) -> list[str]:
    """A sentence each on how growth and sharing have moved relative to the typical district."""
    found = []
    for score in facts.domains(CHANGE, area.code):
        # The paragraph says how much of it has a known error.
        verdict = wording.against_typical(score, CHANGE) if score.is_known else score.verdict
        said = f"{score.title} {wording.score_with_interval(score)}: {verdict}"
        lacking = wording.not_comparable(score)
        found.append(f"{said}; {lacking}." if lacking else f"{said}.")
    return found


def _profile(area: Area, facts: Facts, flavour: str, beside: list[Area]) -> dict[str, Any] | None:
    """The table of scores of one flavour: a row for the index and for each scored domain and pillar."""
    scores = [score for node in facts.nodes if (score := facts.score(flavour, node.id, area.code))]
    if not scores:
        return None
    year = facts.years[flavour]
    return {
        "flavour": flavour,
        "title": f"Where it stands, {year}"
        if flavour == LEVEL
        else f"Where it has been heading, {CHANGE_WINDOW_YEARS} years to {year}",
        "rows": [
            {
                "node": score.node_id,
                "title": score.title,
                "depth": score.depth,
                "score": words.number(score.score),
                "interval": wording.interval(score) or "not known",
                "is_too_narrow": score.has_partial_error,
                "is_carried": score.is_carried_forward and score.node_kind == "pillar",
                "verdict": wording.verdict(score, flavour),
                "not_comparable": wording.not_comparable(score),
                "rank": wording.rank(score),
                "beside": [_beside(score, facts.score(flavour, score.node_id, place.code)) for place in beside],
            }
            for score in scores
        ],
    }


def _beside(own: Score, other: Score | None) -> str:
    """Another place's score, if it has the same parts as this place's."""
    if other is None:
        return "–"
    return words.number(other.score) if own.compares_with(other) else "not comparable"


def _not_scored(area: Area, facts: Facts) -> list[tuple[str, str, str]]:
    """(where it stands or is heading, what is not scored, why). A domain's own reason covers its parts."""
    named = {LEVEL: "Where it stands", CHANGE: "Where it has been heading"}
    return [
        (named[flavour], title, _readable(reason, facts))
        for flavour in facts.years
        for title, reason in facts.not_scored.get(flavour, {}).get(area.code, ())
    ]


def _readable(reason: str, facts: Facts) -> str:
    """The reason without the identifier before its colon, and with indicators' titles for identifiers."""
    text = reason.split(": ", 1)[-1]
    for indicator in facts.indicators.values():
        if indicator.id in text:
            text = text.replace(indicator.id, f"“{indicator.title}”")
    return words.capital(text)


def _figures(area: Area, facts: Facts) -> list[dict[str, Any]]:
    """The area's latest figure of every indicator that it has, by theme."""
    rows = []
    for indicator in facts.indicators.values():
        figure = facts.latest(indicator.id, area.code)
        if figure is None:
            continue
        rows.append(
            {
                "theme": words.capital(indicator.theme.replace("_", " ")),
                "id": indicator.id,
                "title": indicator.title,
                "value": words.amount(figure.value, indicator.unit, indicator.decimals),
                "interval": wording.figure_interval(figure) or wording.no_interval_words(indicator.error_status),
                "year": figure.year,
                "typical": words.bare_amount(figure.typical_value, indicator.unit, indicator.decimals),
                "verdict": figure.verdict if figure.typical_value is not None else "",
                "direction": figure.direction_verdict or "",
                "status": "" if figure.status == "ok" else figure.status.replace("_", " "),
            }
        )
    return rows
