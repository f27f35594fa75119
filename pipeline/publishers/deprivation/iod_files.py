"""The English indices of deprivation as published: File 7 (small areas) and File 10 (official district summaries).

Header names contain years and stray blanks (``IMD - Average score ``), so columns are matched with blanks and years
removed. A notes sheet may come first (WIRE_FORMATS section 5).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable

import pandas as pd

from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.deprivation.query import SmallAreaQuery
from pipeline.tidy.observations import Parsed, UnreadablePayload
from pipeline.tidy.rows import plain_numbers
from pipeline.tidy.workbook_cells import UnreadableWorkbook, read_sheet

# File 7's names for the columns kept, without the year in brackets and surrounding blanks.
FILE_7_COLUMNS = {
    "LSOA code": "small_area",
    "Local Authority District code": "area_code",
    "Index of Multiple Deprivation (IMD) Score": "imd_score",
    "Income Score (rate)": "income_rate",
    "Total population": "population",
}
SUMMARY_SHEET = "IMD"
MOST_SCORE = 100  # an index score is a mix of exponentially transformed ranks, each from 0 to 100
_DISTRICT_CODE = "Local Authority District code"
SUMMARY_COLUMNS = {"Local Authority District code": "area_code", "IMD - Average score": "average_score"}


def small_areas(content: bytes) -> pd.DataFrame:
    """File 7: one row a small area (LSOA), columns ``small_area, area_code, imd_score, income_rate, population``.

    ``area_code`` is the district on the index's own map; ``income_rate`` is a share of one. Raises UnreadablePayload
    for anything but File 7, and for a small area without a score or population.
    """
    try:
        table = pd.read_csv(
            io.BytesIO(content), dtype="str", keep_default_na=False, encoding="utf-8-sig", thousands=None
        )
    except (ValueError, pd.errors.ParserError, csv.Error) as error:
        raise UnreadablePayload(f"IoD File 7: not a readable CSV table: {error!s:.120}") from error
    kept = _named(table, FILE_7_COLUMNS, "IoD File 7")
    for column in ("imd_score", "income_rate", "population"):
        kept[column] = plain_numbers(kept[column].str.replace(",", ""))
    is_good = kept["imd_score"].between(0, MOST_SCORE) & kept["income_rate"].between(0, 1)
    is_good &= kept["population"].between(1, deprivation.MOST_PEOPLE)
    if not is_good.all():
        raise UnreadablePayload(
            f"IoD File 7: {int((~is_good).sum())} small areas without score or people, the first "
            f"{kept.loc[~is_good, 'small_area'].iloc[0]:.60}."
        )
    deprivation.named_by(kept, "small_area", r"E01[0-9]{6}")
    is_district = kept["area_code"].str.fullmatch(r"E0[6-9][0-9]{6}")
    if not is_district.all():
        raise UnreadablePayload(
            f"IoD File 7: {kept.loc[~is_district, 'area_code'].iloc[0]!r:.60} is not a district code."
        )
    slip = (kept["small_area"] == deprivation.SLIP_LSOA) & (kept["area_code"] == deprivation.SLIP_WRONG)
    if b"LSOA code (2021)" in content[:4096]:  # the error in IoD2025 File 6, in case File 7 shares it
        kept["area_code"] = kept["area_code"].mask(slip, deprivation.SLIP_RIGHT)
    return kept


def parse(content: bytes, query: SmallAreaQuery, districts_today: Callable[[str], Iterable[str]]) -> Parsed:
    """District figures of one measure, computed from File 7's small areas; ``rows_read`` is the number of districts.

    ``districts_today`` gives the current districts on the ground of a district code. Since the indices were made,
    districts have only been merged or recoded, so there must be exactly one. Methods are those of
    ``pipeline.publishers.deprivation.district_measures``. Raises UnreadablePayload as ``small_areas`` does, and for a
    district code without exactly one current district.
    """
    table = small_areas(content)
    today = {code: sorted(districts_today(code)) for code in table["area_code"].unique()}
    if unclear := {code: found for code, found in today.items() if len(found) != 1}:
        code, found = next(iter(unclear.items()))
        raise UnreadablePayload(
            f"IoD File 7: the district {code} is {' and '.join(found) or 'none'} of today's districts."
        )
    table = table.assign(
        index_district=table["area_code"],
        area_code=table["area_code"].map({code: found[0] for code, found in today.items()}),
        income_rate=table["income_rate"] * 100,
    )
    return deprivation.MEASURES[query.measure](deprivation.SmallAreas(f"{query.index[-4:]}-01-01/P1Y", table))


def average_scores(areas: pd.DataFrame) -> pd.Series:
    """District average IMD scores: the population-weighted mean of the small areas' scores, indexed by ``area_code``.

    This is MHCLG's definition of the summary of that name (IoD2019 technical report, section on district summaries).
    """
    weighted = areas.assign(product=areas["imd_score"] * areas["population"]).groupby("area_code")[
        ["product", "population"]
    ]
    sums = weighted.sum()
    return (sums["product"] / sums["population"]).rename("average_score")


def official_average_scores(content: bytes) -> pd.Series:
    """File 10's average IMD scores, indexed by ``area_code``, as a check on computed ones.

    Raises UnreadablePayload if the workbook cannot be read or lacks the sheet or columns.
    """
    try:
        rows = read_sheet(content, SUMMARY_SHEET)
    except UnreadableWorkbook as error:
        raise UnreadablePayload(f"IoD File 10: no sheet '{SUMMARY_SHEET}' can be read: {error!s:.120}") from error
    start = next((n for n, row in enumerate(rows) if str(row[0]).startswith(_DISTRICT_CODE)), None)
    if start is None:
        raise UnreadablePayload(f"IoD File 10: the sheet '{SUMMARY_SHEET}' has no row of column names.")
    table = pd.DataFrame(rows[start + 1 :], columns=[str(name) for name in rows[start]])
    kept = _named(table, SUMMARY_COLUMNS, "IoD File 10")
    scores = deprivation.within(kept, "average_score", 0, MOST_SCORE, "area_code")
    codes = kept["area_code"].astype("str")
    is_wrong = ~codes.str.fullmatch(r"E0[6-9][0-9]{6}") | codes.duplicated()
    if is_wrong.any():
        raise UnreadablePayload(
            f"IoD File 10: {codes[is_wrong].iloc[0]!r:.60} is not a district code, or appears twice."
        )
    return scores.set_axis(pd.Index(codes, name="area_code"))


def _named(table: pd.DataFrame, names: dict[str, str], what: str) -> pd.DataFrame:
    """The columns of ``names`` under their new names: for each, the first header that begins with the name."""
    found: dict[str, str] = {}
    for published, ours in names.items():
        pattern = re.compile(rf"{re.escape(published)}\s*(\(\d{{4}}\)|: mid \d{{4}}.*)?\s*")
        match = next((column for column in table.columns if pattern.fullmatch(column)), None)
        if match is None:
            raise UnreadablePayload(f"{what}: no column '{published}'; the first are {list(table.columns[:5])}.")
        found[match] = ours
    return table[list(found)].rename(columns=found)
