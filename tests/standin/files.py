"""File downloads as the four nations' publishers serve them (WIRE_FORMATS section 5).

File 7 of either English index is not among the files at hand, so it is put together from files that hold the same
figures, with the header names the publisher uses; File 10 of 2025 and the Welsh ranks likewise, notes sheet first and
stray blanks in their headers. Scotland's and Northern Ireland's files are the publishers' own.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import openpyxl
import pandas as pd
from python_calamine import CalamineWorkbook

from pipeline.publishers.deprivation import files as published_files
from tests.standin import opendocument
from tests.standin.exchange import Reply, Request

PREFIX = ""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_10 = "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"

# Path on the publisher's server to the file in deprivation/ that is the same.
FILES = {
    f"/media/5d8b3cfbe5274a08be69aa91/{FILE_10}": FILE_10,
    f"/{published_files.FILES['simd2020'].addresses[0]}": "SIMD+2020v2+-+indicators.xlsx",
    f"/{published_files.FILES['nimdm2017'].addresses[0]}": "NIMDM17_SOAresults.xls",
}
MEDIA_TYPE_OF_START = {b"PK": XLSX, b"\xd0\xcf": "application/vnd.ms-excel"}


class FileService:
    """A path that is not there gets the publisher's 404; a file has an ETag, and 304 for who already has it."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "deprivation"

    def answer(self, request: Request) -> Reply:
        content = self._content(request.path)
        if content is None:
            return Reply(404, b'{"_response_info":{"status":"not found"}}', {"content-type": "application/json"})
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if any(key.lower() == "if-none-match" and value == etag for key, value in request.headers.items()):
            return Reply(304, b"", {"etag": etag})
        return Reply(200, content, {"content-type": MEDIA_TYPE_OF_START.get(content[:2], "text/csv"), "etag": etag})

    def _content(self, path: str) -> bytes | None:
        if path in FILES:
            file = self._folder / FILES[path]
            return file.read_bytes() if file.is_file() else None
        return _made(path, self._folder) if path in MADE and self._folder.is_dir() else None


def _sheet(path: Path, name: str) -> pd.DataFrame:
    cells = CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()
    return pd.DataFrame(cells[1:], columns=[str(heading).strip() for heading in cells[0]])


def _file_7_of_2019(folder: Path) -> bytes:
    scores = pd.read_csv(folder / "UK_IMD_E.csv").query("nation == 'E'")
    people = _sheet(folder / "File_6_-_IoD2019_Population_Denominators.xlsx", "Population Denominators")
    return _file_7(
        people,
        scores.set_index("lsoa")["overall_local_score"],
        scores.set_index("lsoa")["income_score"] / 100,
        ("2011", "2019", "Total population: mid 2015 (excluding prisoners)"),
    )


def _file_7_of_2025(folder: Path) -> bytes:
    scores = pd.read_csv(folder / "imd2025_england_lsoa21.csv").set_index("lsoa21_code")
    people = _sheet(folder / "File_6_IoD2025_Population_Denominators.xlsx", "ID 2025 Population Denominators")
    return _file_7(people, scores["IMD_score"], scores["Income_score"], ("2021", "2024", "Total population: mid 2022"))


def _file_7(people: pd.DataFrame, score: pd.Series, rate: pd.Series, words: tuple[str, str, str]) -> bytes:
    small_area, district, population = words
    lsoa = people[f"LSOA code ({small_area})"]
    total = next(column for column in people if column.startswith(population))
    table = pd.DataFrame(
        {
            f"LSOA code ({small_area})": lsoa,
            f"LSOA name ({small_area})": people[f"LSOA name ({small_area})"],
            f"Local Authority District code ({district})": people[f"Local Authority District code ({district})"],
            f"Local Authority District name ({district})": people[f"Local Authority District name ({district})"],
            "Index of Multiple Deprivation (IMD) Score": lsoa.map(score).round(3),
            "Income Score (rate)": lsoa.map(rate).round(3),
            total: people[total].astype("int64"),
        }
    )
    return table.to_csv(index=False, lineterminator="\r\n").encode()


