"""The Excel workbook for people: where places stand, their figures, and what each figure means.

Every text is written as text. Text that begins with =, +, - or @ also carries Excel's quote prefix, so that it stays
text when a reader edits the cell. Nothing is a formula, and no link is created by accident.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter  # type: ignore[import-untyped]

from pipeline.export import sheets
from pipeline.export.selection import Choice
from pipeline.export.sheets import Heading, Sheet
from pipeline.spreadsheet import FORMULA_STARTS

_HEADER_FILL, _HEADER_TEXT = "#1F3A5F", "#FFFFFF"


def write_workbook(connection: duckdb.DuckDBPyConnection, choice: Choice, path: Path) -> Path:
    """Write one workbook for the chosen place, or for all districts; return its path.

    Rows are streamed to disk. The only date in the file is that of the release, so the same file gives the same bytes.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    try:
        with xlsxwriter.Workbook(str(part), options) as workbook:
            workbook.set_properties(
                {
                    "title": choice.about,
                    "comments": f"Release {choice.version}",
                    "created": choice.released_at.replace(microsecond=0),
                }
            )
            styles = _Styles(workbook)
            for sheet in sheets.all_sheets(connection, choice):
                _write_sheet(workbook, styles, sheet)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


@dataclass(frozen=True)
class _Look:
    """The style of a cell: decimals of a number (None: unchanged), bold, wrapped, quoted against formulas."""

    decimals: int | None = None
    is_bold: bool = False
    is_wrapped: bool = False
    is_quoted: bool = False


class _Styles:
    """Excel formats, each created once, as Excel limits their number."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._made: dict[_Look, xlsxwriter.format.Format] = {}
        self.header = workbook.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "top",
                "bg_color": _HEADER_FILL,
                "font_color": _HEADER_TEXT,
                "border": 1,
            }
        )

    def of(self, look: _Look) -> xlsxwriter.format.Format:
        if look not in self._made:
            style = self._workbook.add_format({"valign": "top", "bold": look.is_bold, "text_wrap": look.is_wrapped})
            if look.decimals is not None:
                style.set_num_format("#,##0" + ("." + "0" * look.decimals if look.decimals else ""))
            if look.is_quoted:
                style.set_quote_prefix()
            self._made[look] = style
        return self._made[look]


def _write_sheet(workbook: xlsxwriter.Workbook, styles: _Styles, sheet: Sheet) -> None:
    """A sheet with frozen header, filters, and widths that fit its columns."""
    worksheet = workbook.add_worksheet(sheet.name)
    worksheet.set_landscape()
    worksheet.set_paper(9)
    worksheet.fit_to_pages(1, 0)
    for position, heading in enumerate(sheet.headings):
        worksheet.set_column(position, position, heading.width)
    first = 0
    if sheet.has_header:
        worksheet.freeze_panes(1, sheet.frozen_columns)
        worksheet.repeat_rows(0)
        worksheet.set_row(0, sheet.header_height)
        for position, heading in enumerate(sheet.headings):
            worksheet.write_string(0, position, heading.text, styles.header)
        first = 1
    count = 0
    for count, row in enumerate(sheet.rows, start=1):
        _write_row(worksheet, styles, first + count - 1, sheet.headings, row)
    if sheet.has_header:
        worksheet.autofilter(0, 0, max(count, 1), len(sheet.headings) - 1)


def _write_row(
    worksheet: xlsxwriter.worksheet.Worksheet,
    styles: _Styles,
    place: int,
    headings: Sequence[Heading],
    row: Sequence[Any],
) -> None:
    decimals_of_row = next((cell.decimals for cell in row if isinstance(cell, sheets.Decimals)), None)
    cells = [cell for cell in row if not isinstance(cell, sheets.Decimals)]
    for position, (heading, value) in enumerate(zip(headings, cells, strict=True)):
        look = _Look(is_bold=heading.is_bold, is_wrapped=heading.is_wrapped)
        if value is None:
            continue
        if isinstance(value, str):
            quoted = replace(look, is_quoted=value.startswith(FORMULA_STARTS))
            worksheet.write_string(place, position, value, styles.of(quoted))
        elif heading.is_plain_number:
            worksheet.write_number(place, position, value, styles.of(look))
        else:
            decimals = decimals_of_row if heading.decimals is None else heading.decimals
            worksheet.write_number(place, position, value, styles.of(replace(look, decimals=decimals)))
