"""Any map to any other: counts are conserved and every district is covered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pipeline.geography import Register, reexpress

Table = Callable[..., pd.DataFrame]


def _series(register: Register, vintage: int) -> pd.DataFrame:
    codes = register.districts(vintage)
    values = np.random.default_rng(vintage).uniform(1e3, 1e6, len(codes))
    return pd.DataFrame(
        {"area_code": codes, "indicator_id": "people", "period": f"{vintage - 1}-01-01/P1Y", "value": values}
    )


@pytest.mark.parametrize("vintage", range(2009, 2026))
def test_a_count_series_of_each_vintage_comes_out_on_todays_361_districts_with_its_sum(
    register: Register, vintage: int
) -> None:
    series = _series(register, vintage)
    result = reexpress(series, {"people": "count"}, register)
    assert sorted(result.observations["area_code"]) == register.districts()
    assert result.observations["value"].sum() == pytest.approx(series["value"].sum(), rel=1e-12)
    assert result.ledger.rows_used == len(series)


@pytest.mark.parametrize("target", [2009, 2014, 2018, 2019, 2021, 2022])
@pytest.mark.parametrize("vintage", [2009, 2015, 2020, 2025])
def test_a_count_series_goes_back_to_an_older_map_with_its_sum(register: Register, vintage: int, target: int) -> None:
    series = _series(register, vintage)
    result = reexpress(series, {"people": "count"}, register, vintage=target)
    assert sorted(result.observations["area_code"]) == register.districts(target)
    assert result.observations["value"].sum() == pytest.approx(series["value"].sum(), rel=1e-9)


def test_going_back_a_merged_district_is_shared_out_by_people_and_says_it_is_an_estimate(
    register: Register, table: Table
) -> None:
    result = reexpress(table([("E06000063", 2024, 900.0)]), {"people": "count"}, register, vintage=2022)
    rows = result.observations.set_index("area_code")
    assert list(rows.index.sort_values()) == ["E07000026", "E07000028", "E07000029"]
    people = register.changes.set_index("from_code").loc[list(rows.index), "population"]
    assert np.allclose(rows["value"], 900 * people / people.sum())
    assert set(rows["status"]) == {"estimated"}


def test_going_back_a_merged_districts_rate_is_set_aside_and_a_renumbered_ones_is_copied(
    register: Register, table: Table
) -> None:
    rows = table([("E06000063", 2024, 9.0), ("E08000038", 2024, 8.0)])
    result = reexpress(rows, {"people": "rate"}, register, vintage=2022)
    assert list(result.observations["area_code"]) == ["E08000016"]
    assert list(result.observations["geography_rule"]) == ["boundary_change"]
    assert "no small-area figures are held" in result.set_aside["reason"].iloc[0]


def test_on_an_older_map_that_days_counties_and_combined_authorities_are_the_ones_in_force(
    register: Register, table: Table
) -> None:
    rows = table([("E10000023", 2018, 1.0), ("E47000011", 2019, 2.0), ("E47000018", 2019, 3.0)])
    result = reexpress(rows, {"people": "rate"}, register, vintage=2019)
    assert list(result.observations["area_code"]) == ["E10000023", "E47000011"]
    assert "began on 2025-02-05, after the map of 2019" in result.set_aside["reason"].iloc[0]


@pytest.mark.parametrize(
    "area", ["West Northamptonshire", "Buckinghamshire", "Cumberland", "Bournemouth, Christchurch and Poole"]
)
def test_a_merged_district_has_a_full_series_where_its_predecessors_had_one(
    register: Register, table: Table, area: str
) -> None:
    code = register.find(area).code
    began = register.by_code[code].start_date.year
    before = list(register.changes.loc[register.changes["to_code"].eq(code), "from_code"])
    old = [(part, year, 10.0) for part in before for year in range(2010, began)]
    rows = table([*old, *((code, year, 10.0 * len(before)) for year in range(began, 2026))])
    result = reexpress(rows, {"people": "count"}, register).observations
    assert list(result.sort_values("period")["period"].str[:4].astype(int)) == list(range(2010, 2026))
    assert (result["value"] == 10 * len(before)).all()
    assert set(result["area_code"]) == {code}
