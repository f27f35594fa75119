"""How much of a published error is new each year: found where it is known, and as reported where it is not."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pipeline.estimation.error_process import (
    ErrorProcessError,
    draw_errors,
    error_covariance,
    fit_error_process,
)
from tools.error_study.study_panels import shipped_panel

AREAS, YEARS = 340, 18


def panel(seed: int, new_share: float, innovation_sd: float, areas: int = AREAS) -> tuple[np.ndarray, np.ndarray]:
    """A walk with errors that run as the model says, of sizes that differ between areas."""
    rng = np.random.default_rng(seed)
    error = np.tile(rng.uniform(0.5, 1.5, areas), (YEARS, 1))
    walk = rng.normal(size=(YEARS, areas)).cumsum(axis=0) * innovation_sd
    return walk + draw_errors(rng, error, new_share, 1)[0], error


@pytest.mark.parametrize("new_share", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("innovation_sd", [0.1, 0.5])
def test_a_known_process_is_found_within_its_stated_error(new_share: float, innovation_sd: float) -> None:
    found = [fit_error_process(*panel(seed, new_share, innovation_sd)) for seed in range(300)]
    shares = np.array([fit.process.new_share for fit in found])
    walks = np.array([fit.process.innovation_variance for fit in found])
    for values, truth in ((shares, new_share), (walks, innovation_sd**2)):
        assert abs(values.mean() - truth) < 3 * values.std(ddof=1) / np.sqrt(len(found))
    stated = np.mean([fit.new_share_error for fit in found])
    assert 0.75 < shares.std(ddof=1) / stated < 1.33


@pytest.mark.parametrize(
    ("indicator_id", "new_share", "innovation_sd", "r_squared"),
    [
        ("pay_median_weekly", 0.22, 0.018, 0.98),
        ("employment_rate", 1.01, 0.96, 0.8),
        ("unemployment_rate_modelled", 0.36, 0.47, 0.98),
    ],
)
def test_the_processes_of_the_published_errors_are_the_reported_ones(
    indicator_id: str, new_share: float, innovation_sd: float, r_squared: float
) -> None:
    held = shipped_panel(indicator_id)
    fit = fit_error_process(held.position, held.error)
    assert fit.process.new_share == pytest.approx(new_share, abs=0.015)
    assert fit.process.innovation_sd == pytest.approx(innovation_sd, rel=0.03)
    assert fit.r_squared > r_squared
    assert abs(fit.process.new_share - new_share) < fit.new_share_error
    assert fit.process.at_edge is None


def test_errors_of_samples_that_overlap_from_one_year_to_the_next_show_as_a_first_correlation_above_the_others() -> (
    None
):
    held = shipped_panel("employment_rate")
    first, *others = fit_error_process(held.position, held.error).error_correlation
    assert first > max(others)


def test_a_signal_that_stands_still_and_an_error_that_never_changes_end_at_an_edge_with_its_name() -> None:
    rng = np.random.default_rng(1)
    error = np.ones((YEARS, AREAS))
    noise = rng.normal(size=error.shape)
    trending = np.where(np.arange(YEARS)[:, None] % 2 == 0, 3.0, 0.0) * rng.normal(size=AREAS) + noise
    still = fit_error_process(trending, error).process
    assert still.innovation_variance == 0
    assert still.at_edge == "innovation_variance"
    drift = np.arange(YEARS)[:, None] * rng.normal(size=AREAS)
    moving = fit_error_process(drift, error).process
    assert moving.new_share == 0
    assert moving.at_edge == "new_share"
    assert moving.innovation_variance > 0


def test_gaps_and_areas_without_an_error_are_left_out() -> None:
    position, error = panel(1, 0.4, 0.3)
    whole = fit_error_process(position, error)
    more = np.hstack([position, position[:, :50] + 7.0])
    nothing = np.hstack([error, np.full((YEARS, 50), np.nan)])
    assert fit_error_process(more, nothing).process.new_share == pytest.approx(whole.process.new_share, rel=1e-12)
    position[5, :100] = np.nan
    assert fit_error_process(position, error).process.new_share == pytest.approx(whole.process.new_share, abs=0.05)


@pytest.mark.parametrize(
    ("years", "areas", "says"),
    [(3, AREAS, "differences over 2 spans of years"), (YEARS, 20, "differences over 0 spans")],
)
def test_too_short_or_too_small_a_panel_is_refused_by_name(years: int, areas: int, says: str) -> None:
    position, error = panel(1, 0.5, 0.3)
    with pytest.raises(ErrorProcessError, match=says):
        fit_error_process(position[:years, :areas], error[:years, :areas])


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_a_series_without_published_errors_is_refused(error: float) -> None:
    position, _ = panel(1, 0.5, 0.3)
    with pytest.raises(ErrorProcessError, match="no figure has a published error"):
        fit_error_process(position, np.full(position.shape, error))


def test_figures_that_move_alike_are_refused() -> None:
    with pytest.raises(ErrorProcessError, match="move alike"):
        fit_error_process(np.tile(np.arange(YEARS, dtype=float)[:, None], AREAS), np.ones((YEARS, AREAS)))


def test_drawn_errors_have_the_covariance_stated_and_are_the_same_for_the_same_seed() -> None:
    error = np.array([[1.0, 2.0], [3.0, np.nan], [2.0, 1.0]])
    covariance = error_covariance(error, 0.3)
    assert np.diagonal(covariance[0]) == pytest.approx([1, 9, 4])
    assert covariance[0, 0, 1] == pytest.approx(0.7 * 1 * 3)
    assert covariance[1, 1] == pytest.approx(0), "a figure without an error counts as exact"
    drawn = draw_errors(np.random.default_rng(4), error, 0.3, 40_000)
    assert np.cov(drawn[:, :, 0].T) == pytest.approx(covariance[0], rel=0.05)
    assert (drawn[:, 1, 1] == 0).all()
    assert np.array_equal(drawn, draw_errors(np.random.default_rng(4), error, 0.3, 40_000))


def test_a_share_a_little_above_one_draws_as_one_and_a_negative_one_is_refused() -> None:
    error = np.ones((3, 2))
    assert np.array_equal(error_covariance(error, 1.02), error_covariance(error, 1.0))
    for wrong in (-0.1, np.nan):
        with pytest.raises(ErrorProcessError, match="must be 0 or more"):
            error_covariance(error, wrong)


def test_thirty_series_are_estimated_within_a_second() -> None:
    position, error = panel(1, 0.4, 0.3)
    began = time.process_time()
    for _ in range(30):
        fit_error_process(position, error)
    assert time.process_time() - began < 1
