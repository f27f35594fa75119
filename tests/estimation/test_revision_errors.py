"""Errors from revisions: how far figures and slopes still moved until the newest edition."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.shipped_revision_errors import REVISION_ERRORS, load_revision_errors
from pipeline.catalogue.yaml_entries import CatalogueError
from pipeline.estimation.revisions import RevisionsError, coverage_without_newest, cumulated_revisions
from pipeline.geography import load_register
from pipeline.settings import PROJECT_ROOT
from tools.revisions.__main__ import main
from tools.revisions.held_editions import Editions, read_editions

EDITIONS = PROJECT_ROOT.parent / "shared" / "data" / "els-vintages"
needs_editions = pytest.mark.skipif(not EDITIONS.is_dir(), reason="the editions are not at hand")

AREAS, YEARS = 400, 20


def invented(spread: dict[int, float], count: int = 4, seed: int = 1) -> np.ndarray:
    """Editions to years 16, 17, ..., each off the last by a factor whose spread depends on a figure's age."""
    rng = np.random.default_rng(seed)
    truth = 20 * np.exp(rng.normal(size=(YEARS, AREAS)) * 0.3)
    editions = np.full((count, YEARS, AREAS), np.nan)
    for k in range(count):
        last = YEARS - count + k
        for year in range(last + 1):
            off = spread.get(last - year, 0.0) if k < count - 1 else 0.0
            editions[k, year] = truth[year] * np.exp(off * rng.normal(size=AREAS))
    return editions


@cache
def real(prefix: str) -> Editions:
    return read_editions(EDITIONS, prefix, load_catalogue(), load_register())


def test_the_spread_is_that_of_all_that_was_revised_by_age() -> None:
    found = cumulated_revisions(invented({0: 0.05, 1: 0.03, 2: 0.01}), is_log=True)
    assert found.standard_error[:4] == pytest.approx([0.05, 0.03, 0.01, 0.0], rel=0.06, abs=1e-9)
    assert (found.editions[:3] == 3).all()
    assert (found.areas == AREAS).all()


def test_a_figure_revised_twice_counts_with_the_sum_of_both() -> None:
    editions = invented({})
    step = np.where(np.arange(AREAS) % 2, 1.02, 1 / 1.02)
    editions[0, 16] /= step**2
    editions[1, 16] /= step
    only_first = cumulated_revisions(editions[[0, 3]], is_log=True).standard_error[0]
    assert only_first == pytest.approx(2 * np.log(1.02), rel=0.03)


def test_what_moves_all_areas_alike_is_no_error_of_a_position_nor_of_a_slope() -> None:
    editions = invented({})
    editions[-1] *= np.linspace(1, 2, YEARS)[:, None]
    assert cumulated_revisions(editions, is_log=True).standard_error == pytest.approx(0, abs=1e-12)
    assert cumulated_revisions(editions, is_log=True, window=10).standard_error == pytest.approx(0, abs=1e-12)


def test_the_error_of_a_slope_sees_that_neighbouring_years_are_revised_together() -> None:
    editions = invented({})
    shift = np.random.default_rng(2).normal(size=AREAS) * 0.05
    editions[:3] *= np.exp(shift)  # every year alike: figures err, slopes do not
    found = cumulated_revisions(editions, is_log=True, window=10)
    assert cumulated_revisions(editions, is_log=True).standard_error[0] > 0.04
    assert (found.standard_error < 0.0012).all(), "only the medians of the years move a little"
    independent = cumulated_revisions(invented(dict.fromkeys(range(20), 0.05)), is_log=True, window=10)
    assert independent.standard_error[0] == pytest.approx(0.05 / np.sqrt(82.5), rel=0.06)


def test_intervals_from_earlier_editions_hold_the_newest_nine_times_in_ten_where_revisions_stay_as_they_are() -> None:
    shares = coverage_without_newest(invented({0: 0.05, 1: 0.03}, count=5), is_log=True)
    assert shares.shape[0] == 4
    # At age 0 the spread holds the error that the edition before the newest has at age 1, too: 1.17 times too wide.
    assert shares[-1, :2] == pytest.approx([0.945, 0.9], abs=0.03)


def test_too_few_editions_or_areas_are_refused_by_name() -> None:
    editions = invented({0: 0.05})
    with pytest.raises(RevisionsError, match="2 are needed"):
        cumulated_revisions(editions[:1], is_log=True)
    with pytest.raises(RevisionsError, match="three are needed"):
        coverage_without_newest(editions[:2], is_log=True)
    with pytest.raises(RevisionsError, match="figures of 30 areas"):
        cumulated_revisions(editions[:, :, :20], is_log=True)
    with pytest.raises(RevisionsError, match="no logarithm"):
        cumulated_revisions(np.where(editions > 30, 0.0, editions), is_log=True)
    empty = np.full_like(editions, np.nan)
    with pytest.raises(RevisionsError, match="figures of 30 areas"):
        cumulated_revisions(empty, is_log=True)


