"""The charts of an area's page. Each title says what the figures show, and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.published import wording, words
from pipeline.published.figures import UK
from pipeline.published.scores import CHANGE, CHANGE_WINDOW_YEARS, LEVEL, Score
from pipeline.report.chart import Chart, Column, rounded
from pipeline.report.facts import DOMAINS, Area, Facts
from pipeline.report.pages.page import method_changes, own_source, publisher_source
from pipeline.report.shared_data import standing_row, typical_name

RANK_FIELD_COLUMNS = (
    Column("name", "District"),
    Column("value", "Score", 1),
    Column("rank_lower", "Best rank, 90% interval", 0),
    Column("rank_upper", "Worst rank, 90% interval", 0),
)
_TREND_COLUMNS = (
    Column("year", "Year"),
    Column("series", "Series"),
    Column("value", "Figure", 2),
    Column("lower", "Lower bound", 2),
    Column("upper", "Upper bound", 2),
    Column("status", "Status"),
)
_PERCENTILE = re.compile(r"pay_annual_(?:p(\d\d)|median)$")
_FEWEST_PERCENTILES = 5


def quadrant_columns(flavour: str) -> tuple[Column, ...]:
    """The table behind the chart of growth and sharing."""
    change = " of change" if flavour == CHANGE else ""
    ends = ("lower end", "upper end")
    return (
        Column("name", "Place"),
        Column("x", f"Growth score{change}", 1),
        *(Column(f"x_{side}", f"Growth, {end} of 90% interval", 1) for side, end in zip(("lower", "upper"), ends, strict=True)),
        Column("y", f"Sharing score{change}", 1),
        *(Column(f"y_{side}", f"Sharing, {end} of 90% interval", 1) for side, end in zip(("lower", "upper"), ends, strict=True)),
        Column("class", "Against the typical district"),
    )  # fmt: skip


def quadrant_text(flavour: str, facts: Facts) -> dict[str, str]:
    """The words of the chart of growth and sharing, with only those classes that some district is in."""
    held = facts.class_counts(flavour)
    corners = (
        (
            "gained on both",
            "growth gained, sharing fell behind",
            "sharing gained, growth fell behind",
            "fell behind on both",
        )
        if flavour == CHANGE
        else ("above on both", "growth above, sharing below", "sharing above, growth below", "below on both")
    )
    when = f"{CHANGE_WINDOW_YEARS} years to {facts.years[flavour]}" if flavour == CHANGE else str(facts.years[flavour])
    return {
        "x_title": f"Growth score, {when} (50 is the typical district)",
        "y_title": f"Sharing score, {when}",
        **{f"c{i}": name for i, name in enumerate(wording.classes(flavour), start=1) if held[name]},
        **dict(zip(("corner_both", "corner_growth", "corner_sharing", "corner_neither"), corners, strict=True)),
    }  # fmt: skip


def quadrant(area: Area, facts: Facts, flavour: str) -> Chart | None:
    """The place among all districts on growth and sharing, with intervals; None if it does not compare with them."""
    row = standing_row(area, facts, flavour)
    if row is None:
        return None
    recipe: dict[str, Any] = {"from": "standings", "flavour": flavour}
    if not (area.is_district and area.is_scored):
        recipe["extra"] = row
    heading = "where it has been heading" if flavour == CHANGE else "where it stands"
    return Chart(
        id=f"{area.code}-{flavour}-growth-and-sharing",
        spec="quadrant",
        title=wording.domains_finding(
            words.spoken(area.name), facts.domains(flavour, area.code), flavour, _in_time(facts, flavour)
        ),
        caption=(
            f"Growth and sharing, {heading}: {words.spoken(area.name)} among the scored districts. The cross spans its "
            f"90% intervals, which leave out errors that are not known. {not_drawn(facts, flavour)}"
        ).strip(),
        source=own_source(facts),
        columns=quadrant_columns(flavour),
        rows={"points": recipe},
        text=quadrant_text(flavour, facts),
        signals={"chosen": area.code},
    )


def not_drawn(facts: Facts, flavour: str) -> str:
    """How many scored districts are missing from the chart of growth and sharing, and why; empty if none are."""
    left_out = facts.left_out_count(flavour)
    if not left_out:
        return ""
    lacks = words.count(left_out, "district is", "districts are")
    return (
        f"{words.capital(lacks)} not drawn: a pillar that most districts have is missing, so the scores do not compare."
    )


def without_picture(area: Area, facts: Facts, flavour: str) -> str | None:
    """Why a place is not drawn among the districts; None if it is drawn, or nothing is scored in the flavour."""
    scores = facts.domains(flavour, area.code)
    if flavour not in facts.years or facts.standing(flavour, area.code):
        return None
    heading = "where it has been heading" if flavour == CHANGE else "where it stands"
    reasons = [f"{words.small(s.title)} is {said}" for s in scores if (said := wording.not_comparable(s))]
    if len(scores) < len(DOMAINS):
        reasons = ["growth and sharing are not both scored; the reason is under “What is not scored”"]
    said = words.spoken(area.name)
    return f"There is no picture of {said} among the districts, {heading}: {'; '.join(reasons)}."


def _in_time(facts: Facts, flavour: str) -> str:
    year = facts.years[flavour]
    return f"over the {words.counted(CHANGE_WINDOW_YEARS, 'year')} to {year}" if flavour == CHANGE else f"in {year}"


def rank_band(area: Area, facts: Facts, domain: str) -> Chart | None:
    """Every district's rank interval on one domain, with this place marked, to show how exactly ranks are known."""
    score = facts.score(LEVEL, domain, area.code)
    if score is None or score.rank_lower is None or score.rank_upper is None or not score.is_comparable:
        return None
    width = score.rank_upper - score.rank_lower + 1
    return Chart(
        id=f"{area.code}-{domain}-rank",
        spec="caterpillar",
        title=f"On {domain}, {words.spoken(area.name)} is {wording.rank_sentence(score)}",
        caption=f"90% interval of every district’s rank on {domain} in {facts.years[LEVEL]}, in the order of the scores; 1 is best. "
        f"{words.possessive(area.name)} interval spans {words.count(width, 'place')}.",
        source=own_source(facts),
        columns=RANK_FIELD_COLUMNS,
        rows={"points": {"from": "ranks", "flavour": LEVEL, "domain": domain}},
        text={"x_title": f"Districts in the order of their {domain} score", "y_title": "Rank"},
        signals={"chosen": area.code, "best_on_top": True},
        height=230,
    )  # fmt: skip


