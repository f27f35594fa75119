"""The published files of the English indices read by what their headers say, and computed averages equal official ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.publishers.deprivation import iod_files
from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.observations import UnreadablePayload

DEPRIVATION = PROJECT_ROOT.parent / "shared" / "data" / "deprivation"
FILE_10 = DEPRIVATION / "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"
HEADER = (
    "LSOA code (2021) ,LSOA name (2021),Local Authority District code (2024),"
    "Index of Multiple Deprivation (IMD) Score ,Income Score (rate),Total population: mid 2022 "
)


@pytest.fixture
def published() -> Path:
    if not FILE_10.is_file():
        pytest.skip("the published files of ../shared/data are not here")
    return DEPRIVATION


def test_the_average_of_kirklees_equals_the_official_one(published: Path) -> None:
    areas = iod_files.small_areas((published / "imd2019_kirklees.csv").read_bytes())
    official = iod_files.official_average_scores(FILE_10.read_bytes())
    assert len(areas) == 259
    assert len(official) == 317
    assert iod_files.average_scores(areas)["E08000034"] == pytest.approx(official["E08000034"], abs=0.0005)


def test_blanks_and_years_in_headers_make_no_difference() -> None:
    content = f'{HEADER}\nE01000001,X,E09000001,10,0.1,"1,000"\nE01000002,Y,E09000001,40,0.2,500\n'.encode()
    areas = iod_files.small_areas(content)
    assert iod_files.average_scores(areas).to_dict() == {"E09000001": 20.0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a readable CSV"),
        (b"LSOA code (2021),x\nE01000001,1\n", "no column 'Local Authority District code'"),
        (
            f"{HEADER}\nE01000001,X,E09000001,..,0.1,1000\n".encode(),
            "1 small areas without score or people, the first E01000001",
        ),
        (f"{HEADER}\nE01000001,X,E09000001,10,0.1,0\n".encode(), "without score or people"),
    ],
)
def test_a_file_that_is_not_file_7_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words):
        iod_files.small_areas(content)


def test_a_workbook_without_the_sheet_is_refused() -> None:
    with pytest.raises(UnreadablePayload, match="no sheet 'IMD'"):
        iod_files.official_average_scores(b"not a workbook")
