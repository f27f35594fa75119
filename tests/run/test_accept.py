"""Acceptance of a payload: each kind of bad input ends in quarantine or a refusal that says what came."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from pipeline.http.payload import Payload, PayloadRejected
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.run.context import Run
from pipeline.run.payload_checks import HeldDistricts, accept, accept_shipped, check_arrival

QUERY = ElsQuery(source="ons_els", slug="claimant-count")


def table(context: Run, *, without: int = 0) -> pd.DataFrame:
    """A claimant-rate answer for every district of today, without the last ``without`` of them."""
    codes = context.inputs.register.districts()
    return pd.DataFrame(
        {
            "areacd": codes[: len(codes) - without],
            "areanm": "x",
            "period": "2025-01-01/P1Y",
            "value": "3.1",
            "status": "",
        }
    )


def submit(
    context: Run,
    content: bytes | pd.DataFrame,
    held: HeldDistricts | None = None,
    absent: tuple[str, ...] = (),
):
    indicator = context.inputs.catalogue.indicators["claimant_rate"]
    body = content.to_csv(index=False).encode() if isinstance(content, pd.DataFrame) else content
    payload = Payload(
        body, "text/csv", "https://example.org", {}, datetime.now(UTC), 200, {}, areas_without_rows=absent
    )
    options = {} if held is None else {"held": held}
    sources, register = context.inputs.catalogue.sources, context.inputs.register
    return accept(sources, register, indicator, indicator.parts[0], QUERY, payload, **options)


def test_a_whole_answer_is_accepted_with_every_district(offline_context: Run) -> None:
    accepted = submit(offline_context, table(offline_context))
    assert len(accepted.observations) == len(accepted.districts) == 361
    assert accepted.quarantine.empty


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the answer is empty"),
        (b"  \n", "the answer is empty"),
        (b"<!DOCTYPE html><html><body>Sorry</body></html>", "an HTML page came instead of a table"),
        (b"areacd,period,figure\nE06000001,2025-01-01/P1Y,3\n", "the table has no column 'value'"),
        (b"areacd,period,value\n", "the table has a header and no rows"),
        (b'{"message": "Not Found"}', "the table has no column 'areacd', 'period', 'value'"),
        (b"\x00\x01\x02PK\x03\x04", "the table has no column"),
    ],
)
def test_an_answer_that_is_no_table_is_refused_in_a_sentence(offline_context: Run, content: bytes, reason: str) -> None:
    with pytest.raises(PayloadRejected, match=reason):
        submit(offline_context, content)


def test_a_percentage_of_140_is_set_aside_with_its_line_and_the_rest_is_used(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[4, "value"] = "140"
    accepted = submit(offline_context, answer)
    [row] = accepted.quarantine.to_dict("records")
    assert row["reason"] == "the value is outside the plausible range 0 to 40"
    assert row["source_row"] == 6
    assert row["area_code"] == answer.loc[4, "areacd"]
    assert len(accepted.observations) == 360


def test_a_negative_figure_is_set_aside(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[0, "value"] = "-3"
    assert submit(offline_context, answer).quarantine["reason"].str.contains("plausible range").all()


def test_a_figure_that_is_no_number_is_set_aside(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[0, "value"] = "three"
    accepted = submit(offline_context, answer)
    assert len(accepted.quarantine) == 1
    assert len(accepted.observations) == 360


def test_a_repeated_row_with_the_same_figure_counts_once(offline_context: Run) -> None:
    answer = table(offline_context)
    accepted = submit(offline_context, pd.concat([answer, answer.iloc[[7]]]))
    assert len(accepted.observations) == 361
    assert "given twice" in accepted.quarantine["reason"].iloc[0]


def test_two_unequal_figures_for_one_place_and_period_are_both_set_aside(offline_context: Run) -> None:
    answer = table(offline_context)
    accepted = submit(offline_context, pd.concat([answer, answer.iloc[[7]].assign(value="4.5")]))
    assert len(accepted.observations) == 360
    assert len(accepted.quarantine) == 2
    assert accepted.quarantine["reason"].str.contains("two different figures").all()


def test_a_missing_figure_stays_missing_and_is_never_zero(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[3, ["value", "status"]] = ["", "x"]
    row = submit(offline_context, answer).observations.iloc[3]
    assert pd.isna(row["value"])
    assert row["status"] == "not_available"


def test_rows_read_are_rows_kept_plus_rows_set_aside(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[:4, "value"] = "140"
    accepted = submit(offline_context, answer)
    assert accepted.rows_read == len(accepted.observations) + len(accepted.quarantine) == 361


def test_too_few_districts_fail_the_whole_answer(offline_context: Run) -> None:
    with pytest.raises(PayloadRejected, match=r"figures for 161 districts .* at least 355 are expected"):
        submit(offline_context, table(offline_context, without=200))


def test_districts_held_before_and_gone_now_fail_the_answer(offline_context: Run) -> None:
    held = HeldDistricts(frozenset(offline_context.inputs.register.districts()), is_same_query=True)
    with pytest.raises(PayloadRejected, match="5 districts held before are not in it at all"):
        submit(offline_context, table(offline_context, without=5), held)


def test_one_district_gone_is_a_warning(offline_context: Run) -> None:
    held = HeldDistricts(frozenset(offline_context.inputs.register.districts()), is_same_query=True)
    accepted = submit(offline_context, table(offline_context, without=1), held)
    assert accepted.warnings == ("districts held before are missing: W06000024",)


def test_an_answer_in_which_too_many_rows_fail_is_refused(offline_context: Run) -> None:
    answer = table(offline_context)
    answer.loc[:50, "value"] = "140"
    with pytest.raises(PayloadRejected, match="51 of its 361 rows fail their checks, most often"):
        submit(offline_context, answer)


def test_arrival_check_passes_a_table_with_columns_nobody_asked_for() -> None:
    body = b"areacd,period,value,new\nE06000001,2025-01-01/P1Y,3,x\n"
    check_arrival("ons_els", Payload(body, "text/csv", "https://example.org", {}, datetime.now(UTC), 200, {}))


def test_a_file_of_small_areas_whose_heading_changed_is_refused_by_the_column_it_lacks() -> None:
    body = (
        b"LSOA code (2021),Local Authority District code (2024),Index of Multiple Deprivation (IMD) Score,"
        b"Income Score,Total population: mid 2022\nE01000001,E09000001,6.2,0.01,1500\n"
    )
    payload = Payload(body, "text/csv", "https://example.org", {}, datetime.now(UTC), 200, {})
    with pytest.raises(PayloadRejected, match=r"the table has no column 'Income Score \(rate\)'; it has 'LSOA code"):
        check_arrival("govuk", payload)


def yearly(context: Run, *years: int) -> pd.DataFrame:
    """A whole answer of several years."""
    return pd.concat([table(context).assign(period=f"{year}-01-01/P1Y") for year in years], ignore_index=True)


@pytest.mark.parametrize("last", ["2025-12-01/P1M", "2023-01-01/P3Y", "2025-12-31"])
def test_a_latest_year_of_another_length_is_refused_by_name_on_the_first_day(offline_context: Run, last: str) -> None:
    content = yearly(offline_context, *range(2005, 2026))
    content.loc[content["period"] == "2025-01-01/P1Y", "period"] = last
    with pytest.raises(PayloadRejected, match=rf"361 of the 361 areas of the period {last} .*first .*: .*P1Y"):
        submit(offline_context, content)


def test_one_row_of_another_length_is_set_aside_by_name(offline_context: Run) -> None:
    content = yearly(offline_context, 2024, 2025)
    content.loc[0, "period"] = "2024-12-01/P1M"
    accepted = submit(offline_context, content)
    assert accepted.quarantine["reason"].tolist() == [
        "the period 2024-12-01/P1M is P1M long where the indicator's are P1Y"
    ]
    assert len(accepted.observations) == 2 * 361 - 1


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_an_unknown_mark_on_a_latest_year_is_refused_on_the_first_day(offline_context: Run, share: float) -> None:
    """A twentieth of all rows, so that the answer as a whole would pass."""
    content = yearly(offline_context, *range(2005, 2026))
    latest = content.index[content["period"] == "2025-01-01/P1Y"]
    content.loc[latest[: round(share * len(latest))], "status"] = "new"
    with pytest.raises(PayloadRejected, match=r"areas of the period 2025-01-01/P1Y have no usable row.*status mark"):
        submit(offline_context, content)


def test_an_area_listed_without_rows_is_a_warning_unless_it_had_figures(offline_context: Run) -> None:
    content = table(offline_context)
    content = content[content["areacd"] != "E06000053"]
    accepted = submit(offline_context, content, absent=("E06000053",))
    assert accepted.warnings == ("listed by ons_els without a single row, and without figures before: E06000053",)
    districts = frozenset(offline_context.inputs.register.districts())
    with pytest.raises(PayloadRejected, match=r"lists E06000053 and sent no row for it.*pipeline accept"):
        submit(offline_context, content, HeldDistricts(districts, is_same_query=True), absent=("E06000053",))
    cells = pd.MultiIndex.from_tuples([("E12000001", "2024-01-01/P1Y")])
    held = HeldDistricts(districts, is_same_query=True, cells=cells)
    with pytest.raises(PayloadRejected, match="lists E12000001"):
        submit(offline_context, content, held, absent=("E12000001",))
    assert submit(offline_context, content, held, absent=("E06000053",)).districts


def test_every_entry_of_the_catalogue_allows_the_periods_of_its_shipped_figures(offline_context: Run) -> None:
    context = offline_context
    for indicator in context.inputs.catalogue.indicators.values():
        for part in indicator.parts:
            payload = context.stores.baseline.payload(indicator.id, part.id)
            if payload is not None:
                shipped = accept_shipped(context.inputs.register, indicator, part, payload)
                assert shipped.quarantine.empty, indicator.id
