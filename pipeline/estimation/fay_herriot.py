"""The area-level model of Fay and Herriot (1979): survey figures of areas, made steadier by what covariates say of them.

    direct estimate = covariates x coefficients + area effect + sampling error

with area effects of an unknown variance A and sampling errors of known variances D. The best prediction is
``weight x direct + (1 - weight) x synthetic``, where the weight is A / (A + D) and the synthetic estimate is what the
covariates say. Rao and Molina (2015), Small Area Estimation, second edition, chapter 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.estimation.arrays import Floats, Method
from pipeline.estimation.covariates import Design, make_design
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fisher_scoring import Maximum, maximise, points


@dataclass(frozen=True)
class FayHerriot:
    """A fitted Fay-Herriot model, in the unit of the estimates.

    All [areas]: ``modelled`` (EBLUP, or the synthetic estimate of an area without a direct one), ``mse`` and
    ``weight_direct`` (0 without a direct estimate). ``names``, ``coefficients``: [coefficients], their
    ``coefficient_covariance`` its square. ``is_area_variance_at_edge``: the data show no area effect, the variance is 0
    and every figure is the covariates' alone.
    """

    method: Method
    area_variance: float
    is_area_variance_at_edge: bool
    names: tuple[str, ...]
    coefficients: Floats
    coefficient_covariance: Floats
    iterations: int
    modelled: Floats
    mse: Floats
    weight_direct: Floats


def fit_fay_herriot(
    estimates: Floats,
    variances: Floats,
    covariates: Floats,
    *,
    method: Method = "reml",
    names: Sequence[str] | None = None,
) -> FayHerriot:
    """Fit by (restricted) maximum likelihood and predict every area.

    ``estimates``, ``variances`` (of their sampling errors, known): [areas], NaN for an area without a direct estimate;
    ``covariates``: [areas, coefficients], with a column of ones for an intercept. A variance A that would be negative
    is 0. MSE to second order: g1 + g2 + 2 g3 for REML, less the bias of A for ML, with the asymptotic
    variance of A in g3: Prasad and Rao (1990), Datta and Lahiri (2000). An area without a direct estimate
    has the MSE of its synthetic estimate. Raises EstimationError for a variance that is missing, 0, negative or
    infinite where there is an estimate, a missing covariate, and all that ``make_design`` refuses.
    """
    is_direct = ~np.isnan(estimates)
    _need_variances(estimates, variances, is_direct)
    wrong = np.flatnonzero(~np.isfinite(covariates).all(axis=1))
    if wrong.size:
        raise EstimationError(f"area {wrong[0] + 1}: a covariate is missing or infinite")
    design = make_design(covariates, is_direct, int(is_direct.sum()), names)
    model = _AreaLevel(estimates[is_direct], variances[is_direct], design.columns[is_direct], method)
    found = _fit(model)
    return _predict(model, found, design, estimates, np.where(is_direct, variances, np.inf))


def _need_variances(estimates: Floats, variances: Floats, is_direct: np.ndarray) -> None:
    for area in np.flatnonzero(is_direct & ~(np.isfinite(estimates) & np.isfinite(variances) & (variances > 0))):
        raise EstimationError(
            f"area {area + 1}: a direct estimate needs to be finite, with a sampling variance above 0 "
            f"(given: {estimates[area]:g}, variance {variances[area]:g})"
        )


@dataclass(frozen=True)
class _Solved:
    """The model at one area variance. ``weights``: [areas], 1 / (A + D); the coefficients and their covariance."""

    weights: Floats
    coefficients: Floats
    covariance: Floats


@dataclass(frozen=True)
class _AreaLevel:
    """The likelihood of one figure an area: ``estimates``, ``variances``: [areas]; ``columns``: [areas, coefficients]."""

    estimates: Floats
    variances: Floats
    columns: Floats
    method: Method

    def at(self, parameters: Floats) -> _Solved | None:
        weights = 1 / (parameters[0] + self.variances)
        try:
            covariance = np.asarray(np.linalg.inv(self.moment(weights)), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        return _Solved(weights, covariance @ (self.columns.T @ (weights * self.estimates)), covariance)

    def moment(self, weights: Floats) -> Floats:
        """[coefficients, coefficients]: columns' products, weighted by area."""
        moment: Floats = self.columns.T @ (self.columns * weights[:, None])
        return moment

    def residual(self, state: _Solved) -> Floats:
        return self.estimates - self.columns @ state.coefficients

    def log_likelihood(self, state: _Solved) -> float:
        count = len(self.estimates)
        twice = float(np.log(state.weights).sum() - state.weights @ self.residual(state) ** 2)
        if self.method == "reml":
            twice += float(np.linalg.slogdet(state.covariance)[1])
            count -= self.columns.shape[1]
        return (twice - count * float(np.log(2 * np.pi))) / 2

    def score_and_information(self, state: _Solved) -> tuple[Floats, Floats]:
        weights = state.weights
        score = float(weights**2 @ self.residual(state) ** 2 - weights.sum())
        information = float((weights**2).sum())
        if self.method == "reml":
            second = state.covariance @ self.moment(weights**2)
            third = state.covariance @ self.moment(weights**3)
            score += float(np.trace(second))
            information += float(np.trace(second @ second) - 2 * np.trace(third))
        return np.array([score / 2]), np.array([[information / 2]])


def _fit(model: _AreaLevel) -> Maximum[_Solved]:
    """From above and from the edge: a likelihood with a second top, as small samples have, is not left on the lower."""
    residual = model.estimates - model.columns @ (model.columns.T @ model.estimates)
    scatter = float(residual @ residual) / (len(residual) - model.columns.shape[1])
    starts = [np.array([start]) for start in (0.0, float(np.median(model.variances)), scatter)]
    without_end = np.full(1, np.inf)
    tops = [maximise(model, start, np.zeros(1), without_end, without_end) for start in points(model, starts)]
    return max(tops, key=lambda top: top.point.log_likelihood)


def _predict(
    model: _AreaLevel, found: Maximum[_Solved], design: Design, estimates: Floats, variances: Floats
) -> FayHerriot:
    """``estimates``, ``variances``: [areas], of all areas; NaN and infinite for an area without a direct estimate."""
    area_variance, state = float(found.point.parameters[0]), found.point.state
    is_direct = np.isfinite(variances)
    synthetic = design.columns @ state.coefficients
    weight = area_variance / (area_variance + variances)
    rest = np.where(is_direct, variances, 1.0) / np.where(is_direct, area_variance + variances, 1.0)
    modelled = synthetic + weight * np.where(is_direct, estimates - synthetic, 0.0)
    variance_of_area_variance = 2 / float((state.weights**2).sum())
    g1 = area_variance * rest
    g2 = rest**2 * np.einsum("ij,jk,ik->i", design.columns, state.covariance, design.columns)
    g3 = np.where(is_direct, rest**2 / (area_variance + variances), 0.0) * variance_of_area_variance
    mse = g1 + g2 + 2 * g3
    if model.method == "ml":
        bias = -float(np.trace(state.covariance @ model.moment(state.weights**2))) * variance_of_area_variance / 2
        mse -= bias * rest**2
    return FayHerriot(
        method=model.method,
        area_variance=area_variance,
        is_area_variance_at_edge=area_variance == 0,
        names=design.names,
        coefficients=design.to_given @ state.coefficients,
        coefficient_covariance=design.to_given @ state.covariance @ design.to_given.T,
        iterations=found.iterations,
        modelled=modelled,
        mse=mse,
        weight_direct=weight,
    )
