"""The charts of an area's page. Each says in its title what its figures show, and no more."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.published import words
from pipeline.report import sentences
from pipeline.report.chart import Chart, Column, rounded
from pipeline.report.facts import CHANGE, DOMAINS, LEVEL, NOT_CLEAR, WINDOW_YEARS, Area, Facts, Score
from pipeline.report.pages.page import method_changes, own_source, publisher_source
from pipeline.report.shared import LABELS, STANDINGS, UNTOLD, standing_row

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
_GREY = {
    LEVEL: "Grey dots are places that cannot be told apart from the typical district.",
    CHANGE: "Grey dots are places for which no label reaches a probability of 60%.",
}
_FEWEST_PERCENTILES = 5
_FIELD_ENDS = (0.1, 0.9)


def quadrant_columns(flavour: str) -> tuple[Column, ...]:
    """The table behind the picture of growth and sharing."""
    change = " of change" if flavour == CHANGE else ""
    ends = ("lower end", "upper end")
    return (
        Column("name", "Place"),
        Column("x", f"Growth score{change}", 1),
        *(Column(f"x_{side}", f"Growth, {end} of 90% interval", 1) for side, end in zip(("lower", "upper"), ends, strict=True)),
        Column("y", f"Sharing score{change}", 1),
        *(Column(f"y_{side}", f"Sharing, {end} of 90% interval", 1) for side, end in zip(("lower", "upper"), ends, strict=True)),
        Column("class", "Label" if flavour == CHANGE else "Against the typical district"),
    )  # fmt: skip


def quadrant_text(flavour: str, facts: Facts) -> dict[str, str]:
    """The words of the picture of growth and sharing."""
    classes = LABELS if flavour == CHANGE else (*STANDINGS.values(), UNTOLD)
    corners = (
        ("grew and shared more", "grew more, shared less", "shared more, grew less", "grew and shared less")
        if flavour == CHANGE
        else ("prosperous and shared", "prosperous, less shared", "less prosperous, shared", "less of both")
    )
    when = f"{WINDOW_YEARS} years to {facts.years[flavour]}" if flavour == CHANGE else str(facts.years[flavour])
    return {
        "x_title": f"Growth score, {when} (50 is the typical district)",
        "y_title": f"Sharing score, {when}",
        **{f"c{i}": name for i, name in enumerate(classes, start=1)},
        **dict(zip(("corner_both", "corner_growth", "corner_sharing", "corner_neither"), corners, strict=True)),
    }


def quadrant(area: Area, facts: Facts, flavour: str) -> Chart | None:
    """The place among all districts on growth and sharing, with its intervals."""
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
        title=_quadrant_finding(area, facts, flavour),
        caption=(
            f"Growth and sharing, {heading}: {words.spoken(area.name)} among the scored districts. The cross spans its "
            f"90% intervals, which leave out errors that nobody publishes. {_GREY[flavour]}"
        ),
        source=own_source(facts),
        columns=quadrant_columns(flavour),
        rows={"points": recipe},
        text=quadrant_text(flavour, facts),
        signals={"chosen": area.code},
    )


def _quadrant_finding(area: Area, facts: Facts, flavour: str) -> str:
    if flavour == CHANGE:
        label = facts.labels.get(area.code)
        if label is None or label.label == NOT_CLEAR:
            return (
                f"It is not clear where {words.spoken(area.name)} was heading in the ten years to {facts.years[CHANGE]}"
            )
        return f"In the ten years to {facts.years[CHANGE]}, {words.spoken(area.name)} probably {sentences.DIRECTIONS[label.label]}"
    return sentences.both_halves(
        words.spoken(area.name), {d: s for d in DOMAINS if (s := facts.score(flavour, d, area.code))}
    )


def rank_band(area: Area, facts: Facts, domain: str) -> Chart | None:
    """Every district's rank interval on one domain, the place's own marked: how much of a rank can be known."""
    score = facts.score(LEVEL, domain, area.code)
    if score is None or score.rank_lower is None or score.rank_upper is None:
        return None
    width = score.rank_upper - score.rank_lower + 1
    return Chart(
        id=f"{area.code}-{domain}-rank",
        spec="caterpillar",
        title=f"On {domain}, {words.possessive(area.name)} rank lies between {words.ordinal(score.rank_lower)} "
        f"and {words.ordinal(score.rank_upper)} of {score.rank_count}",
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
    """What a place is set beside: its region (or nation), then a named group it belongs to, else its combined authority."""
    wider = [area.region_code if area.region_code != area.code else area.nation_code]
    groups = [code for code in facts.group_codes if area.code in facts.members.get(code, ())]
    wider += groups[:1] or [area.combined_authority_code]
    scored = facts.scores.get(LEVEL, {}).get("growth", {})
    return [facts.areas[c] for c in dict.fromkeys(wider) if c and c in facts.areas and c != area.code and c in scored]


def pillars(area: Area, facts: Facts, flavour: str, beside: Sequence[Area]) -> Chart | None:
    """The place's pillars with their intervals, beside its region and a named group, on the band of most districts."""
    scores = facts.scores.get(flavour, {})
    nodes = [n for n in facts.nodes if n.depth == 2 and area.code in scores.get(n.id, {})]
    if not nodes:
        return None
    points, field = [], []
    for node in nodes:
        spread = sorted(s.score for code, s in scores[node.id].items() if facts.areas[code].is_scored)
        if spread:
            low, high = (spread[round(end * (len(spread) - 1))] for end in _FIELD_ENDS)
            field.append({"name": node.title, "low": rounded(low, 1), "high": rounded(high, 1)})
        points += [
            {"name": node.title, "series": place.name} | _numbers(score)
            for place in (area, *beside)
            if (score := scores[node.id].get(place.code))
        ]
    best, worst = (pick(nodes, key=lambda n: scores[n.id][area.code].score) for pick in (max, min))
    said = words.possessive(area.name)
    what = "place among the pillars" if flavour == LEVEL else "direction"
    own = {n.id: scores[n.id][area.code] for n in nodes}
    doubt = "" if _is_apart(best.id, own) and _is_apart(worst.id, own) else ", but intervals overlap with others"
    title = (
        f"Of {said} pillars, {words.small(best.title)} scores highest and {words.small(worst.title)} lowest{doubt}"
        if best is not worst
        else f"Only {words.small(best.title)} could be scored for {words.spoken(area.name)}"
    )
    return Chart(
        id=f"{area.code}-{flavour}-pillars",
        spec="ranges",
        title=words.capital(title),
        caption=f"Scores of the pillars, {_when(facts, flavour)}, with 90% intervals where a survey error is published. "
        f"The grey band holds the middle 80% of districts; 50 is the typical one. Read the {what} with its interval.",
        source=own_source(facts),
        columns=(
            Column("name", "Pillar"),
            Column("series", "Place"),
            Column("value", "Score", 1),
            Column("lower", "Lower end of 90% interval", 1),
            Column("upper", "Upper end of 90% interval", 1),
        ),
        rows={"points": points, "field": field},
        text={"x_title": "Score, 0 to 100"} | series_text([area, *beside]),
    )


