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
from pipeline.publishers.nomis.columns import Columns, month_number
from pipeline.publishers.nomis.query import NomisCode, NomisQuery
from pipeline.tidy.delimited import Delimited, names_of_codes, read_delimited, repeated_keys, set_aside_rows, texts_of
from pipeline.tidy.marks import WITHOUT_FIGURE
from pipeline.tidy.observations import COUNT_COLUMNS, PARSED_COLUMNS, Parsed, UnreadablePayload

REQUIRED = ("DATE", "GEOGRAPHY_CODE", "MEASURES", "OBS_VALUE", "OBS_STATUS")
OPTIONAL = ("DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_TYPE", "OBS_STATUS_NAME")


HALF_WIDTH_IN_STANDARD_ERRORS = 1.96  # a 95% interval of a normal estimate

# Districts were abolished on these days (ONS Code History Database). A geography type older than one of them still
# lists the abolished districts, for which Nomis then sends 0 (WIRE_FORMATS section 1.5).
ABOLITIONS = tuple(dt.date(year, 4, 1) for year in (2009, 2019, 2020, 2021, 2023))

_GSS_CODE = re.compile(r"[A-Z][0-9]{8}")
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
    columns = Columns.of(table.columns)
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


def _holds(column: pd.Series, measure: int) -> np.ndarray:
    """Which rows hold a measure's code, ignoring surrounding blanks."""
    numbers = [number for number, option in enumerate(column.cat.categories) if str(option).strip() == str(measure)]
    return np.isin(column.cat.codes.to_numpy(), numbers)


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


@dataclass(frozen=True)
class _Beside:
    """The rows of one measure beside the value: which they are, which found their value, and their number by value row."""

    is_it: np.ndarray
    is_paired: np.ndarray
    number: np.ndarray
    cannot_be_read: np.ndarray


def _beside_value(columns: Columns, is_value: np.ndarray, is_it: np.ndarray) -> _Beside:
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


def _bounds(columns: Columns, error: np.ndarray | None, query: NomisQuery) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound for each value row; missing without an error."""
    if error is None:
        error = np.full(len(columns.value), np.nan)
    half_width = (
        error if query.error_form == "half_width" else columns.value * HALF_WIDTH_IN_STANDARD_ERRORS * error / 100
    )
    return columns.value - half_width, columns.value + half_width


def _reasons(columns: Columns, is_value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
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
    if match is None or not (month := month_number(match[2])):
        return None
    vintage = dt.date(int(match[3]), month, 1)
    return next((day for day in ABOLITIONS if day > vintage), None)


def _two_types(columns: Columns, rows: np.ndarray) -> np.ndarray:
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
