"""Pay and income beside output, on an area's page and in a terminal: what the file says, and nothing subtracted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.published.profile import profile_text
from pipeline.report.facts import Facts
from pipeline.report.pages.pass_through_chart import pass_through_charts
from pipeline.report.read_facts import read_facts

Rows = Callable[..., list[tuple]]
PRESTON = "E07000123"


@pytest.fixture(scope="module")
def facts(published_file: Path) -> Facts:
    return read_facts(published_file)


def test_each_chart_sets_two_slopes_beside_those_of_the_typical_district(facts: Facts, rows: Rows) -> None:
    pay, income = pass_through_charts(facts.areas[PRESTON], facts)
    [(outcome, lower, upper, output, output_lower, output_upper, typical)] = rows(
        "select outcome_growth_percent, outcome_growth_lower, outcome_growth_upper, output_growth_percent, "
        "output_growth_lower, output_growth_upper, typical_output_growth_percent from mart_pass_through "
        "where area_code = ? and outcome_id = 'pay_median_weekly' and window_years = 10",
        PRESTON,
    )
    points = pay.rows["points"]
    assert [(p["name"], p["series"]) for p in points] == [
        ("Median gross weekly pay of residents", "Preston"),
        ("Median gross weekly pay of residents", "Typical district"),
        ("Output per hour worked", "Preston"),
        ("Output per hour worked", "Typical district"),
    ]
    assert [points[0][field] for field in ("value", "lower", "upper")] == pytest.approx(
        [outcome, lower, upper], abs=0.006
    )
    assert [points[2]["value"], points[3]["value"]] == pytest.approx([output, typical], abs=0.006)
    assert [points[2]["lower"], points[2]["upper"]] == pytest.approx([output_lower, output_upper], abs=0.006)
    assert "rose by 4.0% a year and output per hour by 2.1%" in pay.title
    assert income.title.startswith("From 2014 to 2023, gross disposable household income per head in Preston")


def test_a_fall_is_not_called_a_rise(facts: Facts) -> None:
    held = facts.pass_through[PRESTON][0]
    falling = replace(held, output=replace(held.output, percent=-0.5))
    [chart] = pass_through_charts(facts.areas[PRESTON], replace(facts, pass_through={PRESTON: [falling]}))
    assert "changed by 4.0% a year and output per hour by -0.5%" in chart.title.replace("−", "-")


def test_a_place_without_both_has_no_chart(facts: Facts) -> None:
    assert pass_through_charts(facts.areas[PRESTON], replace(facts, pass_through={})) == []


def test_the_profile_of_an_area_prints_both_slopes(published_file: Path) -> None:
    text = profile_text(published_file, PRESTON)
    start = text.index("Residents and output over the same years")
    lines = [" ".join(line.split()) for line in text[start:].splitlines()[2:4]]
    assert lines == [
        "Median gross weekly pay of residents 2014-2023 4.0 3.5 to 4.5 3.5",
        "Gross value added per hour worked 2014-2023 2.1 1.4 to 2.8 3.4",
    ]
