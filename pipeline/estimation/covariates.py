"""Covariates as a matrix of full rank, and back: models are fitted to orthonormal columns, whatever the units given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.estimation.arrays import Bools, Floats
from pipeline.estimation.errors import EstimationError

INTERCEPT = "intercept"
# Share of a column's length left once the others are taken out, below which it counts as a combination of them.
LEAST_SHARE_OF_ITS_OWN = 1e-8


@dataclass(frozen=True)
class Design:
    """``names``: [coefficients]; ``columns``: [rows, coefficients], orthonormal over the rows that are fitted.

    ``to_given``: [coefficients, coefficients], turns coefficients of ``columns`` into those of the covariates as given.
    """

    names: tuple[str, ...]
    columns: Floats
    to_given: Floats


def make_design(covariates: Floats, is_fitted: Bools, areas: int, names: Sequence[str] | None = None) -> Design:
    """Check the covariates and make them orthonormal.

    ``covariates``: [rows, coefficients], in any unit, with a column of ones for an intercept; ``is_fitted``: [rows],
    those with a direct estimate, of ``areas`` different areas. The other rows are predicted and decide nothing. Raises
    EstimationError for no more areas than coefficients, a covariate that is constant beside another, 0 throughout or
    missing, and collinear covariates.
    """
    count = covariates.shape[1]
    names = tuple(names) if names is not None else tuple(f"number {k + 1}" for k in range(count))
    if count == 0:
        raise EstimationError("the model has neither an intercept nor a covariate; give it at least one")
    if areas <= count:
        raise EstimationError(
            f"the model has {count} coefficients but only {areas} areas with a direct estimate; "
            f"it needs at least {count + 1} areas, or fewer covariates"
        )
    fitted = covariates[is_fitted]
    _need_numbers(fitted, names)
    largest = np.abs(fitted).max(axis=0)
    for name, size in zip(names, largest, strict=True):
        if size == 0:
            raise EstimationError(f"covariate {name} is 0 in every row with a direct estimate; leave it out")
    scaled = fitted / largest
    _need_own_part(scaled, names)
    columns, triangle = np.linalg.qr(scaled)
    to_given = np.linalg.inv(triangle) / largest[:, None]
    everywhere = covariates @ to_given
    everywhere[is_fitted] = columns
    return Design(names, everywhere, to_given)


def _need_numbers(fitted: Floats, names: tuple[str, ...]) -> None:
    wrong = np.argwhere(~np.isfinite(fitted))
    if wrong.size:
        raise EstimationError(f"covariate {names[wrong[0][1]]} is missing or infinite in a row with a direct estimate")


def _need_own_part(scaled: Floats, names: tuple[str, ...]) -> None:
    """Beside a constant, columns are judged by how they lie about their means: a year such as 2023 hardly varies."""
    is_constant = np.ptp(scaled, axis=0) <= LEAST_SHARE_OF_ITS_OWN
    constants = [name for name, constant in zip(names, is_constant, strict=True) if constant]
    if len(constants) > 1:
        other = "the intercept" if constants[0] == INTERCEPT else constants[0]
        raise EstimationError(f"covariate {constants[1]} is constant, and so is {other}; leave out one of the two")
    about = scaled - scaled.mean(axis=0) if constants else scaled
    varying = [name for name, constant in zip(names, is_constant, strict=True) if not constant]
    if not varying:
        return
    about = about[:, ~is_constant]
    left = np.abs(np.diag(np.linalg.qr(about / np.linalg.norm(about, axis=0), mode="r")))
    for k in np.flatnonzero(left <= LEAST_SHARE_OF_ITS_OWN):
        raise EstimationError(
            f"covariate {varying[k]} is a combination of others ({', '.join(varying[:k])}); leave one of them out"
        )
