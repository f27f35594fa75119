"""ASHE Table 8.7a, as workbook and as CSV export."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from openpyxl import Workbook

from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.ashe import COLUMNS, figures, read_table
from pipeline.tidy.observations import Parsed, UnreadablePayload

ASHE = PROJECT_ROOT.parent / "shared" / "data" / "ashe"
needs_ashe_files = pytest.mark.skipif(
    not ASHE.exists(), reason="the publishers' files (../shared/data/ashe) are not here"
)

TITLE = "Table 8.7a   Annual pay - Gross (£) - For all employee jobsa: United Kingdom, 2025"
HEADING = ["Description", "Code", "(thousand)", "Median", "change", "Mean", "change"]
HEADING += ["10", "20", "25", "30", "40", "60", "70", "75", "80", "90"]
FOOTNOTE = ["a  Employees on adult rates who have been in the same job for more than a year."]


def district(name: str, code: str, median: str, jobs: str = "42", p90: str = "x") -> list[str]:
    rest = ["14,383", "19,429", "21,881", "23,561", "27,029", "35,687", "40,991", "45,338", "48,935", p90]
    return [name, code, jobs, median, "9.2", "35,551", "6.4", *rest, "", " x = CV > 20% ", " unreliable "]


def export(*rows: list[str], title: str = TITLE, heading: list[str] = HEADING) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[title], [], ["", "", "Number"], ["", "", "of jobsb"], heading, *rows, FOOTNOTE])
    return text.getvalue().encode("latin-1")


def read(content: bytes, column: str = "Median", is_provisional: bool = False) -> Parsed:
    return figures(read_table(content), column, is_provisional=is_provisional)


def test_thousands_separators_go_and_the_period_is_the_day_the_tax_year_ends() -> None:
    parsed = read(export(district("Darlington UA", "E06000005", "30,100")))
    figure = parsed.figures.iloc[0]
    assert (figure["area_code"], figure["period"], figure["value"]) == ("E06000005", "2025-04-05", 30100.0)
    assert (figure["status"], figure["source_row"]) == ("ok", 6)
    assert pd.isna(figure["lower"])
    assert pd.isna(figure["upper"])


def test_a_provisional_year_marks_values_only() -> None:
    content = export(district("Darlington UA", "E06000005", "30,100"))
    assert read(content, "Median", is_provisional=True).figures["status"].tolist() == ["provisional"]
    assert read(content, "90", is_provisional=True).figures["status"].tolist() == ["unreliable"]


@pytest.mark.parametrize(
    ("mark", "status"), [("x", "unreliable"), ("..", "suppressed"), (":", "not_available"), ("-", "not_available")]
)
def test_a_mark_is_a_status_without_a_value(mark: str, status: str) -> None:
    figure = read(export(district("Darlington UA", "E06000005", mark))).figures.iloc[0]
    assert figure["status"] == status
    assert pd.isna(figure["value"])


def test_a_row_whose_number_of_jobs_is_disclosive_is_suppressed_throughout() -> None:
    figure = read(export(district("Isles of Scilly ", "E06000053", "", jobs=".."))).figures.iloc[0]
    assert figure["status"] == "suppressed"


def test_footnotes_are_no_rows_and_areas_not_held_are_counted() -> None:
    rows = [
        district("Darlington UA", "E06000005", "30,100"),
        district("Tyne and Wear Met County", "E11000007", "29,492"),
        district("Not Classified", "", "31,284"),
    ]
    parsed = read(export(*rows))
    assert (len(parsed.figures), parsed.out_of_scope, parsed.rows_read, len(parsed.set_aside)) == (1, 2, 3, 0)


def test_a_nation_or_region_without_a_code_is_known_by_its_name() -> None:
    rows = [district("Wales / Cymru", "", "30,000"), district("North West", "", "31,000")]
    assert read(export(*rows)).figures["area_code"].tolist() == ["W92000004", "E12000002"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (district("Atlantis", "", "30,100"), "no known level"),
        (district("Atlantis", "E06000099", ""), "neither a value nor a mark"),
        (district("Atlantis", "E06000099", "about 30,000"), "neither a number nor one of the marks"),
    ],
)
def test_a_row_that_cannot_be_right_is_set_aside_with_a_reason(bad: list[str], reason: str) -> None:
    parsed = read(export(district("Darlington UA", "E06000005", "30,100"), bad))
    assert len(parsed.figures) == 1
    assert reason in parsed.set_aside.loc[0, "reason"]
    assert "Atlantis" in parsed.set_aside.loc[0, "raw_line"]
    assert parsed.rows_read == 2


def test_columns_are_found_by_heading_wherever_they_stand() -> None:
    moved = ["Code", "Description", "new", *HEADING[2:]]
    cells = district("Darlington UA", "E06000005", "30,100")
    content = export(["E06000005", "Darlington UA", "1", *cells[2:]], heading=moved)
    assert read(content, "20").figures["value"].tolist() == [19429.0]


def test_a_workbook_reads_like_the_export() -> None:
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("All")
    number_headings = [int(cell) if cell.isdigit() else cell for cell in HEADING]
    cells: list[object] = ["Darlington UA", "E06000005", 42, 30100, 9.2, 35551, 6.4, *range(14000, 14009), "x"]
    for line in ([TITLE], [], [], [], number_headings, cells, FOOTNOTE):
        sheet.append(line)
    stream = io.BytesIO()
    book.save(stream)
    assert read(stream.getvalue(), "10").figures["value"].tolist() == [14000.0]
    assert read(stream.getvalue(), "90").figures["status"].tolist() == ["unreliable"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Sorry</html>",
        export(
            district("Darlington UA", "E06000005", "1"), title="Table 8.1a Weekly pay - Gross: United Kingdom, 2025"
        ),
        export(district("Darlington UA", "E06000005", "1"), heading=[c for c in HEADING if c != "Median"]),
        export(district("Darlington UA", "E06000005", "1"), heading=["Area", *HEADING[1:]]),
        b"\xd0\xcf\x11\xe0 not really a workbook",
    ],
)
def test_something_else_than_the_table_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        read_table(content)


@needs_ashe_files
@pytest.mark.parametrize("path", sorted(ASHE.glob("ashe_table_8_7a*")), ids=lambda path: path.stem[-20:])
def test_every_real_year_reads_whole_with_the_levels_it_should_have(path: object) -> None:
    table = read_table(path.read_bytes())  # type: ignore[attr-defined]
    assert str(table.year) in str(path)
    for column in COLUMNS:
        parsed = figures(table, column, is_provisional=False)
        assert parsed.set_aside.empty
        assert parsed.rows_read == len(parsed.figures) + parsed.out_of_scope
        assert parsed.out_of_scope == 9  # six metropolitan counties, Inner and Outer London, not classified
        levels = parsed.figures["area_code"].str[:3]
        assert (levels == "E12").sum() == 9
        assert levels.isin(["K02", "K03", "K04", "E92", "W92", "S92", "N92"]).sum() == 7
        assert parsed.figures["value"].dropna().between(500, 500_000).all()


@needs_ashe_files
@pytest.mark.parametrize(
    ("year", "code", "column", "value"),
    [
        (2015, "K02000001", "Median", 22436.0),
        (2015, "S12000028", "20", 10358.0),
        (2016, "N92000002", "25", 12844.0),
        (2025, "E06000005", "Median", 30100.0),
        (2025, "K02000001", "90", 69381.0),
    ],
)
def test_real_spot_figures(year: int, code: str, column: str, value: float) -> None:
    path = next(ASHE.glob(f"ashe_table_8_7a*_{year}*"))
    parsed = figures(read_table(path.read_bytes()), column, is_provisional=False)
    assert parsed.figures.set_index("area_code")["value"][code] == value


@needs_ashe_files
def test_the_real_isles_of_scilly_of_2019_are_suppressed() -> None:
    path = next(ASHE.glob("ashe_table_8_7a*_2019*"))
    parsed = figures(read_table(path.read_bytes()), "Median", is_provisional=False)
    assert parsed.figures.set_index("area_code")["status"]["E06000053"] == "suppressed"
