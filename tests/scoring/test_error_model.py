"""Which error a figure gets, and of which kind, where its publisher gives one to most districts but not to all."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.scoring.error_model import (
    KINDS,
    MODELLED,
    NONE,
    PUBLISHED,
    ErrorSource,
    series_errors,
    slope_errors,
    usual_for_size,
)
from pipeline.scoring.transform import slopes

YEARS, AREAS = 8, 60
PEOPLE = np.exp(np.random.default_rng(2).normal(11.5, 0.7, AREAS))
MEMBERS = np.ones(AREAS, dtype=bool)
BASIS = np.zeros((YEARS, AREAS), dtype=np.int64)


@pytest.fixture
def figures() -> tuple[np.ndarray, np.ndarray]:
    """Positions, and errors that fall with the square root of the population, but for what a test takes away."""
    rng = np.random.default_rng(5)
    errors = np.repeat(300 / np.sqrt(PEOPLE)[None, :], YEARS, axis=0) * np.exp(rng.normal(0, 0.05, (YEARS, AREAS)))
    return rng.normal(0, 2, (YEARS, AREAS)) + errors * rng.normal(size=(YEARS, AREAS)), errors


def test_a_figure_without_an_error_takes_what_is_usual_for_its_size_and_says_that_it_is_modelled(figures) -> None:
    position, errors = figures
    true = errors.copy()
    errors[3:, 7] = np.nan
    found = series_errors(position, errors, BASIS, MEMBERS, ErrorSource(), PEOPLE)
    assert (found.kind[3:, 7] == MODELLED).all()
    assert (found.kind[:3, 7] == PUBLISHED).all()
    assert found.level[3:, 7] == pytest.approx(true[3:, 7], rel=0.2)
    given = ~np.isnan(errors)
    assert (found.level[given] == errors[given]).all(), "an error of its own is never replaced"
    alone = series_errors(np.delete(position, 7, 1), np.delete(errors, 7, 1), BASIS[:, 1:], MEMBERS[1:], ErrorSource(),
                          np.delete(PEOPLE, 7))  # fmt: skip
    assert (np.delete(found.level, 7, 1) == alone.level).all()


def test_without_a_figure_a_population_or_enough_districts_nothing_is_usual(figures) -> None:
    position, errors = figures
    errors[:, :3] = np.nan
    position[:, 0] = np.nan
    people = np.where(np.arange(AREAS) == 1, np.nan, PEOPLE)
    members = np.arange(AREAS) != 2
    assert np.isnan(usual_for_size(position, errors, members, people)).all()
    few = np.where(np.arange(AREAS) < 31, np.nan, errors)
    assert np.isnan(usual_for_size(position, few, MEMBERS, PEOPLE)).all()
    assert np.isnan(usual_for_size(position, errors, MEMBERS, np.full(AREAS, np.nan))).all()


def test_districts_of_one_size_take_the_usual_error_of_that_size(figures) -> None:
    position, errors = figures
    errors[:, 0] = np.nan
    usual = usual_for_size(position, errors, MEMBERS, np.full(AREAS, 1e5))
    assert usual[:, 0] == pytest.approx(np.exp(np.log(errors[:, 1:]).mean(axis=1)))


def test_a_slope_is_of_the_weakest_kind_of_error_among_its_figures(figures) -> None:
    position, errors = figures
    errors[3, 7] = np.nan
    found = series_errors(position, errors, BASIS, MEMBERS, ErrorSource(), PEOPLE)
    of_slopes = slope_errors(found, slopes(position, 5, 4, 0, BASIS), 5, MEMBERS)
    # Windows end in years 4 to 7; the middle figure of the one that ends in year 5 has no weight.
    assert [KINDS[k] for k in of_slopes.kind[4:, 7]] == ["modelled", "published", "modelled", "modelled"]
    assert (of_slopes.kind[4:, 8] == PUBLISHED).all()
    assert (of_slopes.kind[:3] == NONE).all()
    assert np.isfinite(of_slopes.variance[4:]).all()
