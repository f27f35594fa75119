"""Checks on observations after parsing. A row that fails is set aside with its reason, never repaired."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from pipeline.numerals import rounded

STATUSES = ("ok", "rounded", "provisional", "unreliable", "suppressed", "not_available", "estimated")
VALUE_STATUSES = ("ok", "rounded", "provisional", "estimated")

_TOLERANCE = 1e-9  # publishers' bounds carry float noise: 85.39999999999999


def observation_schema(minimum: float, maximum: float) -> pa.DataFrameSchema:
    """The schema of one indicator's observations; ``minimum`` and ``maximum`` are its plausible bounds, in its own unit."""
    return pa.DataFrameSchema(
        columns={
            "area_code": pa.Column(str, pa.Check.str_matches(r"^\S+$", error="the area code is blank")),
            "year": pa.Column("int32", pa.Check.in_range(1980, 2100, error="the year is outside 1980 to 2100")),
            "value": pa.Column(
                float,
                pa.Check.in_range(
                    minimum,
                    maximum,
                    error=f"the value is outside the plausible range {rounded(minimum)} to {rounded(maximum)}",
                ),
                nullable=True,
            ),
            "standard_error": pa.Column(
                float, pa.Check.ge(0, error="the upper bound is below the lower bound"), nullable=True
            ),
            "status": pa.Column(str, pa.Check.isin(STATUSES, error="the status is not one this project knows")),
        },
        checks=[
            pa.Check(
                lambda t: ~(t["value"].notna() & t["status"].isin(("suppressed", "not_available"))),
                error="a figure marked as withheld or missing comes with a value",
            ),
            pa.Check(
                lambda t: ~(t["value"].isna() & t["status"].isin(VALUE_STATUSES)),
                error="a figure without a value carries no mark that says why",
            ),
            pa.Check(
                lambda t: ~((t["value"] < t["lower"] - _TOLERANCE) | (t["value"] > t["upper"] + _TOLERANCE)),
                error="the value lies outside its own interval",
            ),
            pa.Check(lambda t: t["period_start"] <= t["period_end"], error="the period ends before it starts"),
        ],
        strict=False,
        ordered=False,
    )


def failing_rows(observations: pd.DataFrame, *, minimum: float, maximum: float) -> pd.Series:
    """Which rows fail, and why: a Series of sentences indexed like the failing rows (several reasons are joined).

    Raises pandera.errors.SchemaErrors if a column is missing or of the wrong type, which is a fault here, not in the
    data.
    """
    try:
        observation_schema(minimum, maximum).validate(observations, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        if cases["index"].isna().any():
            raise
        cases = cases.drop_duplicates(["index", "check"])
        return cases.groupby("index")["check"].agg("; ".join)
    return pd.Series([], dtype="str")
