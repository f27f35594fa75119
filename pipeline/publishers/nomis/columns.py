"""The rows of a Nomis payload as arrays: areas, periods, figures and statuses (WIRE_FORMATS sections 1.4 and 1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.tidy.marks import NOMIS, read_cells

# Only the letters A and Q are established, so every other status is identified by its name (WIRE_FORMATS section 1.5).
# The first phrase found decides: an estimate withheld as disclosive also calls itself "not available".
STATUS_OF_PHRASE = (
    ("normal value", "ok"),
    ("missing", "not_available"),
    ("suppressed as statistically unreliable", "unreliable"),
    ("disclosive", "suppressed"),
    ("unreliable", "unreliable"),
    ("less than 500", "suppressed"),
    ("suppressed", "suppressed"),
    ("provisional", "provisional"),
    ("not available", "not_available"),
)
LONGEST_SPAN_IN_MONTHS = 120  # surveys pool at most three years; this leaves room
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DATE = re.compile(r"([12][0-9]{3})(?:-(0[1-9]|1[0-2]))?")
_MONTH_AND_YEAR = r"([A-Za-z]{3,9}) ([12][0-9]{3})"
_MONTH = re.compile(_MONTH_AND_YEAR)
_SPAN = re.compile(rf"{_MONTH_AND_YEAR} ?[-\u2010-\u2015\u2212] ?{_MONTH_AND_YEAR}")  # a hyphen, or a dash in its place
# Permitted in brackets after a period's name: remarks about the figures, not about the period.
_REMARK = re.compile(r" ?[(\[](provisional|revised|p|r)[)\]]", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """The payload as arrays, one entry a row. Texts are numbers into short lists: ``area_codes[area]`` is a row's code.

    ``periods`` and ``statuses`` hold '' for text that cannot be read.
    """

    area: np.ndarray
    area_codes: list[str]
    date: np.ndarray
    kind: np.ndarray
    kind_names: list[str]
    period: np.ndarray
    periods: list[str]
    period_names: list[str]
    period_ends: np.ndarray
    value: np.ndarray
    is_unreadable: np.ndarray
    status: np.ndarray
    statuses: list[str]

    @classmethod
    def of(cls, columns: pd.DataFrame) -> Columns:
        unnamed = pd.Series([""] * len(columns), index=columns.index, dtype="category")
        kind = columns.get("GEOGRAPHY_TYPE", unnamed)
        cells = read_cells(columns["OBS_VALUE"], NOMIS)
        period, date_pairs = _pairs(columns["DATE"], columns.get("DATE_NAME", unnamed))
        status, status_pairs = _pairs(columns["OBS_STATUS"], columns.get("OBS_STATUS_NAME", unnamed))
        remarks = [_without_remark(name) for _, name in date_pairs]
        read = [_period(date, name) for (date, _), (name, _) in zip(date_pairs, remarks, strict=True)]
        statuses = [_status(*pair) for pair in status_pairs]
        status, statuses = _marked(status, statuses, cells.status)
        if any(mark for _, mark in remarks):
            status, statuses = _marked(status, statuses, np.array([mark for _, mark in remarks], dtype=object)[period])
        return cls(
            area=_codes(columns["GEOGRAPHY_CODE"]),
            area_codes=[str(code).strip() for code in columns["GEOGRAPHY_CODE"].cat.categories],
            date=_codes(columns["DATE"]),
            kind=_codes(kind),
            kind_names=[str(name) for name in kind.cat.categories],
            period=period,
            periods=[text for text, _ in read],
            period_names=[f"{date} ({name})" if name else date for date, name in date_pairs],
            period_ends=np.array([end for _, end in read], dtype="datetime64[D]"),
            value=cells.number,
            is_unreadable=cells.is_unreadable,
            status=status,
            statuses=statuses,
        )

    def where_status(self, *wanted: str) -> np.ndarray:
        """Which rows have one of the ``wanted`` statuses."""
        return np.isin(self.status, [number for number, status in enumerate(self.statuses) if status in wanted])


def _marked(status: np.ndarray, statuses: list[str], marks: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Statuses as numbers into a list; rows with status "ok" take the status of their mark."""
    is_ordinary = np.isin(status, [number for number, name in enumerate(statuses) if name == "ok"])
    for mark in sorted(set(np.unique(marks[is_ordinary])) - {"", "ok"}) if any(marks) else ():
        statuses = [*statuses, mark]
        status = np.where(is_ordinary & (marks == mark), len(statuses) - 1, status)
    return status, statuses


def _codes(column: pd.Series) -> np.ndarray:
    return column.cat.codes.to_numpy().astype("int64")


def _pairs(one: pd.Series, other: pd.Series) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The distinct pairs of two text columns, stripped, and for each row the number of its pair."""
    pairs = _codes(one) * (len(other.cat.categories) + 1) + _codes(other)
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    return which, [(str(one.iloc[row]).strip(), str(other.iloc[row]).strip()) for row in first]


def _status(letter: str, name: str) -> str:
    """The status for a letter and its name; '' for an unknown mark."""
    if letter == "A":
        return "ok"
    if letter == "Q" and not name:
        return "not_available"
    return next((status for phrase, status in STATUS_OF_PHRASE if phrase in name.casefold()), "")


def _without_remark(name: str) -> tuple[str, str]:
    """A period's name without the trailing remark, and the status from the remark ('' without one)."""
    found = _REMARK.search(name)
    if found is None or found.end() != len(name):
        return name, ""
    return name[: found.start()], "provisional" if found[1].casefold().startswith("p") else "ok"


def _period(date: str, name: str) -> tuple[str, str]:
    """ISO period and last day (the 28th is near enough for comparison with a 1 April) of one DATE and DATE_NAME.

    ('', 'NaT') if the name contradicts the date or cannot be read. Only the name distinguishes a month from the year
    that ends in it.
    """
    found, unread = _DATE.fullmatch(date), ("", "NaT")
    if found is None:
        return unread
    year, month = int(found[1]), int(found[2] or 12)
    span, single = _SPAN.fullmatch(name), _MONTH.fullmatch(name)
    end = f"{year}-{month:02d}-28"
    if span is not None:
        first, last = month_number(span[1]), month_number(span[3])
        months = (int(span[4]) - int(span[2])) * 12 + last - first + 1
        is_agreed = 0 not in (first, last) and (int(span[4]), last) == (year, month)
        if not is_agreed or not 1 <= months <= LONGEST_SPAN_IN_MONTHS or (found[2] is None and months != 12):
            return unread
        return f"{span[2]}-{first:02d}-01/{f'P{months // 12}Y' if months % 12 == 0 else f'P{months}M'}", end
    if found[2] is None:
        return (f"{year}-01-01/P1Y", end) if name in ("", date) else unread
    is_month = name in ("", date) or (single is not None and (month_number(single[1]), int(single[2])) == (month, year))
    return (f"{date}-01/P1M", end) if is_month else unread


def month_number(word: str) -> int:
    """1 to 12 for a month's name or abbreviation (three letters or more); 0 for any other word."""
    return next((number for number, name in enumerate(_MONTHS, 1) if name.startswith(word.casefold())), 0)
