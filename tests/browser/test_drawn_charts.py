"""Charts say what their figures say: every mark is read off the drawing, against the axes and the legend beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pipeline.report import site
from pipeline.report.facts import Facts
from pipeline.report.read_facts import read_facts
from tests.browser.conftest import DESKTOP, Visit, window_of
from tests.browser.seen import Seen, charts_of, seen

# A page of each kind with the number of places its pillars are drawn for.
PLACES = {
    "a district beside its region and a group": ("E07000123", 3),
    "a district beside its region": ("E07000223", 2),
    "a region beside its nation": ("E12000002", 2),
    "a county": ("E10000003", 2),
    "a combined authority beside its region": ("E47000001", 2),
    "a combined authority of two regions": ("E47000017", 1),
    "a nation": ("W92000004", 1),
    "a country": ("K02000001", 1),
    "a group": ("core_cities", 1),
}
VIEWS = ("desktop", "telephone", "paper")
# The fields of a row that a mark's place across and down stands for.
FIELDS = {
    "quadrant": ("x", "y"),
    "caterpillar": ("order", "value"),
    "trend": ("year", "value"),
    "lines": ("year", "value"),
    "incidence": ("percentile", "value"),
    "beeswarm": ("value", None),
}
PIXELS = 3.0  # how closely a place can be read; the middle of a triangle's box is not the point it stands for
CHANGED = "employment_rate"
LAST_YEARS = (2012, 2018)  # before each of two made-up changes of its method


def open_in(request: pytest.FixtureRequest, view: str, path: str) -> Page:
    """A page of the site, drawn, on a wide screen, on a telephone or as it is laid out for paper."""
    visit: Visit = request.getfixturevalue("telephone" if view == "telephone" else "desktop")
    page = visit.open(f"{path}#print" if view == "paper" else path)
    if view == "paper":
        page.wait_for_selector("html[data-charts=drawn]")
    visit.wait_until_drawn()
    return page


def payload(page: Page, name: str) -> dict:
    return json.loads(page.locator(f"[id='{name}'] script.payload").text_content() or "")


def without_blanks(name: str) -> str:
    return "".join(name.split())


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", PLACES)
def test_each_pillar_s_mark_stands_in_its_row_at_its_score_in_its_place_s_colour(
    request: pytest.FixtureRequest, kind: str, view: str
) -> None:
    code, places = PLACES[kind]
    page = open_in(request, view, f"areas/{code}.html")
    drawn = {name: chart for name, chart in charts_of(page).items() if chart.spec == "ranges"}
    assert f"{code}-level-pillars" in drawn
    for name, chart in drawn.items():
        expected = payload(page, name)["rows"]["points"]
        values = {(without_blanks(p["name"]), p["series"]): p["value"] for p in expected}
        read = {
            (chart.row_at(m["y"]), chart.legend[m["fill"]]): (chart.number_across(m["x"]), m["y"]) for m in chart.marks
        }
        assert len(chart.marks) == len(expected)
        assert set(read) == set(values)
        assert len({series for _, series in values}) == places
        for mark, value in values.items():
            assert read[mark][0] == pytest.approx(value, abs=PIXELS * chart.step_across), mark
        for row in {row for row, _ in read}:
            heights = sorted(y for (other, _), (_, y) in read.items() if other == row)
            assert all(b - a > 3 for a, b in pairwise(heights)), row


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", ["a district beside its region and a group", "a nation", "a group"])
def test_each_bar_of_contributions_stands_in_its_row_and_ends_at_its_effect(
    request: pytest.FixtureRequest, kind: str, view: str
) -> None:
    code, _ = PLACES[kind]
    page = open_in(request, view, f"areas/{code}.html")
    drawn = {name: chart for name, chart in charts_of(page).items() if chart.spec == "contributions"}
    assert drawn
    for name, chart in drawn.items():
        values = {without_blanks(p["name"]): p["value"] for p in payload(page, name)["rows"]["points"]}
        zero = chart.number_across
        read = {chart.row_at(m["y"]): zero(m["right"]) if zero(m["x"]) > 0 else zero(m["left"]) for m in chart.marks}
        assert set(read) == set(values)
        for row, value in values.items():
            assert read[row] == pytest.approx(value, abs=PIXELS * chart.step_across), row


@pytest.mark.parametrize("view", ["desktop", "telephone"])
@pytest.mark.parametrize(
    "path",
    [
        *(f"areas/{code}.html" for code, _ in PLACES.values()),
        "index.html",
        "map.html#measure=gdhi_per_head",
        "indicators/employment_rate.html",
        "compare.html#places=W06000015,E08000025,E12000007&figure=employment_rate",
    ],
)
def test_every_mark_stands_within_its_chart_where_the_axes_say(
    request: pytest.FixtureRequest, path: str, view: str
) -> None:
    page = open_in(request, view, path)
    drawn = charts_of(page)
    assert drawn
    for name, chart in drawn.items():
        assert chart.marks, name
        for mark in chart.marks:
            assert chart.frame["left"] - 1 <= mark["x"] <= chart.frame["right"] + 1, (name, mark)
            assert chart.frame["top"] - 1 <= mark["y"] <= chart.frame["bottom"] + 1, (name, mark)
        across, down = FIELDS.get(chart.spec, (None, None))
        if across and len(chart.across) > 1:
            apart = [(m["row"], chart.number_across(m["x"]) - m["row"][across]) for m in chart.marks]
            assert max(abs(by) for _, by in apart) <= PIXELS * chart.step_across, (name, apart)
        if down:
            apart = [(m["row"], chart.number_down(m["y"]) - m["row"][down]) for m in chart.marks]
            assert max(abs(by) for _, by in apart) <= PIXELS * chart.step_down, (name, apart)


@pytest.mark.parametrize("view", ["desktop", "telephone"])
@pytest.mark.parametrize(
    ("address", "most"),
    [("places=W06000015", 1), ("places=W06000015,E08000025", 2), ("group=core_cities", 11), ("group=E92000001", 10)],
)
def test_a_comparison_has_one_mark_in_the_middle_of_each_row(
    request: pytest.FixtureRequest, address: str, most: int, view: str
) -> None:
    page = open_in(request, view, f"compare.html#{address}")
    chart = seen(page, "#compare-scores")
    names = {without_blanks(m["row"]["name"]) for m in chart.marks}
    assert len(chart.marks) == len(names) == most
    assert {chart.row_at(m["y"]): chart.number_across(m["x"]) for m in chart.marks} == {
        without_blanks(m["row"]["name"]): pytest.approx(m["row"]["value"], abs=PIXELS * chart.step_across)
        for m in chart.marks
    }
    middles = {without_blanks(label["said"]): label["y"] for label in chart.down}
    for mark in chart.marks:
        assert mark["y"] == pytest.approx(middles[chart.row_at(mark["y"])], abs=PIXELS)


@pytest.fixture(scope="module")
def changed_site(browser: Browser, published_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The site of a file in which the employment rate's method changed twice."""

    def changed(database: Path) -> Facts:
        facts = read_facts(database)
        entry = replace(facts.indicators[CHANGED], series_breaks=LAST_YEARS)
        return replace(facts, indicators={**facts.indicators, CHANGED: entry})

    folder = tmp_path_factory.mktemp("changed") / "report"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "read_facts", changed)
        site.build_site(published_file, folder, methodology="# Methodology\n")
    yield from window_of(browser, folder, "light", DESKTOP)


