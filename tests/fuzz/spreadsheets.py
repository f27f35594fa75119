"""Small workbooks in the forms publishers send, each with the reader it is for."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import pandas as pd
from openpyxl import Workbook

from pipeline.geography import load_register
from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.deprivation import iod_files
from pipeline.tidy import workbook_cells as workbook
from pipeline.tidy.observations import UnreadablePayload
from tests.standin import opendocument
from tests.standin.figures import SHARED_DATA

Read = Callable[[bytes], pd.DataFrame]


def workbooks() -> Iterator[tuple[str, bytes, Read]]:
    """(name, content, reader) of each form; the legacy one only where the publisher's own file is here."""
    register = load_register()
    names = {register.by_code[code].name: code for code in register.districts()}
    scottish = [name for name, code in names.items() if code.startswith("S12")]
    zones = [[f"S01{number:06d}", scottish[number % 8], 800 + number, 90] for number in range(60)]
    heading = ["Data_Zone", "Council_area", "Total_population", "Income_count"]
    yield "SIMD, xlsx", xlsx("Data", [heading, *zones]), lambda content: deprivation.scotland_2020(content, names).table
    scores = [[f"E0700000{number}", 10.5 + number] for number in range(8)]
    file_10 = xlsx("IMD", [["Local Authority District code (2024)", "IMD - Average score "], *scores])
    yield "IoD File 10, xlsx", file_10, lambda content: iod_files.official_average_scores(content).to_frame()
    sheet = [["LSOA code", "Local Authority name", "WIMD 2019 overall decile"], ["W01000001", "Cardiff", 1]]
    yield "WIMD, ods", opendocument.workbook({"Deciles": sheet}), _all_cells
    path = SHARED_DATA / "deprivation" / "NIMDM17_SOAresults.xls"
    if path.is_file():
        yield (
            "NIMDM, xls",
            path.read_bytes(),
            lambda content: deprivation.northern_ireland_2017(content, names).table,
        )


def file_7() -> bytes:
    """A small File 7: a hundred made-up areas of ten districts, all cells different, so that none passes for another."""
    header = (
        "LSOA code (2021),Local Authority District code (2024),Index of Multiple Deprivation (IMD) Score,"
        "Income Score (rate),Total population: mid 2022"
    )
    areas = [f"E01{n:06d},E070000{n % 10:02d},{10 + n / 7:.3f},{0.1 + n / 1000:.3f},{1500 + n}" for n in range(100)]
    return "\r\n".join([header, *areas, ""]).encode()


def xlsx(sheet: str, rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook of one sheet."""
    book = Workbook()
    assert book.active is not None
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _all_cells(content: bytes) -> pd.DataFrame:
    try:
        return pd.DataFrame(workbook.read_sheets(content)["Deciles"])
    except (workbook.UnreadableWorkbook, KeyError) as error:
        raise UnreadablePayload(f"no sheet: {error}") from error
