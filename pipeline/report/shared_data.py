"""Data that several pages share, as small script files. `fetch` does not work from a disk; a script element does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.published import wording, words
from pipeline.published.figures import UK
from pipeline.published.scores import CHANGE, LEVEL, Score
from pipeline.report.boundaries import Boundaries
from pipeline.report.cartogram import Centre, borders, hexagons
from pipeline.report.chart import plain_json, rounded
from pipeline.report.facts import Area, Facts
from pipeline.report.shown_measures import MEASURE_COLUMNS, measure_finding, measure_rows, measures

# Islands too far away to be drawn in place. Wight and Anglesey are joined to the mainland on the map.
_ISLANDS = {
    "S12000013": "Na h-Eileanan Siar",
    "S12000023": "Orkney Islands",
    "S12000027": "Shetland Islands",
    "E06000053": "Isles of Scilly",
}
_NORTHERN_IRELAND = "N92000002"
_UNITED_KINGDOM = "K02000001"
_MOST_SIDE_BY_SIDE = 70  # districts in one chart of the comparison
_SHOWN_LEVELS = ("district", "combined_authority", "county", "region", "nation", "country", "group")


def shown_areas(facts: Facts) -> list[Area]:
    """The areas that have a page: every district, and each wider area or group with data."""
    known = {code for codes in facts.figures.values() for code in codes}
    known |= {code for nodes in facts.scores.values() for codes in nodes.values() for code in codes}
    return [a for a in facts.areas.values() if a.is_district or (a.code in known and a.level in _SHOWN_LEVELS)]


def area_path(area: Area) -> str:
    """Path of the area's page, from the root of the site."""
    return f"areas/{area.code}.html"


def scripts(facts: Facts, areas: Sequence[Area]) -> Iterator[tuple[str, str]]:
    """(path from the root, text) of every data script: those that all pages share, then one for each of ``areas``."""
    yield "data/places.js", places_script(facts)
    yield "data/cells.js", cells_script(facts)
    for flavour in facts.years:
        yield f"data/standings-{flavour}.js", standings_script(facts, flavour)
    rows = [(measure, measure_rows(measure, facts)) for measure in measures(facts)]
    entries = [measure.as_json() | {"finding": measure_finding(measure, held)} for measure, held in rows]
    yield "data/measures.js", f"IG.put('measures',{plain_json(entries)});\n"
    for measure, held in rows:
        yield f"data/measures/{measure.id}.js", _table(f"measure/{measure.id}", MEASURE_COLUMNS, held)
    yield "data/typical.js", typical_script(facts)
    for area in areas:
        yield f"data/areas/{area.code}.js", area_script(area, facts)


def places_script(facts: Facts) -> str:
    """Every area with a page, for the search box and for names in charts."""
    columns = ("code", "name", "kind", "region", "nation", "path", "scored")
    rows = [
        [a.code, a.name, words.kind(a.level), a.region_name or "", a.nation_name or "", area_path(a), int(a.is_scored)]
        for a in shown_areas(facts)
    ]
    return _table("places", columns, rows) + f"IG.put('groups',{plain_json(_groups(facts))});\n"


def standings_script(facts: Facts, flavour: str) -> str:
    """Growth and sharing of the scored districts that compare, in one flavour, with intervals, rank intervals and class."""
    columns = ("code", "x", "x_lower", "x_upper", "y", "y_lower", "y_upper", "class")
    ranks = ("growth_rank_lower", "growth_rank_upper", "sharing_rank_lower", "sharing_rank_upper")
    return _table(f"standings-{flavour}", (*columns, *ranks), _standings(facts, flavour))


def standing_row(area: Area, facts: Facts, flavour: str) -> list[Any] | None:
    """One area's row of `standings_script`; None unless growth and sharing both have scores that compare with districts'."""
    pair = facts.standing(flavour, area.code)
    if pair is None:
        return None
    growth, sharing = pair
    numbers = [rounded(v, 1) for s in pair for v in (s.score, s.lower, s.upper)]
    ranks = [growth.rank_lower, growth.rank_upper, sharing.rank_lower, sharing.rank_upper]
    return [area.code, *numbers, wording.class_of(growth, sharing, flavour), *ranks]


def typical_script(facts: Facts) -> str:
    """The typical district of every indicator and year: [year, median, 10th percentile, 90th percentile].

    If nations do not compare, each has its own, under the indicator, a space and the nation's code.
    """
    rows = {
        typical_name(key): [
            [t.year, *(rounded(v, facts.indicators[key[0]].decimals + 1) for v in (t.median, t.low, t.high))]
            for t in years.values()
        ]
        for key, years in facts.typical.items()
        if facts.indicators[key[0]].has_figures
    }
    return f"IG.put('typical',{plain_json(rows)});\n"


