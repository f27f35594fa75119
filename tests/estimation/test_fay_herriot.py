"""Fay-Herriot: the numbers of R's sae, a slow second way, edges, and intervals that cover."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from pipeline.estimation import EstimationError, fit_fay_herriot
from tests.estimation.conftest import with_covariates


@pytest.mark.parametrize(
    ("method", "area_variance", "coefficients"),
    [
        ("reml", 0.01855022, [0.96818897, 0.13278014, 0.22694622, -0.24130108]),
        ("ml", 0.01551755, None),
    ],
)
def test_milk_expenditure_of_43_areas_comes_out_as_in_sae(validation: Path, method, area_variance, coefficients):
    milk = pd.read_csv(validation / "fay_herriot_milk.csv")
    covariates = np.column_stack([np.ones(43), milk[["major_area_2", "major_area_3", "major_area_4"]]])
    fit = fit_fay_herriot(
        milk["estimate"].to_numpy(), milk["standard_error"].to_numpy() ** 2, covariates, method=method
    )
    assert fit.area_variance == pytest.approx(area_variance, abs=2e-7)
    if coefficients is not None:
        np.testing.assert_allclose(fit.coefficients, coefficients, atol=5e-7)
    np.testing.assert_allclose(fit.modelled, milk[f"expected_eblup_{method}"], atol=1e-6)
    np.testing.assert_allclose(fit.mse, milk[f"expected_mse_{method}"], atol=1e-6)


def made_up(seed: int = 1, areas: int = 40, area_variance: float = 1.0):
    """Truth, direct estimates, their variances, covariates."""
    rng = np.random.default_rng(seed)
    covariates = with_covariates(rng, areas)
    variances = rng.uniform(0.3, 3, areas)
    truth = covariates @ [50.0, 2.0] + rng.normal(0, np.sqrt(area_variance), areas)
    return truth, truth + rng.normal(size=areas) * np.sqrt(variances), variances, covariates


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("seed", range(5))
def test_a_likelihood_written_out_with_whole_matrices_has_the_same_top(method, seed):
    _, estimates, variances, covariates = made_up(seed)

    def less_likely(area_variance: float) -> float:
        inverse = np.diag(1 / (area_variance + variances))
        moment = covariates.T @ inverse @ covariates
        residual = estimates - covariates @ np.linalg.solve(moment, covariates.T @ inverse @ estimates)
        determinants = np.linalg.slogdet(inverse)[1] - (np.linalg.slogdet(moment)[1] if method == "reml" else 0)
        return float(residual @ inverse @ residual - determinants)

    fit = fit_fay_herriot(estimates, variances, covariates, method=method)
    top = minimize_scalar(less_likely, bounds=(0, 20), method="bounded", options={"xatol": 1e-9})
    assert fit.area_variance == pytest.approx(top.x, abs=1e-5)
    assert fit.area_variance > 0


def test_the_figure_lies_between_direct_and_synthetic_by_its_weight():
    _, estimates, variances, covariates = made_up()
    fit = fit_fay_herriot(estimates, variances, covariates)
    synthetic = covariates @ fit.coefficients
    np.testing.assert_allclose(fit.weight_direct, fit.area_variance / (fit.area_variance + variances))
    np.testing.assert_allclose(fit.modelled, synthetic + fit.weight_direct * (estimates - synthetic))


def test_an_area_without_a_direct_estimate_gets_the_synthetic_one_and_moves_no_other():
    _, estimates, variances, covariates = made_up()
    alone = fit_fay_herriot(estimates[1:], variances[1:], covariates[1:])
    estimates[0], variances[0] = np.nan, np.nan
    fit = fit_fay_herriot(estimates, variances, covariates)
    np.testing.assert_allclose(fit.modelled[1:], alone.modelled)
    np.testing.assert_allclose(fit.mse[1:], alone.mse)
    assert fit.weight_direct[0] == 0
    assert fit.modelled[0] == pytest.approx(covariates[0] @ fit.coefficients)
    assert fit.mse[0] == pytest.approx(fit.area_variance + covariates[0] @ fit.coefficient_covariance @ covariates[0])


def test_areas_that_differ_by_less_than_their_errors_put_the_variance_at_its_edge():
    rng = np.random.default_rng(1)
    covariates = with_covariates(rng, 30)
    estimates = covariates @ [50.0, 2.0] + rng.normal(0, 0.5, 30)
    for method in ("reml", "ml"):
        fit = fit_fay_herriot(estimates, np.ones(30), covariates, method=method)
        assert fit.is_area_variance_at_edge
        assert fit.area_variance == 0
        assert (fit.weight_direct == 0).all()
        np.testing.assert_allclose(fit.modelled, covariates @ fit.coefficients)
        assert (fit.mse > 0).all()


def test_units_of_covariates_and_estimates_do_not_matter():
    _, estimates, variances, covariates = made_up()
    fit = fit_fay_herriot(estimates, variances, covariates)
    other = fit_fay_herriot(estimates * 1e6, variances * 1e12, covariates * [1.0, 1e-9] + [0.0, 2e-7])
    np.testing.assert_allclose(other.modelled, fit.modelled * 1e6, rtol=1e-8)
    np.testing.assert_allclose(other.mse, fit.mse * 1e12, rtol=1e-6)
    assert other.coefficients[1] == pytest.approx(fit.coefficients[1] * 1e15, rel=1e-6)


def test_ninety_per_cent_intervals_of_modelled_figures_cover_the_truth():
    errors, told = {"reml": [], "ml": []}, {"reml": [], "ml": []}
    for seed in range(50):
        truth, estimates, variances, covariates = made_up(seed, areas=60)
        for method in errors:
            fit = fit_fay_herriot(estimates, variances, covariates, method=method)
            errors[method].append(np.abs(fit.modelled - truth))
            told[method].append(np.sqrt(fit.mse))
    for method in errors:
        error, root = np.array(errors[method]), np.array(told[method])
        assert 0.88 < np.mean(error <= 1.645 * root) < 0.92, method
        assert np.mean(error**2) == pytest.approx(np.mean(root**2), rel=0.05), method


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_sampling_variance_that_is_none_is_refused(wrong):
    _, estimates, variances, covariates = made_up()
    variances[3] = wrong
    with pytest.raises(EstimationError, match=r"area 4: a direct estimate needs .* sampling variance above 0"):
        fit_fay_herriot(estimates, variances, covariates)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: np.column_stack([x, x[:, 1] * 2 - 3]), "number 3 is a combination of others"),
        (lambda x: np.column_stack([x, np.full(len(x), 7.0)]), "number 3 is constant, and so is number 1"),
        (lambda x: np.column_stack([x, np.zeros(len(x))]), "number 3 is 0 in every row"),
        (lambda x: np.where(x == x[2, 1], np.nan, x), "area 3: a covariate is missing"),
        (lambda x: x[:, :0], "neither an intercept nor a covariate"),
        (lambda x: np.random.default_rng(1).normal(size=(len(x), len(x))), "40 coefficients but only 40 areas"),
    ],
)
def test_covariates_that_cannot_be_told_apart_are_refused_by_name(change, message):
    _, estimates, variances, covariates = made_up()
    with pytest.raises(EstimationError, match=message):
        fit_fay_herriot(estimates, variances, change(covariates))


def test_a_year_as_a_covariate_is_not_a_copy_of_the_intercept():
    _, estimates, variances, covariates = made_up()
    years = np.where(np.arange(40) % 2, 2023.0, 2024.0)
    fit = fit_fay_herriot(estimates, variances, np.column_stack([covariates, years]))
    assert np.isfinite(fit.coefficients).all()