def _is_apart(node: str, scores: Mapping[str, Score]) -> bool:
    """Whether a score's interval lies wholly on one side of every other's; a score without an interval is a point."""
    low, high = _ends(scores[node])
    return all(
        other_low > high or other_high < low
        for n, s in scores.items()
        if n != node
        for other_low, other_high in [_ends(s)]
    )


def _ends(score: Score) -> tuple[float, float]:
    return (score.score if score.lower is None else score.lower, score.score if score.upper is None else score.upper)


def _when(facts: Facts, flavour: str) -> str:
    year = facts.years[flavour]
    return f"change over the {words.counted(WINDOW_YEARS, 'year')} to {year}" if flavour == CHANGE else f"{year}"


def _numbers(score: Score) -> dict[str, Any]:
    return {"value": rounded(score.score, 1), "lower": rounded(score.lower, 1), "upper": rounded(score.upper, 1)}


def series_text(places: Sequence[Area]) -> dict[str, str]:
    """The names of series as `a`, `b`, `c` …, in which order the charts colour them."""
    return {letter: place.name for letter, place in zip("abcdef", places, strict=False)}


def contributions(area: Area, facts: Facts, domain: str) -> Chart | None:
    """By how much each pillar multiplies the domain's score, in per cent of it: exp(contribution) - 1."""
    parts = facts.contributions.get(LEVEL, {}).get(domain, {}).get(area.code, ())
    if not parts:
        return None
    effects = {facts.node_title(member): 100 * math.expm1(value) for member, value in parts}
    strongest = max(effects, key=lambda title: abs(effects[title]))
    verb = "lifts" if effects[strongest] >= 0 else "holds back"
    return Chart(
        id=f"{area.code}-{domain}-contributions",
        spec="contributions",
        title=words.capital(
            f"{words.possessive(area.name)} standing on {words.small(strongest)} {verb} its {domain} score the most, "
            f"by {words.number(abs(effects[strongest]))}%"
        ),
        caption=f"What each pillar does to the {domain} score of {facts.years[LEVEL]}, against a place where it is typical. "
        "The bars multiply: together they make the score.",
        source=own_source(facts),
        columns=(Column("name", "Pillar"), Column("value", "Effect on the score, per cent", 1)),
        rows={"points": [{"name": title, "value": rounded(effect, 1)} for title, effect in effects.items()]},
        text={"x_title": f"Effect on the {domain} score"},
    )


