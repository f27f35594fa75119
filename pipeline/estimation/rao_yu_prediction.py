"""Figures of a fitted Rao-Yu model: levels, changes and any other combination of an area's years, with their MSE."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.estimation.arrays import Floats, Ints
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fisher_scoring import inverse_where_known
from pipeline.estimation.rao_yu import RaoYuFit
from pipeline.estimation.rao_yu_likelihood import coefficient_slopes, effect_covariance, effect_derivatives


@dataclass(frozen=True)
class Predictions:
    """All [areas, contrasts]; NaN where an area has no covariates in a year that counts.

    ``modelled`` (EBLUP) and ``mse``, in the unit of the estimates and its square. ``weight_direct``: the weight on the
    direct estimates of the very years that count, 0 where there are none; correlated errors can put it a little outside
    0 to 1. ``weight_all_years``: of a level, the sum of the weights on all direct estimates of the area.
    """

    modelled: Floats
    mse: Floats
    weight_direct: Floats
    weight_all_years: Floats


def predict_levels(fit: RaoYuFit) -> Predictions:
    """The figure of every area and year: [areas, years]."""
    return predict(fit, np.eye(len(fit.panel.years)))


def predict_change(fit: RaoYuFit, first: int, last: int) -> Predictions:
    """The figure of the year ``last`` less that of ``first``: [areas, 1]. Raises EstimationError for a year not held."""
    return predict(fit, (_is_year(fit.panel.years, last) - _is_year(fit.panel.years, first))[None, :])


def _is_year(years: Ints, year: int) -> Floats:
    if year not in years:
        raise EstimationError(f"no row is of the year {year}; there are {', '.join(str(held) for held in years)}")
    return (years == year).astype(float)


def predict(fit: RaoYuFit, contrasts: Floats) -> Predictions:
    """Best predictions of combinations of an area's years, and their mean squared errors.

    ``contrasts``: [contrasts, years], what each year counts for. MSE to second order: g1 + g2 + 2 g3 for REML, less the
    bias of the parameters for ML, but no less than g1 + g2 (Rao and Molina 2015, section 5.3). As in sae2, g3 takes the
    expected information of the method; with one year, that of ML, as for Fay and Herriot. A parameter of which the data
    hold no information adds nothing to g3.
    """
    panel, here = fit.panel, fit.solved
    effects = effect_covariance(here.parameters, panel.years)
    derivatives = effect_derivatives(here.parameters, panel.years)
    uncertainty = parameter_covariance(fit)
    pulls = (contrasts @ effects) @ here.inverse  # [areas, contrasts, years]: weight on each direct estimate's residual
    is_held = np.isfinite(panel.all_columns[:, :, :1])
    columns = np.einsum("kt,atp->akp", contrasts, np.where(is_held, panel.all_columns, 0.0))
    modelled = columns @ here.coefficients + np.einsum("akt,at->ak", pulls, here.residual)
    rest = contrasts - pulls
    # Two sums of squares: effects less what the estimates explain of them would lose all digits where errors are tiny.
    g1 = _squares(rest, effects) + _squares(pulls, panel.error_covariance)
    left = columns - pulls @ panel.columns
    g2 = _squares(left, here.covariance)
    # How the covariance of effect and prediction error moves with each parameter: [3, areas, contrasts, years].
    moves = np.stack([rest @ derivative for derivative in derivatives])
    turned = np.stack([move @ here.inverse for move in moves])
    g3 = np.einsum("ij,iakt,jakt->ak", uncertainty, turned, moves, optimize=True)
    mse = g1 + g2 + 2 * g3
    if fit.method == "ml":
        slopes = coefficient_slopes(here, derivatives)
        bias = -uncertainty @ np.trace(slopes, axis1=1, axis2=2) / 2
        of_g1 = np.stack([_squares(rest, derivative) for derivative in derivatives])
        mse = np.maximum(mse - np.einsum("i,iak->ak", bias, of_g1), g1 + g2)
    is_known = np.einsum("kt,at->ak", np.abs(contrasts), ~is_held[:, :, 0]) == 0
    own = np.einsum("akt,kt->ak", pulls, contrasts) / np.einsum("kt,kt->k", contrasts, contrasts)
    whole = pulls.sum(axis=2)
    return Predictions(*(np.where(is_known, figures, np.nan) for figures in (modelled, mse, own, whole)))


def _squares(rows: Floats, matrix: Floats) -> Floats:
    """Each row times ``matrix``, of its area or of all, times the row: [areas, contrasts]."""
    squares: Floats = ((rows @ matrix) * rows).sum(axis=2)
    return squares


def parameter_covariance(fit: RaoYuFit) -> Floats:
    """Asymptotic covariance of innovation variance, rho and area variance: [3, 3]."""
    if fit.parameter_covariance is not None:
        return fit.parameter_covariance
    panel = fit.panel if len(fit.panel.years) > 1 else replace(fit.panel, method="ml")
    information = panel.score_and_information(fit.solved)[1]
    is_known = np.array([len(fit.panel.years) > 1, fit.rho is not None, True])
    return inverse_where_known(information * np.outer(is_known, is_known))
