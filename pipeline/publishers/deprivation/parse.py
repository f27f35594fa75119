"""Parse the four nations' indices of deprivation, as published, into district figures.

Each nation's index is read separately: they are made differently and do not compare.
``pipeline.publishers.deprivation.district_measures`` holds the methods for small areas; it also makes the shipped
figures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.deprivation import iod_files
from pipeline.publishers.deprivation.query import SmallAreaQuery
from pipeline.publishers.protocol import Districts
from pipeline.tidy.observations import Parsed, UnreadablePayload
from pipeline.tidy.workbook_cells import UnreadableWorkbook, read_sheets

# The number of small areas in each index; a file with another number is not that index (SIMD: populated data zones).
AREAS_OF_INDEX: Mapping[str, int] = {"wimd2019": 1909, "wimd2025": 1917, "simd2020": 6973, "nimdm2017": 890}
_SMALL_AREA = re.compile(r"lsoa code")
_AUTHORITY = re.compile(r"local authority name.*")
_DECILE = re.compile(r"wimd \d{4}.* decile")


def parse(content: bytes, query: SmallAreaQuery, districts: Districts) -> Parsed:
    """District figures of the query's measure, computed from the small areas of its index.

    Raises UnreadablePayload for anything but the file of that index, for missing or surplus small areas, and for a
    district that is not current.
    """
    match query.index:
        case "iod2019" | "iod2025":
            return iod_files.parse(content, query, districts.today)
        case "simd2020":
            areas = deprivation.scotland_2020(content, districts.by_name)
        case "nimdm2017":
            areas = deprivation.northern_ireland_2017(content, districts.by_name)
        case "wimd2019" | "wimd2025":
            areas = _wales(content, query.index, districts.by_name)
    expected = AREAS_OF_INDEX[query.index]
    if len(areas.table) != expected or areas.table["small_area"].duplicated().any():
        raise UnreadablePayload(
            f"{query.index}: {areas.table['small_area'].nunique():,} different small areas in "
            f"{len(areas.table):,} rows, where the index has {expected:,}"
        )
    return deprivation.MEASURES[query.measure](areas)


def _wales(content: bytes, index: str, by_name: Mapping[str, str]) -> deprivation.SmallAreas:
    """WIMD's ranks workbook: the sheet whose heading row names small area, authority and decile, wherever it is.

    The publisher's own deciles are used, since tenths of 1,909 or 1,917 areas can be rounded in more than one way.
    """
    try:
        sheets = read_sheets(content)
    except UnreadableWorkbook as error:
        raise UnreadablePayload(f"{index}: expected a workbook; it cannot be read: {error!s:.120}") from error
    for rows in sheets.values():
        for number, row in enumerate(rows):
            headings = [" ".join(str(cell).split()).casefold() for cell in row]
            found = [
                next((place for place, text in enumerate(headings) if pattern.fullmatch(text)), None)
                for pattern in (_SMALL_AREA, _AUTHORITY, _DECILE)
            ]
            if None not in found:
                table = pd.DataFrame(
                    [[row[place] for place in found if place is not None] for row in rows[number + 1 :]],
                    columns=pd.Index(["small_area", "authority", "decile"]),
                )
                return _welsh_areas(table, index, by_name)
    raise UnreadablePayload(
        f"{index}: no sheet has a heading row with 'LSOA code', 'Local Authority name' and "
        f"'WIMD … decile'; the sheets are {', '.join(sheets)}"
    )


def _welsh_areas(table: pd.DataFrame, index: str, by_name: Mapping[str, str]) -> deprivation.SmallAreas:
    table = table[table["small_area"].astype("str").str.fullmatch(r"W01\d{6}")].reset_index(drop=True)
    decile = pd.to_numeric(table["decile"], errors="coerce")
    if not decile.isin(range(1, 11)).all():
        raise UnreadablePayload(f"{index}: {int((~decile.isin(range(1, 11))).sum())} small areas have no decile")
    table = table.assign(
        area_code=deprivation.district_of_name(table["authority"].astype("str").str.strip(), "W06", by_name),
        is_in_most_deprived_tenth=decile == 1,
    )
    return deprivation.SmallAreas(f"{index[-4:]}-01-01/P1Y", table)
