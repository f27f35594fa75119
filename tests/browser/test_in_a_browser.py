"""The report as a person meets it, in a real browser."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pipeline.report.briefing import page_count, write_briefing
from tests.browser.conftest import SCREENSHOTS, Visit

Rows = Callable[..., list[tuple]]

SAMPLED = 12  # one page in so many is opened, all of them with IG_TEST_EVERY_PAGE=1; tests/report reads every page
SHOWN = "[...document.querySelectorAll('figure.chart')].filter((f) => f.offsetParent)"
# Width in pixels and colour of the words of every chart at the moment at which the page is laid out for paper.
LOOK_WHEN_PRINTED = """matchMedia("print").addEventListener("change", (paper) => {
    if (paper.matches) window.onPaper = [...document.querySelectorAll("figure.chart")].map((figure) => {
        const drawing = figure.querySelector(".plot svg");
        const text = drawing?.querySelector("text");
        return [drawing?.getAttribute("width"), text && getComputedStyle(text).fill];
    });
})"""
DARK_INK = "rgb(70, 83, 98)"  # of the light palette, on a page whose reader has chosen dark
# Where a district's mark is in the window, after it has been brought there.
MIDDLE_OF_THE_MARK = """(name) => {
    const mark = [...document.querySelectorAll("#map .dots_marks path")].find((path) => path.__data__.datum.name === name);
    mark.scrollIntoView({ block: "center" });
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""
# Two tables behind charts are opened for axe. Of their rows and of a chart's dots, each made by one piece of code, it
# looks at the first few.
LIKE_THE_OTHERS = 3
OPEN_AND_THIN = """async (few) => {
    for (const details of [...document.querySelectorAll("details")].slice(0, 2)) details.open = true;
    await new Promise((done) => setTimeout(done, 50));
    for (const like of document.querySelectorAll(".behind tbody, .plot .mark-symbol, .plot .mark-rule"))
        [...like.children].slice(few).forEach((other) => other.remove());
}"""
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"landmark-unique": {"enabled": True}},  # only moderate for axe; two parts of one name lose a listener
    "resultTypes": ["violations"],
}
KINDS = {
    "home": "index.html",
    "map": "map.html#measure=employment_rate",
    "map-boundaries": "map.html#measure=gdhi_per_head&shapes=boundaries",
    "compare-group": "compare.html#group=core_cities",
    "compare-places": "compare.html#places=W06000015,E08000025,E12000007",
    "compare-nothing": "compare.html",
    "area": "areas/E07000123.html",
    "area-combined-authority": "areas/E47000001.html",
    "area-group": "areas/core_cities.html",
    "area-not-scored": "areas/E09000001.html",
    "area-northern-ireland": "areas/N09000003.html",
    "areas": "areas/index.html",
    "indicators": "indicators/index.html",
    "indicator": "indicators/employment_rate.html",
    "indicator-of-nations-apart": "indicators/income_deprivation_gap.html",
    "indicator-without-figures": "indicators/pay_hourly_p10.html",
    "methodology": "methodology.html",
    "data": "data.html",
    "quality": "quality.html",
}
BRIEFED = (
    "E07000123",
    "E09000030",
    "W06000015",
    "S12000036",
    "N09000003",
    "E06000023",
    "E47000001",
    "E09000001",
    "core_cities",
    "E06000058",  # Bournemouth, Christchurch and Poole
    "N09000002",  # Armagh City, Banbridge and Craigavon
    "E47000008",  # Cambridgeshire and Peterborough
    "E06000053",  # Isles of Scilly
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pages_of_every_folder_load_without_errors_or_requests_beyond_the_disk(desktop: Visit, folder: Path) -> None:
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
    assert len(paths) > 400
    for path in paths if os.environ.get("IG_TEST_EVERY_PAGE") else paths[::SAMPLED]:
        desktop.page.goto(f"{folder.as_uri()}/{path}", wait_until="domcontentloaded")
        assert desktop.page.evaluate("typeof IG.search.attach") == "function"
    assert desktop.errors == []
    assert desktop.requests_beyond_the_disk == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_each_kind_draws_all_and_axe_finds_no_serious_violation(
    request: pytest.FixtureRequest, kind: str, scheme: str
) -> None:
    visit: Visit = request.getfixturevalue("desktop" if scheme == "light" else "dark")
    page = visit.open(KINDS[kind])
    visit.wait_until_drawn()
    assert page.evaluate(f"{SHOWN}.map((f) => [f.id, f.querySelectorAll('.plot svg').length])") == [
        [name, 1] for name in page.evaluate(f"{SHOWN}.map((f) => f.id)")
    ]
    assert visit.errors == []
    assert visit.requests_beyond_the_disk == []
    expect(page.locator("[aria-label='Vega visualization']")).to_have_count(0)
    visit.screenshot(f"{kind}-1440-{scheme}")
    page.evaluate(OPEN_AND_THIN, LIKE_THE_OTHERS)
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    serious = [
        f"{v['id']} ({v['impact']}): {[node['html'][:160] for node in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("serious", "critical") or v["id"] in AXE_OPTIONS["rules"]
    ]
    assert serious == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_a_telephone(telephone: Visit, kind: str) -> None:
    page = telephone.open(KINDS[kind])
    telephone.wait_until_drawn()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert telephone.errors == []
    telephone.screenshot(f"{kind}-360-light")


def test_the_home_page_can_be_used_within_a_second(desktop: Visit) -> None:
    measured = []
    for _ in range(3):
        page = desktop.open("index.html")
        page.locator("#find-home").fill("Card")
        expect(page.locator(".hero [role=option]").first).to_be_visible()
        measured.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
    assert min(measured) < 1000
    desktop.wait_until_drawn()


def test_who_jumps_to_the_end_and_back_at_once_finds_every_chart(desktop: Visit) -> None:
    page = desktop.open("areas/E07000123.html")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight); scrollTo(0, 0)")
    desktop.wait_until_drawn()
    assert desktop.errors == []


