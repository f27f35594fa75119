"""The paragraph about a place. `pipeline.published.wording` puts its scores into words."""

from __future__ import annotations

from typing import Final

from pipeline.published import wording, words
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, LEVEL, Score
from pipeline.report.facts import Area, Facts

MEANINGS: Final = {
    "growth": "how prosperous the place is",
    "sharing": "how far prosperity reaches the people who live there",
}


def about(area: Area, facts: Facts) -> str:
    """What the area is and where: `Preston is a district in Lancashire, North West, England.`"""
    if area.level == "group":
        return f"{words.capital(area.name_in_file)} is a named group of {words.count(len(facts.members.get(area.code, ())), 'district')}."
    wider = [area.combined_authority_name, area.county_name, area.region_name, area.nation_name]
    places = [place for place in dict.fromkeys(wider) if place and place != area.name_in_file]
    kind = words.kind(area.level)
    inside = f" in {', '.join(map(words.spoken, places))}" if places else ""
    held = len(facts.members.get(area.code, ()))
    size = f" of {words.count(held, 'district')}" if held and not area.is_district else ""
    return f"{words.capital(words.spoken(area.name_in_file))} is {words.article(kind)} {kind}{size}{inside}."


def paragraph(area: Area, facts: Facts) -> list[str]:
    """The place in words, a sentence or two an item: where it stands, why, where it is heading, and how sure that is."""
    found = [about(area, facts)]
    if area.is_district and not area.is_scored:
        return [*found, f"It is shown but not scored: {_why_not_scored(area, facts)}."]
    level, change = (_above_indicators(area, facts, flavour) for flavour in (LEVEL, CHANGE))
    drivers = [
        text
        for domain in facts.domains(LEVEL, area.code)
        if (text := wording.drivers(domain, facts.pillars(LEVEL, area.code, domain.node_id)))
    ]
    stands, heads = wording.in_short(level, [], CHANGE_WINDOW_YEARS), wording.in_short([], change, CHANGE_WINDOW_YEARS)
    said = [text for text in (stands, *drivers, heads) if text]
    return [*found, *(said or ["It has no scores in this file; what is missing is listed below."])]


def _above_indicators(area: Area, facts: Facts, flavour: str) -> list[Score]:
    """The area's scores of the index, the domains and the pillars, in the order of the tree."""
    return [score for node in facts.nodes if (score := facts.score(flavour, node.id, area.code))]


def _why_not_scored(area: Area, facts: Facts) -> str:
    reasons = [reason for _, reason in facts.not_scored.get(LEVEL, {}).get(area.code, ())]
    return (
        reasons[0].split(": ", 1)[-1].rstrip(".")
        if reasons
        else "too few people live here to compare it with districts"
    )
