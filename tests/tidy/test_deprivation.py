"""District figures from small areas, against hand-made cases and the publishers' own summaries."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.deprivation.district_measures import SmallAreas, concentration_index
from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.observations import UnreadablePayload

DATA = PROJECT_ROOT.parent / "shared" / "data"
needs_deprivation_files = pytest.mark.skipif(
    not (DATA / "deprivation").exists(), reason="the publishers' files (../shared/data/deprivation) are not here"
)


def small_areas(rates: list[float], populations: list[float] | None = None, code: str = "E09000030") -> SmallAreas:
    count = len(rates)
    table = pd.DataFrame(
        {
            "small_area": [f"E0100{number:04d}" for number in range(count)],
            "index_district": code,
            "area_code": code,
            "population": populations or [1500.0] * count,
            "imd_score": rates,
            "income_rate": rates,
        }
    )
    return SmallAreas("2019-01-01/P1Y", table)


def workbook(sheet: str, *rows: list[object]) -> bytes:
    book = Workbook()
    book.active.title = sheet
    for line in rows:
        book.active.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_the_average_score_weighs_small_areas_by_their_people() -> None:
    parsed = deprivation.average_score(small_areas([10.0, 40.0], [3000.0, 1000.0]))
    assert parsed.figures.loc[0, "value"] == pytest.approx(17.5)


def test_the_gap_is_the_distance_between_the_ninetieth_and_tenth_percentile() -> None:
    parsed = deprivation.income_deprivation_gap(small_areas([float(rate) for rate in range(11)]))
    assert parsed.figures.loc[0, "value"] == pytest.approx(8.0)
    assert parsed.figures.loc[0, "status"] == "ok"


@pytest.mark.parametrize("measure", [deprivation.income_deprivation_gap, deprivation.income_deprivation_concentration])
def test_a_district_of_four_small_areas_has_no_spread(measure: object) -> None:
    figure = measure(small_areas([1.0, 2.0, 3.0, 4.0])).figures.iloc[0]  # type: ignore[operator]
    assert figure["status"] == "not_available"
    assert pd.isna(figure["value"])


def test_equal_areas_are_not_concentrated_and_one_poor_area_in_many_nearly_wholly() -> None:
    assert concentration_index(np.full(8, 12.0), np.arange(1.0, 9.0)) == pytest.approx(0, abs=1e-12)
    assert concentration_index(np.array([0.0] * 99 + [50.0]), np.ones(100)) == pytest.approx(0.99)


def test_the_concentration_index_equals_the_gini_index_by_pairs() -> None:
    rates, weights = np.array([3.0, 9.0, 9.0, 30.0, 12.5]), np.array([1200.0, 1500.0, 1800.0, 1600.0, 2100.0])
    share = weights / weights.sum()
    pairs = np.abs(rates[:, None] - rates[None, :]) * share[:, None] * share[None, :]
    assert concentration_index(rates, weights) == pytest.approx(pairs.sum() / (2 * (rates @ share)))


def test_no_deprivation_at_all_has_no_concentration() -> None:
    assert np.isnan(concentration_index(np.zeros(6), np.ones(6)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(500, 4000)), min_size=5, max_size=40), st.randoms())
def test_the_concentration_index_lies_between_0_and_1_and_ignores_order(
    areas: list[tuple[float, float]], random: object
) -> None:
    rates, weights = np.array(areas).T
    if rates.sum() < 1e-6:
        return
    index = concentration_index(rates, weights)
    order = np.random.default_rng(1).permutation(len(rates))
    assert 0 <= index < 1
    assert concentration_index(rates[order], weights[order]) == pytest.approx(index, abs=1e-9)
    assert concentration_index(2 * rates, weights) == pytest.approx(index, abs=1e-9)


def test_the_mended_slip_of_file_6_is_noticed() -> None:
    people = workbook(
        "ID 2025 Population Denominators",
        ["LSOA code (2021)", "Local Authority District code (2024)", "Total population: mid 2022"],
        ["E01027305", "E06000062", 1870],
    )
    with pytest.raises(UnreadablePayload, match="remove the correction"):
        deprivation.england_2025(b"lsoa21_code,IMD_score,Income_score\nE01027305,10,0.1\n", people, b"")


def test_a_small_area_without_denominator_is_an_error_not_a_loss() -> None:
    people = workbook(
        "Population Denominators",
        [
            "LSOA code (2011)",
            "Local Authority District code (2019)",
            "Total population: mid 2015 (excluding prisoners)",
        ],
        ["E01000001", "E09000001", 1296],
    )
    scores = b"nation,lsoa,overall_local_score,income_score\nE,E01000001,6.2,1\nE,E01000002,5.1,2\n"
    with pytest.raises(UnreadablePayload, match="2 small areas have scores and 1 have denominators"):
        deprivation.england_2019(scores, people, b"LADCD,LADCD_ACTIVE\nE09000001,E09000001\n")


def test_a_council_area_of_no_known_name_is_an_error() -> None:
    data = workbook(
        "Data",
        ["Data_Zone", "Council_area", "Total_population", "Income_count"],
        ["S01006506", "Atlantis", 894, 71],
    )
    with pytest.raises(UnreadablePayload, match="Atlantis"):
        deprivation.scotland_2020(data, b"LADCD,LADNM,LADCD_ACTIVE\nS12000033,Aberdeen City,S12000033\n")


def test_a_small_area_of_no_known_authority_is_an_error() -> None:
    scores = b"nation,lsoa,overall_local_score,income_score\nW,W01000001,19.2,17\n"
    with pytest.raises(UnreadablePayload, match="no authority in the lookup"):
        deprivation.wales_2019(
            scores,
            b"lsoa,local-authority-code\nW01000009,AGY\n",
            b"local-authority-code,gss-code\nAGY,W06000001\n",
            b"",
        )


# --- against the publishers' files -------------------------------------------------------------------------------


def content(name: str) -> bytes:
    return (DATA / name).read_bytes()


@cache
def england_2019() -> SmallAreas:
    return deprivation.england_2019(
        content("deprivation/UK_IMD_E.csv"),
        content("deprivation/File_6_-_IoD2019_Population_Denominators.xlsx"),
        content("geography/la_all_codes.csv"),
    )


@cache
def england_2025() -> SmallAreas:
    return deprivation.england_2025(
        content("deprivation/imd2025_england_lsoa21.csv"),
        content("deprivation/File_6_IoD2025_Population_Denominators.xlsx"),
        content("geography/la_all_codes.csv"),
    )


@cache
def other_nation(name: str) -> SmallAreas:
    codes = content("geography/la_all_codes.csv")
    if name == "wales":
        lookups = ("lookup_lsoa_to_registry.csv", "uk_local_authorities_current.csv")
        return deprivation.wales_2019(
            content("deprivation/UK_IMD_E.csv"), *(content(f"geography/{lookup}") for lookup in lookups), codes
        )
    if name == "scotland":
        return deprivation.scotland_2020(content("deprivation/SIMD+2020v2+-+indicators.xlsx"), codes)
    return deprivation.northern_ireland_2017(content("deprivation/NIMDM17_SOAresults.xls"), codes)


def published_sheet(name: str, sheet: str) -> pd.DataFrame:
    cells = (
        CalamineWorkbook.from_filelike(io.BytesIO(content(f"deprivation/{name}"))).get_sheet_by_name(sheet).to_python()
    )
    return pd.DataFrame(cells[1:], columns=[str(heading).strip() for heading in cells[0]])


@needs_deprivation_files
def test_average_scores_of_2019_equal_the_official_ones_for_317_of_317_districts() -> None:
    official = published_sheet("File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx", "IMD")
    official_score = official.set_index("Local Authority District code (2019)")["IMD - Average score"].astype(float)
    computed = deprivation.average_score(england_2019(), by="index_district").figures.set_index("area_code")["value"]
    assert set(computed.index) == set(official_score.index)
    assert ((computed - official_score).abs() < 0.0006).sum() == 317


@needs_deprivation_files
def test_average_scores_of_2025_equal_the_official_ones_for_296_of_296_districts() -> None:
    official = pd.read_csv(DATA / "deprivation" / "imd2025_england_ltla24.csv").set_index("ltla24_code")
    computed = deprivation.average_score(england_2025(), by="index_district").figures.set_index("area_code")["value"]
    assert set(computed.index) == set(official.index)
    assert ((computed - official["imd_average_score"]).abs() < 0.0006).sum() == 296


@needs_deprivation_files
def test_every_index_is_on_todays_districts() -> None:
    england = {*england_2019().table["area_code"]}
    assert england == {*england_2025().table["area_code"]}
    assert len(england) == 296
    assert {"E08000038", "E08000039"} < england
    assert not {"E08000016", "E08000019"} & england
    for name, count in (("wales", 22), ("scotland", 32), ("northern_ireland", 11)):
        assert other_nation(name).table["area_code"].nunique() == count


@needs_deprivation_files
def test_the_rates_are_those_of_the_national_files() -> None:
    official = pd.read_csv(DATA / "deprivation" / "imd2019_kirklees.csv").set_index("LSOA code (2011)")
    ours = england_2019().table.set_index("small_area").loc[official.index]
    assert np.allclose(ours["income_rate"], 100 * official["Income Score (rate)"])
    assert np.allclose(ours["population"], official.filter(like="Total population").iloc[:, 0])
    composite = pd.read_csv(DATA / "deprivation" / "UK_IMD_E.csv").set_index("lsoa")["income_score"]
    scotland = other_nation("scotland").table.set_index("small_area")["income_rate"]
    assert (scotland - composite[scotland.index]).abs().max() <= 0.5 + 1e-9  # published in whole percent
    ireland = other_nation("northern_ireland").table.set_index("small_area")["income_rate"]
    assert np.allclose(ireland, composite[ireland.index])


@needs_deprivation_files
def test_districts_by_name_agree_with_the_lookup_but_for_one_area_that_nisra_puts_in_belfast() -> None:
    authority = pd.read_csv(DATA / "geography" / "lookup_lsoa_to_registry.csv").set_index("lsoa")[
        "local-authority-code"
    ]
    register = pd.read_csv(DATA / "geography" / "uk_local_authorities_current.csv")
    gss = register.set_index("local-authority-code")["gss-code"]
    scotland, ireland = (other_nation(name).table for name in ("scotland", "northern_ireland"))
    assert (scotland["area_code"] == scotland["small_area"].map(authority).map(gss)).all()
    other = ireland[ireland["area_code"] != ireland["small_area"].map(authority).map(gss)]
    assert other[["small_area", "area_code"]].to_numpy().tolist() == [["95II02S3", "N09000003"]]


@needs_deprivation_files
def test_a_data_zone_without_people_has_no_rate_and_is_left_out() -> None:
    zones = set(other_nation("scotland").table["small_area"])
    assert len(zones) == 6973
    assert not {"S01010206", "S01010226", "S01010227"} & zones


@needs_deprivation_files
def test_the_isles_of_scilly_have_no_spread_and_every_other_district_has() -> None:
    for areas in (england_2019(), england_2025()):
        figures = deprivation.income_deprivation_concentration(areas).figures.set_index("area_code")
        assert figures.index[figures["status"] == "not_available"].tolist() == ["E06000053"]
