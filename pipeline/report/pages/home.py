"""The home page: the question, a search box, the chart of all districts, and how fresh the figures are."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import Any

from pipeline.published import verdicts, wording, words
from pipeline.published.scores import CHANGE_WINDOW_YEARS, LEVEL, TYPICAL, Score
from pipeline.report.chart import Chart, rounded, script_json
from pipeline.report.facts import Facts
from pipeline.report.pages.area_charts import not_drawn, quadrant_columns, quadrant_text
from pipeline.report.pages.page import Page, own_source
from pipeline.report.shared_data import standing_row

# Names listed in a cell of the home page; the file has all of them.
MOST_NAMES = 12
_VERDICTS = ("clearly above", "probably above", "cannot say", "probably below", "clearly below", "not known")
_NAMED = "Where there is room, the place farthest out in each class with a clear verdict is named. "
_CORNER = 88.0  # on both axes: hardly any place scores this high on both


def home_page(facts: Facts) -> Page:
    """The page a newcomer sees first."""
    charts = [chart for flavour in facts.years if (chart := _picture(facts, flavour))]
    day = facts.run.built_at.toordinal()
    found = findings(facts)
    return Page(
        path="index.html",
        template="home.html",
        title="Inclusive growth in UK local areas",
        description="Is our economy growing, and how widely is that growth shared? Every UK district, with how sure we are.",
        active="home",
        scripts=tuple(f"data/standings-{flavour}.js" for flavour in facts.years),
        content={
            "charts": charts,
            "sentence": found[day % len(found)] if found else None,
            "findings": script_json(found),
            "findings_count": words.counted(len(found), "finding"),
            "knowledge": _knowledge(facts),
            "fifths": _fifths(facts),
            "freshness": _freshness(facts),
            "built": words.day(facts.run.built_at.date()),
            "districts": len(facts.districts),
            "years": facts.years,
        },
    )


def _rows(facts: Facts, flavour: str) -> list[list[Any]]:
    return [row for area in facts.districts if area.is_scored and (row := standing_row(area, facts, flavour))]


def _picture(facts: Facts, flavour: str) -> Chart | None:
    rows = _rows(facts, flavour)
    if not rows:
        return None
    counts = facts.class_counts(flavour)
    return Chart(
        id=f"growth-and-sharing-{flavour}",
        spec="quadrant",
        title=wording.classes_finding(counts, flavour),
        caption="Each dot is a district. 50 is the typical one; 0 and 100 are three robust standard deviations away. Point at a dot, "
        "or move to the picture with the Tab key and use the arrow keys, to see its 90% intervals; select it to open its page. "
        f"{_NAMED if _farthest(rows) else ''}The cross at the top shows how wide the 90% intervals of a middling district are; "
        f"they leave out errors that are not known. {not_drawn(facts, flavour)}".strip(),
        source=own_source(facts),
        columns=quadrant_columns(flavour),
        rows={"points": {"from": "standings", "flavour": flavour}, "middling": _middling(rows)},
        text=quadrant_text(flavour, facts),
        signals={"named": _farthest(rows)},
    )  # fmt: skip


def _middling(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """A cross as wide and high as the 90% interval of a typical district, in a corner of the chart."""
    known = [row for row in rows if None not in row[1:7]]
    if not known:
        return []

    def half(middle: int, end: int) -> float:
        return median(abs(row[end] - row[middle]) for row in known)

    ends = {
        "x_lower": _CORNER - half(1, 2), "x_upper": _CORNER + half(1, 3),
        "y_lower": _CORNER - half(4, 5), "y_upper": _CORNER + half(4, 6),
    }  # fmt: skip
    return [
        {"x": _CORNER, "y": _CORNER, "name": "Middling 90% intervals"} | {k: rounded(v, 1) for k, v in ends.items()}
    ]


def _farthest(rows: list[list[Any]]) -> list[str]:
    """The district farthest from the typical one in each class with a clear verdict, to be labelled."""
    farthest: dict[str, list[Any]] = {}
    for row in rows:
        group = row[7]
        if group not in (wording.NOT_CLEAR, wording.NOT_KNOWN) and (
            group not in farthest or _distance(row) > _distance(farthest[group])
        ):
            farthest[group] = row
    return [row[0] for row in farthest.values()]


def _distance(row: list[Any]) -> float:
    return math.hypot(row[1] - TYPICAL, row[4] - TYPICAL)


def findings(facts: Facts) -> list[str]:
    """True sentences about the whole country. The page shows a different one each day.

    Without JavaScript it shows the one for the day on which the file was made, so the same file gives the same site.
    """
    found = []
    for flavour, year in facts.years.items():
        when = f"In {year}" if flavour == LEVEL else f"Over the {words.counted(CHANGE_WINDOW_YEARS, 'year')} to {year}"
        for node in (*facts.nodes_of("domain"), *facts.nodes_of("pillar")):
            scores = _scored(facts, flavour, node)
            if any(score.is_known for score in scores):
                title = words.small(facts.usual_title(flavour, node))
                said = wording.counted_verdicts((wording.verdict(s, flavour) for s in scores), flavour)
                found.append(f"{when}, of {words.count(len(scores), 'district')} scored on {title}, {said}.")
    for indicator, sets in facts.rank_sets.items():
        wide = sum(3 * (s.upper - s.lower + 1) > s.count for s in sets.values())
        title = words.small(facts.indicators[indicator].title.split(",")[0])
        confidence = words.number(100 * next(iter(sets.values())).coverage)
        found.append(
            f"On the {title} alone, survey error leaves the rank of {words.number(wide) if wide else 'none'} of "
            f"{words.count(len(sets), 'district')} open by more than a third of all ranks (at {confidence}% confidence)."
        )  # fmt: skip
    return found


def _scored(facts: Facts, flavour: str, node: str) -> list[Score]:
    """The scores at a node of the scored districts that compare with one another."""
    title = facts.usual_title(flavour, node)
    held = facts.scores.get(flavour, {}).get(node, {})
    codes = [a.code for a in facts.districts if a.is_scored and a.code in held]
    return [held[code] for code in codes if held[code].is_comparable and held[code].title == title]


def _knowledge(facts: Facts) -> list[dict[str, Any]]:
    """How many districts have each verdict: on growth, on sharing and on the pillars with a known error."""
    tables = []
    for flavour, year in facts.years.items():
        rows = []
        for node in (*facts.nodes_of("domain"), *facts.nodes_of("pillar")):
            scores = _scored(facts, flavour, node)
            counts = Counter(score.verdict for score in scores)
            is_domain = node in facts.nodes_of("domain")
            if scores and (is_domain or counts[verdicts.NOT_KNOWN] < len(scores)):
                cells = [words.number(counts[verdict]) for verdict in _VERDICTS]
                title = facts.usual_title(flavour, node)
                rows.append({"title": title, "depth": 1 if is_domain else 2, "cells": cells, "total": len(scores)})
        sides = ("above", "below") if flavour == LEVEL else ("gained on", "fell behind")
        title = "Where districts stand" if flavour == LEVEL else "Where they have been heading,"
        tables.append(
            {
                "title": f"{title} in {year}" if flavour == LEVEL else f"{title} {CHANGE_WINDOW_YEARS} years to {year}",
                "columns": [
                    f"Clearly {sides[0]}", f"Probably {sides[0]}", "Cannot say", f"Probably {sides[1]}",
                    f"Clearly {sides[1]}", "Not known",
                ],
                "rows": rows,
            }
        )  # fmt: skip
    return tables


def _fifths(facts: Facts) -> list[dict[str, str]]:
    """Districts clearly in the highest and lowest fifths, for scores with a known error."""
    rows = []
    for fifth in facts.fifths:
        if not fifth.known_count:
            continue
        names = fifth.sure_area_names
        more = f"; and {words.number(len(names) - MOST_NAMES)} more" if len(names) > MOST_NAMES else ""
        rows.append(
            {
                "title": f"{fifth.title}, {'where it stands' if fifth.flavour == LEVEL else 'where it has been heading'}",
                "end": f"{'highest' if fifth.end == 'top' else 'lowest'} fifth of {fifth.rank_count}",
                "known": words.number(fifth.known_count),
                "sure": words.number(fifth.sure_count),
                "names": "; ".join(names[:MOST_NAMES]) + more if names else "none",
            }
        )
    return rows


def _freshness(facts: Facts) -> dict[str, Any]:
    """How old the figures are: the latest year by theme, and how the run obtained them."""
    held = [s for s in facts.sources if s.tier != "none"]
    tiers = Counter(s.tier for s in held)
    names = {
        "live": "fetched from the publisher on the day",
        "snapshot": "from the last good response",
        "release": "from the latest release",
        "baseline": "shipped with the project",
    }
    ages = [s.age_days for s in held if s.age_days is not None]
    years: dict[str, dict[int, list[str]]] = {}
    for i in facts.indicators.values():
        if i.last_year is not None:
            years.setdefault(i.theme, {}).setdefault(i.last_year, []).append(i.title)
    return {
        "tiers": words.listing(
            [f"{'all' if tiers[tier] == len(held) > 1 else tiers[tier]} {said}" for tier, said in names.items() if tiers[tier]]
        ),
        "parts": words.count(len(held), "set of figures", "sets of figures"),
        "oldest": words.age(max(ages)) if ages else None,
        "themes": [
            {
                "theme": words.capital(theme.replace("_", " ")),
                "latest": max(by_year),
                "earlier": min(by_year),
                "count": words.count(sum(map(len, by_year.values())), "indicator"),
            }
            for theme, by_year in sorted(years.items())
        ],
    }  # fmt: skip
