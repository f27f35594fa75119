"""On arrival: the table a publisher promises, before anything reads a figure from it.

Every column is text here. A payload without a required column, or without a single row, fails as a
whole; what is wrong with one row is the parser's business, which sets that row aside.
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def _has_rows(table: pd.DataFrame) -> bool:
    return len(table) > 0


def _table(*columns: str, patterns: tuple[str, ...] = ()) -> pa.DataFrameSchema:
    """A table with these columns of text, and one or more for each pattern of a name; publishers may add others."""
    wanted = {name: pa.Column(str) for name in columns}
    wanted |= {pattern: pa.Column(str, regex=True) for pattern in patterns}
    return pa.DataFrameSchema(wanted, checks=pa.Check(_has_rows, error="has no rows"), strict=False)


# Schemas, not models: building pandera's models imports every data frame library that is installed, Dask among them.
# One indicator of the Explore Local Statistics API, as CSV.
ELS_TABLE = _table("areacd", "period", "value")
# Observations of the Nomis API, as CSV.
NOMIS_TABLE = _table("DATE", "GEOGRAPHY_CODE", "MEASURES", "OBS_VALUE", "OBS_STATUS", "RECORD_COUNT")
# A data set of the ONS dataset API in the v4 layout: the value first, its column named after the remarks on it.
ONS_DATASET_TABLE = _table(patterns=(r"^[vV]4_\d+$",))
# File 7 of an English index of deprivation, one row a small area; header names carry years and blanks.
SMALL_AREA_TABLE = _table(
    patterns=(
        r"^LSOA code",
        r"^Local Authority District code",
        r"^Index of Multiple Deprivation \(IMD\) Score",
        r"^Income Score \(rate\)",
        r"^Total population",
    )
)
# Figures shipped with the project.
BASELINE_TABLE = _table("area_code", "period", "status")

# By source. A workbook has no head to look at: its parser finds the sheet and the heading row.
ARRIVAL: dict[str, pa.DataFrameSchema] = {
    "ons_els": ELS_TABLE,
    "nomis": NOMIS_TABLE,
    "ons_dataset": ONS_DATASET_TABLE,
    "govuk": SMALL_AREA_TABLE,
    "baseline": BASELINE_TABLE,
}
