"""Sampling covariances of a survey's figures of one area in several years, from standard errors and how errors persist."""

from __future__ import annotations

import numpy as np

from pipeline.estimation.arrays import Floats, Ints
from pipeline.estimation.errors import EstimationError


def autoregressive_blocks(standard_errors: Floats, years: Ints, correlation: float) -> Floats:
    """Errors that correlate by ``correlation ** years apart``, as where part of a sample is replaced each year.

    ``standard_errors``: [areas, years], NaN where there is none; ``years``: [years], calendar years. Returns
    [areas, years, years]. Raises EstimationError for a correlation that is not above -1 and below 1.
    """
    need_correlation(correlation)
    return _blocks(standard_errors, float(correlation) ** np.abs(years[:, None] - years[None, :]))


def need_correlation(correlation: float) -> None:
    """Raises EstimationError for a correlation that is not above -1 and below 1."""
    if not -1 < correlation < 1:
        raise EstimationError(
            f"the correlation of errors one year apart must be between -1 and 1 (given: {correlation})"
        )


def partly_new_blocks(standard_errors: Floats, share_new: float) -> Floats:
    """Errors of which one part stays with the area and one, ``share_new`` of the variance, is new each year.

    The correlation of any two years is ``1 - share_new``, as where the same people are followed. Shapes are those of
    ``autoregressive_blocks``. Raises EstimationError for a share outside 0 to 1.
    """
    if not 0 <= share_new <= 1:
        raise EstimationError(f"the share of variance that is new each year must be 0 to 1 (given: {share_new})")
    years = standard_errors.shape[1]
    return _blocks(standard_errors, np.full((years, years), 1 - share_new) + share_new * np.eye(years))


def _blocks(standard_errors: Floats, correlations: Floats) -> Floats:
    return standard_errors[:, :, None] * standard_errors[:, None, :] * correlations
