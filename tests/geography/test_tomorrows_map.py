"""Adding a reorganisation is adding rows: one for the new district, one for each that goes into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.geography import (
    Register,
    RegisterError,
    aggregate,
    describe_area,
    load_register,
    reexpress,
    wider_membership,
)
from pipeline.geography.dimensions import bridge_area_group, dim_area
from pipeline.geography.register_tables import FACTS_DIR

Table = Callable[..., pd.DataFrame]
PARTS = ("E08000001", "E08000002")  # Bolton and Bury, which are in no such plan


def _with_rows(folder: Path, areas: Iterable[str], changes: Iterable[str]) -> Register:
    facts = Path(shutil.copytree(FACTS_DIR, folder / "facts"))
    for name, rows in (("areas", areas), ("changes", changes)):
        with (facts / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)
    return load_register(facts)


@pytest.fixture(scope="module")
def tomorrow(tmp_path_factory: pytest.TempPathFactory) -> Register:
    return _with_rows(
        tmp_path_factory.mktemp("tomorrow"),
        ["E08000098,Bolton and Bury,district,2028-04-01,,E92000001,E12000002,E11000001,,,"],
        [f"{code},E08000098,2028-04-01,merge,1,,,An invented Order of 2027" for code in PARTS],
    )


def test_the_new_map_has_one_district_less_and_the_old_map_is_still_there(tomorrow: Register) -> None:
    assert tomorrow.current_vintage == 2028
    assert len(tomorrow.districts()) == 360
    assert len(tomorrow.districts(2025)) == 361
    assert tomorrow.current_codes("E08000001") == ["E08000098"]


def test_what_the_rows_leave_blank_is_filled_in(tomorrow: Register) -> None:
    assert str(tomorrow.by_code["E08000001"].end_date.date()) == "2028-03-31"
    assert tomorrow.combined_authority_of("E08000098") == "E47000001"
    assert len(tomorrow.members_of("E47000001")) == 9
    areas = tomorrow.areas.set_index("area_code")
    assert areas.loc["E08000098", "population_2020"] == areas.loc[list(PARTS), "population_2020"].sum()
    row = dim_area(tomorrow).set_index("area_code").loc["E08000098"]
    assert 53 < row["latitude"] < 54
    assert row["is_scored"]


def test_ten_year_series_come_out_on_the_new_map(tomorrow: Register, register: Register, table: Table) -> None:
    years = range(2016, 2026)
    rows = table((code, year, float(year - 2000)) for code in register.districts() for year in years)
    for kind in ("count", "rate"):
        result = reexpress(rows, {"people": kind}, tomorrow)
        assert sorted(result.observations["area_code"].unique()) == tomorrow.districts()
        assert len(result.observations) == 360 * 10
        assert result.set_aside.empty
        merged = result.observations[result.observations["area_code"].eq("E08000098")].sort_values("period")
        factor = 2 if kind == "count" else 1
        assert list(merged["value"]) == pytest.approx([factor * (year - 2000) for year in years])
        assert set(merged["source_area_codes"]) == {"+".join(PARTS)}
        assert set(merged["status"]) == ({"ok"} if kind == "count" else {"estimated"})


def test_wider_areas_and_groups_are_made_of_the_new_map(tomorrow: Register, register: Register, table: Table) -> None:
    rows = table((code, 2025, 1.0) for code in register.districts())
    onto = reexpress(rows, {"people": "count"}, tomorrow).observations
    made = aggregate(onto, {"people": "count"}, wider_membership(tomorrow), tomorrow).set_index("area_code")
    assert made.loc["E47000001", "value"] == 10
    assert made.loc["K02000001", "value"] == 361
    group = bridge_area_group(tomorrow).query("group_id == 'greater_manchester_city_region'")
    assert "E08000098" in set(group["area_code"])
    assert len(group) == 9


EAST_SURREY = ("E07000207", "E07000208", "E07000210", "E07000211", "E07000215")
WEST_SURREY = ("E07000209", "E07000212", "E07000213", "E07000214", "E07000216", "E07000217")


def test_a_county_of_eleven_districts_becomes_two_unitary_authorities(
    register: Register, table: Table, tmp_path: Path
) -> None:
    new = {"E06000067": EAST_SURREY, "E06000068": WEST_SURREY}
    surrey = _with_rows(
        tmp_path,
        [f"{code},Surrey {code[-1]},district,2027-04-01,,E92000001,E12000008,,,," for code in new],
        [f"{old},{code},2027-04-01,merge,1,,,An Order" for code, parts in new.items() for old in parts],
    )
    assert len(surrey.districts()) == 361 - 11 + 2
    assert str(surrey.by_code["E10000030"].end_date.date()) == "2027-03-31", "the county ended with its districts"
    assert "Surrey 7 (E06000067), Surrey 8 (E06000068)" in describe_area(surrey, "E10000030")[-1]
    rows = table([*((code, 2024, 2.0) for code in register.districts()), ("E10000030", 2024, 22.0)])
    result = reexpress(rows, {"people": "count"}, surrey)
    made = result.observations.set_index("area_code")["value"]
    assert (made["E06000067"], made["E06000068"], made.sum()) == (10.0, 12.0, 722.0)
    assert result.set_aside["reason"].str.contains("Surrey .E10000030, county. ended on 2027-03-31").all()


def test_a_district_that_is_split_shares_its_counts_out_and_takes_nothing_from_the_rest_of_the_map(
    register: Register, table: Table, tmp_path: Path
) -> None:
    parts = {"E08000097": 0.4, "E08000098": 0.6}
    split = _with_rows(
        tmp_path,
        [f"{code},Leeds {code[-1]},district,2028-04-01,,E92000001,E12000003,E11000006,,," for code in parts],
        [f"E08000035,{code},2028-04-01,split,{share},,,An invented Order" for code, share in parts.items()],
    )
    rows = table((code, 2025, 10.0) for code in register.districts())
    counts = reexpress(rows, {"people": "count"}, split).observations.set_index("area_code")
    assert list(counts.loc[list(parts), "value"]) == [4.0, 6.0]
    assert set(counts.loc[list(parts), "status"]) == {"estimated"}
    rates = reexpress(rows, {"people": "rate"}, split)
    assert list(rates.set_aside["area_code"]) == ["E08000035"]
    made = aggregate(rates.observations, {"people": "rate"}, wider_membership(split), split).set_index("area_code")
    assert made.loc["E47000001", "value"] == pytest.approx(10), "Greater Manchester is made as before"
    assert "E47000003" not in made.index, "West Yorkshire lacks Leeds"
    assert split.combined_authority_of("E08000097") == "E47000003"
    back = reexpress(
        table([("E08000097", 2029, 40.0), ("E08000098", 2029, 60.0)]), {"people": "rate"}, split, vintage=2025
    )
    assert back.observations["value"].iloc[0] == pytest.approx(0.4 * 40 + 0.6 * 60)


def test_what_begins_one_year_may_go_into_what_begins_the_next(table: Table, tmp_path: Path) -> None:
    chain = _with_rows(
        tmp_path,
        [
            "E08000097,Bolton,district,2027-04-01,,E92000001,E12000002,E11000001,,,",
            "E08000098,Bolton and Bury,district,2028-04-01,,E92000001,E12000002,E11000001,,,",
        ],
        [
            "E08000001,E08000097,2027-04-01,boundary_change,1,,,An invented Order",
            "E08000097,E08000098,2028-04-01,merge,1,,,An invented Order",
            "E08000002,E08000098,2028-04-01,merge,1,,,An invented Order",
        ],
    )
    assert chain.combined_authority_of("E08000098") == "E47000001"
    assert chain.combined_authority_of("E08000097", 2027) == "E47000001"
    row = reexpress(table([(code, 2025, 10.0) for code in PARTS]), {"people": "rate"}, chain).observations.iloc[0]
    assert (row["area_code"], row["source_area_codes"]) == ("E08000098", "+".join(PARTS))
    assert row["value"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("areas", "changes", "complaint"),
    [
        ("2028-04-01", "1/4/2028,merge,1", "changes.csv, line .*: date is '1/4/2028', not a day such as 2028-04-01"),
        ("2028-04-01", "2028-04-01,merge,all", "changes.csv, line .*: share is 'all', not a number"),
        ("2028-04-01", "2028-04-01,merger,1", "kind 'merger' is none of relabel, boundary_change, merge, split"),
        ("2028-05-01", "2028-04-01,merge,1", "E08000098 starts 2028-05-01, not on 2028-04-01"),
        ("2028-04-01", "2028-04-01,merge,0.5", "the shares of E08000001 add up to 0.5, not to 1"),
    ],
)
def test_a_row_written_wrongly_is_refused_with_what_is_wrong(
    tmp_path: Path, areas: str, changes: str, complaint: str
) -> None:
    with pytest.raises(RegisterError, match=complaint):
        _with_rows(
            tmp_path,
            [f"E08000098,Bolton and Bury,district,{areas},,E92000001,E12000002,E11000001,,,"],
            [f"{code},E08000098,{changes},,,An invented Order" for code in PARTS],
        )