def comparators(area: Area, facts: Facts) -> list[Area]:
    """What a place is compared with: its region (or nation), then a named group of its own, else its combined authority."""
    wider = [area.region_code if area.region_code != area.code else area.nation_code]
    groups = [code for code in facts.group_codes if area.code in facts.members.get(code, ())]
    wider += groups[:1] or [area.combined_authority_code]
    scored = facts.scores.get(LEVEL, {}).get("growth", {})
    return [facts.areas[c] for c in dict.fromkeys(wider) if c and c in facts.areas and c != area.code and c in scored]


def pillars(area: Area, facts: Facts, flavour: str, beside: Sequence[Area]) -> Chart | None:
    """The place's pillars with intervals, beside its region and a named group, over the band of most districts."""
    scores = facts.scores.get(flavour, {})
    nodes = [n for n in facts.nodes if n.depth == 2 and area.code in scores.get(n.id, {})]
    if not nodes:
        return None
    points, field, own = [], [], {}
    for node in nodes:
        own[node.id] = mine = scores[node.id][area.code]
        if band := facts.bands.get((flavour, node.id, mine.title)):
            field.append({"name": mine.title, "low": rounded(band[0], 1), "high": rounded(band[1], 1)})
        points += [
            {"name": mine.title, "series": place.name} | _numbers(score, flavour)
            for place in (area, *beside)
            if (score := scores[node.id].get(place.code)) and score.compares_with(mine)
        ]
    return Chart(
        id=f"{area.code}-{flavour}-pillars",
        spec="ranges",
        title=wording.pillars_finding(words.spoken(area.name), list(own.values()), flavour),
        caption=f"Scores of the pillars, {_when(facts, flavour)}, with 90% intervals where an error is known. "
        "The grey band holds the middle 80% of districts; 50 is the typical one. Another place is shown only on pillars "
        "with the same parts.",
        source=own_source(facts),
        columns=(
            Column("name", "Pillar"),
            Column("series", "Place"),
            Column("value", "Score", 1),
            Column("lower", "Lower end of 90% interval", 1),
            Column("upper", "Upper end of 90% interval", 1),
            Column("verdict", "Against the typical district"),
        ),
        rows={"points": points, "field": field},
        text={"x_title": "Score, 0 to 100"} | series_text([area, *beside]),
    )  # fmt: skip


