"""Candidates for errors nobody publishes: right where the answer is known, and judged by what they foretold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.estimation.own_errors import (
    OwnErrorError,
    count_error,
    gap_error,
    local_scatter,
    next_figure_coverage,
    ratio_error,
)
from pipeline.settings import PROJECT_ROOT
from tools.error_study.back_tests import OLD_CHILD_POVERTY, back_tests
from tools.error_study.study_tables import study, with_tables

SHARED = PROJECT_ROOT.parent / "shared" / "data"
needs_files = pytest.mark.skipif(not (SHARED / OLD_CHILD_POVERTY).exists(), reason="the files are not at hand")
PAGE = PROJECT_ROOT / "docs" / "studies" / "errors.md"

AREAS = 300


def test_a_count_has_the_binomial_error_and_an_impossible_one_is_refused() -> None:
    assert count_error(np.array([10.0]), np.array([900.0])) == pytest.approx(1.0)
    for rate, people in ((-1.0, 100.0), (101.0, 100.0), (5.0, 0.0), (np.nan, 100.0), (5.0, np.nan)):
        with pytest.raises(OwnErrorError, match="people above 0 and rates between"):
            count_error(np.array([rate]), np.array([people]))


def test_a_ratio_errs_as_both_of_its_parts() -> None:
    assert ratio_error(np.array([0.03]), np.array([0.04])) == pytest.approx(0.05)


def test_the_gap_of_large_small_areas_is_nearly_exact_and_of_small_ones_is_not() -> None:
    rates = np.linspace(5, 40, 11)  # the percentiles are the second and the last but one
    few, many = (gap_error(np.random.default_rng(1), rates, np.full(11, n)) for n in (2_000.0, 200_000.0))
    second, tenth = rates[1], rates[9]
    assert many == pytest.approx(np.sqrt((second * (100 - second) + tenth * (100 - tenth)) / 200_000), rel=0.15)
    assert few / many == pytest.approx(10, rel=0.25)
    again = gap_error(np.random.default_rng(1), rates, np.full(11, 2_000.0))
    assert again == few
    with pytest.raises(OwnErrorError, match="needs people in each"):
        gap_error(np.random.default_rng(1), rates, np.zeros(11))


def test_scatter_about_a_trend_is_found_whatever_the_trend_and_foretells_the_next_figure() -> None:
    rng = np.random.default_rng(2)
    people = rng.uniform(2e4, 5e5, AREAS)
    error = 30 / np.sqrt(people)
    trend = np.arange(13)[:, None] * rng.normal(size=AREAS)
    position = trend + rng.normal(size=(13, AREAS)) * error
    found = local_scatter(position[:12], people)
    assert np.corrcoef(np.log(found.error), np.log(error))[0, 1] > 0.9
    assert np.median(found.error / error) == pytest.approx(1, abs=0.06)
    assert next_figure_coverage(position[-3:], found.error, found.freedom) == pytest.approx(0.9, abs=0.04)


def test_rounded_figures_scatter_no_less_than_their_rounding() -> None:
    rng = np.random.default_rng(3)
    position = np.round(rng.normal(size=(12, AREAS)) * 0.001, 1)
    found = local_scatter(position, np.full(AREAS, 1e5) * rng.uniform(0.5, 2, AREAS), rounded_to=0.1)
    assert (found.error >= 0.1 / np.sqrt(12) - 1e-12).all()


def test_areas_with_gaps_get_what_is_usual_for_their_size_and_too_few_areas_are_refused() -> None:
    rng = np.random.default_rng(4)
    people = np.full(AREAS, 1e5) * rng.uniform(0.5, 2, AREAS)
    position = rng.normal(size=(12, AREAS))
    position[::2, 0] = np.nan
    found = local_scatter(position, people)
    assert found.error[0] == pytest.approx(1, abs=0.15)
    assert np.isfinite(found.error).all()
    assert np.isfinite(local_scatter(position, np.full(AREAS, 1e5)).error).all(), "also where sizes do not differ"
    with pytest.raises(OwnErrorError, match="30 are needed"):
        local_scatter(position[:, :20], people[:20])
    with pytest.raises(OwnErrorError, match="three figures in a row"):
        local_scatter(np.zeros((12, AREAS)), people)
    with pytest.raises(OwnErrorError, match="a size above 0"):
        local_scatter(position, people * 0)


@needs_files
def test_house_prices_scatter_as_foretold_and_a_count_s_own_error_never_suffices() -> None:
    found = {(test.series, test.candidate): test.coverage for test in back_tests(SHARED)}
    scatter = "scatter about a local trend"
    assert found["house prices", scatter].mean() == pytest.approx(0.93, abs=0.02)
    assert found["house prices", scatter].min() > 0.8
    assert found["claimants", scatter].mean() == pytest.approx(0.89, abs=0.02)
    assert found["claimants", scatter].min() < 0.75, "a recession or a change of rules is no scatter"
    assert all(coverage.max() < 0.8 for (_, candidate), coverage in found.items() if candidate == "count")


def test_text_after_an_empty_table_or_one_without_an_end_stays() -> None:
    page = "<!-- table: a -->\n<!-- end -->\nkept\n<!-- table: b -->\nold\n<!-- end -->\n"
    assert with_tables(page, {"a": "new", "b": "newer"}) == page.replace(
        "<!-- end -->\nkept", "new\n<!-- end -->\nkept"
    ).replace("old", "newer")
    without = page.replace("<!-- end -->\nkept", "kept")
    assert with_tables(without, {"a": "new"}) == without


@pytest.mark.slow
@needs_files
def test_every_table_of_the_written_study_is_what_the_tool_makes(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = study(SHARED)
    assert all(f"<!-- table: {name} -->" in page for name in tables)
    assert with_tables(page, tables) == page, "run python -m tools.error_study --into docs/studies/errors.md"