def test_who_prints_before_scrolling_gets_every_chart_on_paper(dark: Visit, tmp_path: Path) -> None:
    page = dark.open("areas/E07000123.html")
    page.wait_for_function("typeof vegaEmbed === 'function'")
    page.evaluate(LOOK_WHEN_PRINTED)
    page.pdf(path=tmp_path / "page.pdf")
    shown = page.evaluate("onPaper")
    assert len(shown) > 10
    assert {(width, colour) for width, colour in shown} <= {("330", DARK_INK), ("680", DARK_INK)}


def test_a_chart_that_was_not_drawn_when_the_page_was_printed_is_no_empty_hole(desktop: Visit) -> None:
    page = desktop.page
    page.route("**/assets/vega.js", lambda route: None)  # on its way for ever
    page.goto(f"{desktop.folder.as_uri()}/areas/E07000123.html", wait_until="domcontentloaded")
    page.emulate_media(media="print")
    said = page.evaluate("getComputedStyle(document.querySelector('.plot'), '::before').content")
    assert "Please print it once more" in said


@pytest.mark.parametrize("box", ["#find-home", "#find"])
def test_search_finds_cardiff_with_the_keyboard(desktop: Visit, box: str) -> None:
    page = desktop.open("index.html")
    page.locator(box).focus()
    page.keyboard.type("cardi")
    expect(page.locator(box)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(box).get_attribute("aria-activedescendant")
    while "Cardiff" not in page.locator(f"#{chosen}").inner_text():
        page.keyboard.press("ArrowDown")
        chosen = page.locator(box).get_attribute("aria-activedescendant")
    page.keyboard.press("Enter")
    page.wait_for_url("**/areas/W06000015.html")
    expect(page.locator("h1")).to_have_text("Cardiff")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("st helens", "St. Helens"),
        ("na h eileanan", "Na h-Eileanan Siar"),
        ("kings lynn", "King's Lynn and West Norfolk"),
    ],
)
def test_search_minds_neither_case_nor_marks(desktop: Visit, typed: str, found: str) -> None:
    page = desktop.open("index.html")
    page.locator("#find-home").fill(typed)
    expect(page.locator(".hero [role=option]").first).to_contain_text(found)


