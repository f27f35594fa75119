"""Every number that the site prints of a district is the file's, read back from the pages and their data scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape

import pytest

from tests.report.conftest import Site

Rows = Callable[..., list[tuple]]

SCORES = """
select area_code::varchar, node_id::varchar, score, score_lower, score_upper, verdict, rank, rank_lower, rank_upper,
    rank_count, is_band, year
from mart_score
where framework_id = 'shared_growth' and flavour = ? and window_years = ? and is_latest_year
"""
FIGURES = """
select trend.area_code::varchar, trend.indicator_id::varchar, latest_value, latest_lower, latest_upper, typical.typical_value,
    latest_year, verdict, direction_verdict
from mart_indicator_trend as trend
inner join dim_area as area on trend.area_code = area.area_code
left join mart_typical as typical
    on trend.indicator_id = typical.indicator_id and trend.latest_year = typical.year
    and typical.nation_code in ('', area.nation_code)
"""
FLAVOURS = {"level": 0, "change": 10}
SIDES = {"above": "gained on", "below": "fell behind"}
CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
NUMBER = re.compile(r"−?£?\d[\d,]*(?:\.\d+)?")


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("£", "").replace(",", ""))


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def is_rounded(printed: str | float, held: float | None) -> bool:
    """Whether what is printed is what is held, to the decimals that are printed."""
    if held is None:
        return False
    decimals = len(str(printed).partition(".")[2])
    value = number(printed) if isinstance(printed, str) else printed
    return abs(value - held) <= 0.5 * 10**-decimals + 1e-6


def same(printed: Iterable[float | None], held: Iterable[float | None], decimals: int = 1) -> bool:
    """Whether numbers of a data script are the file's: nothing where it has none, else the same but for rounding."""
    most = 0.5 * 10**-decimals + 1e-6
    return all(p is h if p is None or h is None else abs(p - h) <= most for p, h in zip(printed, held, strict=True))


def cells(row: str) -> list[str]:
    return [unescape(TAG.sub("", cell)).strip() for cell in CELL.findall(row)]


def worded(verdict: str, flavour: str) -> str:
    word, _, side = verdict.partition(" ")
    return verdict if flavour == "level" or side not in SIDES else f"{word} {SIDES[side]}"


@pytest.fixture(scope="module")
def districts(site: Site, published_rows: Rows) -> dict[str, str]:
    """The pages of all districts, by code."""
    codes = [code for (code,) in published_rows("select area_code from dim_area where level = 'district'")]
    assert len(codes) == 361
    return {code: site.text(f"areas/{code}.html") for code in codes}


@pytest.fixture(scope="module")
def scores(published_rows: Rows) -> dict[str, dict[tuple[str, str], tuple]]:
    """``scores[flavour][area, node]``: what follows these two in `SCORES`."""
    return {
        flavour: {row[:2]: row[2:] for row in published_rows(SCORES, flavour, window)}
        for flavour, window in FLAVOURS.items()
    }


@pytest.fixture(scope="module")
def figures(published_rows: Rows) -> dict[tuple[str, str], tuple]:
    return {row[:2]: row[2:] for row in published_rows(FIGURES)}


def score_rows(page: str) -> Iterator[tuple[str, str, list[str]]]:
    """(flavour, node, cells) of the tables of scores."""
    for flavour, table in re.findall(r'<table class="scores" data-flavour="(\w+)">(.*?)</table>', page, re.DOTALL):
        for node, row in re.findall(r'<tr class="depth-\d" data-node="(\w+)">(.*?)</tr>', table, re.DOTALL):
            yield flavour, node, cells(row)


def test_every_score_interval_verdict_and_rank_of_every_district(
    districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]], published_rows: Rows
) -> None:
    nodes = {n for (n,) in published_rows("select node_id from dim_node where framework_id = 'shared_growth' and not is_indicator")}  # fmt: skip
    wrong, printed = [], set()
    for code, page in districts.items():
        for flavour, node, (_, score, interval, verdict, rank, *_) in score_rows(page):
            printed.add((flavour, code, node))
            value, lower, upper, held, place, best, worst, count, is_band, _ = scores[flavour][code, node]
            ends = numbers(interval)
            expected = [] if place is None else [best, worst, count] if is_band else [place, count, best, worst]
            if place is not None and not is_band and best == worst:
                expected = [place, count]
            ok = is_rounded(score, value) and verdict == worded(held, flavour)
            ok &= [lower, upper] == [None, None] if not ends else all(map(is_rounded, ends, (lower, upper)))
            ok &= [int(n) for n in numbers(rank)] == expected
            if not ok:
                wrong.append((flavour, code, node, score, interval, verdict, rank))
    assert wrong == []
    assert printed == {
        (flavour, *key) for flavour, held in scores.items() for key in held if key[0] in districts and key[1] in nodes
    }


