"""District figures computed from the small areas of the four nations' indices of deprivation.

Small areas (LSOAs, data zones, super output areas) are combined directly into current districts. So a district that was
merged after the index was made has its own figure, and no average is taken of averages.

Methods

* Average score: the population-weighted mean of the small areas' scores, with the publisher's own denominators. It is
  the publisher's summary measure of that name (File 10 of the English indices), and equals it on the index's own map.
* Gap: 90th minus 10th percentile of the small areas' income-deprivation rates, in percentage points. Percentiles are of
    areas, not of people, and interpolate linearly between order statistics (definition 7 of Hyndman and Fan 1996):
    small areas are designed to hold about the same number of people.
* Concentration: the concentration index for grouped data of Kakwani, Wagstaff and van Doorslaer (1997, Journal of
  Econometrics 77, 87-103), ``C = 2/mu * sum(f_i y_i R_i) - 1``, with population shares ``f``, rates ``y``, their mean
  ``mu`` and the relative rank ``R_i = sum(f_j, j < i) + f_i / 2`` of areas in order of their rate. Ranked by the rate
    itself it is a Gini index over areas: 0 if every area has the same rate, always under 1.

A district with fewer than 5 small areas has no meaningful spread and gets ``not_available``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.numerals import rounded
from pipeline.tidy.observations import Parsed, UnreadablePayload
from pipeline.tidy.rows import split
from pipeline.tidy.workbook_cells import UnreadableWorkbook, read_sheet

FEWEST_SMALL_AREAS = 5
MOST_PEOPLE = 100_000  # of one small area: the fullest has some ten thousand

# Known error in File 6 of IoD2025: it puts this LSOA in Cherwell; File 10 counts it in West Northamptonshire.
SLIP_LSOA, SLIP_WRONG, SLIP_RIGHT = "E01027305", "E07000177", "E06000062"

# A council area whose name differs between the Scottish file and the list of codes.
_NAME_IN_REGISTER = {"Na h-Eileanan an Iar": "Na h-Eileanan Siar"}


@dataclass(frozen=True)
class SmallAreas:
    """The small areas of one index.

    ``table`` has one row a small area: ``small_area``, ``area_code`` (the current district), ``population`` (or 1.0 if
    none is published), ``income_rate`` in percent and, for England, ``imd_score`` and ``index_district`` (the
    district's code on the index's own map). For Wales from ranks, there is only ``is_in_most_deprived_tenth`` beside
    the first two. ``period`` is the year in the index's name.
    """

    period: str
    table: pd.DataFrame


def england_2019(uk_index: bytes, denominators: bytes, codes: bytes) -> SmallAreas:
    """IoD2019 on 2011 LSOAs: scores and rates of the composite UK file, people and 2019 districts of File 6."""
    scores = _uk_index(uk_index, "E")
    people = _sheet(denominators, "Population Denominators")
    table = _joined(scores, "lsoa", people, "LSOA code (2011)").rename(columns={"overall_local_score": "imd_score"})
    return SmallAreas(
        "2019-01-01/P1Y",
        _england(
            table,
            _column(people, "Local Authority District code (2019)"),
            _column(people, "Total population: mid 2015 (excluding prisoners)"),
            codes,
        ),
    )


def england_2025(scores: bytes, denominators: bytes, codes: bytes) -> SmallAreas:
    """IoD2025 on 2021 LSOAs: scores of the LSOA file (rates as a share of one), people and 2024 districts of File 6.

    Raises UnreadablePayload if File 6 no longer has the error that is corrected here, so that the correction is
    removed.
    """
    people = _sheet(denominators, "ID 2025 Population Denominators")
    district = "Local Authority District code (2024)"
    slip = people["LSOA code (2021)"] == SLIP_LSOA
    given = people.loc[slip, district].tolist()
    if given != [SLIP_WRONG]:
        raise UnreadablePayload(
            f"File 6 of IoD2025 gives {SLIP_LSOA} to {given}, not to {SLIP_WRONG} as it used to: "
            "the publisher has fixed its error, so remove the correction from pipeline/publishers/deprivation/district_measures.py"
        )
    people[district] = people[district].mask(slip, SLIP_RIGHT)
    table = _joined(
        _csv(scores, ("lsoa21_code", "IMD_score", "Income_score")), "lsoa21_code", people, "LSOA code (2021)"
    )
    table = table.rename(columns={"lsoa21_code": "lsoa", "IMD_score": "imd_score"})
    table["income_score"] = table["Income_score"] * 100
    return SmallAreas("2025-01-01/P1Y", _england(table, district, _column(people, "Total population: mid 2022"), codes))


def wales_2019(uk_index: bytes, lookup: bytes, register: bytes, codes: bytes) -> SmallAreas:
    """WIMD 2019 on 2011 LSOAs: rates in whole percent; no populations are available, so areas have equal weights."""
    table = _uk_index(uk_index, "W").rename(columns={"lsoa": "small_area", "income_score": "income_rate"})
    authority = _text_csv(lookup, ("lsoa", "local-authority-code")).set_index("lsoa")["local-authority-code"]
    gss = _text_csv(register, ("local-authority-code", "gss-code")).set_index("local-authority-code")["gss-code"]
    district = table["small_area"].map(authority).map(gss)
    if district.isna().any():
        lost = table.loc[district.isna(), "small_area"].tolist()
        raise UnreadablePayload(f"{len(lost)} small areas have no authority in the lookup, the first: {lost[:3]}")
    return SmallAreas(
        "2019-01-01/P1Y",
        table[["small_area", "income_rate"]].assign(area_code=_todays_district(district, codes), population=1.0),
    )


def scotland_2020(indicators: bytes, codes: bytes | Mapping[str, str]) -> SmallAreas:
    """SIMD 2020v2 on data zones: income-deprived people over all people, with council areas from the file's names.

    ``codes`` is a table of district codes or, by name, the current districts. The published rate is this ratio rounded
    to whole percent. A data zone without people has no rate and is left out.
    """
    data = _sheet(indicators, "Data")
    zone = _column(data, "Data_Zone")
    people = within(data, _column(data, "Total_population"), 0, MOST_PEOPLE, zone)
    deprived = within(data, _column(data, "Income_count"), 0, MOST_PEOPLE, zone)
    if (deprived > people).any():
        raise UnreadablePayload(
            f"more income deprived people than people in {data.loc[deprived > people, zone].iloc[0]}"
        )
    table = pd.DataFrame(
        {
            "small_area": named_by(data, zone, r"S01[0-9]{6}"),
            "area_code": district_of_name(data[_column(data, "Council_area")], "S12", codes),
            "population": people,
            "income_rate": 100 * deprived / people.where(people > 0),
        }
    )
    return SmallAreas("2020-01-01/P1Y", table[people > 0].reset_index(drop=True))


def northern_ireland_2017(results: bytes, codes: bytes | Mapping[str, str]) -> SmallAreas:
    """NIMDM 2017 on super output areas: people in low-income households, with districts from the file's names.

    ``codes`` is a table of district codes or, by name, the current districts. No populations are available, so areas
    have equal weights.
    """
    data = _sheet(results, "Income")
    area = _column(data, "SOA2001")
    share = _column(data, "Proportion of the population living in households")
    table = pd.DataFrame(
        {
            "small_area": named_by(data, area, r"95[A-Z]{2}[0-9]{2}[A-Z][0-9]"),
            "area_code": district_of_name(data[_column(data, "LGD2014NAME")], "N09", codes),
            "population": 1.0,
            "income_rate": 100 * within(data, share, 0, 1, area),  # headed "(%)" but given as a share of one
        }
    )
    return SmallAreas("2017-01-01/P1Y", table)


def average_score(areas: SmallAreas, by: str = "area_code") -> Parsed:
    """The population-weighted mean IMD score of each district; ``by="index_district"`` for the index's own map."""
    table = areas.table
    weighted = (table["imd_score"] * table["population"]).groupby(table[by]).sum()
    return _figures(weighted / table.groupby(by)["population"].sum(), areas.period)