def _file_10_of_2025(folder: Path) -> bytes:
    districts = pd.read_csv(folder / "imd2025_england_ltla24.csv")
    workbook = openpyxl.Workbook()
    workbook.active.title = "Notes"  # type: ignore[union-attr]
    workbook["Notes"].append(["English indices of deprivation 2025: notes come first"])
    sheet = workbook.create_sheet("IMD")
    sheet.append(
        ["Local Authority District code (2024)", "Local Authority District name (2024)", "IMD - Average score "]
    )
    for row in districts.itertuples():
        sheet.append([row.ltla24_code, row.ltla24_name, row.imd_average_score])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _welsh_areas(folder: Path) -> pd.DataFrame:
    """WIMD 2019 by small area: ``code, authority, rank, decile``."""
    index = pd.read_csv(folder / "imd2019_wales_lsoa11.csv")
    geography = folder.parent / "geography"
    registry = pd.read_csv(geography / "lookup_lsoa_to_registry.csv").set_index("lsoa")["local-authority-code"]
    gss = pd.read_csv(geography / "uk_local_authorities_current.csv").set_index("local-authority-code")["gss-code"]
    names = pd.read_csv(geography / "LAD23_lookup.csv", encoding="utf-8-sig").set_index("LAD23CD")["LAD23NM"]
    return pd.DataFrame(
        {
            "code": index["lsoa11_code"],
            "authority": index["lsoa11_code"].map(registry).map(gss).map(names),
            "rank": index["IMD_rank"].astype(int),
            "decile": index["IMD_decile"],
        }
    )


def _wimd_2019(folder: Path) -> bytes:
    return _welsh_workbook(_welsh_areas(folder), "WIMD 2019")


def _wimd_2025(folder: Path) -> bytes:
    """No figure of it is at hand: the areas of 2019 and eight more, made up, as the index of 2025 has."""
    areas = _welsh_areas(folder)
    more = areas.head(8).assign(code=[f"W01{number:06d}" for number in range(2001, 2009)], decile=10)
    return _welsh_workbook(pd.concat([areas, more], ignore_index=True), "WIMD 2025")


def _welsh_workbook(areas: pd.DataFrame, name: str) -> bytes:
    """As the publisher lays it out: notes, a sheet of ranks and one of deciles, each below two rows of title."""
    place = ["LSOA code", "LSOA name (Eng)", "Local Authority name (Eng) "]
    ranks: list[list[object]] = [[f"{name}: ranks"], ["Notes are on another sheet"], [*place, name, "Income ", ""]]
    deciles: list[list[object]] = [[f"{name}: deciles"], ["1 is most deprived"]]
    deciles.append([*place, f"{name} overall rank ", f"{name} overall decile"])
    for area in areas.itertuples():
        where = [area.code, "A place", area.authority]
        ranks.append([*where, area.rank, area.rank, ""])
        deciles.append([*where, area.rank, area.decile])
    notes = [["Welsh Index of Multiple Deprivation"], ["Please read the notes"]]
    sheets = {"Notes": notes, f"{name.replace(' ', '_')}_ranks": ranks, "Deciles_quintiles_quartiles": deciles}
    return opendocument.workbook(sheets)


# Path on the publisher's server to what makes the file from those at hand.
MADE: Mapping[str, Callable[[Path], bytes]] = {
    "/media/5dc407b440f0b6379a7acc8d/File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv": (
        _file_7_of_2019
    ),
    "/media/691ded56d140bbbaa59a2a7d/File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv": (
        _file_7_of_2025
    ),
    f"/{published_files.FILES['wimd2019'].addresses[0]}": _wimd_2019,
    f"/{published_files.FILES['wimd2025'].addresses[0]}": _wimd_2025,
    "/media/6917412ebc34c86ce4e6e7fc/File_10_-_IoD2025_Local_Authority_District_Summaries__lower-tier__v2.xlsx": (
        _file_10_of_2025
    ),
}


@lru_cache(maxsize=8)
def _made(path: str, folder: Path) -> bytes:
    return MADE[path](folder)
