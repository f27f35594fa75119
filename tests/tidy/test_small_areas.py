"""The other nations' indices: read by what their sheets say, and refused when small areas are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.geography import load_register
from pipeline.publishers.deprivation import parse as small_areas
from pipeline.publishers.deprivation.query import SmallAreaQuery
from pipeline.tidy.observations import UnreadablePayload
from tests.standin import files, opendocument

REGISTER = load_register()
DISTRICTS = small_areas.Districts(
    lambda code: REGISTER.current_codes(code), {REGISTER.by_code[code].name: code for code in REGISTER.districts()}
)
WALES = SmallAreaQuery(source="gov_wales", index="wimd2019", measure="most_deprived_tenth")


def test_the_share_among_the_most_deprived_tenth_is_counted_from_the_publishers_deciles(publishers_files: Path) -> None:
    folder = publishers_files / "deprivation"
    figures = small_areas.parse(files._wimd_2019(folder), WALES, DISTRICTS).figures.set_index("area_code")["value"]
    areas = files._welsh_areas(folder)
    assert len(figures) == 22
    for name, code in (("Merthyr Tydfil", "W06000024"), ("Cardiff", "W06000015"), ("Monmouthshire", "W06000021")):
        own = areas[areas["authority"] == name]
        assert figures[code] == pytest.approx(100 * (own["decile"] == 1).sum() / len(own))
    assert figures["W06000021"] == 0


def test_a_workbook_short_of_small_areas_is_refused(publishers_files: Path) -> None:
    areas = files._welsh_areas(publishers_files / "deprivation").head(1900)
    with pytest.raises(UnreadablePayload, match="1,900 different small areas in 1,900 rows, where the index has 1,909"):
        small_areas.parse(files._welsh_workbook(areas, "WIMD 2019"), WALES, DISTRICTS)


def test_a_workbook_without_the_sheet_names_the_sheets_there_are() -> None:
    content = opendocument.workbook({"Notes": [["Read me"]], "Ranks": [["LSOA code", "WIMD 2019"]]})
    with pytest.raises(UnreadablePayload, match=r"no sheet has a heading row with .* the sheets are Notes, Ranks"):
        small_areas.parse(content, WALES, DISTRICTS)


def test_an_index_gives_only_what_it_holds() -> None:
    with pytest.raises(ValueError, match="wimd2019 gives most_deprived_tenth from gov_wales; not income_gap"):
        SmallAreaQuery(source="gov_wales", index="wimd2019", measure="income_gap")


@pytest.mark.parametrize(
    ("file", "index", "source", "districts"),
    [
        ("SIMD+2020v2+-+indicators.xlsx", "simd2020", "gov_scot", 32),
        ("NIMDM17_SOAresults.xls", "nimdm2017", "nisra", 11),
    ],
)
def test_the_publishers_own_files_give_every_district(
    publishers_files: Path, file: str, index: str, source: str, districts: int
) -> None:
    query = SmallAreaQuery.model_validate({"source": source, "index": index, "measure": "income_gap"})
    parsed = small_areas.parse((publishers_files / "deprivation" / file).read_bytes(), query, DISTRICTS)
    assert len(parsed.figures) == parsed.figures["value"].notna().sum() == districts