def income_deprivation_gap(areas: SmallAreas) -> Parsed:
    """90th minus 10th percentile of the small areas' income-deprivation rates, in percentage points, by district."""
    rates = areas.table.groupby("area_code")["income_rate"]
    return _figures(_where_enough(areas, rates.quantile(0.9) - rates.quantile(0.1)), areas.period)


def income_deprivation_concentration(areas: SmallAreas) -> Parsed:
    """The population-weighted concentration index of income deprivation over each district's small areas, 0 to 1."""
    grouped = areas.table.groupby("area_code")
    index = pd.Series(
        {
            code: concentration_index(group["income_rate"].to_numpy(), group["population"].to_numpy())
            for code, group in grouped
        }
    )
    return _figures(_where_enough(areas, index), areas.period)


def most_deprived_tenth(areas: SmallAreas) -> Parsed:
    """The percentage of each district's small areas that are in their nation's most deprived tenth.

    WIMD is commonly summarised in this way for local authorities. Small areas hold about the same number of people.
    """
    is_in = areas.table.groupby("area_code")["is_in_most_deprived_tenth"]
    return _figures(_where_enough(areas, 100 * is_in.mean()), areas.period)


def concentration_index(rates: np.ndarray, weights: np.ndarray) -> float:
    """Grouped concentration index of ``rates`` (areas) ranked by themselves; NaN if every rate is zero.

    The formula is in the module's docstring. The order of areas with equal rates does not matter.
    """
    order = np.argsort(rates, kind="stable")
    rate, share = rates[order], weights[order] / weights.sum()
    # Exactly rounded sums: processors add up differently, which would change the last digit between machines.
    mean = math.fsum(rate * share)
    if mean == 0:
        return float("nan")
    rank = np.cumsum(share) - share / 2
    # Rounding can leave a uniform district slightly below zero.
    return max(0.0, 2 / mean * math.fsum(share * rate * rank) - 1)


