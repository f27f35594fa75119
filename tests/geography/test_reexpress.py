from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geography import GeographyError, Reexpressed, Register, UnknownVintageError, load_register, reexpress

Table = Callable[..., pd.DataFrame]
CUMBERLAND = ("E07000026", "E07000028", "E07000029")


def only(result: Reexpressed, code: str) -> pd.Series:
    rows = result.observations[result.observations["area_code"].eq(code)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_figures_of_current_areas_and_wider_areas_pass_as_published(register: Register, table: Table) -> None:
    codes = ["E08000035", "E10000017", "E47000003", "E12000003", "E92000001", "S92000003", "K02000001"]
    given_rows = table((code, 2023, 1.0) for code in codes)
    result = reexpress(given_rows, {"people": "rate"}, register)
    assert list(result.observations["area_code"]) == codes
    assert set(result.observations["geography_rule"]) == {"as_published"}
    assert list(result.observations["source_area_codes"]) == codes
    assert result.set_aside.empty


def test_a_renumbered_area_is_copied_with_everything_about_it(register: Register, table: Table) -> None:
    rows = table(
        [("E07000025", 2008, 5.0)], lower=4.0, upper=6.0, standard_error=0.5, status="provisional", edition="x"
    )
    row = only(reexpress(rows, {"people": "rate"}, register), "E06000053")
    assert (row["value"], row["lower"], row["upper"], row["standard_error"]) == (5.0, 4.0, 6.0, 0.5)
    assert (row["status"], row["edition"], row["source_row"]) == ("provisional", "x", 2)
    assert (row["geography_rule"], row["source_area_codes"]) == ("relabel", "E07000025")


def test_merged_counts_add_up_and_their_errors_add_in_squares(register: Register, table: Table) -> None:
    rows = table(((code, 2020, 100.0) for code in CUMBERLAND), lower=94.0, upper=108.0, standard_error=3.0)
    row = only(reexpress(rows, {"people": "count"}, register), "E06000063")
    assert row["value"] == 300
    assert row["standard_error"] == pytest.approx(3 * 3**0.5)
    assert row["lower"] == pytest.approx(300 - 6 * 3**0.5)
    assert row["upper"] == pytest.approx(300 + 8 * 3**0.5)
    assert (row["geography_rule"], row["source_area_codes"]) == ("merge_sum", "+".join(CUMBERLAND))
    assert row["status"] == "ok"


@pytest.mark.parametrize("kind", ["rate", "ratio", "mean", "median"])
def test_merged_rates_without_denominators_are_averaged_over_people_and_marked_estimated(
    register: Register, table: Table, kind: str
) -> None:
    rows = table(
        [(code, 2020, value) for code, value in zip(CUMBERLAND, (10.0, 20.0, 30.0), strict=True)], standard_error=1.0
    )
    row = only(reexpress(rows, {"people": kind}, register), "E06000063")
    people = register.changes.set_index("from_code").loc[list(CUMBERLAND), "population"]
    weights = people / people.sum()
    assert row["value"] == pytest.approx((weights * [10, 20, 30]).sum())
    error = np.nan if kind == "median" else np.sqrt((weights**2).sum())  # a mean of medians is no median's estimate
    assert row["standard_error"] == pytest.approx(error, nan_ok=True)
    assert (row["status"], row["geography_rule"]) == ("estimated", "merge_population_weighted")


def test_merged_rates_with_denominators_are_the_rate_of_the_sums(register: Register, table: Table) -> None:
    counts, bases = np.array([10.0, 40.0, 5.0]), np.array([100.0, 200.0, 50.0])
    values = 100 * counts / bases
    rows = table(
        [(code, 2020, value) for code, value in zip(CUMBERLAND, values, strict=True)],
        numerator=counts,
        denominator=bases,
    )
    row = only(reexpress(rows, {"people": "rate"}, register), "E06000063")
    assert row["value"] == pytest.approx(100 * counts.sum() / bases.sum())
    assert (row["numerator"], row["denominator"]) == (55.0, 350.0)
    assert (row["status"], row["geography_rule"]) == ("ok", "merge_by_denominator")


def test_merged_rates_are_the_rate_of_the_sums_not_the_average_of_rounded_rates(
    register: Register, table: Table
) -> None:
    counts, bases = np.array([1.0, 1.0, 1.0]), np.array([3.0, 7.0, 6.0])
    rows = table(
        [(code, 2020, value) for code, value in zip(CUMBERLAND, (33.3, 14.3, 16.7), strict=True)],
        numerator=counts,
        denominator=bases,
    )
    assert only(reexpress(rows, {"people": "rate"}, register), "E06000063")["value"] == 100 * 3 / 16
    elsewhere = reexpress(rows.assign(numerator=[1.0, 50.0, 700.0]), {"people": "rate"}, register)
    assert only(elsewhere, "E06000063")["value"] == pytest.approx((33.3 * 3 + 14.3 * 7 + 16.7 * 6) / 16)


def test_numerators_without_denominators_do_not_make_a_merged_rate_exact(register: Register, table: Table) -> None:
    rows = table((code, 2020, 10.0) for code in CUMBERLAND).assign(numerator=5.0)
    row = only(reexpress(rows, {"people": "rate"}, register), "E06000063")
    assert (row["value"], row["status"], row["geography_rule"]) == (10.0, "estimated", "merge_population_weighted")


@settings(max_examples=50, deadline=None)
@given(
    value=st.floats(0, 1e6),
    error=st.floats(0, 1e3),
    base=st.one_of(st.none(), st.floats(1, 1e6)),
    kind=st.sampled_from(["rate", "ratio", "mean", "median"]),
)
def test_merging_identical_districts_leaves_rates_unchanged_and_adds_counts(
    value: float, error: float, base: float | None, kind: str
) -> None:
    register = load_register()
    rows = pd.DataFrame(
        {
            "area_code": pd.Series(CUMBERLAND * 2, dtype="str"),
            "indicator_id": pd.Series([kind] * 3 + ["count"] * 3, dtype="str"),
            "period": "2020-01-01/P1Y",
            "value": value,
            "standard_error": error,
            "denominator": np.nan if base is None else base,
        }
    )
    merged = reexpress(rows, {kind: kind, "count": "count"}, register).observations.set_index("indicator_id")
    assert merged.loc[kind, "value"] == pytest.approx(value)
    assert merged.loc["count", "value"] == pytest.approx(3 * value)
    assert merged.loc["count", "standard_error"] == pytest.approx(np.sqrt(3) * error)
    if kind == "median":
        assert np.isnan(merged.loc[kind, "standard_error"]), "a mean of medians is no median's estimate"
    else:
        assert merged.loc[kind, "standard_error"] <= error + 1e-9, "an average is no less sure than its parts"


def test_the_publishers_own_figure_for_the_new_area_wins_over_its_parts(register: Register, table: Table) -> None:
    rows = table([*((code, 2020, 100.0) for code in CUMBERLAND), ("E06000063", 2020, 298.0)])
    result = reexpress(rows, {"people": "count"}, register)
    assert only(result, "E06000063")["value"] == 298
    assert len(result.set_aside) == 3
    assert result.set_aside["reason"].str.contains("publisher's own figure for Cumberland").all()


def test_a_figure_for_the_county_that_became_one_authority_wins_over_an_average_of_its_districts(
    register: Register, table: Table
) -> None:
    districts = list(register.changes.query("to_code == 'E06000065'")["from_code"])
    rows = table([*((code, 2019, 7.0) for code in districts), ("E10000023", 2019, 9.0)])
    row = only(reexpress(rows, {"people": "rate"}, register), "E06000065")
    assert (row["value"], row["geography_rule"], row["source_area_codes"]) == (9.0, "same_area", "E10000023")


def test_a_merger_with_a_predecessor_missing_makes_no_figure_and_says_which(register: Register, table: Table) -> None:
    rows = table((code, 2020, 1.0) for code in CUMBERLAND[:2])
    result = reexpress(rows, {"people": "count"}, register)
    assert result.observations.empty
    assert result.set_aside["reason"].str.contains(r"missing: Copeland \(E07000029\)").all()


def test_a_merger_with_a_suppressed_part_is_itself_missing_never_a_smaller_sum(
    register: Register, table: Table
) -> None:
    rows = table([(CUMBERLAND[0], 2020, 1.0), (CUMBERLAND[1], 2020, np.nan), (CUMBERLAND[2], 2020, 1.0)])
    rows["status"] = ["ok", "suppressed", "ok"]
    row = only(reexpress(rows, {"people": "count"}, register), "E06000063")
    assert np.isnan(row["value"])
    assert row["status"] == "suppressed"


def test_a_merged_count_is_as_firm_as_its_weakest_part(register: Register, table: Table) -> None:
    rows = table((code, 2020, 1.0) for code in CUMBERLAND)
    rows["status"] = ["ok", "provisional", "rounded"]
    assert only(reexpress(rows, {"people": "count"}, register), "E06000063")["status"] == "provisional"


def test_an_index_is_not_combined_but_set_aside(register: Register, table: Table) -> None:
    result = reexpress(table((code, 2020, 1.0) for code in CUMBERLAND), {"people": "index"}, register)
    assert result.observations.empty
    assert result.set_aside["reason"].str.contains("an index cannot be averaged").all()


def test_a_chain_of_mergers_is_followed_whichever_step_the_figures_are_on(register: Register, table: Table) -> None:
    others = ["E07000187", "E07000188", "E07000189"]
    rows = table(
        [
            *((code, 2018, 1.0) for code in [*others, "E07000190", "E07000191"]),
            *((code, 2021, 1.0) for code in [*others, "E07000246"]),
            ("E06000066", 2024, 9.0),
        ]
    )
    result = reexpress(rows, {"people": "count"}, register)
    somerset = result.observations.set_index("period")
    assert list(somerset["value"]) == [5.0, 4.0, 9.0]
    assert somerset.loc["2018-01-01/P1Y", "source_area_codes"] == "E07000187+E07000188+E07000189+E07000190+E07000191"
    assert result.set_aside.empty


def test_a_split_district_shares_its_count_out_and_conserves_it(register: Register, table: Table) -> None:
    northern_ireland = [code for code in register.districts(2014) if code.startswith("95")]
    result = reexpress(table((code, 2012, 90.0) for code in northern_ireland), {"people": "count"}, register)
    assert len(result.observations) == 11
    assert result.observations["value"].sum() == pytest.approx(26 * 90, rel=1e-12)
    belfast = only(result, "N09000003")
    assert (belfast["geography_rule"], belfast["status"]) == ("split_by_small_areas", "estimated")
    assert belfast["source_area_codes"] == "95GG+95II+95SS"


def test_a_rate_of_a_split_district_is_set_aside_unless_its_denominator_is_there(
    register: Register, table: Table
) -> None:
    northern_ireland = [code for code in register.districts(2014) if code.startswith("95")]
    rows = table((code, 2012, 10.0) for code in northern_ireland)
    without = reexpress(rows, {"people": "rate"}, register)
    assert "N09000003" not in set(without.observations["area_code"])
    assert without.set_aside["reason"].str.contains("no small-area figures are held").any()
    with_bases = reexpress(rows.assign(denominator=1000.0), {"people": "rate"}, register)
    assert only(with_bases, "N09000003")["value"] == pytest.approx(10)
    assert with_bases.set_aside.empty
    assert with_bases.observations["denominator"].sum() == pytest.approx(26 * 1000), "each part has its share of it"


def test_an_area_under_old_and_new_code_at_once_is_one_area(register: Register, table: Table) -> None:
    rows = table(
        [("E08000016", 2023, 27.9), ("E08000038", 2023, 27.9), ("E08000019", 2023, 1.0), ("E08000039", 2023, 2.0)]
    )
    result = reexpress(rows, {"people": "rate"}, register)
    assert list(result.observations["area_code"]) == ["E08000038", "E08000039"]
    assert only(result, "E08000039")["value"] == 2.0
    assert result.ledger.rows_collapsed == 1
    (reason,) = result.set_aside["reason"]
    assert reason.startswith("row 4: Sheffield (E08000019) gives 1 where Sheffield (E08000039)")
    assert "gives 2, which is kept" in reason


def test_a_missing_figure_under_one_code_yields_to_a_figure_under_the_other(register: Register, table: Table) -> None:
    rows = table([("E08000016", 2023, 27.9), ("E08000038", 2023, np.nan)])
    result = reexpress(rows, {"people": "rate"}, register)
    assert only(result, "E08000038")["value"] == 27.9
    assert (result.ledger.rows_collapsed, result.ledger.rows_set_aside) == (1, 0)


def test_the_same_code_twice_collapses_when_equal_and_is_reported_when_not(register: Register, table: Table) -> None:
    rows = table(
        [("E08000035", 2023, 1.0), ("e08000035 ", 2023, 1.0), ("E08000035", 2023, 3.0), ("E08000034", 2023, 5.0)]
    )
    result = reexpress(rows, {"people": "rate"}, register)
    assert list(result.observations["value"]) == [1.0, 5.0]
    assert result.ledger.rows_collapsed == 1
    assert result.set_aside["reason"].iloc[0].startswith("row 4: Leeds (E08000035) is given twice: 3 here, 1")


def test_zeros_of_abolished_districts_are_ghosts_not_figures(register: Register, table: Table) -> None:
    rows = table([*((code, 2024, 0.0) for code in CUMBERLAND), ("E06000063", 2024, 300.0), ("E08000016", 2026, 0.0)])
    result = reexpress(rows, {"people": "count"}, register)
    assert list(result.observations["value"]) == [300.0]
    assert result.set_aside["reason"].str.contains("had been abolished: its zero is not a figure").all()
    assert len(result.set_aside) == 4


def test_a_zero_of_a_district_in_force_is_a_figure(register: Register, table: Table) -> None:
    rows = table([*((code, 2015, 0.0) for code in CUMBERLAND), ("E06000053", 2024, 0.0)])
    result = reexpress(rows, {"people": "count"}, register)
    assert list(result.observations["value"]) == [0.0, 0.0]


def test_a_new_districts_zero_from_before_it_began_gives_way_to_its_predecessors(
    register: Register, table: Table
) -> None:
    rows = table([*((code, 2015, 7.0) for code in CUMBERLAND), ("E06000063", 2015, 0.0)])
    assert only(reexpress(rows, {"people": "count"}, register), "E06000063")["value"] == 21.0


@pytest.mark.parametrize(("old", "new"), [("E08000016", "E08000038"), ("E10000023", "E06000065")])
def test_a_new_codes_zero_from_before_it_began_gives_way_to_the_old_codes_figure(
    register: Register, table: Table, old: str, new: str
) -> None:
    result = reexpress(table([(new, 2020, 0.0), (old, 2020, 27.9)]), {"people": "rate"}, register)
    assert only(result, new)["value"] == 27.9
    assert list(result.set_aside["area_code"]) == [new]
    assert "had not begun: its zero is not a figure" in result.set_aside["reason"].iloc[0]


@pytest.mark.parametrize("code", ["TLD4", "TLC31", "E13000001", "N34000001", "W42000004", "K99000002", "UKC11"])
def test_areas_that_cut_across_districts_are_out_of_scope_and_counted(
    register: Register, table: Table, code: str
) -> None:
    result = reexpress(table([(code, 2023, 1.0), ("E08000035", 2023, 1.0)]), {"people": "rate"}, register)
    assert (result.ledger.rows_out_of_scope, result.ledger.rows_used, len(result.set_aside)) == (1, 1, 0)


def test_an_itl_region_is_the_region_it_equals(register: Register, table: Table) -> None:
    result = reexpress(table([("TLC", 2023, 1.0), ("TLL", 2023, 2.0)]), {"people": "rate"}, register)
    assert list(result.observations["area_code"]) == ["E12000001", "W92000004"]
    assert set(result.observations["geography_rule"]) == {"same_area"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("E05000026", "row 2: 'E05000026' is the code of a ward"),
        ("E06999999", "row 2: 'E06999999' is a code the register does not know"),
        ("Leeeds", "row 2: no area has the code or name 'Leeeds'; did you mean"),
        ("West Midlands", "row 2: 'West Midlands' may be any of"),
        ("E10000006", r"row 2: Cumbria \(E10000006, county\) ended on 2023-03-31"),
        ("   ", "row 2: the area code is empty"),
        (None, "row 2: the area code is empty"),
    ],
)
def test_a_code_nobody_knows_is_set_aside_with_its_row_and_a_reason(
    register: Register, table: Table, code: str, reason: str
) -> None:
    result = reexpress(table([(code, 2023, 1.0), ("E08000035", 2023, 2.0)]), {"people": "rate"}, register)
    assert list(result.observations["area_code"]) == ["E08000035"]
    assert result.set_aside["reason"].str.match(reason).all()
    assert result.ledger.rows_set_aside == 1


