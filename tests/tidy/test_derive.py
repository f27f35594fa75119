"""A ratio of two indicators: same area, same period, the worse status, an error when both have one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.tidy.derive import ratio
from pipeline.tidy.observations import OBSERVATION_COLUMNS, PARSED_COLUMNS, finish

Row = tuple[str, str, float, float, float, str]
MISSING = float("nan")


def observations(indicator_id: str, *rows: Row, source: str = "baseline", sha: str = "aaa") -> pd.DataFrame:
    frame = pd.DataFrame([(*row, number) for number, row in enumerate(rows, 1)], columns=list(PARSED_COLUMNS))
    return finish(frame, indicator_id=indicator_id, source_id=source, edition="2025", payload_sha256=sha)


def figure(value: float, status: str = "ok", code: str = "E09000030", half_width: float = MISSING) -> Row:
    return (code, "2025-04-05", value, value - half_width, value + half_width, status)


def one(numerator: Row, denominator: Row) -> pd.Series:
    out = ratio(observations("pay_p20", numerator), observations("pay_median", denominator), "pay_p20_to_p50")
    assert len(out) == 1
    return out.iloc[0]


def test_a_ratio_has_the_columns_period_and_name_of_an_observation() -> None:
    out = ratio(observations("n", figure(18_000.0)), observations("d", figure(30_000.0)), "pay_p20_to_p50")
    assert tuple(out.columns) == OBSERVATION_COLUMNS
    row = out.iloc[0]
    assert (row["indicator_id"], row["period"], row["year"], row["value"]) == (
        "pay_p20_to_p50",
        "2025-04-05",
        2025,
        0.6,
    )
    assert row["period_start"] == row["period_end"] == pd.Timestamp(2025, 4, 5)
    assert pd.isna(row["source_row"])


@pytest.mark.parametrize(
    ("first", "second", "worse"),
    [
        ("ok", "ok", "ok"),
        ("provisional", "ok", "provisional"),
        ("ok", "estimated", "estimated"),
        ("provisional", "unreliable", "unreliable"),
    ],
)
def test_the_worse_status_wins_and_the_value_stays(first: str, second: str, worse: str) -> None:
    for pair in ((first, second), (second, first)):
        row = one(figure(1.0, pair[0]), figure(2.0, pair[1]))
        assert (row["status"], row["value"]) == (worse, 0.5)


@pytest.mark.parametrize("status", ["unreliable", "suppressed", "not_available"])
def test_missing_stays_missing_with_its_status(status: str) -> None:
    for pair in (
        (figure(MISSING, status), figure(2.0, "provisional")),
        (figure(1.0, "provisional"), figure(MISSING, status)),
    ):
        row = one(*pair)
        assert row["status"] == status
        assert pd.isna(row["value"])
        assert pd.isna(row["standard_error"])
        assert pd.isna(row["lower"])


def test_an_area_in_one_table_only_is_not_available_rather_than_gone() -> None:
    out = ratio(
        observations("n", figure(1.0), figure(1.0, code="E09000031")),
        observations("d", figure(2.0), figure(2.0, code="E09000032")),
        "r",
    ).set_index("area_code")
    assert out["status"].to_dict() == {"E09000030": "ok", "E09000031": "not_available", "E09000032": "not_available"}
    assert out["value"].notna().sum() == 1
    assert out["year"].tolist() == [2025, 2025, 2025]
    assert out["payload_sha256"].notna().all()


def test_a_zero_denominator_gives_no_value() -> None:
    row = one(figure(1.0), figure(0.0))
    assert row["status"] == "not_available"
    assert pd.isna(row["value"])


def test_the_error_is_propagated_as_if_independent() -> None:
    row = one(figure(18_000.0, half_width=1_800 * 1.96), figure(30_000.0, half_width=1_500 * 1.96))
    assert row["standard_error"] == pytest.approx(0.6 * math.hypot(0.1, 0.05))
    assert row["upper"] - row["value"] == pytest.approx(1.96 * row["standard_error"])
    assert row["value"] - row["lower"] == pytest.approx(1.96 * row["standard_error"])


def test_the_propagated_error_agrees_with_simulation() -> None:
    random = np.random.default_rng(7)
    draws = random.normal(18_000, 540, 200_000) / random.normal(30_000, 900, 200_000)
    row = one(figure(18_000.0, half_width=540 * 1.96), figure(30_000.0, half_width=900 * 1.96))
    assert row["standard_error"] == pytest.approx(draws.std(), rel=0.02)


def test_no_error_on_one_side_means_none_on_the_ratio() -> None:
    assert pd.isna(one(figure(1.0, half_width=0.1), figure(2.0))["standard_error"])


def test_provenance_names_both_payloads_when_they_differ() -> None:
    n, d = figure(1.0), figure(2.0)
    same = ratio(observations("n", n), observations("d", d), "r").iloc[0]
    other = ratio(observations("n", n), observations("d", d, source="nomis", sha="bbb"), "r").iloc[0]
    assert (same["payload_sha256"], same["source_id"], same["edition"]) == ("aaa", "baseline", "2025")
    assert (other["payload_sha256"], other["source_id"]) == ("aaa+bbb", "baseline+nomis")


def test_an_area_given_twice_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="numerator has more than one row for area E09000030"):
        ratio(observations("n", figure(1.0), figure(1.0)), observations("d", figure(2.0)), "r")