def _when(facts: Facts, flavour: str) -> str:
    year = facts.years[flavour]
    return f"change over the {words.counted(CHANGE_WINDOW_YEARS, 'year')} to {year}" if flavour == CHANGE else f"{year}"


def _numbers(score: Score, flavour: str) -> dict[str, Any]:
    ends = {"lower": rounded(score.lower, 1), "upper": rounded(score.upper, 1)}
    return {"value": rounded(score.score, 1)} | ends | {"verdict": wording.verdict(score, flavour)}


def series_text(places: Sequence[Area]) -> dict[str, str]:
    """The names of series as `a`, `b`, `c` …, the order in which charts colour them."""
    return {letter: place.name for letter, place in zip("abcdef", places, strict=False)}


def contributions(area: Area, facts: Facts, domain: str) -> Chart | None:
    """The points that each pillar adds to the domain's score or takes off it, relative to 50."""
    score = facts.score(LEVEL, domain, area.code)
    parts = sorted((s for s in facts.pillars(LEVEL, area.code, domain) if s.points_added is not None), key=_points)[
        ::-1
    ]
    if score is None or not parts:
        return None
    said = wording.drivers(score, parts) or f"No pillar moves {domain} by a point"
    return Chart(
        id=f"{area.code}-{domain}-contributions",
        spec="contributions",
        title=f"{words.capital(words.spoken(area.name))}: {words.small(said.rstrip('.'))}",
        caption=f"Points that each pillar adds to the {domain} score of {facts.years[LEVEL]}, or takes off it. "
        f"Together they make the difference between {words.number(score.score)} and 50, the typical district’s.",
        source=own_source(facts),
        columns=(Column("name", "Pillar"), Column("value", "Points added to the score", 1)),
        rows={"points": [{"name": s.title, "value": rounded(s.points_added, 1)} for s in parts]},
        text={"x_title": f"Points added to the {domain} score"},
    )


def _points(score: Score) -> float:
    return score.points_added or 0.0


def trend(area: Area, facts: Facts, indicator_id: str, beside: Sequence[Area], edition: str | None) -> Chart | None:
    """One indicator over the years with its published interval, beside the typical district and the region."""
    indicator = facts.indicators[indicator_id]
    latest = facts.latest(indicator_id, area.code)
    if latest is None:
        return None
    key = facts.typical_key(indicator_id, area)
    nation = area.nation_name if key[1] != UK else None
    among = f" in {nation}; the nations measure this differently and do not compare" if nation else ""
    held = [a for a in beside[:1] if facts.latest(indicator_id, a.code)]
    ribbon = (
        "The ribbon is the publisher’s 95% interval."
        if latest.has_interval
        else wording.no_interval_sentence(indicator.error_status)
    )
    return Chart(
        id=f"{area.code}-{indicator_id}",
        spec="trend",
        title=words.capital(wording.figure_finding(latest, area.name, nation)),
        caption=f"{ribbon} The broken line is the typical district, the median of those scored{among}."
        f"{method_changes(indicator.series_breaks, facts.figures[indicator_id][area.code][0].year, latest.year)}",
        source=publisher_source(facts, indicator.publisher, edition),
        columns=_TREND_COLUMNS,
        rows={
            "points": {
                "from": "trend",
                "indicator": indicator_id,
                "place": area.code,
                "typical": typical_name(key),
                "wider": held[0].code if held else None,
                "wider_name": held[0].name if held else None,
            }
        },
        text={"y_title": words.axis_title(indicator.unit), "a": area.name, "b": "Typical district"}
        | ({"c": held[0].name} if held else {}),
        breaks=indicator.series_breaks,
    )


