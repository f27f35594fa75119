from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.geography import Register, RegisterError, UnknownAreaError, UnknownVintageError, load_register
from pipeline.geography.dimensions import dim_area, dim_area_history
from pipeline.geography.register_tables import FACTS_DIR


@pytest.mark.parametrize(
    ("vintage", "count"),
    [
        (2009, 406),
        (2014, 406),
        (2015, 391),
        (2018, 391),
        (2019, 382),
        (2020, 379),
        (2021, 374),
        (2022, 374),
        (2023, 361),
    ],
)
def test_each_vintage_has_the_number_of_districts_ons_published(register: Register, vintage: int, count: int) -> None:
    assert len(register.districts(vintage)) == count


def test_the_current_map_has_361_districts_sorted_and_no_abolished_one(register: Register) -> None:
    codes = register.districts()
    assert len(codes) == 361
    assert codes == sorted(set(codes))
    assert {"E08000038", "E08000039"} <= set(codes)
    assert not {"E08000016", "E08000019", "E07000163"} & set(codes)


@pytest.mark.parametrize("vintage", [2008, 2027, 1974, True, "2019"])
def test_an_unknown_vintage_is_refused_with_the_years_that_are_known(register: Register, vintage: int) -> None:
    with pytest.raises(UnknownVintageError, match="2009 to 2025"):
        register.districts(vintage)


def test_a_vintage_may_be_a_year_read_from_a_table(register: Register) -> None:
    years = pd.Series([2019, np.nan])
    assert register.districts(np.int64(2019)) == register.districts(years[0]) == register.districts(2019)


def test_every_area_lies_in_one_nation_and_every_district_in_one_region(register: Register) -> None:
    areas = register.areas
    assert areas.loc[areas["level"].ne("country"), "nation_code"].notna().all()
    districts = areas[areas["level"].eq("district")]
    assert districts["region_code"].notna().all()
    outside_england = districts[districts["nation_code"].ne("E92000001")]
    assert (outside_england["region_code"] == outside_england["nation_code"]).all()


def test_the_ground_of_every_ended_district_is_taken_over_the_next_day_by_codes_that_exist(register: Register) -> None:
    areas = register.areas.set_index("area_code")
    ended = areas[areas["level"].eq("district") & areas["end_date"].notna()]
    assert set(ended.index) <= set(register.changes["from_code"])
    after = register.changes.set_index("from_code")
    assert (
        after["date"] == ended["end_date"].reindex(after.index).fillna(areas["end_date"]) + pd.Timedelta(days=1)
    ).all()
    assert all(set(register.current_codes(code)) <= set(register.districts()) for code in ended.index)
    assert all(register.current_codes(code) for code in ended.index)


def test_a_districts_members_are_counted_once_in_each_wider_area(register: Register) -> None:
    dim = dim_area(register)
    regions = dim.loc[dim["level"].isin(("region", "nation")) & dim["area_code"].ne("E92000001"), "area_code"]
    members = [district for region in regions for district in register.members_of(region)]
    assert sorted(members) == register.districts()
    assert len(register.members_of("K02000001")) == 361
    assert len(register.members_of("K04000001")) == 318


def test_known_changes_lead_where_the_orders_say(register: Register) -> None:
    expected = {
        "E07000048": ["E06000058"],  # Christchurch left the county of Dorset for Bournemouth
        "E07000190": ["E06000066"],  # Taunton Deane, by way of Somerset West and Taunton
        "E07000154": ["E06000062"],
        "E07000006": ["E06000060"],
        "E07000026": ["E06000063"],
        "E07000027": ["E06000064"],
        "E07000163": ["E06000065"],
        "E08000020": ["E08000037"],
        "E07000157": ["E06000057"],  # Alnwick, by way of E06000048
        "E07000100": ["E07000240"],
        "E07000104": ["E07000241"],
        "E07000097": ["E07000242"],
        "E07000101": ["E07000243"],
        "S12000015": ["S12000047"],
        "S12000024": ["S12000048"],
        "S12000037": ["S12000049"],  # by way of S12000043 and S12000046
        "S12000043": ["S12000049"],
        "S12000003": ["S12000041"],
        "S12000007": ["S12000042"],
        "S12000022": ["S12000050"],
        "S12000044": ["S12000050"],
        "E07000205": ["E07000244"],
        "E08000016": ["E08000038"],
        "E08000019": ["E08000039"],
        "95II": ["N09000003", "N09000007"],
    }
    assert {code: register.current_codes(code) for code in expected} == expected