MEASURES: Mapping[str, Callable[[SmallAreas], Parsed]] = {
    "average_score": average_score,
    "income_gap": income_deprivation_gap,
    "income_concentration": income_deprivation_concentration,
    "most_deprived_tenth": most_deprived_tenth,
}


def _where_enough(areas: SmallAreas, values: pd.Series) -> pd.Series:
    count = areas.table.groupby("area_code").size()
    return values.where(count.reindex(values.index) >= FEWEST_SMALL_AREAS)


def _figures(values: pd.Series, period: str) -> Parsed:
    """One row a district, by code; a missing value is ``not_available``."""
    values = values.sort_index()
    frame = pd.DataFrame(
        {
            "area_code": values.index.astype("str"),
            "period": period,
            "value": values.to_numpy(dtype="float64"),
            "lower": np.nan,
            "upper": np.nan,
            "status": np.where(values.notna(), "ok", "not_available"),
            "source_row": np.arange(1, len(values) + 1),
            "raw_line": "",
        }
    ).astype({"period": "str", "status": "str", "raw_line": "str"})
    return split(frame, pd.Series("", index=frame.index, dtype="str"))


def _england(table: pd.DataFrame, district: str, population: str, codes: bytes) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "small_area": table["lsoa"],
            "index_district": table[district],
            "area_code": _todays_district(table[district], codes),
            "population": table[population].astype("float64"),
            "imd_score": table["imd_score"],
            "income_rate": table["income_score"],
        }
    )


def district_of_name(names: pd.Series, prefix: str, codes: bytes | Mapping[str, str]) -> pd.Series:
    """The current district for a publisher's name, among the codes that begin with ``prefix``.

    ``codes`` is a table of district codes or, by name, the current districts. Raises UnreadablePayload for an unknown
    name.
    """
    if isinstance(codes, bytes):
        table = _text_csv(codes, ("LADCD", "LADNM", "LADCD_ACTIVE"))
        active = table[table["LADCD"] == table["LADCD_ACTIVE"]]
        codes = dict(zip(active["LADNM"], active["LADCD"], strict=True))
    known = {name: code for name, code in codes.items() if code.startswith(prefix)}
    district = names.replace(_NAME_IN_REGISTER).map(known)
    if district.isna().any():
        raise UnreadablePayload(f"no district code is known for the names {sorted(set(names[district.isna()]))[:5]}")
    return district