def growth_incidence(area: Area, facts: Facts, beside: Sequence[Area]) -> Chart | None:
    """Average yearly growth of pay at each percentile between the first and last years held, before inflation."""
    percentiles = {i: _percentile(i) for i in facts.indicators if _percentile(i)}
    span = _span(area, facts, percentiles)
    if span is None:
        return None
    first, last = span
    ordered = sorted(percentiles.items(), key=lambda pair: pair[1])
    paces = {
        place.name: [(p, pace) for i, p in ordered if (pace := _pace(facts, i, place, first, last)) is not None]
        for place in (area, *beside[:1])
    }
    (low, low_pace), *_, (high, high_pace) = paces[area.name]
    verb = "rose" if low_pace > 0 and high_pace > 0 else "changed"
    sides = f"the {words.ordinal(low)} percentile and by {words.number(high_pace, 1)}% at the {words.ordinal(high)}"
    return Chart(
        id=f"{area.code}-pay-by-percentile",
        spec="incidence",
        title=f"From {first} to {last}, pay in {words.spoken(area.name)} {verb} by {words.number(low_pace, 1)}% a year at {sides}",
        caption="Growth incidence: average yearly growth of gross annual pay by percentile, before inflation. Those at a percentile "
        "in one year are not the same people in the other, and no margin of error is carried through: small differences mean nothing.",
        source=publisher_source(facts, "Office for National Statistics, Annual Survey of Hours and Earnings", None),
        columns=(
            Column("percentile", "Percentile"),
            Column("series", "Place"),
            Column("value", "Growth a year, per cent", 1),
        ),
        rows={
            "points": [
                {"percentile": p, "series": name, "value": pace} for name, held in paces.items() for p, pace in held
            ]
        },
        text={"y_title": "Per cent a year", "a": area.name} | {"c": b.name for b in beside[:1] if paces[b.name]},  # noqa: B035 at most one
    )  # fmt: skip


def _percentile(indicator: str) -> int:
    match = _PERCENTILE.match(indicator)
    return 0 if match is None else int(match.group(1) or 50)


def _span(area: Area, facts: Facts, percentiles: Mapping[str, int]) -> tuple[int, int] | None:
    """The first and last years with at least five percentiles; None unless there are two such years."""
    held: dict[int, set[str]] = {}
    for indicator in percentiles:
        for figure in facts.figures.get(indicator, {}).get(area.code, ()):
            if figure.value is not None:
                held.setdefault(figure.year, set()).add(indicator)
    years = sorted(year for year, found in held.items() if len(found) >= _FEWEST_PERCENTILES)
    if len(years) < 2 or len(held[years[0]] & held[years[-1]]) < _FEWEST_PERCENTILES:
        return None
    return years[0], years[-1]


def _pace(facts: Facts, indicator: str, area: Area, first: int, last: int) -> float | None:
    values = {f.year: f.value for f in facts.figures.get(indicator, {}).get(area.code, ()) if f.value}
    if first not in values or last not in values:
        return None
    return rounded(100 * ((values[last] / values[first]) ** (1 / (last - first)) - 1), 1)
