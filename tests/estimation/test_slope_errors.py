"""Errors of slopes under correlation, and when a direction is clear."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.estimation.error_process import error_covariance
from pipeline.estimation.slopes import (
    SlopeError,
    fit_wandering,
    is_clear,
    shrink_variances,
    slope_variance,
    slope_variance_of_process,
    slope_weights,
    wandering_slope_variance,
)
from tools.error_study.simulations import clear_without_drift, naive_clear_as_published

WINDOW, AREAS = 10, 300
WHOLE = np.ones((WINDOW, AREAS), dtype=bool)


def test_the_weights_are_those_of_least_squares_also_with_gaps() -> None:
    rng = np.random.default_rng(1)
    held = rng.random((WINDOW, 40)) > 0.3
    held[:3, 0] = True
    figures = rng.normal(size=held.shape)
    slopes = (slope_weights(held) * figures).sum(axis=0)
    years = np.arange(WINDOW)
    expected = [np.polyfit(years[h], f[h], 1)[0] for h, f in zip(held.T, figures.T, strict=True)]
    assert slopes == pytest.approx(expected)
    only_one = np.zeros((WINDOW, 1), dtype=bool)
    only_one[4] = True
    assert (slope_weights(only_one) == 0).all()


@pytest.mark.parametrize("new_share", [0.0, 0.22, 1.0, 1.02])
def test_the_short_way_for_a_process_equals_the_long_way_by_its_covariance(new_share: float) -> None:
    error = np.random.default_rng(2).uniform(0.5, 2, (WINDOW, 25))
    error[3, :5] = np.nan
    weights = slope_weights(np.ones(error.shape, dtype=bool))
    long_way = slope_variance(weights, error_covariance(error, new_share))
    assert slope_variance_of_process(weights, error, new_share) == pytest.approx(long_way)


def test_an_error_that_stays_the_same_leaves_a_slope_exact() -> None:
    weights = slope_weights(WHOLE)
    assert slope_variance_of_process(weights, np.ones(WHOLE.shape), 0.0) == pytest.approx(0)
    assert slope_variance_of_process(weights, np.ones(WHOLE.shape), 1.0) == pytest.approx(1 / 82.5)


def test_smoothed_walks_without_drift_read_clear_one_time_in_twenty_and_by_independent_scatter_most_times() -> None:
    clear = clear_without_drift(1, worlds=25)
    assert naive_clear_as_published(1) == pytest.approx(0.77, abs=0.015)
    assert clear["naive"] > 0.7
    assert clear["Newey-West"] > 0.6, "ten figures of one area cannot tell a drift from a walk"
    assert 0.035 < clear["pooled steps"] < 0.065


def test_independent_scatter_about_a_level_reads_clear_one_time_in_twenty_too() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(20):
        position = rng.normal(size=(20, AREAS))
        fit = fit_wandering(position)
        weights = slope_weights(WHOLE)
        error = np.sqrt(wandering_slope_variance(weights, fit))
        shares.append(is_clear((weights * position[-WINDOW:]).sum(axis=0), error, fit.freedom).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.02)


def test_a_steady_drift_well_above_the_wandering_is_found() -> None:
    rng = np.random.default_rng(4)
    drift = np.where(np.arange(AREAS) < 100, 1.5, 0.0)
    position = rng.normal(size=(20, AREAS)).cumsum(axis=0) + np.arange(20)[:, None] * drift
    fit = fit_wandering(position)
    weights = slope_weights(WHOLE)
    clear = is_clear(
        (weights * position[-WINDOW:]).sum(axis=0), np.sqrt(wandering_slope_variance(weights, fit)), fit.freedom
    )
    assert clear[:100].mean() > 0.95
    assert clear[100:].mean() < 0.1
    assert fit.autocovariance[0] == pytest.approx(1, rel=0.1)


def test_areas_that_wander_more_have_larger_errors_and_those_with_gaps_the_usual_one() -> None:
    rng = np.random.default_rng(5)
    size = np.where(np.arange(AREAS) < 150, 1.0, 3.0)
    position = rng.normal(size=(20, AREAS)).cumsum(axis=0) * size
    position[7, 0] = np.nan
    position[:, 1] = np.arange(20)
    fit = fit_wandering(position)
    assert fit.area_scale[:2].tolist() == [1, 1], "as of an area that never leaves its drift"
    assert fit.area_scale[150:].mean() / fit.area_scale[2:150].mean() > 5


def test_too_few_areas_or_years_and_a_flat_series_are_refused_by_name() -> None:
    walk = np.random.default_rng(6).normal(size=(20, AREAS)).cumsum(axis=0)
    with pytest.raises(SlopeError, match="30 areas and 9 years are needed"):
        fit_wandering(walk[:, :20])
    with pytest.raises(SlopeError, match="in all of 8 years"):
        fit_wandering(walk[:8])
    with pytest.raises(SlopeError, match="no area vary"):
        fit_wandering(np.zeros((20, AREAS)))


def test_without_an_error_nothing_is_clear() -> None:
    assert is_clear(np.array([1.0, 1.0, -3.0]), np.array([np.nan, 0.6, 1.0])).tolist() == [False, False, True]


def test_variances_are_drawn_together_as_far_as_they_are_uncertain() -> None:
    rng = np.random.default_rng(7)
    freedom, prior = 6.0, 10.0
    truth = 2 * prior / rng.chisquare(prior, 4000)
    seen = truth * rng.chisquare(freedom, 4000) / freedom
    shrunk, found = shrink_variances(seen, freedom)
    assert found == pytest.approx(prior, rel=0.15)
    assert np.mean((np.log(shrunk) - np.log(truth)) ** 2) < 0.6 * np.mean((np.log(seen) - np.log(truth)) ** 2)
    alike, weight = shrink_variances(rng.chisquare(freedom, 30) / freedom * 0 + 1.0, freedom)
    assert weight == np.inf
    assert alike == pytest.approx(alike[0])
