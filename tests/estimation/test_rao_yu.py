"""Rao-Yu: the numbers of R's sae2, the likelihood written out with whole matrices, gaps, edges, and cover."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from pipeline.estimation import (
    EstimationError,
    autoregressive_blocks,
    fit_fay_herriot,
    fit_rao_yu,
    partly_new_blocks,
    predict,
    predict_change,
    predict_levels,
)
from pipeline.estimation.rao_yu_likelihood import Panel, effect_covariance
from tests.estimation.conftest import effects, with_covariates


def test_spacetime_comes_out_as_in_sae2_with_the_area_variance_at_its_edge(validation: Path):
    table = pd.read_csv(validation / "rao_yu_spacetime.csv")
    years = np.arange(1, 4)
    estimates, variances, x1, x2 = (table[name].to_numpy().reshape(11, 3) for name in ("Y", "Var", "X1", "X2"))
    covariates = np.stack([np.ones((11, 3)), x1, x2], axis=2)
    fit = fit_rao_yu(estimates, autoregressive_blocks(np.sqrt(variances), years, 0.0), covariates, years)
    assert fit.innovation_variance == pytest.approx(8.172100732e-4, rel=1e-7)
    assert fit.rho == pytest.approx(0.3331617541, abs=1e-7)
    assert fit.area_variance == pytest.approx(3.3e-9)
    assert fit.edges == ("area variance",)
    np.testing.assert_allclose(fit.coefficients, [2.324604589, -2.606219820, -1.830352001], atol=1e-7)
    third = predict_levels(fit).modelled[:3, 2]
    np.testing.assert_allclose(third, [0.26441564554, 0.17857905862, 0.09663604574], atol=1e-8)


def test_sixty_areas_over_six_years_come_out_as_in_sae2(validation: Path):
    table = pd.read_csv(validation / "rao_yu_60x6.csv")
    years = np.arange(1, 7)

    def grid(name: str) -> np.ndarray:
        return table[name].to_numpy().reshape(60, 6)

    covariates = np.stack([np.ones((60, 6)), grid("X")], axis=2)
    fit = fit_rao_yu(grid("Y"), autoregressive_blocks(grid("se"), years, 0.5), covariates, years)
    assert fit.innovation_variance == pytest.approx(0.285805635617, abs=1e-8)
    assert fit.area_variance == pytest.approx(0.680728180829, abs=1e-8)
    assert fit.rho == pytest.approx(0.507630726525, abs=1e-7)
    assert fit.edges == ()
    np.testing.assert_allclose(fit.coefficients, [69.79011766668, 1.48896687353], atol=1e-9)
    levels, change = predict_levels(fit), predict_change(fit, 1, 6)
    for ours, theirs in (
        (levels.modelled, grid("expected_eblup")),
        (levels.mse, grid("expected_mse")),
        (change.modelled[:, 0], grid("expected_change")[:, 5]),
        (change.mse[:, 0], grid("expected_change_mse")[:, 5]),
    ):
        assert np.isfinite(theirs[:30]).all()
        np.testing.assert_allclose(ours[:30], theirs[:30], atol=1e-7)


YEARS = np.array([2012, 2013, 2014, 2016, 2017])


def made_up(
    seed: int = 1,
    areas: int = 40,
    years: np.ndarray = YEARS,
    gaps: float = 0.0,
    innovation: float = 0.5,
    rho: float = 0.6,
    area: float = 1.0,
):
    """Truth, direct estimates with ``gaps``, their covariance, covariates."""
    rng = np.random.default_rng(seed)
    covariates = with_covariates(rng, areas, len(years))
    errors = rng.uniform(0.5, 1.5, (areas, len(years)))
    blocks = autoregressive_blocks(errors, years, 0.5)
    truth = covariates @ [50.0, 2.0] + effects(rng, areas, years, innovation, rho, area)
    noise = np.linalg.cholesky(blocks) @ rng.normal(size=(areas, len(years), 1))
    estimates = np.where(rng.random(truth.shape) < gaps, np.nan, truth + noise[:, :, 0])
    return truth, estimates, blocks, covariates


def whole(estimates, blocks, covariates, parameters, years=YEARS):
    """The model without any trick: the direct estimates, their covariance as one matrix, their covariates."""
    areas, count = estimates.shape
    covariance = np.kron(np.eye(areas), effect_covariance(np.array(parameters), years))
    for area in range(areas):
        place = slice(area * count, (area + 1) * count)
        covariance[place, place] += blocks[area]
    held = ~np.isnan(estimates.reshape(-1))
    return estimates.reshape(-1)[held], covariance[np.ix_(held, held)], covariates.reshape(areas * count, -1)[held]


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_likelihood_score_and_information_are_those_of_whole_matrices_with_gaps(method):
    _, estimates, blocks, covariates = made_up(areas=8, gaps=0.3)
    panel = Panel.of(estimates, blocks, covariates, YEARS, method)
    parameters = np.array([0.7, 0.4, 0.9])

    def written_out(parameters: np.ndarray) -> float:
        y, covariance, x = whole(estimates, blocks, covariates, parameters)
        inverse = np.linalg.inv(covariance)
        moment = x.T @ inverse @ x
        residual = y - x @ np.linalg.solve(moment, x.T @ inverse @ y)
        twice = -np.linalg.slogdet(covariance)[1] - residual @ inverse @ residual
        count = len(y)
        if method == "reml":
            twice -= np.linalg.slogdet(moment)[1]
            count -= x.shape[1]
        return float(twice - count * np.log(2 * np.pi)) / 2

    state = panel.at(parameters)
    assert state is not None
    assert panel.log_likelihood(state) == pytest.approx(written_out(parameters))
    score, information = panel.score_and_information(state)
    steps = 1e-5 * np.eye(3)
    slopes = [(written_out(parameters + step) - written_out(parameters - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(score, slopes, rtol=1e-6)

    _, covariance, x = whole(estimates, blocks, covariates, parameters)
    inverse = np.linalg.inv(covariance)
    projection = inverse
    if method == "reml":
        projection = inverse - inverse @ x @ np.linalg.solve(x.T @ inverse @ x, x.T @ inverse)
    turns = [
        (
            whole(estimates, blocks, covariates, parameters + s)[1]
            - whole(estimates, blocks, covariates, parameters - s)[1]
        )
        / 2e-5
        for s in steps
    ]
    expected = [[np.trace(projection @ a @ projection @ b) / 2 for b in turns] for a in turns]
    np.testing.assert_allclose(information, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_prediction_with_gaps_is_the_conditional_mean_under_the_fitted_model(seed):
    """Also of years without a direct estimate, whose figure the other years of the area and the covariates make."""
    _, estimates, blocks, covariates = made_up(seed, gaps=0.3)
    fit = fit_rao_yu(estimates, blocks, covariates, YEARS)
    parameters = [fit.innovation_variance, fit.rho, fit.area_variance]
    levels = predict_levels(fit)
    synthetic = covariates @ fit.coefficients
    spread = effect_covariance(np.array(parameters), YEARS)
    for area in range(len(estimates)):
        held = ~np.isnan(estimates[area])
        between = spread[:, held] @ np.linalg.inv(spread[np.ix_(held, held)] + blocks[area][np.ix_(held, held)])
        expected = synthetic[area] + between @ (estimates[area] - synthetic[area])[held]
        np.testing.assert_allclose(levels.modelled[area], expected)
        assert (levels.weight_direct[area][~held] == 0).all()
    assert (levels.mse > 0).all()


def test_an_area_without_any_direct_estimate_gets_the_synthetic_one_and_moves_no_other():
    _, estimates, blocks, covariates = made_up()
    alone = predict_levels(fit_rao_yu(estimates[1:], blocks[1:], covariates[1:], YEARS))
    estimates[0] = np.nan
    fit = fit_rao_yu(estimates, blocks, covariates, YEARS)
    levels = predict_levels(fit)
    np.testing.assert_allclose(levels.modelled[1:], alone.modelled)
    np.testing.assert_allclose(levels.mse[1:], alone.mse)
    np.testing.assert_allclose(levels.modelled[0], covariates[0] @ fit.coefficients)
    of_effects = fit.area_variance + fit.innovation_variance / (1 - fit.rho**2)
    of_coefficients = np.einsum("tp,pq,tq->t", covariates[0], fit.coefficient_covariance, covariates[0])
    np.testing.assert_allclose(levels.mse[0], of_effects + of_coefficients)


def test_an_area_without_a_row_for_a_year_has_no_figure_for_it_and_the_others_have_theirs():
    _, estimates, blocks, covariates = made_up(gaps=0.1)
    estimates[0, 4], covariates[0, 4] = np.nan, np.nan
    fit = fit_rao_yu(estimates, blocks, covariates, YEARS)
    levels, change = predict_levels(fit), predict_change(fit, 2012, 2017)
    assert np.isnan(levels.modelled[0, 4])
    assert np.isnan(change.modelled[0, 0])
    assert np.isnan(change.mse[0, 0])
    assert np.isfinite(levels.mse).sum() == levels.mse.size - 1
    assert np.isfinite(change.mse[1:]).all()


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_one_year_is_the_model_of_fay_and_herriot(method):
    _, estimates, blocks, covariates = made_up()
    estimates[3, 0] = np.nan
    fit = fit_rao_yu(estimates[:, :1], blocks[:, :1, :1], covariates[:, :1], YEARS[:1], method=method)
    single = fit_fay_herriot(estimates[:, 0], blocks[:, 0, 0], covariates[:, 0], method=method)
    levels = predict_levels(fit)
    assert fit.rho is None
    assert fit.edges == ()
    assert fit.area_variance == pytest.approx(single.area_variance)
    np.testing.assert_allclose(levels.modelled[:, 0], single.modelled)
    np.testing.assert_allclose(levels.mse[:, 0], single.mse, rtol=1e-6)
    np.testing.assert_allclose(levels.weight_direct[:, 0], single.weight_direct, rtol=1e-6)


def test_the_change_of_levels_is_the_change():
    _, estimates, blocks, covariates = made_up(gaps=0.1)
    fit = fit_rao_yu(estimates, blocks, covariates, YEARS)
    levels, change = predict_levels(fit), predict_change(fit, 2013, 2017)
    np.testing.assert_allclose(change.modelled[:, 0], levels.modelled[:, 4] - levels.modelled[:, 1])
    slope = predict(fit, (YEARS - YEARS.mean())[None, :] / ((YEARS - YEARS.mean()) ** 2).sum())
    np.testing.assert_allclose(
        slope.modelled[:, 0], np.polynomial.polynomial.polyfit(YEARS - 2014.0, levels.modelled.T, 1)[1]
    )
    with pytest.raises(EstimationError, match="no row is of the year 2015"):
        predict_change(fit, 2015, 2017)


def test_without_fading_effects_the_innovation_variance_is_at_its_edge_and_there_is_no_rho():
    rng = np.random.default_rng(3)
    covariates = with_covariates(rng, 40, 5)
    estimates = covariates @ [50.0, 2.0] + rng.normal(0, 2, (40, 1)) + rng.normal(0, 0.2, (40, 5))
    for method in ("reml", "ml"):
        fit = fit_rao_yu(
            estimates, autoregressive_blocks(np.ones((40, 5)), YEARS, 0.0), covariates, YEARS, method=method
        )
        assert fit.edges == ("innovation variance",)
        assert fit.innovation_variance == 0
        assert fit.rho is None
        levels, change = predict_levels(fit), predict_change(fit, 2012, 2017)
        for figures in (levels.modelled, levels.mse, change.modelled, change.mse):
            assert np.isfinite(figures).all()
        assert (levels.mse > 0).all()
        assert (change.mse >= 0).all()


def test_ninety_per_cent_intervals_of_levels_and_changes_cover_the_truth():
    inside, changes_inside = [], []
    for seed in range(20):
        truth, estimates, blocks, covariates = made_up(seed, gaps=0.1)
        fit = fit_rao_yu(estimates, blocks, covariates, YEARS)
        levels, change = predict_levels(fit), predict_change(fit, 2012, 2017)
        inside.append(np.abs(levels.modelled - truth) <= 1.645 * np.sqrt(levels.mse))
        true_change = truth[:, 4] - truth[:, 0]
        changes_inside.append(np.abs(change.modelled[:, 0] - true_change) <= 1.645 * np.sqrt(change.mse[:, 0]))
    assert 0.88 < np.mean(inside) < 0.92
    assert 0.88 < np.mean(changes_inside) < 0.92


def test_years_of_one_area_make_the_figure_surer_than_one_year_does():
    _, estimates, blocks, covariates = made_up()
    one = fit_fay_herriot(estimates[:, 4], blocks[:, 4, 4], covariates[:, 4])
    five = predict_levels(fit_rao_yu(estimates, blocks, covariates, YEARS))
    assert np.median(five.mse[:, 4] / one.mse) < 0.9
    assert five.weight_all_years.mean() > five.weight_direct.mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, b, x: (y[:, :2], b[:, :2, :2], x[:, :2]), "cannot tell an effect that lasts from one that fades"),
        (lambda y, b, x: (y[:2], b[:2], x[:2]), "2 coefficients but only 2 areas"),
        (lambda y, b, x: (y, -b, x), "area 1, 2012: a direct estimate needs a sampling variance above 0"),
        (lambda y, b, x: (y, b * np.nan, x), "area 1, 2012: a direct estimate needs a sampling variance above 0"),
        (lambda y, b, x: (y, np.where(np.eye(5) == 1, b, 9), x), "area 1: its sampling covariance is not one"),
        (lambda y, b, x: (y, np.where(np.eye(5) == 1, b, np.nan), x), "area 1: a sampling covariance of two years is"),
        (lambda y, b, x: (y, b, np.where(x == x[2, 1, 1], np.nan, x)), "area 3, 2013: a covariate is missing"),
        (lambda y, b, x: (np.where(y == y[2, 1], np.inf, y), b, x), "area 3, 2013: the direct estimate is infinite"),
        (lambda y, b, x: (y[:, :1] + 0 * y, 1e-12 * b, x), "standard errors are too small beside the spread of areas"),
        (lambda y, b, x: (y, b, np.concatenate([x, 3 * x[:, :, 1:]], axis=2)), "number 3 is a combination"),
    ],
)
def test_what_cannot_be_modelled_is_refused_with_its_place(change, message):
    _, estimates, blocks, covariates = made_up()
    estimates, blocks, covariates = change(estimates, blocks, covariates)
    with pytest.raises(EstimationError, match=message):
        fit_rao_yu(estimates, blocks, covariates, YEARS[: estimates.shape[1]])


def test_years_out_of_order_are_refused():
    _, estimates, blocks, covariates = made_up()
    with pytest.raises(EstimationError, match="years must rise"):
        fit_rao_yu(estimates, blocks, covariates, YEARS[::-1])


def test_errors_persist_as_they_are_said_to():
    errors = np.array([[1.0, 2.0, np.nan]])
    years = np.array([2015, 2017, 2018])
    assert autoregressive_blocks(errors, years, 0.5)[0, 0, 1] == pytest.approx(2 * 0.5**2)
    assert partly_new_blocks(errors, 0.22)[0, 0, 1] == pytest.approx(2 * 0.78)
    assert partly_new_blocks(errors, 0.22)[0, 1, 1] == pytest.approx(4)
    for wrong in (1.0, -1.0, np.nan):
        with pytest.raises(EstimationError, match="between -1 and 1"):
            autoregressive_blocks(errors, years, wrong)
    for wrong in (1.01, -0.1, np.nan):
        with pytest.raises(EstimationError, match="0 to 1"):
            partly_new_blocks(errors, wrong)


def test_360_areas_and_15_years_are_fitted_in_little_time():
    """About 0.15 s on two cores; the limit leaves room for a busy machine."""
    years = np.arange(2010, 2025)
    _, estimates, blocks, covariates = made_up(areas=360, years=years, gaps=0.1)
    start = perf_counter()
    fit = fit_rao_yu(estimates, blocks, covariates, years)
    predict_levels(fit)
    assert perf_counter() - start < 3
    assert fit.rho == pytest.approx(0.6, abs=0.1)
    assert fit.innovation_variance == pytest.approx(0.5, abs=0.1)