@pytest.mark.parametrize(
    ("code", "last_day", "order"),
    [
        ("S12000003", "2010-03-31", "Fithiebank"),  # SSI 2009/442
        ("S12000022", "2010-03-31", "Cardowan"),
        ("S12000043", "2011-03-31", "Princes Gate"),  # SSI 2010/353
        ("S12000015", "2018-02-01", "Keltybridge"),  # SSI 2017/430
        ("S12000044", "2019-03-31", "Cardowan"),  # SSI 2018/308
    ],
)
def test_a_scottish_code_ends_the_day_before_its_order_came_into_force(
    register: Register, code: str, last_day: str, order: str
) -> None:
    assert register.area(code).end_date == pd.Timestamp(last_day)
    assert order in register.changes.set_index("from_code").loc[code, "order"]


def test_history_tells_a_chain_from_its_first_step_to_its_last(register: Register) -> None:
    west_somerset = register.history("E07000191")
    assert list(west_somerset["from_code"]) == ["E07000191", "E07000246"]
    assert list(west_somerset["to_code"]) == ["E07000246", "E06000066"]
    somerset = register.history("E06000066")
    assert list(somerset["date"].dt.year) == [2019, 2019, 2023, 2023, 2023, 2023]
    assert set(somerset["from_name"]) >= {"Taunton Deane", "West Somerset", "Mendip"}
    with pytest.raises(UnknownAreaError):
        register.history("E06999999")


def test_combined_authority_membership_depends_on_the_vintage(register: Register) -> None:
    assert register.combined_authority_of("E08000021") == "E47000014"
    assert register.combined_authority_of("E08000021", 2020) == "E47000011"
    assert register.combined_authority_of("E08000021", 2015) == "E47000005"
    assert register.combined_authority_of("E08000021", 2012) is None
    assert register.combined_authority_of("E08000038") == "E47000002"
    assert register.combined_authority_of("E09000001") is None
    sizes = pd.Series(register.membership()).value_counts()
    assert sizes["E47000013"] == 17
    assert sizes.sum() == 106


@pytest.mark.parametrize(
    ("code", "first_day"),
    [
        ("E47000001", "2011-04-01"),
        ("E47000005", "2014-04-15"),
        ("E47000007", "2016-06-17"),
        ("E47000009", "2017-02-09"),
        ("E47000008", "2017-03-03"),
        ("E47000012", "2023-12-20"),
        ("E47000013", "2024-02-28"),
        ("E47000014", "2024-05-07"),
        *((code, "2025-02-05") for code in ("E47000015", "E47000016", "E47000017", "E47000018")),
    ],
)
def test_a_combined_authority_begins_on_the_day_its_order_came_into_force(
    register: Register, code: str, first_day: str
) -> None:
    assert register.area(code).start_date == pd.Timestamp(first_day)
    joined = register.combined_authorities.loc[register.combined_authorities["combined_authority_code"].eq(code)]
    assert joined["start_date"].eq(pd.Timestamp(first_day)).all()


def test_dim_area_has_one_row_an_area_with_names_beside_codes(register: Register) -> None:
    dim = dim_area(register).set_index("area_code")
    assert dim.index.is_unique
    assert list(dim["level"].value_counts().sort_index()) == [15, 3, 27, 361, 4, 9]
    leeds = dim.loc["E08000035"]
    assert (leeds["region_name"], leeds["combined_authority_name"]) == ("Yorkshire and The Humber", "West Yorkshire")
    assert dim.loc["S12000021", "region_name"] == "Scotland"
    assert dim.loc["E07000123", "county_name"] == "Lancashire"
    assert dim.loc["E06000023", "area_name"] == "Bristol, City of"
    assert set(dim.index[dim["level"].eq("district") & ~dim["is_scored"]]) == {"E09000001", "E06000053"}
    assert not dim.loc[dim["level"].ne("district"), "is_scored"].any()
    assert dim[["latitude", "longitude"]].notna().all().all()


