"""The source files of Explore Local Statistics, read as ONS keeps them."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from pipeline.publishers.ons_els.source_file import parse
from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.observations import UnreadablePayload

ELS = PROJECT_ROOT.parent / "shared" / "data" / "els"
HEADER = "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95,status,notes"
NOTE = "Estimate and confidence interval unreliable since the group sample size is small (3-9)"

needs_els_files = pytest.mark.skipif(not ELS.exists(), reason="the publishers' files (../shared/data/els) are not here")


def source_file(*rows: str) -> bytes:
    return ("\ufeff" + "\n".join((HEADER, *rows)) + "\n").encode()


def row(
    code: str = "E09000030",
    period: str = "2023-01-01/P1Y",
    value: str = "72.1",
    lower: str = "",
    upper: str = "",
    status: str = "",
    notes: str = "",
    indicator: str = "Employment rate",
) -> str:
    area = f'{code},"Somewhere, City of",District'
    return f"{area},{indicator},{period},{value},Percentage,%,{lower},{upper},{status},{notes}"


def one(*rows: str) -> dict[str, object]:
    figures = parse(source_file(*rows), "Employment rate").figures
    assert len(figures) == 1
    return dict(figures.iloc[0])


def test_a_figure_keeps_its_value_bounds_and_line() -> None:
    other = row(indicator="Economically inactive")
    figure = one(other, row(lower="66.30000000000001", upper="77.9"))
    assert figure == {
        "area_code": "E09000030",
        "period": "2023-01-01/P1Y",
        "value": 72.1,
        "lower": 66.30000000000001,
        "upper": 77.9,
        "status": "ok",
        "source_row": 3,
    }


@pytest.mark.parametrize(
    ("mark", "status"), [("x", "not_available"), ("z", "not_available"), ("c", "suppressed"), ("u", "unreliable")]
)
def test_a_mark_without_a_value_is_a_status_and_never_a_zero(mark: str, status: str) -> None:
    figure = one(row(value="", status=mark))
    assert figure["status"] == status
    assert pd.isna(figure["value"])


def test_a_note_that_calls_a_value_unreliable_makes_it_unreliable() -> None:
    figure = one(row(notes=NOTE))
    assert (figure["value"], figure["status"]) == (72.1, "unreliable")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(value=""), "neither a value nor a status mark"),
        (row(value="lots"), "not a number"),
        (row(value="inf"), "not a number"),
        (row(status="q"), "status mark"),
        (row(status="x"), "there is a value although"),
        (row(period="2023"), "not an ISO 8601 period"),
        (row(code="E0900003"), "no known level"),
        (row(code=""), "no known level"),
        (row(lower="70"), "one interval bound is missing"),
        (row(lower="70", upper="n/a"), "interval bound is not a number"),
        (row(lower="73", upper="74"), "outside its own interval"),
    ],
)
def test_a_row_that_cannot_be_right_is_set_aside_with_a_reason_and_its_line(bad: str, reason: str) -> None:
    parsed = parse(source_file(row(code="E09000001"), bad), "Employment rate")
    assert parsed.figures["area_code"].tolist() == ["E09000001"]
    assert reason in parsed.set_aside.loc[0, "reason"]
    assert parsed.set_aside.loc[0, "source_row"] == 3
    assert "Somewhere" in parsed.set_aside.loc[0, "raw_line"]
    assert parsed.rows_read == 2


def test_rows_that_share_area_and_period_are_all_set_aside() -> None:
    parsed = parse(source_file(row(), row(value="73"), row(code="E09000001")), "Employment rate")
    assert len(parsed.figures) == 1
    assert parsed.set_aside["source_row"].tolist() == [2, 3]


def test_levels_not_held_and_areas_left_out_are_counted_not_lost() -> None:
    codes = ["TLI3", "TLI31", "E13000001", "N34000001", "W42000004", "K99000002", "N92000002", "E12000007"]
    parsed = parse(source_file(*(row(code=code) for code in codes)), "Employment rate", leave_out=("N92000002",))
    assert parsed.figures["area_code"].tolist() == ["E12000007"]
    assert (parsed.out_of_scope, parsed.rows_read, len(parsed.set_aside)) == (7, 8, 0)


def test_itl_level_1_stands_for_a_region_only_where_the_region_has_no_row_of_its_own() -> None:
    alone = parse(source_file(row(code="TLI")), "Employment rate")
    beside = parse(source_file(row(code="TLI", value="1"), row(code="E12000007", value="2")), "Employment rate")
    assert alone.figures["area_code"].tolist() == ["E12000007"]
    assert beside.figures["value"].tolist() == [2.0]
    assert beside.out_of_scope == 1


def test_an_unknown_indicator_names_those_the_file_has() -> None:
    with pytest.raises(UnreadablePayload, match=r"Wage rate.*Employment rate"):
        parse(source_file(row()), "Wage rate")


def test_a_cut_line_spoils_the_file_rather_than_a_figure() -> None:
    cut = source_file(row(code="E09000001"), row())[:-20]
    with pytest.raises(UnreadablePayload, match="line 3"):
        parse(cut, "Employment rate")


@pytest.mark.parametrize("content", [b"", b"areacd,period\nE09000030,2023\n", b"<html><body>Sorry</body></html>"])
def test_something_else_than_the_file_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        parse(content, "Employment rate")


@needs_els_files
@pytest.mark.parametrize("name", sorted(path.name for path in ELS.glob("*.csv")))
def test_every_row_of_the_real_files_is_accounted_for_and_equal_to_its_text(name: str) -> None:
    content = (ELS / name).read_bytes()
    with Path(ELS / name).open(encoding="utf-8-sig", newline="") as file:
        published = list(csv.DictReader(file))
    for indicator in sorted({line["indicator"] for line in published}):
        parsed = parse(content, indicator)
        wanted = [line for line in published if line["indicator"] == indicator]
        assert parsed.rows_read == len(wanted)
        assert len(parsed.figures) + len(parsed.set_aside) + parsed.out_of_scope == parsed.rows_read
        assert parsed.set_aside.empty
        value_of = {(line["areacd"], line["period"]): line["observation"] for line in wanted}
        for figure in parsed.figures.itertuples():
            text = value_of.get((figure.area_code, figure.period))
            if text is not None:  # regions given under ITL codes are compared in the next test
                assert figure.value == float(text) if text else pd.isna(figure.value)


@needs_els_files
def test_real_spot_figures() -> None:
    gva = parse((ELS / "gross-value-added.csv").read_bytes(), "Gross value added per hour worked").figures
    latest = gva[gva["period"] == "2023-01-01/P1Y"].set_index("area_code")["value"]
    assert latest["E12000007"] == 53.96
    assert latest["E92000001"] == 42.39
    none = parse((ELS / "qualifications-none-gb.csv").read_bytes(), "No qualifications").figures
    assert none["status"].value_counts().to_dict() == {"ok": 456, "unreliable": 258, "not_available": 90}
