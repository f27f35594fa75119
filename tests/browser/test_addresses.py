"""The address holds what a person chose: it can be sent, typed over, and gone back in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit

START = "index.html"


def drawn_measure(page: Page) -> str:
    """The measure that the map's chart holds, not what the list says."""
    return str(page.evaluate("IG.charts.state(document.getElementById('map')).payload.rows.points.measure"))


def expect_map(page: Page, measure: str, title: str, shapes: str = "Tiles of one size") -> None:
    expect(page.locator("#measure")).to_have_value(measure)
    expect(page.locator("#map .finding")).to_contain_text(title)
    expect(page.get_by_label(shapes)).to_be_checked()
    page.wait_for_function(
        "(measure) => IG.charts.state(document.getElementById('map')).payload.rows.points.measure === measure",
        arg=measure,
    )


def test_back_and_forward_walk_through_what_was_chosen_on_the_map(desktop: Visit) -> None:
    desktop.open(START)
    page = desktop.open("map.html")
    expect_map(page, "level-sharing", "Sharing")
    page.select_option("#measure", "employment_rate")
    expect_map(page, "employment_rate", "Employment rate")
    page.get_by_label("Boundaries of 2022").check()
    page.select_option("#measure", "gdhi_per_head")
    expect_map(page, "gdhi_per_head", "income", "Boundaries of 2022")
    page.go_back()
    expect_map(page, "employment_rate", "Employment rate", "Boundaries of 2022")
    page.go_back()
    expect_map(page, "employment_rate", "Employment rate")
    page.go_back()
    expect_map(page, "level-sharing", "Sharing")
    page.go_forward()
    expect_map(page, "employment_rate", "Employment rate")
    page.go_back()
    page.go_back()
    assert START in page.url
    assert desktop.errors == []


def test_a_changed_address_changes_the_map(desktop: Visit) -> None:
    page = desktop.open("map.html#measure=gva_per_hour")
    expect_map(page, "gva_per_hour", "per hour")
    page.evaluate("location.hash = 'measure=employment_rate&shapes=boundaries'")
    expect_map(page, "employment_rate", "Employment rate", "Boundaries of 2022")
    page.evaluate("location.hash = 'measure=no_such_measure'")
    expect_map(page, "level-sharing", "Sharing")
    desktop.wait_until_drawn()
    assert desktop.errors == []


def test_of_two_choices_the_later_is_shown_also_where_the_earlier_s_figures_come_last(desktop: Visit) -> None:
    late: list[Route] = []
    desktop.page.route("**/data/measures/employment_rate.js", lambda route: late.append(route))
    page = desktop.open("map.html")
    desktop.wait_until_drawn()
    page.select_option("#measure", "employment_rate")
    page.select_option("#measure", "gva_per_hour")
    expect_map(page, "gva_per_hour", "per hour")
    [route] = late
    route.continue_()
    page.wait_for_function("IG.get('measure/employment_rate')")
    page.wait_for_timeout(500)
    expect_map(page, "gva_per_hour", "per hour")
    expect(page.locator("#map-distribution .finding")).to_contain_text("per hour")
    assert desktop.errors == []


def expect_comparison(page: Page, names: list[str], group: str = "") -> None:
    expect(page.locator("#places button")).to_have_text(names)
    expect(page.locator("#group")).to_have_value(group)
    expect(page.locator("#nothing-chosen")).to_be_visible(visible=not (names or group))
    if names or group:
        expect(page.locator("#compare-scores")).to_be_visible()


def test_back_and_forward_walk_through_what_was_compared(desktop: Visit) -> None:
    desktop.open(START)
    page = desktop.open("compare.html")
    expect_comparison(page, [])
    for typed in ("Preston", "Cardiff"):
        page.locator("#add-place").fill(typed)
        page.keyboard.press("Enter")
    expect_comparison(page, ["Preston", "Cardiff"])
    page.select_option("#score", "level-growth")
    expect(page.locator("#compare-scores .finding")).to_contain_text("growth")
    page.select_option("#group", "core_cities")
    expect_comparison(page, [], "core_cities")
    page.go_back()
    expect_comparison(page, ["Preston", "Cardiff"])
    expect(page.locator("#score")).to_have_value("level-growth")
    page.go_back()
    expect(page.locator("#score")).to_have_value("level-sharing")
    expect(page.locator("#compare-scores .finding")).to_contain_text("sharing")
    page.go_back()
    expect_comparison(page, ["Preston"])
    page.go_back()
    expect_comparison(page, [])
    page.go_forward()
    expect_comparison(page, ["Preston"])
    page.go_back()
    page.go_back()
    assert START in page.url
    assert desktop.errors == []


def test_a_changed_address_changes_the_comparison(desktop: Visit) -> None:
    page = desktop.open("compare.html#places=E07000123&score=level-growth&figure=employment_rate")
    expect_comparison(page, ["Preston"])
    expect(page.locator("#figure")).to_have_value("employment_rate")
    page.evaluate("location.hash = 'places=W06000015,W06000015,nowhere,E08000025'")
    expect_comparison(page, ["Cardiff", "Birmingham"])
    expect(page.locator("#score")).to_have_value("level-sharing")
    page.evaluate("location.hash = 'group=core_cities'")
    expect_comparison(page, [], "core_cities")
    expect(page.locator("#compare-scores .finding")).to_contain_text("Core Cities")
    expect(page.locator("#compare-scores .behind .scroll")).to_have_attribute("aria-label", re.compile("Core Cities"))


@pytest.mark.parametrize("address", ["map.html#measure=employment_rate", "compare.html#places=E07000123"])
def test_who_skips_to_the_content_keeps_the_choice(desktop: Visit, address: str) -> None:
    page = desktop.open(address)
    desktop.wait_until_drawn()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith(address.split("#")[1])
    expect(page.locator(".finding").first).to_contain_text(re.compile("Employment rate|Preston"))


@pytest.mark.parametrize(
    ("path", "box"), [("index.html", "#find-home"), ("index.html", "#find"), ("compare.html", "#add-place")]
)
@pytest.mark.parametrize("typed", ["Kettering", "manchestr", "ynys mon"])
def test_a_search_that_finds_nothing_says_so_where_it_was_typed(
    desktop: Visit, path: str, box: str, typed: str
) -> None:
    page = desktop.open(path)
    page.locator(box).fill(typed)
    nothing = page.locator(f"{box} ~ .nothing")
    expect(nothing).to_be_visible()
    expect(nothing).to_contain_text(f"Nothing found for “{typed}”")
    expect(page.locator("#announcer")).to_contain_text(f"Nothing found for “{typed}”")
    frame, under = nothing.bounding_box(), page.locator(box).bounding_box()
    assert frame
    assert under
    assert 0 <= frame["y"] - (under["y"] + under["height"]) < 12
    page.keyboard.press("Enter")
    expect(nothing).to_be_visible()
    page.locator(box).fill("Cardiff")
    expect(nothing).to_be_hidden()
    expect(page.locator(f"{box} ~ [role=listbox] [role=option]").first).to_contain_text("Cardiff")
