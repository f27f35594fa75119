"""`estimate`: any table of direct estimates, with either model. The labelled edge of the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.estimation.arrays import Bools, Edge, Floats, Ints, Method
from pipeline.estimation.covariates import INTERCEPT
from pipeline.estimation.error_blocks import autoregressive_blocks, need_correlation
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fay_herriot import fit_fay_herriot
from pipeline.estimation.rao_yu import fit_rao_yu
from pipeline.estimation.rao_yu_prediction import predict_change, predict_levels

LATEST_YEAR = 9999
TOO_FAR_APART = "the estimates, standard errors or covariates are too far apart in size for a model; check their units"
MADE = ("estimate_modelled", "mse", "weight_direct", "change", "change_mse")
AREA, ESTIMATE, ERROR = "area_code", "estimate", "standard_error"


@dataclass(frozen=True)
class Estimates:
    """``table``: one row for every row given, in its order: `area_code[, year], estimate_modelled, mse, weight_direct`
    and, with several years, `change, change_mse` on the row of the last year: the modelled figure less that of the
    first year, empty where an area has no row for it.

    ``names``, ``coefficients``, ``coefficient_errors``: [coefficients]. ``rho`` and ``innovation_variance`` are None
    with one year; rho also where there is nothing to correlate. ``weight_all_years``: mean weight on all direct
    estimates of the area, over rows. ``narrowing``: median over direct estimates of the share by which the modelled
    standard error is smaller.
    """

    table: pd.DataFrame
    method: Method
    years: tuple[int, ...]
    areas: int
    direct: int
    area_variance: float
    innovation_variance: float | None
    rho: float | None
    edges: tuple[Edge, ...]
    names: tuple[str, ...]
    coefficients: Floats
    coefficient_errors: Floats
    weight_all_years: float
    narrowing: float
    without_change: int


def estimate_table(
    direct: pd.DataFrame,
    covariates: Sequence[str] = (),
    *,
    intercept: bool = True,
    time: str | None = None,
    error_correlation: float = 0.0,
    method: Method = "reml",
) -> Estimates:
    """Model direct estimates by Fay-Herriot, or by Rao-Yu where ``time`` names a column with several years.

    ``direct``: `area_code[, time], estimate, standard_error` and the ``covariates``. A row without an estimate is
    predicted: by the other years of its area and the covariates, or by the covariates alone. ``error_correlation``: of
    the sampling errors of an area one year apart. Raises EstimationError, naming the row, for a table that cannot be
    modelled.
    """
    describe = (AREA, time) if time else (AREA,)
    _need_columns(direct, covariates, describe)
    _need_codes(direct, describe)
    years = _years(direct, time, describe)
    _need_each_once(direct, years, describe)
    estimates, errors = _direct_estimates(direct, describe)
    names = ((INTERCEPT,) if intercept else ()) + tuple(covariates)
    matrix = _matrix(direct, covariates, describe, intercept=intercept)
    given = _Given(direct, describe, years, estimates, errors, matrix, names)
    need_correlation(error_correlation)
    if error_correlation and time is None:
        raise EstimationError("a correlation of errors between years needs several years: name their column (--time)")
    try:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = (
                _rao_yu(given, error_correlation, method) if len(np.unique(years)) > 1 else _fay_herriot(given, method)
            )
    except (np.linalg.LinAlgError, ArithmeticError) as error:
        raise EstimationError(TOO_FAR_APART) from error
    figures = (found.table[["estimate_modelled", "mse"]].to_numpy(), found.coefficients, found.coefficient_errors)
    if not all(np.isfinite(part).all() for part in figures):
        raise EstimationError(TOO_FAR_APART)
    return found


@dataclass(frozen=True)
class _Given:
    """All [rows], the matrix [rows, coefficients]."""

    direct: pd.DataFrame
    describe: tuple[str, ...]
    years: Ints
    estimates: Floats
    errors: Floats
    matrix: Floats
    names: tuple[str, ...]

    @property
    def is_direct(self) -> Bools:
        return ~np.isnan(self.estimates)

    def narrowing(self, mse: Floats) -> float:
        return float(np.median(1 - np.sqrt(mse[self.is_direct]) / self.errors[self.is_direct]))

    def labelled(self, **columns: Floats) -> pd.DataFrame:
        return self.direct[list(self.describe)].reset_index(drop=True).assign(**columns)


def _fay_herriot(given: _Given, method: Method) -> Estimates:
    fit = fit_fay_herriot(given.estimates, given.errors**2, given.matrix, method=method, names=given.names)
    return Estimates(
        table=given.labelled(estimate_modelled=fit.modelled, mse=fit.mse, weight_direct=fit.weight_direct),
        method=method,
        years=(int(given.years[0]),),
        areas=len(given.direct),
        direct=int(given.is_direct.sum()),
        area_variance=fit.area_variance,
        innovation_variance=None,
        rho=None,
        edges=("area variance",) if fit.is_area_variance_at_edge else (),
        names=fit.names,
        coefficients=fit.coefficients,
        coefficient_errors=np.sqrt(np.diag(fit.coefficient_covariance)),
        weight_all_years=float(fit.weight_direct.mean()),
        narrowing=given.narrowing(fit.mse),
        without_change=0,
    )


def _rao_yu(given: _Given, error_correlation: float, method: Method) -> Estimates:
    area, codes = pd.factorize(given.direct[AREA])
    years, year = np.unique(given.years, return_inverse=True)
    estimates, errors = np.full((len(codes), len(years)), np.nan), np.full((len(codes), len(years)), np.nan)
    matrix = np.full((*estimates.shape, len(given.names)), np.nan)
    estimates[area, year], errors[area, year], matrix[area, year] = given.estimates, given.errors, given.matrix
    blocks = autoregressive_blocks(errors, years, error_correlation)
    fit = fit_rao_yu(estimates, blocks, matrix, years, method=method, names=given.names)
    levels = predict_levels(fit)
    changes = predict_change(fit, int(years[0]), int(years[-1]))
    is_last = year == len(years) - 1
    change, change_mse = (np.where(is_last, figures[area, 0], np.nan) for figures in (changes.modelled, changes.mse))
    mse = levels.mse[area, year]
    return Estimates(
        table=given.labelled(
            estimate_modelled=levels.modelled[area, year],
            mse=mse,
            weight_direct=levels.weight_direct[area, year],
            change=change,
            change_mse=change_mse,
        ),
        method=method,
        years=tuple(int(one) for one in years),
        areas=len(codes),
        direct=int(given.is_direct.sum()),
        area_variance=fit.area_variance,
        innovation_variance=fit.innovation_variance,
        rho=fit.rho,
        edges=fit.edges,
        names=fit.names,
        coefficients=fit.coefficients,
        coefficient_errors=np.sqrt(np.diag(fit.coefficient_covariance)),
        weight_all_years=float(levels.weight_all_years[area, year].mean()),
        narrowing=given.narrowing(mse),
        without_change=int(np.isnan(changes.modelled).sum()),
    )


def _need_columns(direct: pd.DataFrame, covariates: Sequence[str], describe: tuple[str, ...]) -> None:
    own = (*describe, ESTIMATE, ERROR)
    if len(set(own)) < len(own) or describe[-1] in MADE:
        raise EstimationError(f"{describe[-1]} cannot be the column of years")
    for name in covariates:
        if name in own:
            raise EstimationError(f"{name} cannot be a covariate of itself; name other columns")
        if list(covariates).count(name) > 1:
            raise EstimationError(f"covariate {name} is named twice")
    absent = [name for name in (*own, *covariates) if name not in direct.columns]
    if absent:
        raise EstimationError(
            f"direct estimates: no column {', '.join(absent)}; it needs {', '.join((*own, *covariates))}"
        )


def _need_codes(direct: pd.DataFrame, describe: tuple[str, ...]) -> None:
    if direct.empty:
        raise EstimationError("direct estimates: the table has no rows")
    for name in describe:
        is_empty = direct[name].isna() | direct[name].astype("str").str.strip().eq("")
        if is_empty.any():
            raise EstimationError(f"direct estimates: row {int(is_empty.to_numpy().argmax()) + 2}: {name} is empty")


def _need_each_once(direct: pd.DataFrame, years: Ints, describe: tuple[str, ...]) -> None:
    keys = pd.DataFrame({AREA: direct[AREA].to_numpy(), "year": years})
    for row in np.flatnonzero(keys.duplicated()):
        advice = "keep one" if len(describe) > 1 else "keep one, or name the column of years (--time)"
        raise EstimationError(f"{_row(direct, row, describe)} is given twice; {advice}")


def _direct_estimates(direct: pd.DataFrame, describe: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Estimates and their standard errors: [rows], both NaN where there is no estimate."""
    estimates, errors = (_numbers(direct, column, describe) for column in (ESTIMATE, ERROR))
    is_direct = ~np.isnan(estimates)
    if not is_direct.any():
        raise EstimationError("no row has an estimate, so there is nothing to fit a model to")
    with np.errstate(over="ignore", under="ignore"):
        variances = errors**2
    for row in np.flatnonzero(is_direct & ~((errors > 0) & (variances > 0) & np.isfinite(variances))):
        given = "none is given" if np.isnan(errors[row]) else f"given: {errors[row]:g}"
        raise EstimationError(
            f"{_row(direct, row, describe)}: an estimate needs a {ERROR} above 0 ({given}); "
            "leave the estimate empty for a figure by the model alone"
        )
    return estimates, np.where(is_direct, errors, np.nan)