def _todays_district(districts: pd.Series, codes: bytes) -> pd.Series:
    """The current successor of a district code; since 2019 districts were only merged or recoded, never split."""
    chain = _text_csv(codes, ("LADCD", "LADCD_ACTIVE")).set_index("LADCD")["LADCD_ACTIVE"]
    today = districts.map(chain)
    if today.isna().any() or (today == "").any():
        unknown = sorted(set(districts[today.isna() | (today == "")]))
        raise UnreadablePayload(f"no successor is known for the district codes {unknown[:5]}")
    return today


def _uk_index(content: bytes, nation: str) -> pd.DataFrame:
    table = _csv(content, ("nation", "lsoa", "overall_local_score", "income_score"))
    return table[table["nation"] == nation].reset_index(drop=True)


def _joined(left: pd.DataFrame, left_key: str, right: pd.DataFrame, right_key: str) -> pd.DataFrame:
    """Small areas with their denominators, one to one; a small area on one side only is an error, not a loss."""
    table = left.merge(right, left_on=left_key, right_on=right_key, how="inner", validate="one_to_one")
    if not len(table) == len(left) == len(right):
        raise UnreadablePayload(
            f"{len(left)} small areas have scores and {len(right)} have denominators, but only {len(table)} have both"
        )
    return table


def _csv(content: bytes, columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")
    return _checked(table, columns)


def _text_csv(content: bytes, columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype="str", keep_default_na=False)
    return _checked(table, columns)


def _checked(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise UnreadablePayload(f"no column {', '.join(missing)}; the file has: {', '.join(map(str, table.columns))}")
    return table


def _sheet(content: bytes, name: str) -> pd.DataFrame:
    """A sheet with its headings in the first row, without the trailing blanks that publishers leave."""
    try:
        cells = read_sheet(content, name)
    except UnreadableWorkbook as error:
        raise UnreadablePayload(f"expected a workbook with a sheet '{name}'; it cannot be read: {error}") from error
    headings = [str(heading).strip() for heading in cells[0]] if cells else []
    return pd.DataFrame(cells[1:], columns=pd.Index(headings))


def within(table: pd.DataFrame, column: str, least: float, most: float, key: str) -> pd.Series:
    """A column as numbers, each from ``least`` to ``most``.

    Raises UnreadablePayload for a cell that is not a number or is out of range, naming the first by its cell of
    ``key``.
    """
    given = table[column]
    number = pd.to_numeric(given.where(~given.map(lambda cell: isinstance(cell, bool))), errors="coerce")
    number = number.astype("float64")
    is_bad = ~number.between(least, most)
    if is_bad.any():
        where, what = table.loc[is_bad, key].iloc[0], given[is_bad].iloc[0]
        raise UnreadablePayload(
            f"'{column}' is not a number from {rounded(least)} to {rounded(most)} in {int(is_bad.sum())} rows, the first {where!s:.40} "
            f"with {what!r:.40}"
        )
    return number


def named_by(table: pd.DataFrame, column: str, pattern: str) -> pd.Series:
    """A column of codes of small areas. Raises UnreadablePayload for a malformed or repeated code."""
    codes = table[column].astype("str")
    for is_bad, reason in (
        (~codes.str.fullmatch(pattern), "is not the code of a small area"),
        (codes.duplicated(), "twice"),
    ):
        if is_bad.any():
            raise UnreadablePayload(f"'{column}': {codes[is_bad].iloc[0]!r:.60} {reason}")
    return codes


def _column(table: pd.DataFrame, start: str) -> str:
    """The one heading that begins with ``start``; an exact match wins."""
    found = [str(name) for name in table.columns if str(name).startswith(start)]
    if found.count(start) == 1:
        return start
    if len(found) != 1:
        raise UnreadablePayload(f"expected one column '{start}…'; the sheet has: {', '.join(map(str, table.columns))}")
    return found[0]
