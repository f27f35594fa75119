"""Growth of pay and income beside growth of output: the same years for both, known answers, nothing made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.frameworks import parse_framework
from pipeline.scoring import IndicatorSpec, pass_through_table
from pipeline.scoring.pass_through import PASS_THROUGH_COLUMNS

PAY, INCOME, OUTPUT = "pay_median_weekly", "gdhi_per_head", "gva_per_hour"
SPECS = {name: IndicatorSpec(1, "log_ratio") for name in (PAY, INCOME, OUTPUT)}
FRAMEWORK = {
    "id": "small",
    "base_year": 2019,
    "tree": {"id": "index", "indicators": [PAY, INCOME, OUTPUT]},
}
AREAS = pd.DataFrame(
    {"area_code": ["A", "B", "C"], "level": "district", "nation_code": "E", "is_scored": True},
)


def steady(indicator: str, paces: dict[str, float], years: range, error: float | None = None) -> pd.DataFrame:
    """Figures that grow by the same per cent every year, with standard errors of ``error`` of the figure."""
    rows = [
        (area, indicator, year, value := 100 * (1 + pace / 100) ** (year - 2000), error and error * value)
        for area, pace in paces.items()
        for year in years
    ]
    frame = pd.DataFrame(rows, columns=["area_code", "indicator_id", "year", "value", "standard_error"])
    return frame.astype({"standard_error": float})


def beside(*figures: pd.DataFrame) -> pd.DataFrame:
    table = pass_through_table(parse_framework(FRAMEWORK), pd.concat(figures), AREAS, SPECS)
    return table.astype({"area_code": str, "outcome_id": str}).set_index(["outcome_id", "window_years", "area_code"])


PACES = {"A": 1.0, "B": 3.0, "C": 4.0}


def test_both_slopes_are_over_the_years_in_which_both_have_figures():
    pay = steady(PAY, PACES, range(2010, 2026))
    pay.loc[pay["year"] > 2023, "value"] *= 2  # after the last figure of output, so without effect
    output = steady(OUTPUT, {"A": -1.0, "B": 2.0, "C": 2.5}, range(2012, 2024))
    table = beside(pay, output)
    row = table.loc[PAY, 10, "A"]
    assert (row["first_year"], row["last_year"], row["year_count"]) == (2014, 2023, 10)
    assert row["outcome_growth_percent"] == pytest.approx(1.0)
    assert row["output_growth_percent"] == pytest.approx(-1.0)
    assert row["typical_outcome_growth_percent"] == pytest.approx(3.0)
    assert row["typical_output_growth_percent"] == pytest.approx(2.0)
    assert table.loc[PAY, 5, "A"]["first_year"] == 2019
    assert INCOME not in table.index.get_level_values(0)


def test_a_gap_in_one_series_is_a_gap_in_both():
    pay = steady(PAY, PACES, range(2010, 2024))
    output = steady(OUTPUT, PACES, range(2010, 2024))
    lacks = (pay["area_code"] == "A") & pay["year"].isin([2014, 2018])
    output.loc[(output["area_code"] == "A") & (output["year"] == 2018), "value"] *= 5
    row = beside(pay[~lacks], output).loc[PAY, 10, "A"]
    assert (row["first_year"], row["year_count"]) == (2015, 8)
    assert row["output_growth_percent"] == pytest.approx(1.0)


def test_too_few_common_years_give_no_row():
    pay = steady(PAY, PACES, range(2010, 2024))
    output = pd.concat([steady(OUTPUT, {"A": 1.0}, range(2020, 2024)), steady(OUTPUT, {"B": 3.0}, range(2010, 2024))])
    found = beside(pay, output).reset_index()
    assert set(zip(found["window_years"], found["area_code"], strict=True)) == {(5, "A"), (5, "B"), (10, "B")}


def test_an_interval_is_given_on_the_side_whose_error_is_known():
    errors = np.random.default_rng(1)
    pay = steady(PAY, PACES, range(2010, 2024), error=0.02)
    pay["value"] *= np.exp(errors.normal(0, 0.02, len(pay)))
    row = beside(pay, steady(OUTPUT, PACES, range(2010, 2024))).loc[PAY, 10, "A"]
    assert (row["outcome_error_kind"], row["output_error_kind"]) == ("published", "none")
    assert row["outcome_growth_lower"] < row["outcome_growth_percent"] < row["outcome_growth_upper"]
    assert np.isnan(row["output_growth_lower"])
    assert np.isnan(row["output_growth_upper"])


def test_without_output_there_are_no_rows_but_all_columns():
    table = pass_through_table(parse_framework(FRAMEWORK), steady(PAY, PACES, range(2010, 2024)), AREAS, SPECS)
    assert table.empty
    assert list(table) == list(PASS_THROUGH_COLUMNS)
