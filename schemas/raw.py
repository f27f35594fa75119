"""On arrival: the table a publisher promises, before anything reads a figure from it.

Every column is text here. A payload without a required column, or without a single row, fails as a
whole; what is wrong with one row is the parser's business, which sets that row aside.
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

AREA_CODE_PATTERN = r"^\s*[A-Za-z]\w{2,8}\s*$"


class _Table(pa.DataFrameModel):
    @pa.dataframe_check(error="has no rows")
    def has_rows(cls, table: pd.DataFrame) -> bool:  # noqa: N805 - pandera calls it on the class
        return len(table) > 0

    class Config:
        strict = False  # publishers add columns; parsers read by name


class ElsTable(_Table):
    """One indicator of the Explore Local Statistics API, as CSV."""

    areacd: Series[str]
    period: Series[str]
    value: Series[str]


class NomisTable(_Table):
    """Observations of the Nomis API, as CSV."""

    DATE: Series[str]
    GEOGRAPHY_CODE: Series[str]
    MEASURES: Series[str]
    OBS_VALUE: Series[str]
    OBS_STATUS: Series[str]
    RECORD_COUNT: Series[str]


class OnsDatasetTable(_Table):
    """A data set of the ONS dataset API in the v4 layout: the value first, its column named after the remarks on it."""

    value: Series[str] = pa.Field(alias=r"^[vV]4_\d+$", regex=True)


class SmallAreaTable(_Table):
    """File 7 of an English index of deprivation, one row a small area; header names carry years and blanks."""

    lsoa: Series[str] = pa.Field(alias=r"^LSOA code", regex=True)
    district: Series[str] = pa.Field(alias=r"^Local Authority District code", regex=True)
    imd_score: Series[str] = pa.Field(alias=r"^Index of Multiple Deprivation \(IMD\) Score", regex=True)
    income_rate: Series[str] = pa.Field(alias=r"^Income Score \(rate\)", regex=True)
    population: Series[str] = pa.Field(alias=r"^Total population", regex=True)


class BaselineTable(_Table):
    """Figures shipped with the project."""

    area_code: Series[str]
    period: Series[str]
    status: Series[str]


# By source. A workbook has no head to look at: its parser finds the sheet and the heading row.
ARRIVAL: dict[str, type[pa.DataFrameModel]] = {
    "ons_els": ElsTable,
    "nomis": NomisTable,
    "ons_dataset": OnsDatasetTable,
    "govuk": SmallAreaTable,
    "baseline": BaselineTable,
}
