"""The counts beside a rate go with it onto today's map: districts that were merged are averaged over them."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.geography import load_register, reexpress
from pipeline.publishers.nomis import parse as nomis
from pipeline.tidy.derive import ratio
from pipeline.tidy.observations import OBSERVATION_COLUMNS, finish
from tests.publishers.conftest import nomis_query

HEADER = "DATE,DATE_NAME,GEOGRAPHY_CODE,GEOGRAPHY_TYPE,VARIABLE_NAME,MEASURES,OBS_VALUE,OBS_STATUS,OBS_STATUS_NAME\n"
# The districts that became Cumberland in 2023: code, rate, half width, numerator, denominator.
PARTS = [("E07000026", 80.0, 4.0, 40_000, 50_000), ("E07000028", 60.0, 3.0, 30_000, 50_000), ("E07000029", 75.0, 5.0, 30_000, 40_000)]  # fmt: skip


def employment() -> pd.DataFrame:
    kind = "local authorities: district / unitary (as of April 2021)"
    lines = [
        f"2020-12,Jan 2020-Dec 2020,{code},{kind},Employment rate - aged 16-64,{measure},{number},A,Normal Value\n"
        for code, *numbers in PARTS
        for measure, number in zip((20599, 21003, 21001, 21002), numbers, strict=True)
    ]
    query = nomis_query(numerator_measure=21001, denominator_measure=21002)
    figures = nomis.parse((HEADER + "".join(lines)).encode(), query).figures
    return finish(figures, indicator_id="employment_rate", source_id="nomis", edition="-", payload_sha256="-")


def test_a_merged_districts_rate_is_the_sum_of_its_counts() -> None:
    on_today = reexpress(employment(), {"employment_rate": "rate"}, load_register()).observations
    [figure] = on_today.to_dict("records")
    assert figure["area_code"] == "E06000063"
    assert (figure["numerator"], figure["denominator"]) == (100_000, 140_000)
    assert figure["value"] == pytest.approx(100 * 100_000 / 140_000)
    assert figure["geography_rule"] == "merge_by_denominator"
    assert figure["standard_error"] > 0


def test_a_rate_of_two_counts_carries_them_and_a_ratio_of_other_figures_none() -> None:
    workless = employment().assign(value=20.0, standard_error=float("nan"), status="ok")
    households = employment().assign(value=160.0, standard_error=float("nan"), status="ok")
    rate = ratio(workless, households, "workless_households_rate", times=100, are_counts=True)
    assert list(rate.columns) == list(OBSERVATION_COLUMNS)
    assert (rate["value"] == 12.5).all()
    assert (rate["numerator"] == 20).all()
    assert (rate["denominator"] == 160).all()
    assert ratio(workless, households, "spread")["numerator"].isna().all()


def test_without_counts_the_columns_are_there_and_missing() -> None:
    figures = employment()[["area_code", "period", "value", "lower", "upper", "status"]].assign(source_row=1)
    finished = finish(figures, indicator_id="x", source_id="y", edition="-", payload_sha256="-")
    assert finished[["numerator", "denominator"]].isna().all(axis=None)