def test_a_name_that_was_another_areas_then_is_set_aside_and_one_that_was_not_is_taken(
    register: Register, table: Table
) -> None:
    names = [("Dorset", 2015), ("Dorset", 2021), ("Belfast", 2013), ("Buckinghamshire", 2015), ("Barnsley", 2015)]
    result = reexpress(table((name, year, 1.0) for name, year in names), {"people": "rate"}, register)
    assert list(result.observations["area_code"]) == ["E06000059", "E06000060", "E08000038"]
    dorset, belfast = result.set_aside["reason"]
    assert dorset.startswith(
        "row 2: 'Dorset' may be, for a time before 2019-04-01, any of: Dorset (E06000059, district)"
    )
    assert "Dorset (E10000009, county, until 2019-03-31)" in dorset
    assert belfast.startswith("row 4: 'Belfast' may be, for a time before 2015-04-01, any of: Belfast (95GG, district")


def test_a_table_of_thousands_of_unknown_codes_is_refused_row_by_row_in_no_time(
    register: Register, table: Table
) -> None:
    rows = table((f"LEP{number:06d}", 2023, 1.0) for number in range(5000))
    began = time.perf_counter()
    result = reexpress(rows, {"people": "rate"}, register)
    assert time.perf_counter() - began < 5
    assert result.ledger.rows_set_aside == 5000


