"""The ELS CSV becomes figures with statuses; what cannot be believed is set aside, and nothing vanishes."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.publishers.ons_els import parse as els
from pipeline.publishers.ons_els import source_file as els_source
from pipeline.settings import PROJECT_ROOT
from pipeline.tidy.observations import PARSED_COLUMNS, UnreadablePayload

RECORDED = PROJECT_ROOT.parent / "shared" / "data" / "els-api"
RECORDED_TABLES = [
    path
    for path in sorted(RECORDED.glob("data_*/*.body"))
    if path.read_bytes()[:40].startswith((b"areacd", b"indicator"))
]
HEADER = "areacd,areanm,period,value,lci_95,uci_95,status"
BARNSLEY = "E08000016,Barnsley,2023-01-01/P1Y,69.7,65.4,74,"


def table(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return end.join([header, *lines]).encode()


def reasons(*lines: str, header: str = HEADER) -> list[str]:
    parsed = els.parse(table(*lines, header=header))
    assert parsed.rows_read == len(parsed.figures) + len(parsed.set_aside) + parsed.out_of_scope
    return list(parsed.set_aside["reason"])


def test_a_plain_row_becomes_a_figure() -> None:
    parsed = els.parse(table(BARNSLEY))
    assert list(parsed.figures.columns) == list(PARSED_COLUMNS)
    assert parsed.figures.iloc[0].to_dict() == {
        "area_code": "E08000016",
        "period": "2023-01-01/P1Y",
        "value": 69.7,
        "lower": 65.4,
        "upper": 74.0,
        "status": "ok",
        "source_row": 2,
    }


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("areacd,period,value", "E08000016,2023-01-01/P1Y,69.7"),
        ("areacd,areanm,period,value", 'E06000023,"Bristol, City of",2023-01-01/P1Y,69.7'),
        ("indicator,areacd,areanm,period,value,status", "Employment rate,E08000016,Barnsley,2023-01-01/P1Y,69.7,"),
        ("value,new column,period,areacd", "69.7,x,2023-01-01/P1Y,E08000016"),
        ("areacd,areanm,period,sex,age,value", "E08000016,Barnsley,2023-01-01/P1Y,All,16-64,69.7"),
    ],
)
def test_columns_are_found_by_name_wherever_they_stand(header: str, line: str) -> None:
    assert els.parse(table(line, header=header)).figures["value"].tolist() == [69.7]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_line_ends_and_byte_order_marks_make_no_difference(start: bytes, end: str, tail: bytes) -> None:
    parsed = els.parse(start + table(BARNSLEY, BARNSLEY.replace("2023", "2022"), end=end) + tail)
    assert len(parsed.figures) == 2
    assert parsed.set_aside.empty
    assert parsed.figures["status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize(
    ("mark", "status"),
    [
        *(("x", "not_available"), ("u", "unreliable"), ("c", "suppressed"), ("z", "not_available")),
        *(("[c]", "suppressed"), ("[X]", "not_available"), ("low", "suppressed"), ("[u]", "unreliable")),
    ],
)
def test_a_blank_with_a_mark_is_missing_and_never_zero(mark: str, status: str) -> None:
    figures = els.parse(table(f"E06000053,Isles of Scilly,2010-04-21,,,,{mark}")).figures
    assert math.isnan(figures["value"][0])
    assert figures["status"][0] == status


@pytest.mark.parametrize(("mark", "status"), [("[c]", "suppressed"), ("[x]", "not_available"), ("*", "unreliable")])
def test_a_mark_in_place_of_the_figure_says_why_there_is_none(mark: str, status: str) -> None:
    figures = els.parse(table(f"E06000053,Isles of Scilly,2010-04-21,{mark},,,")).figures
    assert math.isnan(figures["value"][0])
    assert figures["status"][0] == status


def test_column_names_in_capitals_are_the_same_columns() -> None:
    parsed = els.parse(b"\xef\xbb\xbf" + table(BARNSLEY, header=HEADER.upper()))
    assert parsed.figures[["value", "lower", "upper"]].to_numpy().tolist() == [[69.7, 65.4, 74.0]]


def test_an_unreliable_figure_keeps_its_value() -> None:
    figures = els.parse(table("E06000053,Isles of Scilly,2010-04-21,300,,,u")).figures
    assert figures["value"][0] == 300
    assert figures["status"][0] == "unreliable"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Barnsley,2023-01-01/P1Y,69.7,65.4,74,", "area code is blank"),
        ("Barnsley,Barnsley,2023-01-01/P1Y,69.7,65.4,74,", "not a nine-character GSS code"),
        ("E08000016,Barnsley,2023,69.7,65.4,74,", "period is not"),
        ("E08000016,Barnsley,2023-13-01/P1Y,69.7,65.4,74,", "period is not"),
        ("E08000016,Barnsley,2023-01-01/P1Y,69..7,65.4,74,", "number cannot be read"),
        ('E08000016,Barnsley,2023-01-01/P1Y,"1,069",65.4,74,', "number cannot be read"),
        ("E08000016,Barnsley,2023-01-01/P1Y,nan,65.4,74,", "number cannot be read"),
        ("E08000016,Barnsley,2023-01-01/P1Y,69.7,65.4,74,q", "status mark is not one that is known"),
        ("E08000016,Barnsley,2023-01-01/P1Y,,,,", "neither a figure nor a mark"),
        ("E08000016,Barnsley,2023-01-01/P1Y,69.7,,,x", "although its mark says there is none"),
        ("E08000016,Barnsley,2023-01-01/P1Y,69.7,65.4,,", "one bound only"),
        ("E08000016,Barnsley,2023-01-01/P1Y,,65.4,74,x", "interval without a figure"),
        ("E08000016,Barnsley,2023-01-01/P1Y,80,65.4,74,", "outside its own 95% interval"),
        ("E08000016,Barnsley,2023-01-01/P1Y,69.7,65.4", "as many fields as the header"),
        ("E08000016,Barnsley, City,2023-01-01/P1Y,69.7,65.4,74,", "as many fields as the header"),
        ("", "as many fields as the header"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason_and_line(line: str, reason: str) -> None:
    parsed = els.parse(table(BARNSLEY, line, BARNSLEY.replace("2023", "2022")))
    assert len(parsed.figures) == 2
    assert parsed.rows_read == 3
    assert len(parsed.set_aside) == 1
    aside = parsed.set_aside.iloc[0]
    assert reason in aside["reason"] or (not line and "blank" in aside["reason"])
    assert aside["source_row"] == 3
    assert aside["raw_line"] == line


def test_equal_repeats_leave_one_and_unequal_ones_none() -> None:
    assert reasons(BARNSLEY, BARNSLEY) == ["the figure is given twice for this area and period; one is kept"]
    different = BARNSLEY.replace("69.7", "70.1")
    assert reasons(BARNSLEY, different) == ["two different figures are given for this area and period"] * 2


def test_regions_of_another_kind_are_out_of_scope_and_counted() -> None:
    parsed = els.parse(table("TLC,North East (England),2023-01-01/P1Y,69.7,,,", BARNSLEY))
    assert parsed.out_of_scope == 1
    assert len(parsed.figures) == 1
    assert parsed.set_aside.empty


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty body"),
        (b"\n \n", "empty body"),
        (b"<!doctype html><html></html>", "an HTML page"),
        (b'{"message":"Internal Error"}', "JSON"),
        (b"areacd,areanm,period,observation\nE08000016,Barnsley,2023-01-01/P1Y,1", r"column\(s\) value missing"),
        (b"areacd,period,value,value\nE08000016,2023-01-01/P1Y,1,1", "given twice"),
        (
            table(
                "Men,E08000016,2023-01-01/P1Y,1", "Women,E08000016,2023-01-01/P1Y,1", header="sex,areacd,period,value"
            ),
            "'sex' holds 2",
        ),
        (
            table(
                "A,E08000016,2023-01-01/P1Y,1", "B,E08000016,2023-01-01/P1Y,1", header="indicator,areacd,period,value"
            ),
            "'indicator'",
        ),
    ],
)
def test_a_payload_that_is_not_the_promised_table_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words):
        els.parse(content)


def test_a_header_alone_holds_no_rows() -> None:
    assert els.parse(HEADER.encode()).rows_read == 0


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses of ../shared/data are not here")
@pytest.mark.parametrize("path", RECORDED_TABLES, ids=lambda path: path.stem)
def test_recorded_responses_parse_to_their_exact_figures(path: Path) -> None:
    content = path.read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    if "indicator" in rows[0]:
        with pytest.raises(UnreadablePayload, match="3 different values"):
            els.parse(content)
        return
    parsed = els.parse(content)
    assert parsed.set_aside.empty
    assert len(parsed.figures) == len(rows)
    for column, name in {"value": "value", "lower": "lci_95", "upper": "uci_95"}.items():
        expected = [float(row[name]) if row.get(name) else None for row in rows]
        got = [None if math.isnan(number) else number for number in parsed.figures[column]]
        assert got == expected
    assert parsed.figures["area_code"].tolist() == [row["areacd"] for row in rows]
    assert parsed.figures["source_row"].tolist() == list(range(2, len(rows) + 2))


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses of ../shared/data are not here")
@pytest.mark.parametrize("path", sorted(RECORDED.glob("errors/*.body")), ids=lambda path: path.stem)
def test_recorded_errors_are_never_taken_for_figures(path: Path) -> None:
    content = path.read_bytes()
    if content.startswith(b"areacd"):  # the one recorded there because it succeeded without an Accept header
        assert len(els.parse(content).figures) == 1
        return
    with pytest.raises(UnreadablePayload):
        els.parse(content)


def test_a_missing_interval_stands_for_the_note_that_the_api_drops_where_that_is_proved() -> None:
    rows = (BARNSLEY, "E06000053,Isles of Scilly,2023-01-01/P1Y,60.1,,,", "E06000054,Wiltshire,2023-01-01/P1Y,,,,c")
    declared = els.parse(table(*rows), unreliable_without_interval=True).figures
    assert declared["status"].tolist() == ["ok", "unreliable", "suppressed"]
    assert declared["value"][1] == 60.1
    assert els.parse(table(*rows)).figures["status"].tolist() == ["ok", "ok", "suppressed"]


def test_where_no_figure_has_an_interval_none_is_called_unreliable() -> None:
    lines = ("E08000016,Barnsley,2023-01-01/P1Y,69.7", "E06000053,Isles of Scilly,2023-01-01/P1Y,60.1")
    parsed = els.parse(table(*lines, header="areacd,areanm,period,value"), unreliable_without_interval=True)
    assert parsed.figures["status"].tolist() == ["ok", "ok"]


ELS_FILES = RECORDED.parent / "els"


@pytest.mark.skipif(not ELS_FILES.is_dir(), reason="the files of ../shared/data/els are not here")
@pytest.mark.parametrize(
    ("indicator_id", "file", "label", "unreliable"),
    [
        ("employment_rate", "employment-rate.csv", "Employment rate", 10),
        ("economic_inactivity_rate", "employment-rate.csv", "Economically inactive", 46),
        ("no_qualifications_rate", "qualifications-none-gb.csv", "No qualifications", 258),
    ],
)
def test_the_note_and_the_missing_interval_are_the_same_figures_in_the_service_s_own_files(
    indicator_id: str, file: str, label: str, unreliable: int
) -> None:
    """What the catalogue declares: the API's columns alone give the statuses that the files' notes give."""
    queries = [query for part in load_catalogue().indicators[indicator_id].parts for query in part.live]
    assert sum(getattr(query, "unreliable_without_interval", False) for query in queries) == 1
    noted = els_source.parse((ELS_FILES / file).read_bytes(), label).figures
    lines = [
        f"{row.area_code},x,{row.period},{'' if math.isnan(row.value) else repr(row.value)},"
        f"{'' if math.isnan(row.lower) else repr(row.lower)},{'' if math.isnan(row.upper) else repr(row.upper)},"
        f"{'c' if math.isnan(row.value) else ''}"
        for row in noted.itertuples()
    ]
    answered = els.parse(table(*lines), unreliable_without_interval=True).figures
    is_figure = noted["value"].notna()
    assert (noted.loc[is_figure, "status"] == "unreliable").sum() == unreliable
    assert answered.loc[is_figure, "status"].tolist() == noted.loc[is_figure, "status"].tolist()
