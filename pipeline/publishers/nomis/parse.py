"""Parse a slice of a Nomis data set (format: WIRE_FORMATS sections 1.4 to 1.6 and 9).

Nomis gives the value, its error, its numerator and its denominator in separate rows. Here they become one figure with
lower and upper bounds and the counts behind it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.numerals import rounded
from pipeline.publishers.nomis.query import NomisCode, NomisQuery
from pipeline.tidy.delimited import Delimited, names_of_codes, read_delimited, repeated_keys, set_aside_rows, texts_of
from pipeline.tidy.marks import NOMIS, WITHOUT_FIGURE, read_cells
from pipeline.tidy.observations import COUNT_COLUMNS, PARSED_COLUMNS, Parsed, UnreadablePayload

REQUIRED = ("DATE", "GEOGRAPHY_CODE", "MEASURES", "OBS_VALUE", "OBS_STATUS")
OPTIONAL = ("DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_TYPE", "OBS_STATUS_NAME")

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

HALF_WIDTH_IN_STANDARD_ERRORS = 1.96  # a 95% interval of a normal estimate

# Districts were abolished on these days (ONS Code History Database). A geography type older than one of them still
# lists the abolished districts, for which Nomis then sends 0 (WIRE_FORMATS section 1.5).
ABOLITIONS = tuple(dt.date(year, 4, 1) for year in (2009, 2019, 2020, 2021, 2023))

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_GSS_CODE = re.compile(r"[A-Z][0-9]{8}")
_DATE = re.compile(r"([12][0-9]{3})(?:-(0[1-9]|1[0-2]))?")
_MONTH_AND_YEAR = r"([A-Za-z]{3,9}) ([12][0-9]{3})"
_MONTH = re.compile(_MONTH_AND_YEAR)
_SPAN = re.compile(rf"{_MONTH_AND_YEAR} ?[-\u2010-\u2015\u2212] ?{_MONTH_AND_YEAR}")  # a hyphen, or a dash in its place
# Permitted in brackets after a period's name: remarks about the figures, not about the period.
_REMARK = re.compile(r" ?[(\[](provisional|revised|p|r)[)\]]", re.IGNORECASE)
_VINTAGE = re.compile(r"(as of|prior to) ([A-Za-z]+) ([0-9]{4})")


def parse(source: bytes | Path, query: NomisQuery) -> Parsed:
    """Figures of one slice: its value rows, each with bounds from its error row, and with its counts if requested.

    If an answer holds several options, requested together, only the query's own are read. A row of another measure
    belongs to its value's row and is not counted separately. So ``rows_read`` is the number of value rows, of other
    rows without a value, and of ragged lines. Bounds are value x (1 +- 1.96 cv / 100) for a coefficient of variation in
    percent, value +- half width otherwise. ``source_row`` is the line of the value. A withheld numerator or denominator
    is missing.

    Periods: ``2025`` is ``2025-01-01/P1Y`` (for ASHE too, since Nomis does not give its survey day). ``2025-09`` named
    ``Oct 2024-Sep 2025`` is ``2024-10-01/P1Y``; named ``September 2025``, or without a name, it is that month. A dash
    may replace the hyphen. ``(provisional)`` or ``(revised)`` after the name is a remark on the figures, which become
    provisional, or stay ordinary. A period with any other name is not read.

    Marks in place of a figure or attached to one are those of ``pipeline.tidy.marks.NOMIS``.

    If one code comes under two geography types, the district's row is kept and the other is set aside. Zeros for
    abolished districts are set aside too. Raises UnreadablePayload for an empty body, HTML, missing columns, or options
    of a dimension other than the query's.
    """
    what = _what(query)
    table = _own_options(_table(source, query), query, what)
    columns = _Columns.of(table.columns)
    is_value = _holds(table.columns["MEASURES"], query.value_measure)
    beside = {
        name: _beside_value(columns, is_value, _holds(table.columns["MEASURES"], measure))
        for name, measure in _other_measures(query).items()
    }
    is_other = np.logical_or.reduce([other.is_it for other in beside.values()] or [np.zeros(len(is_value), bool)])
    is_paired = np.logical_or.reduce([other.is_paired for other in beside.values()] or [np.zeros(len(is_value), bool)])

    lower, upper = _bounds(columns, beside["error"].number if "error" in beside else None, query)
    reasons = _reasons(columns, is_value, lower, upper)
    reasons[~is_value & ~is_other] = "the measure is not one that was asked for"
    for other in beside.values():
        reasons[is_value & other.cannot_be_read & (reasons == "")] = (
            "an error or a count beside the figure cannot be read"
        )
    reasons[is_other & ~is_paired] = "an error, numerator or denominator without the figure it belongs to"
    usable = np.flatnonzero(is_value & (reasons == ""))
    reasons[usable] = _two_types(columns, usable)
    usable = np.flatnonzero(is_value & (reasons == ""))
    reasons[usable] = repeated_keys(columns.area[usable], columns.date[usable], columns.value[usable])

    kept = np.flatnonzero(is_value & (reasons == ""))
    figures = pd.DataFrame(
        {
            "area_code": texts_of(columns.area_codes, columns.area[kept]),
            "period": texts_of(columns.periods, columns.period[kept]),
            "value": columns.value[kept],
            "lower": lower[kept],
            "upper": upper[kept],
            "status": texts_of(columns.statuses, columns.status[kept]),
            "source_row": table.source_row[kept],
            **{name: beside[name].number[kept] for name in COUNT_COLUMNS if name in beside},
        }
    )
    said = [period or name for period, name in zip(columns.periods, columns.period_names, strict=True)]
    period = np.array(said, dtype=object)[columns.period] if said else columns.period
    set_aside = set_aside_rows(table, reasons, table.columns["GEOGRAPHY_CODE"], period)
    rows_read = table.rows_read - int((is_other & is_paired).sum())
    counts = [name for name in COUNT_COLUMNS if name in figures]
    names = names_of_codes(table.columns["GEOGRAPHY_CODE"], table.columns.get("GEOGRAPHY_NAME"))
    return Parsed(figures[[*PARSED_COLUMNS, *counts]], set_aside, rows_read, area_names=names)


def area_names(source: bytes | Path, query: NomisQuery) -> dict[str, str]:
    """Nomis's area names by code; empty if none were sent. A file just parsed is not read again."""
    columns = _table(source, query).columns
    return names_of_codes(columns["GEOGRAPHY_CODE"], columns.get("GEOGRAPHY_NAME"))