def assert_broken(chart: Seen) -> None:
    """Two rules between the years of a change, named; no line and no ribbon crosses either."""
    assert [round(chart.number_across(rule["x"]), 1) for rule in chart.breaks] == [y + 0.5 for y in LAST_YEARS]
    one, other = (word for word in chart.words if word["said"] == "new method")
    assert one["right"] < other["left"] or one["bottom"] <= other["top"] + 2  # neither lies on the other
    for word in (one, other):
        assert chart.frame["left"] <= word["left"] < word["right"] <= chart.frame["right"]
    assert len(chart.lines) >= 3
    for line in chart.lines:
        for rule in chart.breaks:
            assert line["right"] <= rule["x"] or line["left"] >= rule["x"]


@pytest.mark.parametrize(
    ("path", "figure"),
    [
        ("areas/E07000123.html", f"E07000123-{CHANGED}"),
        (f"indicators/{CHANGED}.html", f"{CHANGED}-trend"),
        (f"compare.html#places=W06000015,E07000123&figure={CHANGED}", "compare-trend"),
    ],
)
def test_a_change_of_method_breaks_the_line_with_a_rule_and_a_word(changed_site: Visit, path: str, figure: str) -> None:
    page = changed_site.open(path)
    changed_site.wait_until_drawn()
    assert_broken(seen(page, f"[id='{figure}']"))
    caption = page.locator(f"[id='{figure}'] .caption").inner_text()
    assert "The method changed after 2012 and 2018; figures on either side of a change do not compare." in caption
    changed_site.screenshot(f"new-method-{figure}")
    assert changed_site.errors == []


def test_a_line_without_a_change_of_method_runs_on(desktop: Visit) -> None:
    page = desktop.open("areas/E07000123.html")
    desktop.wait_until_drawn()
    chart = seen(page, f"[id='E07000123-{CHANGED}']")
    assert chart.breaks == []
    assert any(
        chart.number_across(line["left"]) < 2012 < 2018 < chart.number_across(line["right"]) for line in chart.lines
    )