def test_the_skip_link_is_first_and_focus_can_be_seen(desktop: Visit) -> None:
    page = desktop.open("areas/E07000123.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("shapes", ["cells", "boundaries"])
@pytest.mark.parametrize(
    ("measure", "name"),
    [("employment_rate", "Preston"), ("gdhi_per_head", "Cardiff"), ("child_poverty_bhc", "Belfast")],
)
def test_the_map_s_tooltip_shows_the_right_figure(
    desktop: Visit, rows: Rows, measure: str, name: str, shapes: str
) -> None:
    [(value, decimals)] = rows(
        "select value, decimals from fct_observation inner join dim_indicator using (indicator_id) "
        "where indicator_id = ? and area_name = ? and year = last_year order by period_end desc limit 1",
        measure, name,
    )  # fmt: skip
    page = desktop.open(f"map.html#measure={measure}&shapes={shapes}")
    desktop.wait_until_drawn()
    page.mouse.move(*page.evaluate(MIDDLE_OF_THE_MARK, name))
    expect(page.locator("#tip")).to_be_visible()
    expect(page.locator("#tip strong")).to_have_text(name)
    expect(page.locator("#tip")).to_contain_text(f"{value:,.{decimals}f}")
    page.wait_for_timeout(300)
    assert page.locator("#tip").is_visible()


def test_boundaries_can_be_switched_to_and_say_what_they_lack(desktop: Visit) -> None:
    page = desktop.open("map.html")
    desktop.wait_until_drawn()
    expect(page.locator("#changed")).to_be_hidden()
    page.get_by_label("Boundaries of 2022").check()
    expect(page.locator("#changed")).to_contain_text("2 current districts have no outline in them")
    expect(page.locator("#changed")).to_contain_text("Cumberland and Somerset")
    expect(page.locator("#map .caption")).to_contain_text("ultra-generalised")
    assert "shapes=boundaries" in page.url
    desktop.wait_until_drawn()
    page.mouse.move(*page.evaluate(MIDDLE_OF_THE_MARK, "Allerdale"))
    expect(page.locator("#tip")).to_contain_text("no longer a district")
    expect(page.locator("#tip")).to_be_visible()
    page.get_by_label("Tiles of one size").check()
    expect(page.locator("#changed")).to_be_hidden()
    assert "shapes" not in page.url
    assert desktop.errors == []


def test_the_map_can_be_walked_with_the_arrow_keys(desktop: Visit) -> None:
    page = desktop.open("map.html")
    page.wait_for_selector("#map[data-drawn]")
    page.locator("#map .plot").focus()
    page.keyboard.press("ArrowDown")
    first = page.locator("#tip strong").inner_text()
    page.keyboard.press("ArrowDown")
    second = page.locator("#tip strong").inner_text()
    assert first != second
    expect(page.locator("#announcer")).to_contain_text(second)
    page.keyboard.press("Enter")
    page.wait_for_url("**/areas/*.html")
    expect(page.locator("h1")).to_have_text(second)


def test_choosing_a_group_updates_the_comparison(desktop: Visit, rows: Rows) -> None:
    members = {n for (n,) in rows("select area_name from bridge_area_group where group_id = 'core_cities'")}
    page = desktop.open("compare.html")
    expect(page.locator("#nothing-chosen")).to_be_visible()
    page.select_option("#group", "core_cities")
    expect(page.locator("#compare-scores .finding")).to_contain_text(
        f"of the {len(members)} districts of the Core Cities"
    )
    expect(page.locator("#compare-scores .finding")).to_contain_text("not comparable: Belfast and Core Cities")
    page.locator("#compare-scores summary").click()
    shown = set(page.locator("#compare-scores tbody th").all_inner_texts())
    assert shown == members | {"Core Cities"}
    own = page.locator("#compare-scores tbody tr", has=page.locator("th", has_text=re.compile("^Core Cities$")))
    expect(own).to_contain_text("not comparable: it has no spread of pay or concentration of deprivation")
    expect(own).not_to_contain_text(re.compile(r"\d"))
    drawn = page.locator("#compare-scores .mark-text.role-axis-label text").all_text_contents()
    assert "Core Cities" not in drawn
    assert {"Birmingham", "Leeds"} <= set(drawn)
    assert "group=core_cities" in page.url
    page.select_option("#score", "change-sharing")
    expect(page.locator("#compare-scores .finding")).to_contain_text(
        re.compile(r"On sharing \(change over the ten years to \d+\).*; \d+ ha(s|ve) no score")
    )
    page.select_option("#score", "level-sharing")
    page.select_option("#group", "london_boroughs")
    expect(page.locator("#compare-scores .finding")).to_contain_text("London boroughs")
    page.select_option("#group", "K02000001")
    expect(page.locator("#compare-scores .finding")).to_contain_text("of the 4 nations of the United Kingdom")
    page.select_option("#group", "E92000001")
    expect(page.locator("#compare-scores .finding")).to_contain_text("of the 9 regions of England")


def test_places_can_be_added_and_removed_and_the_address_keeps_them(desktop: Visit) -> None:
    page = desktop.open("compare.html")
    for typed in ("Preston", "Cardiff"):
        page.locator("#add-place").fill(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#places")).to_contain_text(typed)
    address = page.url.split("/")[-1]
    assert "E07000123,W06000015" in address
    page = desktop.open(address)
    expect(page.locator("#places button")).to_have_count(2)
    page.get_by_role("button", name="Remove Preston").click()
    expect(page.locator("#places button")).to_have_count(1)
    expect(page.locator("#compare-scores .finding")).to_contain_text("Cardiff")
    assert desktop.errors == []


@pytest.mark.parametrize("kind", ["png", "svg", "csv"])
def test_a_chart_can_be_saved(desktop: Visit, kind: str, tmp_path: Path) -> None:
    page = desktop.open("areas/E07000123.html")
    figure = page.locator("figure.chart").first
    expect(figure).to_have_attribute("data-drawn", "yes")
    with page.expect_download() as waiting:
        figure.locator(f"button[data-save={kind}]").click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert saved.suffix == f".{kind}"
    content = saved.read_bytes()
    if kind == "png":
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">I", content[16:20])[0] > 1500
    elif kind == "svg":
        assert b"<svg" in content
        assert b"Preston" in content
    else:
        lines = content.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("Place,Growth score")
        assert len(lines) > 340


def test_the_theme_follows_the_system_and_the_button(newcomer: Visit) -> None:
    page = newcomer.open("index.html")
    background = "getComputedStyle(document.body).backgroundColor"
    night = page.evaluate(background)
    page.locator("#theme").click()
    assert page.evaluate(background) == "rgb(255, 255, 255)" != night
    newcomer.open("map.html")
    assert page.evaluate(background) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("code", BRIEFED)
def test_a_briefing_is_two_pages_and_nothing_of_it_is_cut_off(desktop: Visit, code: str, tmp_path: Path) -> None:
    page = desktop.open(f"areas/{code}.html#print")
    page.wait_for_selector("html[data-charts=drawn]")
    page.set_viewport_size({"width": 696, "height": 1000})  # A4 less its margins, at 96 dots an inch
    page.emulate_media(media="print")
    cut = page.evaluate(
        "[...document.querySelectorAll('.sheet .fit')].map((part) => part.scrollHeight - part.clientHeight)"
    )
    assert len(cut) == 2
    assert max(cut) <= 1
    beyond = page.evaluate(
        "[...document.querySelectorAll('.sheet .plot svg')].flatMap((svg) => [...svg.querySelectorAll('text')]"
        ".filter((text) => text.getBoundingClientRect().right > svg.getBoundingClientRect().right + 1)"
        ".map((text) => text.textContent))"
    )
    assert beyond == []  # no name in a legend and no title of an axis runs out of its chart
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert page_count(tmp_path / "page.pdf") == 2


def test_the_briefing_verb_writes_two_pages_with_the_place_s_figures(published_file: Path, browser: object) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    out = SCREENSHOTS / "briefing-preston.pdf"
    assert write_briefing(published_file, "E07000123", out) == ("Preston", 2)
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    boxes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", content))
    assert {tuple(round(float(v)) for v in box.split()) for box in boxes} == {(0, 0, 595, 842)}
    with duckdb.connect(str(published_file), read_only=True) as connection:
        assert connection.execute("select count(*) from dim_area where area_name = 'Preston'").fetchone() == (1,)
