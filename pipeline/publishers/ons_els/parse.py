"""Parse the ONS Explore Local Statistics API's CSV of one indicator (format: WIRE_FORMATS sections 2.4 and 9)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.tidy.delimited import Delimited, names_of_codes, read_delimited, repeated_keys, set_aside_rows
from pipeline.tidy.marks import ELS, WITHOUT_FIGURE, read_cells, status_of
from pipeline.tidy.observations import PARSED_COLUMNS, Parsed, UnreadablePayload, parse_period
from pipeline.tidy.rows import is_of_another_level

WHAT = "ELS payload"
REQUIRED = ("areacd", "period", "value")
OPTIONAL = ("areanm", "lci_95", "uci_95", "status", "indicator", "sex", "age")


def parse(content: bytes, *, unreliable_without_interval: bool = False) -> Parsed:
    """Figures of one indicator's CSV, with or without names, intervals, status and indicator columns.

    Areas at levels that are not held here (ITL regions, for example) count as out of scope. Rows that fail a check are
    set aside with the reason. With ``unreliable_without_interval``, an ordinary figure without an interval is
    unreliable if other figures in the table have one: the API drops the note that says so (ElsQuery says for which
    indicators this is proved).

    Raises UnreadablePayload for an empty body, HTML, a missing required column, several indicators in one
    payload, or a dimension (sex, age) with more than one value: those figures would be mixed up.
    """
    table = read_delimited(content, what=WHAT, required=REQUIRED, optional=OPTIONAL)
    columns = table.columns
    for dimension in ("indicator", "sex", "age"):
        if dimension in columns:
            _require_one_value(columns[dimension], dimension)
    figures, reasons, is_out_of_scope = _figures(table)
    if unreliable_without_interval:
        figures = _with_unreliable(figures)
    reasons = np.where(is_out_of_scope, "", reasons)
    set_aside = set_aside_rows(table, reasons, columns["areacd"], columns["period"].to_numpy(dtype=object))
    is_kept = (reasons == "") & ~is_out_of_scope
    return Parsed(
        figures=figures[is_kept].reset_index(drop=True),
        set_aside=set_aside,
        rows_read=table.rows_read,
        out_of_scope=int(is_out_of_scope.sum()),
        area_names=names_of_codes(columns["areacd"], columns.get("areanm")),
    )


def _require_one_value(column: pd.Series, dimension: str) -> None:
    options = [text for text in column.cat.categories if (column == text).any()]
    if len(options) > 1:
        raise UnreadablePayload(
            f"{WHAT}: the column '{dimension}' holds {len(options)} different values ({', '.join(options[:4])}); "
            "expected one indicator with one of each dimension."
        )


def _with_unreliable(figures: pd.DataFrame) -> pd.DataFrame:
    """The figures, with the mark ``unreliable`` on those without an interval; unchanged if none has one."""
    has_interval = figures["lower"].notna()
    if not has_interval.any():
        return figures
    is_unreliable = figures["value"].notna() & ~has_interval & (figures["status"] == "ok")
    return figures.assign(status=figures["status"].mask(is_unreliable, "unreliable"))


def _figures(table: Delimited) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """All complete rows in PARSED_COLUMNS, why each is rejected ('' if it is not), and which are out of scope."""
    columns = table.columns
    rows = len(columns)
    blank = pd.Series([""] * rows, dtype="category")
    cells = read_cells(columns["value"], ELS)
    lower_cells, upper_cells = (read_cells(columns.get(name, blank), ELS) for name in ("lci_95", "uci_95"))
    value, lower, upper = cells.number, lower_cells.number, upper_cells.number
    status = cells.decide(marked_statuses(columns.get("status", blank)))
    area = columns["areacd"].astype("str").str.strip()

    reasons = np.full(rows, "", dtype=object)

    def say(condition: np.ndarray, reason: str) -> None:
        reasons[condition & (reasons == "")] = reason

    say((area == "").to_numpy(), "the area code is blank")
    say(~area.str.fullmatch(r"[A-Z][0-9]{8}").to_numpy(), "the area code is not a nine-character GSS code")
    say(~_is_period(columns["period"]), "the period is not an ISO day or an ISO day with a duration")
    say(cells.is_unreadable | lower_cells.is_unreadable | upper_cells.is_unreadable, "a number cannot be read")
    say((status == "").to_numpy(), "the status mark is not one that is known")
    has_value = ~np.isnan(value)
    is_withheld = status.isin(WITHOUT_FIGURE).to_numpy()
    say(has_value & is_withheld, "there is a figure although its mark says there is none")
    say(
        ~has_value & status.isin(["ok", "provisional", "estimated"]).to_numpy(),
        "there is neither a figure nor a mark that says why",
    )
    say(~has_value & ~(np.isnan(lower) & np.isnan(upper)), "there is an interval without a figure")
    say(np.isnan(lower) != np.isnan(upper), "the interval has one bound only")
    say((lower > value) | (upper < value), "the figure is outside its own 95% interval")
    is_usable = np.flatnonzero(reasons == "")
    area_number, period_number = (columns[name].cat.codes.to_numpy() for name in ("areacd", "period"))
    reasons[is_usable] = repeated_keys(area_number[is_usable], period_number[is_usable], value[is_usable])
    figures = pd.DataFrame(
        {
            "area_code": area,
            "period": columns["period"].astype("str"),
            "value": value,
            "lower": lower,
            "upper": upper,
            "status": status,
            "source_row": table.source_row,
        }
    )
    return figures[list(PARSED_COLUMNS)], reasons, is_of_another_level(area).to_numpy()


def marked_statuses(marks: pd.Series) -> pd.Series:
    """The statuses of a column of marks: ``ok`` for a blank, '' for an unknown mark."""
    texts = marks.astype("str").str.strip()
    return texts.map({text: status_of(text, ELS) if text else "ok" for text in texts.unique()}).astype("str")


def _is_period(texts: pd.Series) -> np.ndarray:
    """Whether each text is a period; each distinct text is checked once."""
    is_good = []
    for text in texts.cat.categories:
        try:
            parse_period(text)
        except ValueError:
            is_good.append(False)
        else:
            is_good.append(True)
    return np.array(is_good, dtype=bool)[texts.cat.codes.to_numpy()] if is_good else np.empty(0, dtype=bool)
