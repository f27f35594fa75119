"""The home page: the question, a way to one's own place, the picture of all districts, how fresh the figures are."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import Any, cast

from pipeline.published import words
from pipeline.report import sentences
from pipeline.report.chart import Chart, rounded, script_json
from pipeline.report.facts import CHANGE, LEVEL, NOT_CLEAR, WINDOW_YEARS, Facts
from pipeline.report.pages.area_charts import quadrant_columns, quadrant_text
from pipeline.report.pages.page import Page, own_source
from pipeline.report.shared import LABELS, STANDINGS, UNTOLD, standing_row

_CLEAR_LABELS = LABELS[:-1]
# Title, flavour, end, how many surely and by the figures alone, how many ranked, the names of the sure.
_FifthRow = tuple[str, str, str, int, int, int, str | None]
# Names listed in a cell of the home page; mart_fifth has them all.
MOST_NAMES = 12
_CORNER = 88.0  # on both axes: hardly a place is as prosperous and as shared as that


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
    counts = Counter(row[7] for row in rows)
    if flavour == LEVEL:
        title = (
            f"{words.capital(words.counted(counts[STANDINGS[True, True]], 'district'))} of {len(rows)} "
            "are clearly above the typical district on both growth and sharing; "
            f"{words.counted(counts[STANDINGS[True, False]], 'is', 'are')} above on growth and below on sharing"
        )
    else:
        clear = sum(counts[label] for label in _CLEAR_LABELS)
        title = (
            f"Over the {words.counted(WINDOW_YEARS, 'year')} to {facts.years[flavour]}, "
            f"{words.counted(counts[LABELS[0]], 'district')} of {len(rows)} probably grew and shared more than typical; "
            f"for {words.counted(len(rows) - clear, 'district')} it is not clear"
        )
    return Chart(
        id=f"growth-and-sharing-{flavour}",
        spec="quadrant",
        title=title,
        caption="Each dot is a district. 50 is the typical one; 0 and 100 are three robust standard deviations away. Point at a dot, "
        "or move to the picture with the Tab key and walk with the arrow keys, to see its 90% intervals; select it to open its page. "
        "Places that cannot be told apart from the typical district are grey; where there is room, the one that "
        "lies farthest out in each other class is named. The cross at the top shows how wide the intervals of a middling district are.",
        source=own_source(facts),
        columns=quadrant_columns(flavour),
        rows={"points": {"from": "standings", "flavour": flavour}, "middling": _middling(rows)},
        text=quadrant_text(flavour, facts),
        signals={"named": _farthest(rows)},
    )  # fmt: skip


def _middling(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """A cross that is as wide and as high as the 90% interval of the middling district, in a corner of the picture."""
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
    """The district farthest from the typical one in each quarter that can be told, to be called by name."""
    told: dict[str, list[Any]] = {}
    for row in rows:
        group = row[7]
        if group not in (UNTOLD, NOT_CLEAR) and (group not in told or _distance(row) > _distance(told[group])):
            told[group] = row
    return [row[0] for row in told.values()]


def _distance(row: list[Any]) -> float:
    return math.hypot(row[1] - 50, row[4] - 50)


def findings(facts: Facts) -> list[str]:
    """True sentences about the whole country, of which the page shows another one each day.

    Without JavaScript it shows the one of the day on which the file was made, so that the same file gives the same site.
    """
    found = []
    if LEVEL in facts.years:
        found += _findings_of_level(facts)
    if CHANGE in facts.years:
        counts = Counter(label.label for code, label in facts.labels.items() if facts.areas[code].is_scored)
        found.append(
            f"In the {words.counted(WINDOW_YEARS, 'year')} to {facts.years[CHANGE]}, "
            f"{words.counted(counts['growing not sharing'], 'district')} probably grew more than the typical district but shared less, "
            f"and {words.counted(counts['sharing not growing'], 'did', 'did')} the reverse."
        )  # fmt: skip
    return found


def _findings_of_level(facts: Facts) -> list[str]:
    rows = _rows(facts, LEVEL)
    high = [row for row in rows if row[1] >= 50]
    found = []
    if high:
        # The share is of the estimates; that it is one of estimates is said.
        below = sum(row[4] < 50 for row in high)
        found.append(
            f"Prosperity and sharing are two different things: of the {words.count(len(high), 'district')} that score above "
            f"typical on growth, {part_of(below, len(high))} {'scores' if below == 1 else 'score'} below typical on sharing."
        )
    if rows:
        counts = Counter(row[7] for row in rows)
        apart = counts[STANDINGS[False, True]]
        found.append(
            f"{words.capital(words.counted(apart, 'district is', 'districts are'))} clearly below the typical district on "
            f"growth and yet clearly above it on sharing; {words.counted(counts[STANDINGS[True, False]], 'is', 'are')} the reverse."
        )
        found.append(
            f"For {words.count(counts[UNTOLD], 'district')} of {len(rows)} it cannot be told on which side of the typical "
            "district they lie on growth, on sharing or on both."
            if counts[UNTOLD] != 1
            else f"For one district of {len(rows)} it cannot be told on which side of the typical district it lies."
        )
    for indicator, sets in facts.rank_sets.items():
        wide = sum(3 * (s.upper - s.lower + 1) > s.count for s in sets.values())
        title = words.small(facts.indicators[indicator].title.split(",")[0])
        confidence = words.number(100 * next(iter(sets.values())).coverage)
        found.append(
            f"On the {title} alone, survey error leaves the rank of {words.number(wide) if wide else 'none'} of "
            f"{words.count(len(sets), 'district')} open by more than a third of the whole order (at {confidence}% confidence)."
        )  # fmt: skip
    return found


def part_of(part: int, whole: int) -> str:
    """`all`, `none`, `212`."""
    return "all" if part == whole else words.number(part) if part else "none"


def _knowledge(facts: Facts) -> list[dict[str, str]]:
    """What can be told and what cannot, as numbers with their meaning."""
    cards = []
    for domain in ("growth", "sharing"):
        scores = [s for code, s in facts.scores.get(LEVEL, {}).get(domain, {}).items() if facts.areas[code].is_scored]
        if scores:
            above, below, untold = sentences.sure_counts(scores)
            cards.append(
                {
                    "title": words.capital(domain),
                    "above": words.number(above),
                    "below": words.number(below),
                    "untold": words.number(untold),
                    "total": str(len(scores)),
                }
            )
    return cards


def _fifths(facts: Facts) -> list[dict[str, str]]:
    """Which districts are surely in the best and the worst fifth of each half of the picture, and how few."""
    rows = []
    for cells in facts.studies["fifths"].rows:
        title, flavour, fifth, sure, standing, ranked, names = cast(_FifthRow, cells)
        surely = [] if names is None else names.split("; ")
        more = f"; and {words.number(len(surely) - MOST_NAMES)} more" if len(surely) > MOST_NAMES else ""
        rows.append(
            {
                "title": f"{title}, {'where it stands' if flavour == LEVEL else 'where it has been heading'}",
                "end": f"{'best' if fifth == 'top' else 'worst'} fifth of {ranked}",
                "sure": words.number(sure),
                "standing": words.number(standing),
                "names": "; ".join(surely[:MOST_NAMES]) + more if surely else "none",
            }
        )
    return rows


def _freshness(facts: Facts) -> dict[str, Any]:
    """How old the figures are: by theme the latest year, and how the run came by them."""
    held = [s for s in facts.sources if s.tier != "none"]
    tiers = Counter(s.tier for s in held)
    names = {
        "live": "asked of the publisher on the day",
        "snapshot": "from the last good answer",
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