def test_a_row_without_a_period_is_set_aside(register: Register, table: Table) -> None:
    rows = table([("E08000035", 2023, 1.0), ("E08000034", 2023, 1.0)])
    rows.loc[0, "period"] = np.nan
    result = reexpress(rows, {"people": "rate"}, register)
    assert list(result.set_aside["reason"]) == ["row 2: no period is given"]
    assert list(result.observations["area_code"]) == ["E08000034"]


@pytest.mark.parametrize(
    "code", ["e06000062", " E06000062", "E06 000062", "West Northamptonshire", "west northamptonshire "]
)
def test_codes_in_lower_case_or_with_blanks_and_unmistakable_names_are_accepted(
    register: Register, table: Table, code: str
) -> None:
    row = only(reexpress(table([(code, 2023, 1.0)]), {"people": "rate"}, register), "E06000062")
    assert row["source_area_codes"] == "E06000062"


def test_an_indicator_without_a_kind_a_missing_column_and_an_unknown_vintage_are_refused(
    register: Register, table: Table
) -> None:
    rows = table([("E08000035", 2023, 1.0)])
    with pytest.raises(GeographyError, match="no kind is given for indicator 'people'"):
        reexpress(rows, {}, register)
    with pytest.raises(GeographyError, match="lack the column period"):
        reexpress(rows.drop(columns="period"), {"people": "rate"}, register)
    with pytest.raises(GeographyError, match="'share' is none of"):
        reexpress(rows, {"people": "share"}, register)
    with pytest.raises(UnknownVintageError, match="2009 to 2025"):
        reexpress(rows, {"people": "rate"}, register, vintage=2031)
    with pytest.raises(GeographyError, match="status 'guess' is none of"):
        reexpress(table([("E08000016", 2023, 1.0)], status="guess"), {"people": "rate"}, register)


