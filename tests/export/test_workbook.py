"""The Excel workbook: what an officer of a council sees, and that no text in it can run."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import duckdb
import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.export import choose, export
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome


def workbook_of(database: Path, context: Run, folder: Path, place: str | None) -> Path:
    with duckdb.connect(str(database), read_only=True) as connection:
        [path] = export(connection, choose(connection, context.inputs.tables, place=place), ("excel",), folder)
    return path


@pytest.fixture(scope="module")
def paths(offline_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    context, folder = offline_run[0], tmp_path_factory.mktemp("excel")
    places = {"Preston": "Preston", "authority": "E47000002", "all": None}
    return {key: workbook_of(context.settings.database, context, folder, place) for key, place in places.items()}


@pytest.fixture(scope="module")
def books(paths: dict[str, Path]) -> dict[str, Workbook]:
    return {key: openpyxl.load_workbook(path) for key, path in paths.items()}


def headings(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for cell in sheet[1]]


def records(sheet: Worksheet) -> list[dict[str, object]]:
    names = headings(sheet)
    return [dict(zip(names, row, strict=True)) for row in sheet.iter_rows(min_row=2, values_only=True)]


def test_there_is_a_workbook_for_a_district_a_combined_authority_and_all(
    paths: dict[str, Path], books: dict[str, Workbook]
) -> None:
    assert [path.name for path in paths.values()] == [
        "inclusive_growth_preston.xlsx",
        "inclusive_growth_south_yorkshire.xlsx",
        "inclusive_growth_all_districts.xlsx",
    ]
    assert [len(records(book["Profile"])) for book in books.values()] == [1, 5, 361]
    assert books["all"].sheetnames == ["Start here", "Profile", "Scores", "Figures", "Notes"]
    assert books["Preston"].sheetnames == ["Start here", "Profile", "Scores", "Compared", "Figures", "Notes"]


def test_headings_carry_units_stay_in_view_and_numbers_have_their_decimals(books: dict[str, Workbook]) -> None:
    sheet = books["all"]["Profile"]
    assert sheet.freeze_panes == "B2"
    names = headings(sheet)
    pay = next(name for name in names if name.startswith("Gross value added per hour worked ("))
    assert pay == "Gross value added per hour worked (GBP per hour)"
    cell = sheet.cell(row=2, column=names.index(pay) + 1)
    assert re.fullmatch(r"#,##0(\.0+)?", cell.number_format)
    year = sheet.cell(row=2, column=names.index(pay) + 2)
    assert (names[names.index(pay) + 1], year.number_format) == ("Gross value added per hour worked: year", "General")
    assert sheet.auto_filter.ref is not None
    assert all(dimension.width >= 8 for dimension in sheet.column_dimensions.values())


def test_the_figures_are_those_of_the_file(books: dict[str, Workbook], offline_run: tuple[Run, Outcome]) -> None:
    with duckdb.connect(str(offline_run[0].settings.database), read_only=True) as connection:
        held = connection.execute(
            "select indicator_title, period, value from fct_observation where area_name = 'Preston'"
        ).fetchall()
    found = [
        (row["Indicator"], row["Period (first day and length)"], row["Figure (in the unit)"])
        for row in records(books["Preston"]["Figures"])
    ]
    assert len(found) == len(held) > 300
    figures = {(title, period): value for title, period, value in found}
    for title, period, value in held:
        assert figures[title, period] == (None if value is None else pytest.approx(value, rel=1e-15))


def test_a_rank_is_blank_where_only_a_band_is_known_and_the_sheet_says_why(books: dict[str, Workbook]) -> None:
    rows = records(books["all"]["Scores"])
    bands = [row for row in rows if str(row["How to read it"]).startswith("a band instead of a rank")]
    assert len(bands) > 100
    assert {row["Rank (1 is best)"] for row in bands} == {None}
    assert all(row["90% interval, from"] is not None for row in bands)


def test_notes_name_publisher_licence_and_page_of_every_indicator_shown(books: dict[str, Workbook]) -> None:
    book = books["Preston"]
    noted = {row["Indicator"]: row for row in records(book["Notes"])}
    assert {row["Indicator"] for row in records(book["Figures"])} <= noted.keys()
    assert all(row["Publisher"] and row["Licence"] and row["Publisher's page"] for row in noted.values())
    start = " ".join(str(row[1]) for row in book["Start here"].iter_rows(values_only=True))
    assert "Open Government Licence v3.0" in start
    assert "are not official statistics" in start


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_text_that_looks_like_a_formula_is_written_as_text(
    offline_run: tuple[Run, Outcome], tmp_path: Path, start: str
) -> None:
    context, evil = offline_run[0], f'{start}HYPERLINK("http://example.org","x")'
    database = tmp_path / "evil.duckdb"
    shutil.copyfile(context.settings.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update dim_area set region_name = ? where area_name = 'Preston'", [evil])
        connection.execute("update dim_indicator set caveats = ?", [evil])
    path = workbook_of(database, context, tmp_path, "Preston")
    book = openpyxl.load_workbook(path)
    [cell] = [cell for row in book["Profile"].iter_rows() for cell in row if cell.value == evil]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    with zipfile.ZipFile(path) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_no_formula_and_no_link_is_in_any_workbook(paths: dict[str, Path]) -> None:
    for path in paths.values():
        with zipfile.ZipFile(path) as parts:
            for name in parts.namelist():
                text = parts.read(name).decode("utf-8", "replace")
                assert "<f>" not in text
                assert "<hyperlink" not in text
