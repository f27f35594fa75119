"""Errors of figures made of small areas, from their counts: how they are drawn, and the table of them that ships."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.catalogue.shipped_count_errors import COUNT_ERRORS, load_count_errors
from pipeline.catalogue.yaml_entries import CatalogueError
from pipeline.estimation.own_errors import OwnErrorError, concentration_error, gap_error
from pipeline.publishers.deprivation.district_measures import concentration_index
from pipeline.settings import PROJECT_ROOT
from tools.count_errors.__main__ import main

SHARED = PROJECT_ROOT.parent / "shared" / "data"
needs_small_areas = pytest.mark.skipif(not SHARED.is_dir(), reason="the publishers' files are not at hand")
NAMES = ("income_deprivation_gap", "income_deprivation_concentration")


def one_by_one(rates: np.ndarray, people: np.ndarray, measure: Callable[[np.ndarray], float]) -> float:
    """Standard deviation of a measure over worlds in which every small area's people are drawn one after another."""
    rng = np.random.default_rng(7)
    worlds = [
        np.array([100 * (rng.random(int(n)) < rate / 100).mean() for rate, n in zip(rates, people, strict=True)])
        for _ in range(400)
    ]
    return float(np.std([measure(world) for world in worlds], ddof=1))


def test_the_errors_are_those_of_the_measures_when_every_person_is_drawn_anew() -> None:
    rates, people = np.linspace(2, 40, 12), np.linspace(1200, 2600, 12)
    gap = one_by_one(rates, people, lambda drawn: float(np.subtract(*np.quantile(drawn, (0.9, 0.1)))))
    concentration = one_by_one(rates, people, lambda drawn: concentration_index(drawn, people))
    rng = np.random.default_rng(1)
    assert gap_error(rng, rates, people, 2000) == pytest.approx(gap, rel=0.12)
    assert concentration_error(rng, rates, people, 2000) == pytest.approx(concentration, rel=0.12)


def test_four_times_the_people_halve_the_error_and_rates_of_nobody_have_none() -> None:
    rates, people = np.linspace(2, 40, 12), np.full(12, 1500.0)
    rng = np.random.default_rng(1)
    for error in (gap_error, concentration_error):
        assert error(rng, rates, people, 2000) == pytest.approx(2 * error(rng, rates, 4 * people, 2000), rel=0.1)
    assert gap_error(rng, np.zeros(12), people) == 0


def test_rates_published_in_whole_percent_add_the_error_of_rounding() -> None:
    rates, people = np.linspace(2, 40, 12), np.full(12, 1e7)
    rng = np.random.default_rng(1)
    assert gap_error(rng, rates, people) < 0.02
    drawn = rates[:, None] + rng.uniform(-0.5, 0.5, (12, 5000))
    rounding = np.subtract(*np.quantile(drawn, (0.9, 0.1), axis=0)).std()
    assert gap_error(rng, rates, people, 2000, rounded_to=1.0) == pytest.approx(rounding, rel=0.1)


@pytest.mark.parametrize(("rate", "people"), [(101.0, 1500.0), (-1.0, 1500.0), (10.0, 0.0), (np.nan, 1500.0)])
def test_an_impossible_small_area_is_refused(rate: float, people: float) -> None:
    for error in (gap_error, concentration_error):
        with pytest.raises(OwnErrorError, match="small areas"):
            error(np.random.default_rng(1), np.array([10.0, rate]), np.array([1500.0, people]))


@needs_small_areas
def test_the_tool_makes_the_shipped_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "count_errors.csv"
    assert main(["--from", str(SHARED), "--to", str(out)]) == 0
    assert out.read_bytes() == COUNT_ERRORS.read_bytes()
    assert capsys.readouterr().out == "1310 rows\n"


def test_every_edition_of_both_measures_has_an_error_for_every_district() -> None:
    errors = load_count_errors()
    assert set(errors) == set(NAMES)
    for own in errors.values():
        years = [year for _, year in own]
        assert {year: years.count(year) for year in set(years)} == {2017: 11, 2019: 317, 2020: 32, 2025: 295}
    england = [error for (code, year), error in errors[NAMES[0]].items() if code.startswith("E") and year == 2025]
    assert np.median(england) == pytest.approx(0.67, abs=0.02)


@pytest.mark.parametrize("made", ["-0.1", "nan", "1000"])
def test_an_impossible_or_repeated_error_is_refused(tmp_path: Path, made: str) -> None:
    head, first, *rest = COUNT_ERRORS.read_text(encoding="utf-8").splitlines()
    parts = first.split(",")
    broken = ",".join([*parts[:4], made, *parts[5:]])
    for name, lines in (("impossible", [head, broken, *rest]), ("repeated", [head, first, first, *rest])):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with pytest.raises(CatalogueError, match="income_deprivation_gap, E06000001, 2019"):
            load_count_errors(path)


def test_a_folder_without_the_files_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from", str(tmp_path), "--to", str(tmp_path / "out.csv")]) == 1
    assert "income_deprivation_gap, part england_2019" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