def trend(area: Area, facts: Facts, indicator_id: str, beside: Sequence[Area], edition: str | None) -> Chart | None:
    """One indicator over the years with its published interval, beside the typical district and the region."""
    indicator = facts.indicators[indicator_id]
    latest = facts.latest(indicator_id, area.code)
    if latest is None:
        return None
    typical = facts.typical_for(indicator_id, area).get(latest.year)
    apart = (indicator_id, area.nation_code or "") in facts.typical_in_nation
    nation = area.nation_name if apart else None
    among = f" in {nation}; the nations measure this differently and do not compare" if nation else ""
    held = [a for a in beside[:1] if facts.latest(indicator_id, a.code)]
    ribbon = (
        "The ribbon is the publisher’s 95% interval. " if latest.lower is not None
        else "No survey error is published with these figures. "
    )  # fmt: skip
    return Chart(
        id=f"{area.code}-{indicator_id}",
        spec="trend",
        title=words.capital(sentences.against_typical(latest, typical, indicator, area.name, nation)),
        caption=f"{ribbon}The broken line is the typical district, the median of those scored{among}."
        f"{method_changes(indicator.series_breaks, facts.figures[indicator_id][area.code][0].year, latest.year)}",
        source=publisher_source(facts, indicator.publisher, edition),
        columns=_TREND_COLUMNS,
        rows={
            "points": {
                "from": "trend",
                "indicator": indicator_id,
                "place": area.code,
                "typical": f"{indicator_id} {area.nation_code}" if apart else indicator_id,
                "wider": held[0].code if held else None,
                "wider_name": held[0].name if held else None,
            }
        },
        text={"y_title": words.axis_title(indicator.unit), "a": area.name, "b": "Typical district"}
        | ({"c": held[0].name} if held else {}),
        breaks=indicator.series_breaks,
    )


def growth_incidence(area: Area, facts: Facts, beside: Sequence[Area]) -> Chart | None:
    """How fast pay grew at each percentile between the first and the last year held, a year, before inflation."""
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
        "in one year are not the same people in the other, and no survey error is published here: small differences mean nothing.",
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
    """The first and last year in which the area has at least five percentiles; None where there are not two such years."""
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
