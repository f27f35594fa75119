"""Read Table 8.7a of the Annual Survey of Hours and Earnings: residents' gross annual pay, all employee jobs.

ONS publishes one workbook a year (sheet ``All``), or a CSV export of that sheet. The heading row is the one with
"Description" and "Code". Columns are found by heading, since their number and the notes beside them differ by year.
Marks are those of ``pipeline.tidy.marks.ASHE``, the table's own key: ``x`` coefficient of variation above 20 per cent
(unreliable, no value), ``..`` disclosive (suppressed), ``:`` not applicable, ``-`` nil or negligible.

The workbooks also colour each cell by the range of its coefficient of variation. The reader of legacy ``.xls`` files
returns values without colours, so this is not used, and these tables yield no standard errors.

Annual pay is for the tax year that ends on 5 April of the year in the title (the workbook's Notes sheet). The period
given is that day, ``2025-04-05``. This dates the figure truthfully and keeps the year that every publication of the
table uses. The tax year as a span would be filed under the year before, by its midpoint.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import pandas as pd

from pipeline.tidy.marks import ASHE, WITHOUT_FIGURE, read_cells
from pipeline.tidy.observations import Parsed, UnreadablePayload
from pipeline.tidy.rows import BLANKS, first_reason, is_held, is_of_another_level, split
from pipeline.tidy.workbook_cells import UnreadableWorkbook, read_sheet

COLUMNS = ("Median", "Mean", "10", "20", "25", "30", "40", "60", "70", "75", "80", "90")

_SHEET = "All"
MOST_COLUMNS = 200  # the tables have some twenty; one row of a million would lengthen every row
_TITLE = re.compile(r"Annual pay - Gross .*For all employee jobs.*United Kingdom, ([0-9]{4})$")
_NOT_AN_AREA = "Not Classified"
_JOBS = "(thousand)"

# The table of 2015 has empty code cells for nations and regions; names and codes are those of the later tables.
_CODE_OF_NAME = {
    "United Kingdom": "K02000001",
    "Great Britain": "K03000001",
    "England and Wales": "K04000001",
    "England": "E92000001",
    "North East": "E12000001",
    "North West": "E12000002",
    "Yorkshire and The Humber": "E12000003",
    "East Midlands": "E12000004",
    "West Midlands": "E12000005",
    "East": "E12000006",
    "London": "E12000007",
    "South East": "E12000008",
    "South West": "E12000009",
    "Wales / Cymru": "W92000004",
    "Scotland": "S92000003",
    "Northern Ireland": "N92000002",
}


@dataclass(frozen=True)
class AsheTable:
    """One year's table as text: ``name, code, jobs``, the columns of COLUMNS, ``source_row`` and ``raw_line``."""

    year: int
    rows: pd.DataFrame

    @property
    def period(self) -> str:
        return f"{self.year}-04-05"


def read_table(content: bytes) -> AsheTable:
    """Read a workbook (``.xls``, ``.xlsx``) or a Latin-1 CSV export of its sheet ``All``.

    The footnotes below the table, which fill only the first cell of a row, are not rows. Raises UnreadablePayload if
    the title, the heading row or a column is missing.
    """
    cells = _cells(content)
    year = _year(cells)
    heading, position = _heading(cells)
    found = []
    for number, row in enumerate(cells[heading + 1 :], start=heading + 2):
        wanted = [row[position[name]] for name in ("Description", "Code", _JOBS, *COLUMNS)]
        if any(wanted[1:]):
            found.append([*wanted, number, ",".join(row).rstrip(",")])
    names = ["name", "code", "jobs", *COLUMNS, "source_row", "raw_line"]
    return AsheTable(year, pd.DataFrame(found, columns=pd.Index(names)).astype({"source_row": "int64"}))


def figures(table: AsheTable, column: str, *, is_provisional: bool) -> Parsed:
    """The figures of one column of the table, in pounds a year; ``column`` is one of COLUMNS.

    A value has the status ``provisional`` or ``ok``. The row "Not Classified" and levels that this project does not
    hold count as out of scope.
    """
    rows = table.rows
    code = rows["code"].mask(rows["code"] == "", rows["name"].map(_CODE_OF_NAME)).fillna("")
    elsewhere = is_of_another_level(code) | (rows["name"] == _NOT_AN_AREA)
    rows, code = rows[~elsewhere], code[~elsewhere]
    # If even the number of jobs is disclosive, the table leaves the rest of the row empty.
    cell = rows[column].mask((rows[column] == "") & (rows["jobs"] == ".."), "..")
    cells = read_cells(cell.str.replace(",", "", regex=False), ASHE)
    value = pd.Series(cells.number, index=rows.index)
    marked = pd.Series(cells.status, index=rows.index, dtype="str")
    is_ordinary = value.notna() & marked.isin(["", "ok"])
    status = marked.mask(is_ordinary, "provisional" if is_provisional else "ok")
    reasons = first_reason(
        rows.index,
        (~is_held(code), "the area code is of no known level"),
        (cell == "", "there is neither a value nor a mark"),
        (status == "", "the value is neither a number nor one of the marks x, .., : and -"),
        (value.notna() & status.isin(WITHOUT_FIGURE), "there is a value although its mark says there is none"),
    )
    parsed = pd.DataFrame(
        {
            "area_code": code,
            "period": table.period,
            "value": value,
            "lower": float("nan"),
            "upper": float("nan"),
            "status": status,
            "source_row": rows["source_row"],
            "raw_line": rows["raw_line"],
        }
    )
    return split(parsed, reasons, out_of_scope=int(elsewhere.sum()))


def _cells(content: bytes) -> list[list[str]]:
    """Every cell as stripped text, in rows of equal length; a whole number loses its ``.0``."""
    is_workbook = content.startswith((b"\xd0\xcf\x11\xe0", b"PK"))
    if not is_workbook:
        try:
            table = [[cell.strip(BLANKS) for cell in row] for row in csv.reader(io.StringIO(content.decode("latin-1")))]
        except csv.Error as error:
            raise UnreadablePayload(
                f"expected a CSV export of the sheet '{_SHEET}'; it cannot be read: {error}"
            ) from None
        width = max(map(len, table), default=0)
        if width > MOST_COLUMNS:
            raise UnreadablePayload(f"expected some twenty columns; a row has {width:,}")
        return [row + [""] * (width - len(row)) for row in table]
    try:
        rows = read_sheet(content, _SHEET, keeps_empty=True)
    except UnreadableWorkbook as error:
        raise UnreadablePayload(f"expected a workbook with a sheet '{_SHEET}'; it cannot be read: {error}") from error
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip(BLANKS)


def _year(cells: list[list[str]]) -> int:
    for row in cells[:5]:
        for cell in row:
            match = _TITLE.search(cell)
            if match:
                return int(match[1])
    raise UnreadablePayload(
        "expected the title 'Annual pay - Gross (£) - For all employee jobs: United Kingdom, <year>' in the first rows"
    )


def _heading(cells: list[list[str]]) -> tuple[int, dict[str, int]]:
    """The heading row's index, and the positions of the wanted headings in it."""
    for index, row in enumerate(cells):
        if "Description" in row and "Code" in row:
            missing = [name for name in (_JOBS, *COLUMNS) if row.count(name) != 1]
            if missing:
                raise UnreadablePayload(f"expected the heading '{missing[0]}' once in row {index + 1}: {row}")
            return index, {name: row.index(name) for name in ("Description", "Code", _JOBS, *COLUMNS)}
    raise UnreadablePayload("no heading row with 'Description' and 'Code'")