def _what(query: NomisQuery) -> str:
    return f"Nomis {query.dataset} payload"


def _table(source: bytes | Path, query: NomisQuery) -> Delimited:
    names = [f"{dimension.upper()}_NAME" for dimension in query.dimensions]
    codes = [dimension.upper() for dimension in query.dimensions]
    return read_delimited(source, what=_what(query), required=REQUIRED, optional=(*OPTIONAL, *codes, *names))


def _other_measures(query: NomisQuery) -> dict[str, int]:
    """The measures requested beside the value, by their role."""
    measures = {
        "error": query.error_measure,
        "numerator": query.numerator_measure,
        "denominator": query.denominator_measure,
    }
    return {name: measure for name, measure in measures.items() if measure is not None}


@dataclass(frozen=True)
class _Columns:
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
    def of(cls, columns: pd.DataFrame) -> _Columns:
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


def _holds(column: pd.Series, measure: int) -> np.ndarray:
    """Which rows hold a measure's code, ignoring surrounding blanks."""
    numbers = [number for number, option in enumerate(column.cat.categories) if str(option).strip() == str(measure)]
    return np.isin(column.cat.codes.to_numpy(), numbers)


def _pairs(one: pd.Series, other: pd.Series) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The distinct pairs of two text columns, stripped, and for each row the number of its pair."""
    pairs = _codes(one) * (len(other.cat.categories) + 1) + _codes(other)
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    return which, [(str(one.iloc[row]).strip(), str(other.iloc[row]).strip()) for row in first]


def _own_options(table: Delimited, query: NomisQuery, what: str) -> Delimited:
    """The rows of the query's own option of each dimension, identified by name, or by code if names were not sent.

    Raises UnreadablePayload for an option that was not requested.
    """
    is_own = np.ones(len(table.columns), dtype=bool)
    for dimension, options in query.options.items():
        name_column, code_column = f"{dimension.upper()}_NAME", dimension.upper()
        column = name_column if name_column in table.columns else code_column
        if column not in table.columns:
            raise UnreadablePayload(
                f"{what}: neither {name_column} nor {code_column} is there to identify the figures."
            )
        texts = table.columns[column]
        which = [_which_option(str(text), options, by_name=column == name_column) for text in texts.cat.categories]
        others = [str(text) for text, option in zip(texts.cat.categories, which, strict=True) if option is None]
        there = texts.cat.codes.to_numpy()
        if others and not np.isin(there, [number for number, option in enumerate(which) if option is not None]).all():
            expected = " and ".join(f"'{option.name}'" for option in options)
            raise UnreadablePayload(f"{what}: expected only {dimension} {expected}, but it also holds '{others[0]}'.")
        if len(options) > 1:
            own = query.dimensions[dimension]
            is_own &= np.isin(there, [number for number, option in enumerate(which) if option == own])
    return table if is_own.all() else table.where(is_own)


def _which_option(text: str, options: Sequence[NomisCode], *, by_name: bool) -> NomisCode | None:
    return next((one for one in options if (one.is_named(text) if by_name else text.strip() == str(one.code))), None)


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
        first, last = _month_number(span[1]), _month_number(span[3])
        months = (int(span[4]) - int(span[2])) * 12 + last - first + 1
        is_agreed = 0 not in (first, last) and (int(span[4]), last) == (year, month)
        if not is_agreed or not 1 <= months <= LONGEST_SPAN_IN_MONTHS or (found[2] is None and months != 12):
            return unread
        return f"{span[2]}-{first:02d}-01/{f'P{months // 12}Y' if months % 12 == 0 else f'P{months}M'}", end
    if found[2] is None:
        return (f"{year}-01-01/P1Y", end) if name in ("", date) else unread
    is_month = name in ("", date) or (
        single is not None and (_month_number(single[1]), int(single[2])) == (month, year)
    )
    return (f"{date}-01/P1M", end) if is_month else unread


def _month_number(word: str) -> int:
    """1 to 12 for a month's name or abbreviation (three letters or more); 0 for any other word."""
    return next((number for number, name in enumerate(_MONTHS, 1) if name.startswith(word.casefold())), 0)