def test_the_cards_say_what_the_tables_say(
    districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]]
) -> None:
    shown = 0
    for code, page in districts.items():
        for title, year, score, interval in re.findall(
            r'<h2>(Growth|Sharing), (\d+)</h2>\s*<p class="big">([^<]+?)(?: <small>90% interval ([^<]+)</small>)?</p>',
            page,
        ):
            value, lower, upper, *_, held_year = scores["level"][code, title.lower()]
            shown += 1
            assert int(year) == held_year
            assert is_rounded(score.strip(), value), (code, title)
            assert not interval or all(map(is_rounded, numbers(interval), (lower, upper))), (code, title)
    assert shown == sum(key[0] in districts and key[1] in ("growth", "sharing") for key in scores["level"])


def test_every_latest_figure_interval_and_typical_figure_of_every_district(
    districts: dict[str, str], figures: dict[tuple[str, str], tuple]
) -> None:
    wrong, printed = [], set()
    for code, page in districts.items():
        for indicator, row in re.findall(r'<tr><th scope="row"><a href="\.\./indicators/(\w+)\.html">(.*?)</tr>', page, re.DOTALL):  # fmt: skip
            figure, interval, typical, verdict, year, direction, _ = cells(row)
            value, lower, upper, held_typical, held_year, held, heading = figures[code, indicator]
            printed.add((code, indicator))
            ends = numbers(interval)
            ok = is_rounded(numbers(figure)[0], value) and int(year) == held_year
            ok &= lower is None if not ends else all(map(is_rounded, ends, (lower, upper)))
            ok &= is_rounded(numbers(typical)[0], held_typical) if numbers(typical) else held_typical is None
            ok &= verdict == (held if held_typical is not None else "") and direction == (heading or "")
            if not ok:
                wrong.append((code, indicator, figure, interval, typical, verdict, year, direction))
    assert wrong == []
    assert printed == {key for key in figures if key[0] in districts}
    assert len(printed) > 10_000


def test_every_title_of_a_trend_gives_the_latest_figure_and_the_typical_one(
    districts: dict[str, str], figures: dict[tuple[str, str], tuple], published_rows: Rows
) -> None:
    titles = dict(published_rows("select indicator_id, title from dim_indicator"))
    shown = 0
    for code, page in districts.items():
        for payload in map(json.loads, re.findall(r'class="payload">(.*?)</script>', page)):
            if payload["spec"] != "trend":
                continue
            indicator = payload["rows"]["points"]["indicator"]
            value, lower, upper, typical, year, *_ = figures[code, indicator]
            said = payload["title"].removeprefix(titles[indicator].replace("'", "’"))
            expected = [
                value,
                year,
                *([] if lower is None else [95, lower, upper]),
                *([] if typical is None else [typical]),
            ]
            found = numbers(said.replace(payload["text"]["a"], ""))
            assert len(found) == len(expected), payload["title"]
            assert all(map(is_rounded, found, expected)), (payload["title"], expected)
            shown += 1
    assert shown > 4_000


def test_the_data_scripts_of_every_district_hold_the_file_s_scores_and_series(
    site: Site, districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]], published_rows: Rows
) -> None:
    series: dict[tuple[str, str], dict[int, tuple]] = {}
    for code, indicator, year, *held in published_rows(
        "select area_code::varchar, indicator_id::varchar, year, value, lower, upper from fct_observation "
        "where level = 'district' and value is not null order by period_end"
    ):
        series.setdefault((code, indicator), {})[year] = tuple(held)
    decimals = dict(published_rows("select indicator_id::varchar, decimals from dim_indicator"))
    for code in districts:
        text = site.text(f"data/areas/{code}.js")
        held = json.loads(text[text.index(",") + 1 : text.rindex(")")])
        for flavour, nodes in held["scores"].items():
            for node, (score, lower, upper, _, verdict, *_) in nodes.items():
                expected = scores[flavour][code, node]
                assert same([score, lower, upper], expected[:3]), (code, flavour, node)
                assert verdict == worded(expected[3], flavour)
        assert {(code, indicator) for indicator in held["figures"]} == {key for key in series if key[0] == code}
        for indicator, years in held["figures"].items():
            expected_years = series[code, indicator]
            assert [row[0] for row in years] == sorted(expected_years), (code, indicator)
            for year, *shown, _ in years:
                assert same(shown, expected_years[year], decimals[indicator]), (code, indicator, year)