def typical_name(key: tuple[str, str]) -> str:
    """The scripts' key for the typical district of an indicator, or of an indicator and a nation."""
    indicator, nation = key
    return indicator if nation == UK else f"{indicator} {nation}"


def area_script(area: Area, facts: Facts) -> str:
    """One area's scores and all of its figures."""
    scores = {
        flavour: {
            node.id: _score_cells(score, flavour)
            for node in facts.nodes
            if (score := facts.score(flavour, node.id, area.code))
        }
        for flavour in (LEVEL, CHANGE)
    }
    figures = {
        indicator.id: [
            [
                f.year,
                *(
                    rounded(v, words.shown_decimals(indicator.unit, indicator.decimals))
                    for v in (f.value, f.lower, f.upper)
                ),
                f.status,
            ]
            for f in facts.figures[indicator.id][area.code]
            if f.value is not None
        ]
        for indicator in facts.indicators.values()
        if area.code in facts.figures.get(indicator.id, {})
    }
    held = {"name": area.name, "scores": scores, "figures": {k: v for k, v in figures.items() if v}}
    return f"IG.put('area/{area.code}',{plain_json(held)});\n"


def _score_cells(score: Score, flavour: str) -> list[Any]:
    """Score and interval, the rank in words, the verdict, the title of the scored parts and the pillars it lacks."""
    numbers = [rounded(v, 1) for v in (score.score, score.lower, score.upper)]
    return [
        *numbers,
        wording.rank(score) if score.rank is not None else "",
        wording.verdict(score, flavour),
        score.title,
        wording.lacking(score),
    ]


def _standings(facts: Facts, flavour: str) -> Iterator[list[Any]]:
    for area in facts.districts:
        if area.is_scored and (row := standing_row(area, facts, flavour)):
            yield row


def cells_script(facts: Facts) -> str:
    """The hexagon of every district, and the borders between regions as lines."""
    centres = [
        Centre(a.code, a.latitude, a.longitude, a.region_code or "", _landmass(a))
        for a in facts.districts
        if a.latitude is not None and a.longitude is not None
    ]
    cells = hexagons(centres)
    lines = [[round(end, 3) for end in line] for line in borders(cells, {c.code: c.region for c in centres})]
    return _table("cells", ("code", "x", "y"), [[c.code, c.x, c.y] for c in cells]) + _table(
        "borders", ("x", "y", "x2", "y2"), lines
    )


def boundaries_script(boundaries: Boundaries) -> str:
    """The outline of every district in the file. Those that are no longer districts carry their own name and say so."""
    said = f"boundary of {boundaries.year}, no longer a district"
    ended = set(boundaries.ended)
    rows = [
        [s.code, s.x, s.y, s.path, s.name if s.code in ended else "", said if s.code in ended else ""]
        for s in boundaries.shapes
    ]
    columns = ("code", "x", "y", "path", "name", "region")
    return _table("boundaries", columns, rows, {"extent": [boundaries.width, boundaries.height]})


def _landmass(area: Area) -> str:
    return "Northern Ireland" if area.nation_code == _NORTHERN_IRELAND else _ISLANDS.get(area.code, "")


def _groups(facts: Facts) -> list[dict[str, Any]]:
    """The groups that the comparison offers, with the places that each shows side by side.

    Named groups, combined authorities, regions and nations show their districts. England shows its regions, and the
    United Kingdom its nations.
    """
    shown = shown_areas(facts)
    order = ("combined_authority", "region", "nation", "country")
    wider = sorted((a for a in shown if a.level in order), key=lambda a: (order.index(a.level), a.name))
    nations = [a.code for a in shown if a.level == "nation"]
    found = []
    for area in [*(facts.areas[code] for code in facts.group_codes if code in facts.areas), *wider]:
        parts, members = "district", list(facts.members.get(area.code, ()))
        if area.code == _UNITED_KINGDOM:
            parts, members = "nation", nations
        elif len(members) > _MOST_SIDE_BY_SIDE:
            parts, members = "region", [a.code for a in shown if a.level == "region" and a.nation_code == area.code]
        if members and (area.level != "country" or parts == "nation"):
            kind = words.kind(area.level)
            said = words.spoken(area.name)
            found.append(
                {
                    "code": area.code,
                    "name": area.name_in_file,
                    "said": said,
                    "kind": kind,
                    "parts": parts,
                    "members": members,
                }
            )
    return found


def _table(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], more: Mapping[str, Any] | None = None
) -> str:
    """A call that registers rows under a name; `core.js` turns them into objects on demand."""
    parts = [name, columns, list(rows), *([more] if more else [])]
    return f"IG.table({','.join(map(plain_json, parts))});\n"