@dataclass(frozen=True)
class _Beside:
    """The rows of one measure beside the value: which they are, which found their value, and their number by value row."""

    is_it: np.ndarray
    is_paired: np.ndarray
    number: np.ndarray
    cannot_be_read: np.ndarray


def _beside_value(columns: _Columns, is_value: np.ndarray, is_it: np.ndarray) -> _Beside:
    """For each value row, the number from another measure's row for the same area, date and geography type."""
    rows = len(columns.value)
    number = np.full(rows, np.nan)
    is_paired, cannot_be_read = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    values, others = np.flatnonzero(is_value), np.flatnonzero(is_it)
    if len(values) and len(others):
        dates, kinds = int(columns.date.max()) + 1, int(columns.kind.max()) + 1
        key = (columns.area * dates + columns.date) * kinds + columns.kind
        order = values[np.argsort(key[values], kind="stable")]
        sorted_keys = key[order]
        place = np.searchsorted(sorted_keys, key[others])
        is_found = (place < len(order)) & (sorted_keys[np.minimum(place, len(order) - 1)] == key[others])
        is_paired[others[is_found]] = True
        usable = np.where(columns.where_status("ok")[others], columns.value[others], np.nan)
        number[order[place[is_found]]] = usable[is_found]
        cannot_be_read[order[place[is_found]]] = columns.is_unreadable[others[is_found]]
    return _Beside(is_it, is_paired, number, cannot_be_read)


