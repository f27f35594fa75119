"""Read the source files of ONS Explore Local Statistics (``ONSdigital/explore-local-statistics-data``).

One CSV holds one or more indicators, every geography and every year, with the columns
``areacd, areanm, geography, indicator, period, observation, measure, unit, lci_95, uci_95, status, notes``.
The status marks are those of the ONS "Explore subnational statistics" (ESS) files: ``x`` not available,
``u`` unreliable, ``c`` confidential, ``z`` not applicable; blank means an ordinary figure.
"""

from __future__ import annotations

import pandas as pd

from pipeline.publishers.ons_els.parse import marked_statuses
from pipeline.tidy.delimited import read_delimited
from pipeline.tidy.marks import ELS, WITHOUT_FIGURE, read_cells
from pipeline.tidy.observations import Parsed, UnreadablePayload
from pipeline.tidy.rows import first_reason, is_held, is_of_another_level, periods_are_iso, plain_numbers, split

COLUMNS = ("areacd", "indicator", "period", "observation", "lci_95", "uci_95", "status", "notes")

# The Annual Population Survey files mark figures from 3 to 9 respondents only with this note.
_UNRELIABLE_NOTE = "Estimate and confidence interval unreliable"

# ITL level 1 is the regions and nations under other codes. The productivity file uses only these codes. The Explore
# Local Statistics service publishes equal figures under the usual codes.
_AREA_OF_ITL1 = {
    "TLB": "E92000001",
    "TLC": "E12000001",
    "TLD": "E12000002",
    "TLE": "E12000003",
    "TLF": "E12000004",
    "TLG": "E12000005",
    "TLH": "E12000006",
    "TLI": "E12000007",
    "TLJ": "E12000008",
    "TLK": "E12000009",
    "TLL": "W92000004",
    "TLM": "S92000003",
    "TLN": "N92000002",
}


def parse(content: bytes, indicator: str, leave_out: tuple[str, ...] = ()) -> Parsed:
    """The figures of one indicator, by its label in the ``indicator`` column.

    ``rows_read`` counts the rows of that indicator. Areas at levels that this project does not hold, and the area codes
    in ``leave_out``, count as out of scope. An ITL level 1 row stands for its region or nation if the file has no row
    under that area's own code. A value with a note that it is unreliable gets the status ``unreliable`` and keeps its
    value.

    Raises UnreadablePayload if a column is missing or the file has no such indicator.
    """
    table = _read(content)
    labels = table["indicator"].unique()
    table = table[table["indicator"] == indicator]
    if table.empty:
        raise UnreadablePayload(f"no rows of the indicator '{indicator}'; the file has: {', '.join(sorted(labels))}")
    own_code = table["areacd"].map(_AREA_OF_ITL1)
    table = table.assign(areacd=own_code.where(~own_code.isin(table["areacd"])).fillna(table["areacd"]))
    elsewhere = is_of_another_level(table["areacd"]) | table["areacd"].isin(leave_out)
    table = table[~elsewhere]
    cells = read_cells(table["observation"], ELS)
    value = pd.Series(cells.number, index=table.index)
    lower, upper = (plain_numbers(table[name]) for name in ("lci_95", "uci_95"))
    marked = cells.decide(marked_statuses(table["status"]))
    status = marked.mask((marked == "ok") & table["notes"].str.startswith(_UNRELIABLE_NOTE), "unreliable")
    is_unreadable = pd.Series(cells.is_unreadable, index=table.index)
    has_value = value.notna()
    reasons = first_reason(
        table.index,
        (~is_held(table["areacd"]), "the area code is of no known level"),
        (~periods_are_iso(table["period"]), "the period is not an ISO 8601 period"),
        (marked == "", "the status mark is not one that is known"),
        (is_unreadable, "the value is not a number"),
        (~has_value & ~is_unreadable & (marked == "ok"), "there is neither a value nor a status mark"),
        (has_value & marked.isin(WITHOUT_FIGURE), "there is a value although its mark says there is none"),
        (
            (lower.isna() & (table["lci_95"] != "")) | (upper.isna() & (table["uci_95"] != "")),
            "an interval bound is not a number",
        ),
        (lower.isna() != upper.isna(), "one interval bound is missing"),
        ((value < lower) | (value > upper), "the value is outside its own interval"),
    )
    parsed = pd.DataFrame(
        {
            "area_code": table["areacd"],
            "period": table["period"],
            "value": value,
            "lower": lower,
            "upper": upper,
            "status": status,
            "source_row": table["source_row"],
            "raw_line": table["raw_line"],
        }
    )
    return split(parsed, reasons, out_of_scope=int(elsewhere.sum()))


def _read(content: bytes) -> pd.DataFrame:
    """COLUMNS as text, blank as ``""``, with the line number of each row and the unchanged line."""
    table = read_delimited(content, what="Explore Local Statistics source file", required=COLUMNS)
    if len(table.ragged_rows):
        raise UnreadablePayload(
            f"line {table.ragged_rows[0]} does not have as many fields as the header: the file is damaged, get it again"
        )
    return table.columns.astype("str").assign(source_row=table.source_row, raw_line=table.lines(table.source_row))
