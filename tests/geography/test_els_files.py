"""Every file of ONS Explore Local Statistics goes through with nothing lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.geography import Reexpressed, Register, reexpress
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
    assert set(result.observations["area_code"]) <= set(register.dim_area()["area_code"])
    districts = set(result.observations["area_code"]) & set(register.districts())
    given = {code for text in els["area_code"].unique() for code in _current(register, text)}
    assert districts == given


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
