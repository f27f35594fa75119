"""Every file of ONS Explore Local Statistics goes through with nothing lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.geography import Reexpressed, Register, reexpress
from pipeline.geography.dimensions import dim_area
from tests.geography.elsfiles import ELS_FILES, read_els


@pytest.fixture(scope="module", params=ELS_FILES)
def els(request: pytest.FixtureRequest, shared_data: Path) -> pd.DataFrame:
    return read_els(shared_data / "els" / f"{request.param}.csv")


def _reexpressed(els: pd.DataFrame, register: Register) -> Reexpressed:
    kinds = {name: "count" if name == "Active businesses" else "rate" for name in els["indicator_id"].unique()}
    return reexpress(els, kinds, register)


def test_nothing_is_lost_and_no_area_comes_out_twice(els: pd.DataFrame, register: Register) -> None:
    result = _reexpressed(els, register)
    ledger = result.ledger
    assert ledger.rows_in == len(els)
    assert ledger.rows_used + ledger.rows_set_aside + ledger.rows_collapsed + ledger.rows_out_of_scope == len(els)
    assert not result.observations.duplicated(["area_code", "indicator_id", "period"]).any()
    assert ledger.rows_set_aside == len(result.set_aside)
    assert result.set_aside["reason"].str.len().gt(10).all()
    assert set(result.observations["area_code"]) <= set(dim_area(register)["area_code"])
    districts = set(result.observations["area_code"]) & set(register.districts())
    given = {code for text in els["area_code"].unique() for code in _current(register, text)}
    assert districts == given


# Of today's 361 districts, those a file speaks of: the whole United Kingdom, or the nations its publisher covers.
WHOLE_KINGDOM = (
    "business-demography",
    "children-in-relative-poverty",
    "claimant-count",
    "gross-disposable-household-income-per-head",
    "gross-median-weekly-pay",
    "gross-value-added",
)
MADE_SINCE_2019 = ("West Northamptonshire", "Buckinghamshire", "Cumberland", "Bournemouth, Christchurch and Poole")


@pytest.mark.parametrize("name", ELS_FILES)
def test_a_file_comes_out_on_all_361_districts_or_on_those_of_the_nations_it_covers(
    name: str, register: Register, shared_data: Path
) -> None:
    els = read_els(shared_data / "els" / f"{name}.csv")
    found = set(_reexpressed(els, register).observations["area_code"]) & set(register.districts())
    nations = {code[0] for code in found}
    whole = [code for code in register.districts() if code[0] in nations]
    if name in WHOLE_KINGDOM:
        assert len(found) == 361
    elif name not in ("healthy-life-expectancy",):  # published for upper tiers: counties stand for their districts
        assert sorted(found) == whole


@pytest.mark.parametrize("area", MADE_SINCE_2019)
@pytest.mark.parametrize("name", WHOLE_KINGDOM)
def test_a_merged_district_has_every_period_that_it_or_all_its_predecessors_had(
    name: str, area: str, register: Register, shared_data: Path
) -> None:
    els = read_els(shared_data / "els" / f"{name}.csv")
    first = els[els["indicator_id"].eq(els["indicator_id"].iloc[0]) & els["value"].notna()]
    given = first.groupby("area_code")["period"].agg(set).to_dict()
    code = register.find(area).code
    before = [given.get(part, set()) for part in register.changes.query("to_code == @code")["from_code"]]
    rows = _reexpressed(els, register).observations
    mine = rows[rows["area_code"].eq(code) & rows["indicator_id"].eq(first["indicator_id"].iloc[0])]
    periods = mine.loc[mine["value"].notna(), "period"]
    assert periods.is_unique
    assert set(periods) == given.get(code, set()) | set.intersection(*before)


def _current(register: Register, text: str) -> list[str]:
    codes = register.current_codes(text) if text in register.by_code else []
    return [code for code in codes if register.by_code[code].level == "district"]


def test_barnsley_and_sheffield_appear_once_a_period_under_their_current_codes(
    els: pd.DataFrame, register: Register
) -> None:
    result = _reexpressed(els, register).observations
    assert not set(result["area_code"]) & {"E08000016", "E08000019"}
    pair = result[result["area_code"].isin(("E08000038", "E08000039"))]
    assert not pair.duplicated(["area_code", "indicator_id", "period"]).any()
    if "E08000035" in set(result["area_code"]):  # where Leeds is, they are
        assert set(pair["area_code"]) == {"E08000038", "E08000039"}


def test_businesses_of_merged_districts_have_every_year_and_keep_englands_sum(
    register: Register, shared_data: Path
) -> None:
    els = read_els(shared_data / "els" / "business-demography.csv")
    result = _reexpressed(els, register).observations
    active = result[result["indicator_id"].eq("Active businesses")]
    years = active.groupby("area_code")["period"].nunique()
    assert set(years[register.districts()]) == {6}
    by_year = active[active["area_code"].isin(register.members_of("E92000001"))].groupby("period")["value"].sum()
    england = active[active["area_code"].eq("E92000001")].set_index("period")["value"]
    assert (by_year / england - 1).abs().max() < 1e-9
