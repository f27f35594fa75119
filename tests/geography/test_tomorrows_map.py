"""Adding a reorganisation is adding rows: one for the new district, one for each that goes into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.geography import Register, aggregate, load_register, reexpress, wider_membership
from pipeline.geography.register import FACTS_DIR

Table = Callable[..., pd.DataFrame]
PARTS = ("E08000001", "E08000002")  # Bolton and Bury, which are in no such plan


@pytest.fixture(scope="module")
def tomorrow(tmp_path_factory: pytest.TempPathFactory) -> Register:
    folder = Path(shutil.copytree(FACTS_DIR, tmp_path_factory.mktemp("tomorrow") / "facts"))
    with (folder / "areas.csv").open("a", encoding="utf-8") as areas:
        areas.write("E08000098,Bolton and Bury,district,2028-04-01,,E92000001,E12000002,E11000001,,,\n")
    with (folder / "changes.csv").open("a", encoding="utf-8") as changes:
        changes.writelines(f"{code},E08000098,2028-04-01,merge,1,,,An invented Order of 2027\n" for code in PARTS)
    return load_register(folder)


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
    row = tomorrow.dim_area().set_index("area_code").loc["E08000098"]
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
    group = tomorrow.bridge_area_group().query("group_id == 'greater_manchester_city_region'")
    assert "E08000098" in set(group["area_code"])
    assert len(group) == 9
