"""A ``v4`` CSV of the ONS dataset API to figures of one slice (format: WIRE_FORMATS section 3.2)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pipeline.catalogue.model import OnsDatasetQuery
from pipeline.tidy.delimited import Delimited, header_of, read_delimited, repeated_keys, set_aside_rows
from pipeline.tidy.marks import ASHE, WITHOUT_FIGURE, read_cells, status_of
from pipeline.tidy.observations import PARSED_COLUMNS, Parsed, UnreadablePayload
from pipeline.tidy.rows import is_of_another_level

WHAT = "ONS dataset API payload"
_VALUE = re.compile(r"v4_([0-9]{1,3})", re.IGNORECASE)


def parse(content: bytes, query: OnsDatasetQuery) -> Parsed:
    """Figures of the rows that hold the query's label of each dimension; periods are years.

    The value column is found by its
    name (``v4_2``, in any case), and with it the columns of remarks that follow it; of these a data marking says why a
    figure is missing. ``source_row`` is the line. ``rows_read`` counts the slice, and ragged lines.

    Raises UnreadablePayload for what is no v4 table, for a column that is not there, and when a dimension that is not
    selected holds several options, since their figures would be mixed up.
    """
    header = header_of(content, WHAT)
    found = _VALUE.fullmatch(header[0])
    if found is None:
        raise UnreadablePayload(f"{WHAT}: expected a first column like 'v4_1', got {header[0]!r:.60}.")
    own = (query.time, query.geography)
    remarks, dimensions = header[1 : 1 + int(found[1])], header[1 + int(found[1]) :]
    table = read_delimited(content, what=WHAT, required=[header[0], *own, *query.select], optional=header)
    is_wanted = np.ones(len(table.columns), dtype=bool)
    for column, label in query.select.items():
        is_wanted &= (table.columns[column].astype("str").str.strip() == label).to_numpy()
    table = table.where(is_wanted)
    for column in dimensions[0::2]:
        if column not in own and table.columns[column].nunique() > 1:
            raise UnreadablePayload(f"{WHAT}: several options of '{column}' are left; select one of its label column.")
    return _parsed(table, header[0], remarks, *own)


def _parsed(table: Delimited, value_column: str, remarks: list[str], time: str, geography: str) -> Parsed:
    columns = table.columns
    marking = next((name for name in remarks if name.casefold().replace("_", " ") == "data marking"), None)
    mark = columns[marking].astype("str").str.strip() if marking else pd.Series("", index=columns.index, dtype="str")
    cells = read_cells(columns[value_column], ASHE)
    value, is_unreadable = cells.number, cells.is_unreadable
    status = cells.decide(mark.map({text: status_of(text, ASHE) if text else "ok" for text in mark.unique()}))
    area = columns[geography].astype("str").str.strip()
    year = columns[time].astype("str").str.strip()
    period = year.where(~year.str.fullmatch(r"[0-9]{4}"), year + "-01-01/P1Y")
    elsewhere = is_of_another_level(area).to_numpy()
    reasons = np.full(len(columns), "", dtype=object)

    def say(condition: np.ndarray, reason: str) -> None:
        reasons[condition & (reasons == "") & ~elsewhere] = reason

    has_value = ~np.isnan(value)
    say(~area.str.fullmatch(r"[A-Z][0-9]{8}").to_numpy(), "the area code is not a nine-character GSS code")
    say(~year.str.fullmatch(r"[12][0-9]{3}").to_numpy(), "the period is not a year")
    say(is_unreadable, "the value cannot be read")
    say((status == "").to_numpy(), "the data marking is not one that is known")
    say(~has_value & (status == "ok").to_numpy(), "there is neither a value nor a data marking")
    say(has_value & status.isin(WITHOUT_FIGURE).to_numpy(), "there is a value beside a marking of none")
    usable = np.flatnonzero((reasons == "") & ~elsewhere)
    keys = (pd.factorize(area)[0], pd.factorize(period)[0])
    reasons[usable] = repeated_keys(keys[0][usable], keys[1][usable], value[usable])
    figures = pd.DataFrame(
        {
            "area_code": area,
            "period": period,
            "value": value,
            "lower": np.nan,
            "upper": np.nan,
            "status": status,
            "source_row": table.source_row,
        }
    )
    set_aside = set_aside_rows(table, reasons, columns[geography], period.to_numpy(dtype=object))
    is_kept = (reasons == "") & ~elsewhere
    return Parsed(
        figures=figures.loc[is_kept, list(PARSED_COLUMNS)].reset_index(drop=True),
        set_aside=set_aside,
        rows_read=table.rows_read,
        out_of_scope=int(elsewhere.sum()),
    )
