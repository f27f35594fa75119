"""A Nomis slice becomes figures with bounds; what cannot be believed is set aside, and nothing vanishes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pipeline.publishers.nomis import parse as nomis
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.observations import Parsed, UnreadablePayload

RECORDED = PROJECT_ROOT.parent / "shared" / "data" / "nomis"
HEADER = (
    '"DATE","DATE_NAME","GEOGRAPHY_CODE","GEOGRAPHY_TYPE","VARIABLE","VARIABLE_NAME","MEASURES",'
    '"OBS_VALUE","OBS_STATUS","OBS_STATUS_NAME"'
)
DISTRICT = "local authorities: district / unitary (as of April 2023)"
COUNTY = "local authorities: county / unitary (as of April 2023)"
OLDER = "local authorities: district / unitary (as of April 2021)"
NORMAL, MISSING = ("A", "Normal Value"), ("Q", "These figures are missing.")


def query(**changes: object) -> NomisQuery:
    employment = {
        "source": "nomis",
        "dataset": "NM_17_5",
        "geography": ["TYPE424"],
        "dates": {"from_year": 2004},
        "dimensions": {"variable": {"code": 45, "name": "Employment rate - aged 16-64"}},
        "value_measure": 20599,
        "error_measure": 21003,
        "error_form": "half_width",
    }
    return NomisQuery.model_validate(employment | changes)


def row(
    value: object = 74.9,
    *,
    measure: int = 20599,
    area: str = "E08000034",
    date: str = "2025-09",
    name: str = "Oct 2024-Sep 2025",
    kind: str = DISTRICT,
    status: tuple[str, str] = NORMAL,
    variable: str = "Employment rate - aged 16-64",
) -> str:
    return f'"{date}","{name}","{area}","{kind}","45","{variable}","{measure}",{value},"{status[0]}","{status[1]}"'


def parse(*lines: str, **changes: object) -> Parsed:
    parsed = nomis.parse(("\n".join([HEADER, *lines]) + "\n").encode(), query(**changes))
    assert parsed.rows_read == len(parsed.figures) + len(parsed.set_aside)
    return parsed


def test_value_and_half_width_become_one_figure_with_bounds() -> None:
    parsed = parse(row(74.9), row(2.5, measure=21003))
    assert parsed.rows_read == 1
    figure = parsed.figures.iloc[0]
    assert (figure["area_code"], figure["period"], figure["status"]) == ("E08000034", "2024-10-01/P1Y", "ok")
    assert (figure["value"], figure["source_row"]) == (74.9, 2)
    assert (figure["lower"], figure["upper"]) == (pytest.approx(72.4), pytest.approx(77.4))


def test_a_coefficient_of_variation_of_4_percent_gives_the_published_interval_of_barnsley_2024() -> None:
    """WIRE_FORMATS 1.6: 587.4 with bounds 541.34784 and 633.45216, as ONS publishes them in ELS."""
    lines = [row(587.4, date="2024", name="2024"), row(4.0, measure=20701, date="2024", name="2024")]
    figure = parse(*lines, error_measure=20701, error_form="cv").figures.iloc[0]
    assert figure["lower"] == pytest.approx(541.34784, abs=1e-9)
    assert figure["upper"] == pytest.approx(633.45216, abs=1e-9)


def test_errors_find_their_values_in_any_order() -> None:
    lines = [
        row(1.0, measure=21003, area="E08000035"),
        row(70, area="E08000034"),
        row(2.0, measure=21003, area="E08000034"),
        row(80, area="E08000035"),
    ]
    figures = parse(*lines).figures.set_index("area_code")
    assert figures.loc["E08000034", ["lower", "upper"]].tolist() == [68, 72]
    assert figures.loc["E08000035", ["lower", "upper"]].tolist() == [79, 81]


@pytest.mark.parametrize(
    ("date", "name", "period"),
    [
        ("2025", "2025", "2025-01-01/P1Y"),
        ("2025-09", "Oct 2024-Sep 2025", "2024-10-01/P1Y"),
        ("2023-12", "Jan 2023-Dec 2023", "2023-01-01/P1Y"),
        ("2026-02", "February 2026", "2026-02-01/P1M"),
        ("2024-06", "Apr 2024-Jun 2024", "2024-04-01/P3M"),
    ],
)
def test_periods_are_read_from_date_and_its_name(date: str, name: str, period: str) -> None:
    assert parse(row(date=date, name=name)).figures["period"].tolist() == [period]


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2025-13", "x"),
        ("Sep 2025", ""),
        ("2025-09", "Oct 2024-Aug 2025"),
        ("2025-09", "Oct 2026-Sep 2025"),
        ("2025-09", "October 2025"),
        ("2025-09", "September 2024"),
        ("2023-12", "Jan 2023-Dec 2023 (estimate)"),
        ("2023-12", "Jan 2023 and Dec 2023"),
        ("2023-12", "calendar year 2023"),
        ("2023-12", "Oct-Dec 2023"),
        ("2023-12", "Q4 2023"),
        ("2024", "Apr 2023-Mar 2025"),
        ("2024", "2023/24"),
    ],
)
def test_a_period_that_contradicts_itself_or_says_what_nobody_knows_is_set_aside(date: str, name: str) -> None:
    """Never read as the month it ends in, which is what is left once the words that are not understood are dropped."""
    parsed = parse(row(date=date, name=name))
    said = f"{date} ({name})" if name else date
    assert parsed.set_aside["reason"].tolist() == [f"the period {said} cannot be read"]
    assert parsed.set_aside["period"].tolist() == [said]
    assert parsed.figures.empty


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Jan 2023-Dec 2023", "ok"),
        ("Jan 2023 - Dec 2023", "ok"),
        ("Jan 2023 \u2013 Dec 2023", "ok"),
        ("January 2023\u2014December 2023", "ok"),
        ("Jan 2023-Dec 2023 (provisional)", "provisional"),
        ("Jan 2023-Dec 2023 [p]", "provisional"),
        ("Jan 2023-Dec 2023 (Revised)", "ok"),
    ],
)
def test_a_year_is_read_as_the_year_however_its_name_is_dressed(name: str, status: str) -> None:
    figures = parse(row(date="2023-12", name=name)).figures
    assert figures[["period", "status"]].to_numpy().tolist() == [["2023-01-01/P1Y", status]]


@pytest.mark.parametrize(
    ("value", "number", "status"),
    [
        ('"72.3*"', 72.3, "unreliable"),
        ('"72.3 [u]"', 72.3, "unreliable"),
        ('"72.3[p]"', 72.3, "provisional"),
        ('"72.3[r]"', 72.3, "ok"),
        ('"72.3 [e][u]"', 72.3, "unreliable"),
        ('"*"', None, "unreliable"),
        ('"[c]"', None, "suppressed"),
        ('"[C]"', None, "suppressed"),
        ('"[low]"', None, "suppressed"),
        ('"!"', None, "suppressed"),
        ('"~"', None, "suppressed"),
        ('"#"', None, "suppressed"),
        ('"[x]"', None, "not_available"),
        ('"[z]"', None, "not_available"),
        ('".."', None, "suppressed"),
        ('":"', None, "not_available"),
        ('"-"', None, "not_available"),
    ],
)
def test_a_mark_on_a_number_or_in_its_place_keeps_its_meaning(value: str, number: float | None, status: str) -> None:
    parsed = parse(row(value), row(4.1, measure=21003))
    assert parsed.set_aside.empty
    figure = parsed.figures.iloc[0]
    assert figure["status"] == status
    assert math.isnan(figure["value"]) if number is None else figure["value"] == number
    assert math.isnan(figure["lower"]) == (number is None)


@pytest.mark.parametrize("value", ['"72.3?"', '"72.3 [q]"', '"[c][q]"', '"72,3*"', '"n/a"', '"1e999*"', '"seventy"'])
def test_what_is_neither_a_number_nor_a_known_mark_is_set_aside(value: str) -> None:
    assert parse(row(value)).set_aside["reason"].tolist() == ["a number cannot be read"]


def test_a_number_beside_a_mark_that_says_there_is_none_is_set_aside() -> None:
    assert parse(row('"72.3 [c]"')).set_aside["reason"].tolist() == [
        "there is a figure although its status says there is none"
    ]


@pytest.mark.parametrize(
    ("value", "letter", "name", "status"),
    [
        ("", "Q", "These figures are missing.", "not_available"),
        ("", "D", "These figures are suppressed as statistically unreliable", "unreliable"),
        (
            "",
            "E",
            "Estimate and confidence interval not available since the group sample size is zero or disclosive (0-2)",
            "suppressed",
        ),
        (
            71,
            "F",
            "Estimate and confidence interval unreliable since the group sample size is small (3-9)",
            "unreliable",
        ),
        ("", "G", "Estimate is less than 500", "suppressed"),
        (71, "P", "Provisional", "provisional"),
    ],
)
def test_a_status_is_told_by_its_name(value: object, letter: str, name: str, status: str) -> None:
    figures = parse(row(value, status=(letter, name))).figures
    assert figures["status"].tolist() == [status]
    assert math.isnan(figures["value"][0]) == (value == "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row("", status=NORMAL), "neither a figure nor a status"),
        (row(71, status=MISSING), "although its status says there is none"),
        (row(71, status=("W", "A mark of tomorrow")), "status is not known"),
        (row("n/a"), "number cannot be read"),
        (row(area=""), "area code is blank"),
        (row(measure=20100), "not one that was asked for"),
        (row(2.5, measure=21003), "an error, numerator or denominator without the figure"),
        ('"2025-09","Oct 2024-Sep 2025","E08000034"', "as many fields as the header"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason_and_line(line: str, reason: str) -> None:
    parsed = parse(row(area="E08000035"), line, row(area="E08000036"))
    assert len(parsed.figures) == 2
    assert parsed.rows_read == 3
    assert reason in parsed.set_aside["reason"][0]
    assert parsed.set_aside["source_row"].tolist() == [3]
    assert parsed.set_aside["raw_line"].tolist() == [line]


def test_an_error_that_is_missing_leaves_the_figure_without_bounds() -> None:
    figure = parse(row(74.9), row("", measure=21003, status=MISSING)).figures.iloc[0]
    assert figure["value"] == 74.9
    assert math.isnan(figure["lower"])
    assert math.isnan(figure["upper"])


def test_one_code_under_two_types_keeps_the_district() -> None:
    same = parse(row(kind=COUNTY), row(kind=DISTRICT))
    assert same.figures["source_row"].tolist() == [3]
    assert same.set_aside["reason"].tolist() == [
        f"given under two geography types: '{DISTRICT}' is kept, '{COUNTY}' has the same figure"
    ]
    different = parse(row(70.1, kind=COUNTY), row(74.9, kind=DISTRICT))
    assert different.figures["value"].tolist() == [74.9]
    assert "has 70.1 instead of 74.9" in different.set_aside["reason"][0]


def test_each_type_keeps_its_own_error() -> None:
    lines = [
        row(70, kind=COUNTY),
        row(9, measure=21003, kind=COUNTY),
        row(70, kind=DISTRICT),
        row(2, measure=21003, kind=DISTRICT),
    ]
    assert parse(*lines).figures[["lower", "upper"]].to_numpy().tolist() == [[68, 72]]


def test_repeats_under_one_type_leave_one_if_equal_and_none_if_not() -> None:
    equal = parse(row(), row())
    assert len(equal.figures) == 1
    assert "given twice" in equal.set_aside["reason"][0]
    unequal = parse(row(70.1), row(74.9))
    assert unequal.figures.empty
    assert set(unequal.set_aside["reason"]) == {"two different figures are given for this area and period"}


def test_a_zero_of_an_abolished_district_is_set_aside_and_a_current_one_kept() -> None:
    ghost = {"area": "E07000163", "kind": OLDER, "date": "2023-12", "name": "Jan 2023-Dec 2023"}
    before = {"area": "E07000163", "kind": OLDER, "date": "2021-12", "name": "Jan 2021-Dec 2021"}
    current = {"area": "E06000053", "kind": DISTRICT}
    parsed = parse(row(0, **ghost), row(0, **before), row(0, **current))  # type: ignore[arg-type]
    assert parsed.figures["area_code"].tolist() == ["E07000163", "E06000053"]
    assert parsed.figures["period"].tolist() == ["2021-01-01/P1Y", "2024-10-01/P1Y"]
    assert "districts it lists were abolished" in parsed.set_aside["reason"][0]


def test_a_trailing_blank_in_a_name_is_no_other_option() -> None:
    assert len(parse(row(variable="Employment rate - aged 16-64 ")).figures) == 1


def test_an_added_column_changes_nothing() -> None:
    content = f'"NEW",{HEADER}\n"x",{row()}\n'.encode()
    assert nomis.parse(content, query()).figures["value"].tolist() == [74.9]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty body"),
        (b"<html></html>", "an HTML page"),
        (HEADER.replace("OBS_VALUE", "VALUE").encode(), "OBS_VALUE missing"),
        (
            f"{HEADER}\n{row()}\n{row(variable='Unemployment rate - aged 16-64')}\n".encode(),
            "it also holds 'Unemployment",
        ),
    ],
)
def test_a_payload_that_is_not_the_promised_slice_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words):
        nomis.parse(content, query())


# --- recorded responses of Nomis: four slices of Kirklees ---------------------------------------------------------------


def one_option(name: str, wanted: str, dimension: str) -> bytes:
    """The rows of a recorded response for one option of a dimension, as a query for it alone would bring them."""
    path = RECORDED / f"{name}.csv"
    if not path.is_file():
        pytest.skip("the recorded responses of ../shared/data are not here")
    header, *rows = path.read_bytes().split(b"\n")
    return b"\n".join([header, *(line for line in rows if f',"{wanted}","{dimension}",'.encode() in line)])


@pytest.mark.parametrize(
    ("variable", "name", "value"),
    [
        (18, "Economic activity rate - aged 16-64", 78.5),
        (45, "Employment rate - aged 16-64", 74.9),
        (84, "Unemployment rate - aged 16-64", 4.6),
        (111, "% who are economically inactive - aged 16-64", 21.5),
    ],
)
def test_recorded_survey_rates_parse_to_their_figures(variable: int, name: str, value: float) -> None:
    content = one_option("nomis-aps-employment", str(variable), "variable")
    parsed = nomis.parse(content, query(dimensions={"variable": {"code": variable, "name": name}}))
    assert parsed.figures[["area_code", "period", "value", "status"]].to_numpy().tolist() == [
        ["E08000034", "2024-10-01/P1Y", value, "ok"]
    ]


def test_recorded_qualifications_are_missing_and_not_zero() -> None:
    content = one_option("nomis-qualifications", "290", "variable")
    parsed = nomis.parse(content, query(dimensions={"variable": {"code": 290, "name": "% with NVQ4+ - aged 16-64"}}))
    assert parsed.figures["status"].tolist() == ["not_available"]
    assert math.isnan(parsed.figures["value"][0])


def test_recorded_claimants_are_a_month() -> None:
    dimensions = {
        "gender": {"code": 0, "name": "Total"},
        "age": {"code": 0, "name": "All categories: Age 16+"},
        "measure": {"code": 2, "name": "Claimants as a proportion of residents aged 16-64"},
    }
    content = one_option("nomis-claimant-count", "2", "measures")
    content = b"\n".join(content.split(b"\n")[:2])  # the second age band of the recording left out
    parsed = nomis.parse(
        content, query(dimensions=dimensions, value_measure=20100, error_measure=None, error_form=None)
    )
    assert parsed.figures[["period", "value"]].to_numpy().tolist() == [["2026-02-01/P1M", 4.7]]


def test_recorded_jobs_density_is_a_year() -> None:
    content = one_option("nomis-jobs-density", "3", "item")
    dimensions = {"item": {"code": 3, "name": "Jobs density"}}
    parsed = nomis.parse(
        content, query(dimensions=dimensions, value_measure=20100, error_measure=None, error_form=None)
    )
    assert parsed.figures[["area_code", "period", "value"]].to_numpy().tolist() == [
        ["E08000034", "2023-01-01/P1Y", 0.66]
    ]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses of ../shared/data are not here")
@pytest.mark.parametrize("path", sorted((RECORDED / "no-data").glob("*.csv")), ids=lambda path: path.name)
def test_recorded_bodies_without_data_are_refused(path: Path) -> None:
    with pytest.raises(UnreadablePayload, match=r"empty body|JSON"):
        nomis.parse(path.read_bytes(), query())