def _bounds(columns: _Columns, error: np.ndarray | None, query: NomisQuery) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound for each value row; missing without an error."""
    if error is None:
        error = np.full(len(columns.value), np.nan)
    half_width = (
        error if query.error_form == "half_width" else columns.value * HALF_WIDTH_IN_STANDARD_ERRORS * error / 100
    )
    return columns.value - half_width, columns.value + half_width


def _reasons(columns: _Columns, is_value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Why each value row is rejected; '' if it is not."""
    reasons = np.full(len(columns.value), "", dtype=object)

    def say(condition: np.ndarray, reason: str) -> None:
        reasons[condition & is_value & (reasons == "")] = reason

    has_value = ~np.isnan(columns.value)
    strange = [number for number, code in enumerate(columns.area_codes) if not _GSS_CODE.fullmatch(code)]
    say(np.isin(columns.area, strange), "the area code is blank or not a nine-character GSS code")
    for number, (period, name) in enumerate(zip(columns.periods, columns.period_names, strict=True)):
        if not period:
            say(columns.period == number, f"the period {name} cannot be read")
    say(columns.is_unreadable, "a number cannot be read")
    say(columns.where_status(""), "the status is not known")
    say(has_value & columns.where_status(*WITHOUT_FIGURE), "there is a figure although its status says there is none")
    say(
        ~has_value & columns.where_status("ok", "provisional", "estimated"),
        "there is neither a figure nor a status that says why",
    )
    say(lower > upper, "the published error is negative")
    for kind, name in enumerate(columns.kind_names):
        abolished_on = _first_abolition_after(name)
        if abolished_on is not None:
            is_after = (columns.period_ends >= np.datetime64(abolished_on))[columns.period]
            is_ghost = (columns.kind == kind) & (columns.value == 0) & is_after
            say(is_ghost, f"zero under the geography type '{name}' after districts it lists were abolished")
    return reasons


def _first_abolition_after(kind_name: str) -> dt.date | None:
    """The first day after a geography type's vintage on which districts were abolished; None for a current type."""
    match = _VINTAGE.search(kind_name)
    if match is None or not (month := _month_number(match[2])):
        return None
    vintage = dt.date(int(match[3]), month, 1)
    return next((day for day in ABOLITIONS if day > vintage), None)


def _two_types(columns: _Columns, rows: np.ndarray) -> np.ndarray:
    """Why a row gives way to the same code's row under another geography type; '' if it does not."""
    reasons = np.full(len(rows), "", dtype=object)
    if len(columns.kind_names) < 2 or not len(rows):
        return reasons
    is_district = np.array(["district" in name.casefold() for name in columns.kind_names], dtype=bool)[
        columns.kind[rows]
    ]
    key = columns.area[rows] * (int(columns.date.max()) + 1) + columns.date[rows]
    order = np.lexsort((columns.kind[rows], ~is_district, key))  # by area and date, districts first
    is_another = np.diff(key[order], prepend=-1) == 0
    first = np.maximum.accumulate(np.where(is_another, 0, np.arange(len(rows))))
    for place in np.flatnonzero(is_another):
        row, best = rows[order[place]], rows[order[first[place]]]
        if columns.kind[row] != columns.kind[best]:
            kept, left = (columns.kind_names[columns.kind[which]] for which in (best, row))
            given = _compared(float(columns.value[row]), float(columns.value[best]))
            reasons[order[place]] = f"given under two geography types: '{kept}' is kept, '{left}' has {given}"
    return reasons


def _compared(value: float, kept: float) -> str:
    if value == kept or (np.isnan(value) and np.isnan(kept)):
        return "the same figure"
    return f"{rounded(value)} instead of {rounded(kept)}"