def test_an_empty_table_comes_back_empty(register: Register, table: Table) -> None:
    result = reexpress(table([]), {"people": "rate"}, register)
    assert result.observations.empty
    assert {"geography_rule", "source_area_codes"} <= set(result.observations.columns)
    assert result.ledger.rows_in == 0


def test_categorical_columns_come_back_categorical_and_equal_to_text(register: Register, table: Table) -> None:
    rows = table([*((code, 2020, 1.5) for code in CUMBERLAND), ("E08000016", 2020, 2.0), ("E08000035", 2020, 3.0)])
    text = reexpress(rows, {"people": "rate"}, register).observations
    narrow = rows.astype(dict.fromkeys(("area_code", "indicator_id", "period", "status"), "category"))
    categorical = reexpress(narrow, {"people": "rate"}, register).observations
    assert isinstance(categorical["area_code"].dtype, pd.CategoricalDtype)
    assert text["area_code"].dtype == "str"
    pd.testing.assert_frame_equal(categorical.astype(text.dtypes.to_dict()), text)


def test_the_table_given_is_left_as_it_was(register: Register, table: Table) -> None:
    rows = table([*((code, 2020, 1.5) for code in CUMBERLAND), ("E08000016", 2020, 2.0)])
    before = rows.copy(deep=True)
    result = reexpress(rows, {"people": "rate"}, register)
    result.observations["value"] = 0.0
    pd.testing.assert_frame_equal(rows, before)