def test_the_scripts_of_measures_pictures_and_the_typical_district_hold_the_file_s_numbers(
    site: Site,
    scores: dict[str, dict[tuple[str, str], tuple]],
    figures: dict[tuple[str, str], tuple],
    published_rows: Rows,
) -> None:
    decimals = dict(published_rows("select indicator_id::varchar, decimals from dim_indicator"))
    shown = 0
    for path in sorted((site.folder / "data" / "measures").glob("*.js")):
        flavour, _, node = path.stem.partition("-")
        for row in site.rows(f"data/measures/{path.name}", f"measure/{path.stem}"):
            held = scores[flavour][row["code"], node] if node else figures[row["code"], path.stem]
            drawn = [row["value"], row["lower"], row["upper"]]
            assert same(drawn, held[:3], 1 if node else decimals[path.stem]), (path.stem, row)
            assert row["verdict"] == (worded(held[3], flavour) if node else held[5]), (path.stem, row)
            assert row["year"] == (held[-1] if node else held[4])
            shown += 1
    assert shown > 10_000
    for flavour in FLAVOURS:
        for row in site.rows(f"data/standings-{flavour}.js", f"standings-{flavour}"):
            for axis, node in (("x", "growth"), ("y", "sharing")):
                held = scores[flavour][row["code"], node]
                assert same([row[axis], row[f"{axis}_lower"], row[f"{axis}_upper"]], held[:3]), row
    text = site.text("data/typical.js")
    typical = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    for indicator, nation, year, *held in published_rows(
        "select indicator_id, nation_code, year, typical_value, tenth_percentile, ninetieth_percentile from mart_typical"
    ):
        years = {row[0]: row[1:] for row in typical[f"{indicator} {nation}".strip()]}
        assert same(years[year], held, decimals[indicator] + 1), (indicator, nation, year)


def payloads(page: str) -> list[dict]:
    """The charts of a page."""
    return [json.loads(text) for text in re.findall(r'class="payload">(.*?)</script>', page)]


def flavour_of(payload: dict) -> str:
    return "change" if "-change-" in payload["file"] else "level"


def test_every_score_in_a_paragraph_or_in_the_title_of_a_picture(
    districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]]
) -> None:
    said = 0
    for code, page in districts.items():
        texts = [(flavour_of(p), p["title"]) for p in payloads(page) if p["spec"] == "quadrant"]
        for lead in re.findall(r'<p class="lead">(.*?)</p>', page, re.DOTALL):
            level, _, change = unescape(lead).partition("Over the ten years")
            texts += [("level", level), ("change", change)]
        for flavour, text in texts:
            pairs = re.findall(r"([Gg]rowth|[Ss]haring)(?: scores (\d+)| \((\d+)\))", text)
            pairs += [(node, score, "") for score, node in re.findall(r"(\d+) on (growth|sharing)", text)]
            for node, score, in_brackets in pairs:
                assert is_rounded(score or in_brackets, scores[flavour][code, node.lower()][0]), (code, text)
                said += 1
    assert said > 2_000


def test_every_score_that_is_drawn_and_every_point_it_adds(
    site: Site, districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]], published_rows: Rows
) -> None:
    codes = {row["name"]: row["code"] for row in site.rows("data/places.js", "places")}
    nodes = {title.replace("'", "’"): node for node, title in published_rows(
        "select distinct node_id::varchar, node_title::varchar from latest_score where framework_id = 'shared_growth'"
    )}  # fmt: skip
    points_added = {row[:2]: row[2] for row in published_rows(
        "select area_code::varchar, node_id::varchar, points_added from latest_score "
        "where framework_id = 'shared_growth' and flavour = 'level'"
    )}  # fmt: skip
    drawn = 0
    for code, page in districts.items():
        for payload in payloads(page):
            for point in payload["rows"]["points"] if payload["spec"] == "ranges" else ():
                held = scores[flavour_of(payload)][codes[point["series"]], nodes[point["name"]]]
                assert same([point["value"], point["lower"], point["upper"]], held[:3]), (code, point)
                assert point["verdict"] == worded(held[3], flavour_of(payload))
                drawn += 1
            for point in payload["rows"]["points"] if payload["spec"] == "contributions" else ():
                assert same([point["value"]], [points_added[code, nodes[point["name"]]]]), (code, point)
    assert drawn > 8_000


def test_every_score_of_another_place_beside_a_district_s_own(
    site: Site, districts: dict[str, str], scores: dict[str, dict[tuple[str, str], tuple]]
) -> None:
    codes = {row["name"]: row["code"] for row in site.rows("data/places.js", "places")}
    beside = 0
    for code, page in districts.items():
        for table in re.findall(r'<table class="scores".*?</table>', page, re.DOTALL):
            places = cells(table[: table.index("</thead>")])[5:]
            for flavour, node, row in score_rows(table):
                for place, cell in zip(places, row[5:], strict=True):
                    if cell not in ("–", "not comparable"):
                        assert is_rounded(cell, scores[flavour][codes[place], node][0]), (code, place, node)
                        beside += 1
    assert beside > 4_000