def test_dim_area_history_gives_predecessors_and_successors_of_every_code(register: Register) -> None:
    history = dim_area_history(register).set_index("area_code")
    assert history.index.is_unique
    assert history.loc["E06000062", "predecessor_codes"] == "E07000151+E07000154+E07000155"
    assert history.loc["E07000154", "successor_codes"] == "E06000062"
    assert history.loc["E07000154", "ended_by"] == "merge"
    assert history.loc["95FF", "ended_by"] == "split"
    assert history.loc["E08000038", "began_by"] == "boundary_change"
    assert pd.isna(history.loc["E10000006", "current_codes"])
    assert history["is_current"].sum() == len(dim_area(register))


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FACTS_DIR, tmp_path / "facts"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        (
            "changes.csv",
            "E07000026,E06000063,2023-04-01",
            "E07000026,E06000063,2023-05-01",
            "E07000026 ends 2023-03-31",
        ),
        ("changes.csv", "E07000026,E06000063", "E07000026,E06000999", "'E06000999' is not in areas.csv"),
        (
            "changes.csv",
            "E07000026,E06000063,2023-04-01,merge,1",
            "E07000026,E06000063,2023-04-01,merge,0.5",
            "add up to",
        ),
        (
            "areas.csv",
            "E06000001,Hartlepool,district,2009-01-01,",
            "E06000001,Hartlepool,district,2012-01-01,",
            "E06000001 began",
        ),
        ("areas.csv", "E06000001,Hartlepool,district,", "E06000001,Hartlepool,borough,", "level 'borough'"),
        ("areas.csv", "E06000003,", "E06000001,", "E06000001 is given twice"),
        ("areas.csv", "E06000003,", "E0600003,", "E0600003 is not an area code"),
        ("combined_authorities.csv", ",E47000001,2011-04-01,", ",E47000001,2010-04-01,", "when that does not exist"),
        ("combined_authorities.csv", "E08000001,E47000001,2011-04-01,", "E08000001,E47000099,2011-04-01,", "E47000099"),
    ],
)
def test_a_register_that_contradicts_itself_is_refused_with_the_row(
    facts: Path, file: str, old: str, new: str, complaint: str
) -> None:
    _edit(facts / file, old, new)
    with pytest.raises(RegisterError, match=complaint):
        load_register(facts)


def test_ons_chain_of_codes_2016_to_2024_agrees_with_the_register(register: Register, shared_data: Path) -> None:
    chain = pd.read_csv(shared_data / "geography" / "lookup_ltla_ltla.csv", dtype=str)
    for year in range(16, 25):
        assert set(chain[f"ltla{year}_code"]) == set(register.districts(2000 + year))
        to_2024 = chain.groupby(f"ltla{year}_code")["ltla24_code"].agg(set)
        plan = register.plan(2024)
        # ONS lists both ways across a moved edge; the register carries a figure to the area that keeps the name
        assert all(set(plan.targets_of(str(code))) <= targets for code, targets in to_2024.items())


def test_every_code_since_2011_leads_to_the_active_code_ons_gives(register: Register, shared_data: Path) -> None:
    codes = pd.read_csv(shared_data / "geography" / "la_all_codes.csv", dtype=str)
    listed = dict(zip(codes["LADCD"], codes["LADCD_ACTIVE"], strict=True))
    assert {code: register.current_codes(code) for code in listed} == {
        code: [active] for code, active in listed.items()
    }
    names = dict(zip(codes["LADCD"], codes["LADNM"], strict=True))
    assert {code: register.by_code[code].name for code in names} == names


def test_current_members_of_combined_authorities_are_those_of_may_2025(register: Register, shared_data: Path) -> None:
    lookup = pd.read_csv(shared_data / "geography" / "lad_cauth_may2025.csv", dtype=str, encoding="utf-8-sig")
    assert register.membership() == dict(zip(lookup["LAD25CD"], lookup["CAUTH25CD"], strict=True))
    named = dict(zip(lookup["CAUTH25CD"], lookup["CAUTH25NM"], strict=True))
    assert {code: register.by_code[code].name for code in named} == named