CODES = [
    "E08000016",
    "E08000038",
    *CUMBERLAND,
    "E06000063",
    "E07000190",
    "E07000191",
    "E07000246",
    "E07000187",
    "E07000188",
]
CODES += [
    "E07000189",
    "E06000066",
    "E10000027",
    "95II",
    "95GG",
    "95SS",
    "N09000003",
    "TLD4",
    "E05000001",
    "E12000001",
    "TLC",
    "leeds",
]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(CODES), st.integers(2015, 2025), st.sampled_from([0.0, 1.0, 2.5, np.nan])),
        max_size=60,
    ),
    kind=st.sampled_from(["count", "rate", "index"]),
    vintage=st.sampled_from([None, 2012, 2018, 2022]),
)
def test_whatever_is_given_every_row_is_accounted_for_and_no_area_comes_out_twice(
    rows: list[tuple[str, int, float]], kind: str, vintage: int | None
) -> None:
    register = load_register()
    frame = pd.DataFrame(rows, columns=["area_code", "period", "value"])
    frame["period"] = frame["period"].map("{}-01-01/P1Y".format).astype("str")
    frame = frame.assign(indicator_id="people", value=frame["value"].astype(float))
    result = reexpress(frame, {"people": kind}, register, vintage=vintage)
    ledger = result.ledger
    assert ledger.rows_in == len(rows)
    assert ledger.rows_used + ledger.rows_set_aside + ledger.rows_collapsed + ledger.rows_out_of_scope == len(rows)
    assert ledger.rows_set_aside == len(result.set_aside)
    assert result.set_aside["reason"].str.len().gt(10).all()
    assert not result.set_aside["reason"].str.endswith(": ").any()
    assert not result.observations.duplicated(["area_code", "period"]).any()
    assert set(result.observations["area_code"]) <= set(register.in_force(vintage))