@needs_editions
@pytest.mark.parametrize(("prefix", "count"), [("gva", 4), ("gdhi", 4)])
def test_editions_of_three_layouts_come_onto_one_map(prefix: str, count: int) -> None:
    editions = real(prefix)
    assert len(editions.days) == count
    assert list(editions.days) == sorted(editions.days)
    last = [max(np.flatnonzero((~np.isnan(values)).any(axis=1))) for values in editions.values]
    assert [editions.years[row] for row in last] == [2020, 2021, 2022, 2023]
    shares = [(~np.isnan(values[row])).sum() for values, row in zip(editions.values, last, strict=True)]
    assert min(shares) >= 345
    # Barnsley and Sheffield were renumbered in 2025: the oldest edition has them under codes that ended.
    assert not np.isnan(editions.values[0][last[0]]).all()


@needs_editions
def test_revisions_of_output_and_income_are_the_reported_ones() -> None:
    output, income = real("gva").values, real("gdhi").values

    def at_age_0(values: np.ndarray, window: int | None = None) -> list[float]:
        return [cumulated_revisions(values[[k, -1]], True, window).standard_error[0] for k in range(3)]

    assert [min(at_age_0(output)), max(at_age_0(output))] == pytest.approx([0.042, 0.048], abs=0.0006)
    assert [min(at_age_0(income)), max(at_age_0(income))] == pytest.approx([0.014, 0.041], abs=0.0006)
    slopes = at_age_0(output, 10)
    assert [min(slopes), max(slopes)] == pytest.approx([0.0038, 0.0042], abs=0.00005)


@needs_editions
def test_intervals_from_older_editions_of_output_hold_the_newest() -> None:
    """Income's hold too widely: its edition of 2023 was revised far more than those after it."""
    assert (coverage_without_newest(real("gva").values, is_log=True)[:, 0] > 0.85).all()
    assert (coverage_without_newest(real("gva").values, is_log=True, window=10)[:, 0] > 0.85).all()
    assert (coverage_without_newest(real("gdhi").values, is_log=True)[:, 0] > 0.8).all()


@needs_editions
def test_the_committed_table_is_what_the_tool_writes_from_the_editions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "revision_errors.csv"
    assert main(["--from", str(EDITIONS), "--to", str(out)]) == 0
    assert out.read_bytes() == REVISION_ERRORS.read_bytes()
    rows = len(REVISION_ERRORS.read_text(encoding="utf-8").splitlines()) - 1
    assert capsys.readouterr().out == f"{rows} rows\n"


def test_the_shipped_errors_can_be_read_by_indicator_and_window() -> None:
    errors = load_revision_errors()
    assert {key[0] for key in errors} == {"gva_per_hour", "gdhi_per_head"}
    assert {key[1] for key in errors} == {None, 10, 5}
    assert errors["gva_per_hour", None].by_age[0] == pytest.approx(0.046, abs=0.0005)
    assert errors["gva_per_hour", 10].by_age[0] == pytest.approx(0.0040, abs=0.00005)
    assert errors["gdhi_per_head", 10].newest_edition == "2026-01-12"


@pytest.mark.parametrize(
    ("given", "made"), [(",0,0.046152", ",0,-0.1"), (",0,0.046152", ",0,nan"), (",1,0.031953", ",2,0.031953")]
)
def test_a_table_out_of_order_or_with_an_impossible_error_is_refused(tmp_path: Path, given: str, made: str) -> None:
    text = REVISION_ERRORS.read_text(encoding="utf-8")
    assert given in text
    path = tmp_path / "revision_errors.csv"
    path.write_text(text.replace(given, made, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match="gva_per_hour"):
        load_revision_errors(path)


def test_a_folder_without_editions_or_with_a_broken_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from", str(tmp_path)]) == 1
    assert "has no file gva_*.csv" in capsys.readouterr().err
    (tmp_path / "gva_2024-07-15_c8e06795.csv").write_text(
        "areacd,indicator,period,observation\nE06000001,Gross value added per hour worked,2020,twenty\n"
    )
    assert main(["--from", str(tmp_path)]) == 1
    assert "a figure is no number" in capsys.readouterr().err
    (tmp_path / "gva_2024-07-15_c8e06795.csv").write_text("areacd,indicator,period\n")
    assert main(["--from", str(tmp_path)]) == 1
    assert "column observation is missing" in capsys.readouterr().err
