"""Indicators computed from two published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.tidy.observations import INTERVAL_WIDTH_IN_STANDARD_ERRORS, OBSERVATION_COLUMNS

# From best to worst. A figure computed from two has the worse of their statuses.
_SEVERITY = ("ok", "rounded", "estimated", "provisional", "unreliable", "not_available", "suppressed")

_KEY = ["area_code", "period"]
_PERIOD_COLUMNS = ("period_start", "period_end", "year")
_PROVENANCE_COLUMNS = ("source_id", "edition", "payload_sha256")


def ratio(
    numerator: pd.DataFrame, denominator: pd.DataFrame, indicator_id: str, *, times: int = 1, are_counts: bool = False
) -> pd.DataFrame:
    """``times`` numerator over denominator for the same area and period; takes and returns OBSERVATION_COLUMNS.

    If both ``are_counts``, they are kept beside the ratio as its numerator and denominator, so that it can be
    recomputed for merged districts. For percentiles or means no such sum exists, so they are not kept.

    There is one row for every area and period in either table. The status is the worse of the two. If either is
    missing, or the denominator is zero, the ratio is missing too. If an area and period is in one table only, the other
    counts as ``not_available``. Source, edition and payload hash are the numerator's, joined by ``+`` with the
    denominator's if they differ. There is no source row.

    The standard error is the first-order (delta method) one, ``|r| sqrt((se_n/n)^2 + (se_d/d)^2)``, if both sides have
    one, else missing; the interval is 1.96 of it on either side. Publishers give no covariance, so the two errors are
    treated as independent. Percentiles of one area's pay are positively correlated, so this overstates the error.

    Raises ValueError if a table has an area and period twice.
    """
    for role, table in (("numerator", numerator), ("denominator", denominator)):
        twice = table[table.duplicated(_KEY)]
        if not twice.empty:
            area, period = twice.iloc[0][_KEY]
            raise ValueError(f"{indicator_id}: the {role} has more than one row for area {area}, period {period}")
    both = numerator.merge(denominator, on=_KEY, how="outer", suffixes=("_n", "_d"), sort=True)
    value = times * both["value_n"] / both["value_d"].where(both["value_d"] != 0)
    error = value.abs() * np.sqrt(
        (both["standard_error_n"] / both["value_n"]) ** 2 + (both["standard_error_d"] / both["value_d"]) ** 2
    )
    half_width = error * (INTERVAL_WIDTH_IN_STANDARD_ERRORS / 2)
    out = both[_KEY].assign(
        indicator_id=indicator_id,
        value=value,
        lower=value - half_width,
        upper=value + half_width,
        standard_error=error,
        numerator=both["value_n"] if are_counts else np.nan,
        denominator=both["value_d"] if are_counts else np.nan,
        status=_worse(both["status_n"], both["status_d"], is_missing=value.isna()),
        source_row=pd.array([pd.NA] * len(both), dtype="Int64"),
        **{name: both[f"{name}_n"].fillna(both[f"{name}_d"]) for name in _PERIOD_COLUMNS},
        **{name: _joined(both[f"{name}_n"], both[f"{name}_d"]) for name in _PROVENANCE_COLUMNS},
    )
    return out.astype({"year": numerator["year"].dtype})[list(OBSERVATION_COLUMNS)]


def _worse(first: pd.Series, second: pd.Series, *, is_missing: pd.Series) -> pd.Series:
    """The worse status of each pair; a missing ratio of two present figures (division by zero) is not available."""
    rank = {status: position for position, status in enumerate(_SEVERITY)}
    absent = rank["not_available"]
    worst = pd.concat([first.map(rank), second.map(rank)], axis=1).fillna(absent).max(axis=1).astype("int64")
    has_reason = worst >= rank["unreliable"]
    return worst.where(has_reason | ~is_missing, absent).map(dict(enumerate(_SEVERITY))).astype("str")


def _joined(first: pd.Series, second: pd.Series) -> pd.Series:
    same = (first == second) | second.isna()
    return first.where(same, first + "+" + second).fillna(second)
