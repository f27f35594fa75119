"""What a mouse and a finger are told of a mark: a box that can be seen, and stays."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

# Where a mark of a figure is in the window, after it has been brought there: that of a name, else the first.
MIDDLE_OF_A_MARK = """([figure, name]) => {
    const marks = [...document.querySelectorAll(`[id='${figure}'] .dots_marks path`)];
    const mark = name ? marks.find((path) => path.__data__.datum.name === name) : marks[0];
    mark.scrollIntoView({ block: "center" });
    const { x, y, width, height } = mark.getBoundingClientRect();
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done([x + width / 2, y + height / 2]))));
}"""
POINTED_AT = [
    ("map.html#measure=employment_rate", "map", "Preston"),
    ("map.html#measure=gdhi_per_head&shapes=boundaries", "map", "Preston"),
    ("map.html#measure=employment_rate", "map-distribution", "Preston"),
    ("areas/E07000123.html", "E07000123-level-growth-and-sharing", "Cardiff"),
    ("areas/E07000123.html", "E07000123-level-pillars", "Productivity"),
    ("areas/E07000123.html", "E07000123-growth-contributions", "Productivity"),
    ("areas/E07000123.html", "E07000123-employment_rate", None),
    ("indicators/employment_rate.html", "employment_rate-intervals", "Cardiff"),
]
JIGGLE = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (0, 0)]


def middle(page: Page, figure: str, name: str | None) -> tuple[float, float]:
    x, y = page.evaluate(MIDDLE_OF_A_MARK, [figure, name])
    return x, y


@pytest.mark.parametrize(("path", "figure", "name"), POINTED_AT)
def test_the_box_beside_a_mark_stays_while_the_mouse_is_on_it(
    desktop: Visit, path: str, figure: str, name: str | None
) -> None:
    page = desktop.open(path)
    desktop.wait_until_drawn()
    x, y = middle(page, figure, name)
    tip = page.locator("#tip")
    page.mouse.move(x - 60, y - 90)
    page.mouse.move(x, y)
    expect(tip).to_be_visible()
    for dx, dy in JIGGLE:
        page.wait_for_timeout(60)
        assert tip.is_visible()
        page.mouse.move(x + dx, y + dy)
        page.wait_for_timeout(60)
        assert tip.is_visible()
    page.wait_for_timeout(300)
    assert tip.is_visible()
    if name:
        expect(tip.locator("strong")).to_have_text(name)
    page.mouse.move(4, 4)
    expect(tip).to_be_hidden()
    assert desktop.errors == []


def test_a_click_opens_the_place_under_the_mouse(desktop: Visit) -> None:
    page = desktop.open("map.html#measure=employment_rate")
    desktop.wait_until_drawn()
    x, y = middle(page, "map", "Preston")
    page.mouse.move(x, y)
    expect(page.locator("#tip")).to_be_visible()
    page.mouse.click(x, y)
    page.wait_for_url("**/areas/E07000123.html")


def test_a_finger_reads_a_value_first_and_opens_the_page_second(finger: Visit) -> None:
    page = finger.open("map.html#measure=employment_rate")
    finger.wait_until_drawn()
    tip = page.locator("#tip")
    page.touchscreen.tap(*middle(page, "map", "Preston"))
    expect(tip).to_be_visible()
    page.wait_for_timeout(300)
    assert tip.is_visible()
    expect(tip).to_contain_text(re.compile(r"Preston.*80\.4.*72\.3 to 88\.5.*Tap again to open its page", re.DOTALL))
    page.touchscreen.tap(*middle(page, "map", "Cardiff"))
    expect(tip.locator("strong")).to_have_text("Cardiff")  # another mark is another first tap
    assert "map.html" in page.url
    page.touchscreen.tap(*middle(page, "map", "Cardiff"))
    page.wait_for_url("**/areas/W06000015.html")
    assert finger.errors == []


def test_a_finger_beside_a_small_mark_means_the_nearest_and_elsewhere_takes_the_box_away(finger: Visit) -> None:
    page = finger.open("map.html#measure=employment_rate")
    finger.wait_until_drawn()
    x, y = middle(page, "map", "Isles of Scilly")
    page.touchscreen.tap(x + 11, y + 11)
    expect(page.locator("#tip strong")).to_have_text("Isles of Scilly")
    expect(page.locator("#tip")).to_be_visible()
    page.locator("h1").tap()
    expect(page.locator("#tip")).to_be_hidden()


def test_the_arrow_keys_put_the_box_beside_the_mark_they_reach(desktop: Visit) -> None:
    page = desktop.open("map.html#measure=employment_rate")
    desktop.wait_until_drawn()
    page.locator("#map .plot").focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    tip = page.locator("#tip")
    expect(tip).to_be_visible()
    reached = tip.locator("strong").inner_text()
    x, y = page.evaluate(
        "(name) => { const path = [...document.querySelectorAll('#map .dots_marks path')]"
        ".find((mark) => mark.__data__.datum.name === name); const box = path.getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]; }",
        reached,
    )
    box = tip.bounding_box()
    assert box
    assert box["x"] == pytest.approx(x + 14, abs=2)
    assert min(abs(box["y"] - y), abs(box["y"] + box["height"] - y)) <= 18
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
