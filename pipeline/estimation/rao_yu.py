"""The model of Rao and Yu (1994): Fay and Herriot's over several years, each area with an effect that lasts and one that fades.

    direct estimate = covariates x coefficients + area effect + area-by-year effect + sampling error

Area effects are independent with variance ``area_variance``. Area-by-year effects follow u(t) = rho u(t - 1) + e(t)
with innovations of variance ``innovation_variance``, stationary: their own variance is
``innovation_variance / (1 - rho^2)``. Sampling errors have a known covariance over the years of an area, of any form.
Those are the conventions of R's sae2 (Fay and Diallo), eblupRY, with rho from 0 to 0.98; gaps in years are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.estimation.arrays import Bools, Edge, Floats, Ints, Method
from pipeline.estimation.covariates import Design, make_design
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fisher_scoring import Maximum, maximise, points
from pipeline.estimation.rao_yu_likelihood import AREA, INNOVATION, RHO, Panel, Solved, effect_covariance

LARGEST_RHO = 0.98
# Least area variance, as a share of the smallest sampling variance: that of sae2, so that both stop at the same edge.
LEAST_AREA_VARIANCE_SHARE = 1e-4
# Of rho a step changes little at a time: its information differs from one end of the range to the other.
LONGEST_STEP = np.array([np.inf, 0.25, np.inf])
# Least eigenvalue of the correlation of an area's direct estimates; with less, six digits of the inverse are lost or more.
LEAST_SHARE_OF_ITS_OWN = 1e-10
# Where the search begins: at the best of these splits of the variance that the sampling errors leave.
START_RHOS = (0.2, 0.6, 0.9)
START_AREA_SHARES = (0.2, 0.7)
MANY_ESTIMATES = 1000  # enough for a likelihood with one top


@dataclass(frozen=True)
class RaoYuFit:
    """A fitted Rao-Yu model, in the unit of the estimates; `predict` makes figures of it.

    ``rho`` is None where the innovation variance is 0: there is nothing that could correlate. ``edges`` names what the
    data push to the end of its range: a variance of 0, rho of 0 or 0.98. ``names``, ``coefficients``: [coefficients],
    their ``coefficient_covariance`` its square. ``parameter_covariance``: [3, 3], if it is known already or comes from
    other figures than those of ``panel``.
    """

    method: Method
    innovation_variance: float
    rho: float | None
    area_variance: float
    edges: tuple[Edge, ...]
    names: tuple[str, ...]
    coefficients: Floats
    coefficient_covariance: Floats
    iterations: int
    panel: Panel
    solved: Solved
    parameter_covariance: Floats | None = None


def fit_rao_yu(
    estimates: Floats,
    error_covariance: Floats,
    covariates: Floats,
    years: Ints,
    *,
    method: Method = "reml",
    names: Sequence[str] | None = None,
    start: Sequence[float] | None = None,
) -> RaoYuFit:
    """Fit by (restricted) maximum likelihood: Fisher scoring over the two variances and rho.

    ``estimates``: [areas, years], NaN where there is no direct estimate; ``error_covariance``: [areas, years, years],
    known, used where both years have an estimate (`error_blocks`); ``covariates``: [areas, years, coefficients], with a
    column of ones for an intercept, NaN in years for which an area is not predicted; ``years``: [years], calendar years,
    rising, with or without gaps. With one year the model is that of Fay and Herriot. ``start``: innovation variance, rho
    and area variance of a similar panel, one more place to begin. Raises EstimationError for years that do not rise, too
    few years to tell the two effects apart, a direct estimate that is infinite or without covariates, a sampling
    covariance that is missing, none, or too small to compute with, and all that ``make_design`` refuses.
    """
    design, panel = _prepared(estimates, error_covariance, covariates, years, method, names, needs_lags=True)
    count = len(panel.years)
    found = _fit(panel, start)
    _need_digits(panel, found.point.parameters)
    innovation, rho, area = (float(value) for value in found.point.parameters)
    solved = found.point.state
    if innovation == 0:  # rho is where the search left it, and of no matter
        solved = replace(solved, parameters=np.array([0.0, 0.0, area]))
    return RaoYuFit(
        method=method,
        innovation_variance=innovation,
        rho=rho if innovation > 0 else None,
        area_variance=area,
        edges=_edges(found, has_several_years=count > 1),
        names=design.names,
        coefficients=design.to_given @ solved.coefficients,
        coefficient_covariance=design.to_given @ solved.covariance @ design.to_given.T,
        iterations=found.iterations,
        panel=panel,
        solved=solved,
    )


def apply_rao_yu(
    fit: RaoYuFit,
    parameter_covariance: Floats,
    estimates: Floats,
    error_covariance: Floats,
    covariates: Floats,
    years: Ints,
    *,
    names: Sequence[str] | None = None,
) -> RaoYuFit:
    """The model with the variances and rho of ``fit``, on other figures: coefficients are theirs.

    ``parameter_covariance``: [3, 3], of the variances and rho. Other arguments are those of `fit_rao_yu`; any number of
    years will do. Raises EstimationError as `fit_rao_yu`, and where the figures cannot be told apart.
    """
    design, panel = _prepared(estimates, error_covariance, covariates, years, fit.method, names, needs_lags=False)
    solved = panel.at(fit.solved.parameters)
    if solved is None:
        raise EstimationError("no covariance of the estimates can be worked out; check their units")
    return replace(
        fit,
        names=design.names,
        coefficients=design.to_given @ solved.coefficients,
        coefficient_covariance=design.to_given @ solved.covariance @ design.to_given.T,
        panel=panel,
        solved=solved,
        parameter_covariance=parameter_covariance,
    )


def _prepared(
    estimates: Floats,
    error_covariance: Floats,
    covariates: Floats,
    years: Ints,
    method: Method,
    names: Sequence[str] | None,
    *,
    needs_lags: bool,
) -> tuple[Design, Panel]:
    """Check what is given, and make the covariates orthonormal."""
    areas, count, width = covariates.shape
    if (np.diff(years) <= 0).any():
        raise EstimationError("years must rise from first to last, each once")
    is_direct = ~np.isnan(estimates)
    is_predicted: Bools = np.asarray(np.isfinite(covariates).all(axis=2))
    for area, year in np.argwhere(is_direct & ~is_predicted):
        raise EstimationError(f"area {area + 1}, {years[year]}: a covariate is missing or infinite")
    for area, year in np.argwhere(np.isinf(estimates)):
        raise EstimationError(f"area {area + 1}, {years[year]}: the direct estimate is infinite")
    if needs_lags:
        _need_lags(is_direct, years)
    _need_covariances(error_covariance, is_direct, years)
    design = make_design(covariates.reshape(-1, width), is_direct.reshape(-1), int(is_direct.any(axis=1).sum()), names)
    columns = np.where(is_predicted[:, :, None], design.columns.reshape(areas, count, width), np.nan)
    return design, Panel.of(estimates, error_covariance, columns, np.asarray(years), method)


def _need_lags(is_direct: Bools, years: Ints) -> None:
    """Two variances and rho need covariances at three distances in time, none among them."""
    if len(years) == 1:
        return
    together = is_direct.astype(float).T @ is_direct.astype(float) > 0
    distances = np.unique(np.abs(years[:, None] - years[None, :])[together])
    if len(distances) < 3:
        raise EstimationError(
            "the years cannot tell an effect that lasts from one that fades: areas need direct estimates in three years "
            "or more, or in pairs of years that lie differently far apart; give more years, or model one year alone"
        )


def _need_covariances(covariance: Floats, is_direct: Bools, years: Ints) -> None:
    variances = np.diagonal(covariance, axis1=1, axis2=2)
    for area, year in np.argwhere(is_direct & ~(np.isfinite(variances) & (variances > 0))):
        raise EstimationError(
            f"area {area + 1}, {years[year]}: a direct estimate needs a sampling variance above 0 "
            f"(given: {variances[area, year]:g})"
        )
    is_pair = is_direct[:, :, None] & is_direct[:, None, :]
    known = np.where(is_pair, covariance, np.eye(len(years)))
    if not np.isfinite(known).all():
        area = int(np.argwhere(~np.isfinite(known))[0][0])
        raise EstimationError(f"area {area + 1}: a sampling covariance of two years is missing or infinite")
    scale = np.sqrt(np.diagonal(known, axis1=1, axis2=2))
    correlations = known / scale[:, :, None] / scale[:, None, :]
    is_proper = np.isclose(correlations, correlations.swapaxes(1, 2)).all(axis=(1, 2)) & (
        np.linalg.eigvalsh(correlations)[:, 0] > -1e-9
    )
    if not is_proper.all():
        raise EstimationError(
            f"area {int(np.argmin(is_proper)) + 1}: its sampling covariance is not one; it must be symmetric, without "
            "negative eigenvalues"
        )


def _need_digits(panel: Panel, parameters: Floats) -> None:
    """Where errors are tiny beside effects that last, years of an area are copies and no inverse has a digit left."""
    covariance = panel.error_covariance + panel.is_pair * effect_covariance(parameters, panel.years)
    scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    smallest = np.linalg.eigvalsh(covariance / scale[:, :, None] / scale[:, None, :])[:, 0]
    if smallest.min() < LEAST_SHARE_OF_ITS_OWN:
        raise EstimationError(
            f"area {int(smallest.argmin()) + 1}: its standard errors are too small beside the spread of areas for a model "
            "over several years; check their unit"
        )


def _fit(panel: Panel, start: Sequence[float] | None) -> Maximum[Solved]:
    lower, upper = np.zeros(3), np.array([np.inf, LARGEST_RHO, np.inf])
    if len(panel.years) == 1:
        upper[[INNOVATION, RHO]] = 0.0
    else:
        lower[AREA] = LEAST_AREA_VARIANCE_SHARE * float(_error_variances(panel).min())
    begin = [*_starts(panel), *([] if start is None else [np.asarray(start, dtype=float)])]
    starts = points(panel, [np.clip(parameters, lower, upper) for parameters in begin])
    starts.sort(key=lambda start: start.log_likelihood, reverse=True)
    top = maximise(panel, starts[0], lower, upper, LONGEST_STEP)
    if len(panel.years) == 1:
        return top
    # At an end of its range rho may stand on a lesser top, without innovations every rho is as good as any, and few
    # estimates can leave a likelihood two tops: look whether it is higher elsewhere.
    is_settled = not top.is_at_edge[RHO] and top.point.parameters[INNOVATION] > 0
    if is_settled and panel.is_direct.sum() >= MANY_ESTIMATES:
        return top
    best_of_each_rho = {float(start.parameters[RHO]): start for start in reversed(starts)}
    others = [start for start in best_of_each_rho.values() if start is not starts[0]]
    tops = [maximise(panel, start, lower, upper, LONGEST_STEP) for start in others]
    return max([top, *tops], key=lambda found: found.point.log_likelihood)


def _starts(panel: Panel) -> list[Floats]:
    """Splits of the variance that the sampling errors leave, or of a part of their own where they leave none."""
    columns, estimates = panel.columns[panel.is_direct], panel.estimates[panel.is_direct]
    residual = estimates - columns @ (columns.T @ estimates)
    scatter = float(residual @ residual) / max(len(residual) - columns.shape[1], 1)
    of_errors = float(_error_variances(panel).mean())
    left = max(scatter - of_errors, 0.1 * of_errors)
    return [
        np.array([(1 - share) * left * (1 - rho**2), rho, share * left])
        for rho in START_RHOS
        for share in START_AREA_SHARES
    ]


def _error_variances(panel: Panel) -> Floats:
    """[direct estimates]"""
    variances: Floats = np.diagonal(panel.error_covariance, axis1=1, axis2=2)[panel.is_direct]
    return variances


def _edges(found: Maximum[Solved], *, has_several_years: bool) -> tuple[Edge, ...]:
    at_edge = found.is_at_edge
    edges: list[Edge] = []
    if at_edge[AREA]:
        edges.append("area variance")
    if has_several_years and found.point.parameters[INNOVATION] == 0:
        edges.append("innovation variance")
    elif has_several_years and at_edge[RHO]:
        edges.append("rho")
    return tuple(edges)
