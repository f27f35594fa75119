"""Likelihood of the Rao-Yu model, all areas at once.

Each area has a place for every year. Places without a direct estimate hold 0 in ``estimates`` and ``columns``, and 1 on
the diagonal of ``error_covariance``: they add nothing to any sum, so that gaps need no case of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.estimation.arrays import Bools, Floats, Ints, Method

# Order of the parameters in every array of them.
INNOVATION, RHO, AREA = 0, 1, 2


def effect_covariance(parameters: Floats, years: Ints) -> Floats:
    """Covariance of area and area-by-year effects together over the years of one area: [years, years]."""
    innovation, rho, area = parameters
    covariance: Floats = innovation * rho ** _apart(years) / (1 - rho**2) + area
    return covariance


def effect_derivatives(parameters: Floats, years: Ints) -> Floats:
    """Derivatives of ``effect_covariance`` by innovation variance, rho and area variance: [3, years, years]."""
    innovation, rho, _ = parameters
    apart = _apart(years)
    correlation = rho**apart
    slope = apart * rho ** np.maximum(apart - 1, 0)
    by_innovation = correlation / (1 - rho**2)
    by_rho = innovation * (slope / (1 - rho**2) + 2 * rho * correlation / (1 - rho**2) ** 2)
    return np.stack([by_innovation, by_rho, np.ones_like(by_rho)])


def _apart(years: Ints) -> Ints:
    return np.abs(years[:, None] - years[None, :])


@dataclass(frozen=True)
class Solved:
    """The model at one set of ``parameters``, [3].

    ``inverse``: [areas, years, years], of the covariance of estimates, 0 where there is no direct estimate;
    ``weighted``: [areas, years, coefficients], inverse times columns; ``coefficients``: [coefficients];
    ``covariance``: of the coefficients; ``residual``, ``weighted_residual``: [areas, years]; ``log_determinant``: of
    the covariance of all estimates.
    """

    parameters: Floats
    inverse: Floats
    weighted: Floats
    coefficients: Floats
    covariance: Floats
    residual: Floats
    weighted_residual: Floats
    log_determinant: float


@dataclass(frozen=True)
class Panel:
    """What is known: ``estimates``: [areas, years]; ``error_covariance``: [areas, years, years]; ``years``: [years].

    ``columns``: [areas, years, coefficients], orthonormal covariates, of the years with a direct estimate;
    ``all_columns``: of all years that have every covariate, all NaN elsewhere; ``is_direct``: [areas, years]; ``is_pair``:
    [areas, years, years], 1 where both years have a direct estimate, else 0.
    """

    estimates: Floats
    error_covariance: Floats
    columns: Floats
    all_columns: Floats
    is_direct: Bools
    is_pair: Floats
    years: Ints
    method: Method

    @classmethod
    def of(cls, estimates: Floats, error_covariance: Floats, columns: Floats, years: Ints, method: Method) -> Panel:
        """Fill the places without a direct estimate. Shapes are those of the attributes."""
        is_direct = ~np.isnan(estimates)
        is_pair = is_direct[:, :, None] & is_direct[:, None, :]
        return cls(
            estimates=np.where(is_direct, estimates, 0.0),
            error_covariance=np.where(is_pair, error_covariance, np.eye(len(years))),
            columns=np.where(is_direct[:, :, None], columns, 0.0),
            all_columns=columns,
            is_direct=is_direct,
            is_pair=is_pair.astype(float),
            years=years,
            method=method,
        )

    def at(self, parameters: Floats) -> Solved | None:
        """Generalised least squares with these variances; None where they give no proper covariance."""
        covariance = self.error_covariance + self.is_pair * effect_covariance(parameters, self.years)
        try:
            triangles = np.linalg.cholesky(covariance)
            inverse = np.linalg.inv(covariance) * self.is_pair
            weighted = inverse @ self.columns
            of_coefficients = np.asarray(np.linalg.inv(_product(self.columns, weighted)), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        coefficients = of_coefficients @ np.einsum("atp,at->p", weighted, self.estimates)
        residual = self.estimates - self.columns @ coefficients
        return Solved(
            parameters=parameters,
            inverse=inverse,
            weighted=weighted,
            coefficients=coefficients,
            covariance=of_coefficients,
            residual=residual,
            weighted_residual=(inverse @ residual[:, :, None])[:, :, 0],
            log_determinant=2 * float(np.log(np.diagonal(triangles, axis1=1, axis2=2)).sum()),
        )

    def log_likelihood(self, state: Solved) -> float:
        """Of the estimates (ML), or of what the covariates leave of them (REML)."""
        count = int(self.is_direct.sum())
        twice = -state.log_determinant - float((state.residual * state.weighted_residual).sum())
        if self.method == "reml":
            twice += float(np.linalg.slogdet(state.covariance)[1])
            count -= self.columns.shape[2]
        return (twice - count * float(np.log(2 * np.pi))) / 2

    def score_and_information(self, state: Solved) -> tuple[Floats, Floats]:
        """By innovation variance, rho and area variance: [3] and [3, 3]."""
        derivatives = effect_derivatives(state.parameters, self.years)
        spread = state.weighted_residual.T @ state.weighted_residual - state.inverse.sum(axis=0)
        score = (derivatives * spread).sum(axis=(1, 2)) / 2
        products = np.stack([state.inverse @ derivative for derivative in derivatives])
        information = products.reshape(3, -1) @ products.swapaxes(2, 3).reshape(3, -1).T / 2
        if self.method == "reml":
            slopes = coefficient_slopes(state, derivatives)
            score += np.trace(slopes, axis1=1, axis2=2) / 2
            moved = [derivative @ state.weighted for derivative in derivatives]
            turned = [product @ state.weighted for product in products]
            for j in range(3):
                for k in range(j, 3):
                    second = state.covariance @ _product(moved[j], turned[k])
                    information[j, k] += np.trace(slopes[j] @ slopes[k]) / 2 - np.trace(second)
                    information[k, j] = information[j, k]
        return score, information


def coefficient_slopes(state: Solved, derivatives: Floats) -> Floats:
    """[3, coefficients, coefficients]: coefficients' covariance times minus the derivative of its inverse."""
    products = [_product(state.weighted, derivative @ state.weighted) for derivative in derivatives]
    return np.stack([state.covariance @ product for product in products])


def _product(left: Floats, right: Floats) -> Floats:
    """Sum over areas and years of ``left`` transposed times ``right``: both [areas, years, coefficients]."""
    width = left.shape[2]
    product: Floats = left.reshape(-1, width).T @ right.reshape(-1, width)
    return product