def _matrix(direct: pd.DataFrame, covariates: Sequence[str], describe: tuple[str, ...], *, intercept: bool) -> Floats:
    """[rows, coefficients]: the covariates, after a column of ones for an intercept."""
    columns = [np.ones(len(direct))] if intercept else []
    for name in covariates:
        column = _numbers(direct, name, describe)
        for row in np.flatnonzero(np.isnan(column)):
            raise EstimationError(
                f"{_row(direct, row, describe)}: covariate {name} is missing; fill it or leave the row out"
            )
        columns.append(column)
    return np.column_stack(columns) if columns else np.empty((len(direct), 0))


def _row(direct: pd.DataFrame, row: int | np.integer, describe: tuple[str, ...]) -> str:
    return "direct estimates: " + ", ".join(f"{column} {direct[column].iloc[int(row)]}" for column in describe)


def _numbers(direct: pd.DataFrame, column: str, describe: tuple[str, ...]) -> Floats:
    """A column as floats, NaN where empty."""
    values = pd.to_numeric(direct[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    is_given = direct[column].notna() & ~direct[column].astype("str").str.strip().str.lower().isin(["", "nan", "na"])
    for row in np.flatnonzero(is_given.to_numpy() & ~np.isfinite(values)):
        raise EstimationError(
            f"{_row(direct, row, describe)}: {column} is no finite number (given: {direct[column].iloc[row]})"
        )
    return values


def _years(direct: pd.DataFrame, time: str | None, describe: tuple[str, ...]) -> Ints:
    """[rows]; all 0 where no column holds years."""
    if time is None:
        return np.zeros(len(direct), dtype=np.int64)
    values = _numbers(direct, time, describe)
    for row in np.flatnonzero((values != np.round(values)) | (np.abs(values) > LATEST_YEAR)):
        raise EstimationError(f"{_row(direct, row, describe)}: {time} is no year")
    return values.astype(np.int64)
