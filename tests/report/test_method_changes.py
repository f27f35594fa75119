"""A change of method reaches the charts over the years, and what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.report.facts import Facts
from pipeline.report.pages.area_charts import trend
from pipeline.report.pages.indicators import indicator_pages
from pipeline.report.pages.page import method_changes
from pipeline.report.read_facts import read_facts
from pipeline.report.shown_measures import measures

RATE = "employment_rate"
SAID = "The method changed after 2012 and 2018; figures on either side of a change do not compare."


@pytest.fixture(scope="module")
def facts(published_file: Path) -> Facts:
    return read_facts(published_file)


def changed(facts: Facts, *years: int) -> Facts:
    """Facts by which the employment rate's method changed after each of the years."""
    entry = replace(facts.indicators[RATE], series_breaks=years)
    return replace(facts, indicators={**facts.indicators, RATE: entry})


def test_only_changes_between_the_years_shown_are_told() -> None:
    assert method_changes((), 2010, 2020) == ""
    assert method_changes((2009, 2020), 2010, 2020) == ""
    assert method_changes((2010,), 2010, 2020).startswith(" The method changed after 2010; ")
    assert method_changes((2009, 2012, 2018), 2010, 2020) == f" {SAID}"


def test_the_trend_of_a_place_holds_the_changes(facts: Facts) -> None:
    preston = facts.areas["E07000123"]
    chart = trend(preston, changed(facts, 2012, 2018), RATE, [], None)
    assert chart
    assert json.loads(chart.payload)["breaks"] == [2012, 2018]
    assert chart.caption.endswith(SAID)
    plain = trend(preston, facts, RATE, [], None)
    assert plain
    assert json.loads(plain.payload)["breaks"] == []
    assert "method" not in plain.caption


@pytest.mark.parametrize(
    ("years", "title"),
    [
        ((2012, 2018), "between 2019 and 2023"),
        ((2022,), "In 2023 the typical district’s figure was"),
        ((2023,), "between 2004 and 2023"),
    ],
)
def test_the_typical_figure_is_not_said_to_move_across_a_change(
    facts: Facts, years: tuple[int, ...], title: str
) -> None:
    pages = {page.path: page for page in indicator_pages(changed(facts, *years))}
    chart = pages[f"indicators/{RATE}.html"].content["trend"]
    assert title in chart.title
    assert chart.breaks == years


def test_the_comparison_is_told_of_the_changes(facts: Facts) -> None:
    [measure] = [m.as_json() for m in measures(changed(facts, 2012, 2018)) if m.id == RATE]
    assert measure["breaks"] == [2012, 2018]
    assert measure["breakNote"].strip() == SAID
