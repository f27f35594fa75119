"""What fuzzing found, each kept under the name of what went wrong."""

from __future__ import annotations

import csv

import pytest

from pipeline.http.bodies import fields_of, json_of, lines_of, text
from pipeline.http.waiting import LONGEST_RETRY_AFTER_SECONDS, retry_after_seconds
from pipeline.publishers.deprivation import iod_files
from pipeline.publishers.ons_els import parse as els
from pipeline.tidy.observations import UnreadablePayload, parse_period
from pipeline.tidy.rows import plain_number

HEADER = b"areacd,areanm,period,value\n"
GOOD = b"E06000001,Hartlepool,2023-01-01/P1Y,61\nE06000002,Middlesbrough,2023-01-01/P1Y,62\n"


def test_a_quotation_mark_left_open_does_not_swallow_the_lines_after_it() -> None:
    parsed = els.parse(HEADER + b'E06000003,"Redcar,2023-01-01/P1Y,60\n' + GOOD)
    assert parsed.figures["source_row"].tolist() == [3, 4]
    assert parsed.figures["value"].tolist() == [61, 62]
    assert parsed.set_aside["source_row"].tolist() == [2]


def test_a_carriage_return_inside_a_line_does_not_shift_the_lines_after_it() -> None:
    parsed = els.parse(HEADER + b"E06000003,Red\rcar,2023-01-01/P1Y,60\n" + GOOD)
    assert parsed.figures["source_row"].tolist() == [2, 3, 4]


def test_a_short_line_of_other_bytes_does_not_shift_the_lines_after_it() -> None:
    parsed = els.parse(HEADER + b"E06000003,Ynys M\xf4n\n" + GOOD)
    assert parsed.figures["source_row"].tolist() == [3, 4]
    assert parsed.set_aside["source_row"].tolist() == [2]


def test_a_name_in_another_encoding_does_not_cost_its_figure() -> None:
    parsed = els.parse(HEADER + b"W06000001,Ynys M\xf4n,2023-01-01/P1Y,60\n" + GOOD)
    assert parsed.figures["value"].tolist() == [60, 61, 62]


@pytest.mark.parametrize("cell", ["٣٧", "１２", "²", "1_000", "nan", "inf", "1e999", "\x1e3.2", "0x10", "1,000"])
def test_what_python_or_nobody_would_read_as_a_number_is_none(cell: str) -> None:
    assert plain_number(cell) != plain_number(cell)


@pytest.mark.parametrize("period", ["٢٠٢٣-01-01/P1Y", "2023-01-01/P1Y\n", "0000-01-01/P1Y", "9999-12-31/P999Y"])
def test_periods_in_other_digits_or_beyond_the_calendar_are_no_periods(period: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_period(period)


@pytest.mark.parametrize("damage", ["\x1f", "\x1c", "\x85", "\u2003"])
@pytest.mark.parametrize("column", ["value", "lci_95", "uci_95"])
def test_a_control_character_in_a_figure_is_no_blank(column: str, damage: str) -> None:
    header = b"areacd,period,value,lci_95,uci_95\n"
    row = {"value": "61", "lci_95": "60", "uci_95": "62"}
    row[column] = damage + row[column]
    damaged = f"E06000001,2023-01-01/P1Y,{','.join(row.values())}\n".encode()
    parsed = els.parse(header + damaged + b"E06000002,2023-01-01/P1Y,62,61,63\n")
    assert parsed.figures["area_code"].tolist() == ["E06000002"]
    assert parsed.set_aside["reason"].tolist() == ["a number cannot be read"]


def test_an_infinite_bound_is_no_bound() -> None:
    header = b"areacd,period,value,lci_95,uci_95\n"
    parsed = els.parse(header + b"E06000001,2023-01-01/P1Y,61,60,1e999\nE06000002,2023-01-01/P1Y,62,61,63\n")
    assert parsed.figures["area_code"].tolist() == ["E06000002"]


HEAD_7 = (
    "LSOA code (2021),LSOA name (2021),Local Authority District code (2024),"
    "Index of Multiple Deprivation (IMD) Score,Income Score (rate),Total population: mid 2022\n"
)


@pytest.mark.parametrize(
    "line",
    [
        "E01000001,X,E09000001,inf,0.1,1000",
        "E01000001,X,E09000001,-1,0.1,1000",
        "E01000001,X,E09000001,10,1.4,1000",
        "E01000001,X,E09000001,10,0.1,1e308",
        "E01000002,X,E09000001,10,0.1,1000",
        "=1+1,X,E09000001,10,0.1,1000",
    ],
)
def test_one_small_area_that_cannot_be_believed_does_not_move_its_district(line: str) -> None:
    with pytest.raises(UnreadablePayload):
        iod_files.small_areas(f"{HEAD_7}{line}\nE01000002,Y,E09000001,40,0.2,500\n".encode())


def test_a_document_of_half_characters_or_of_no_end_is_none() -> None:
    for content in (b'{"unit": "\\ud800"}', b"[" * 5000, b'{"a":' * 5000):
        with pytest.raises(ValueError, match=r"."):
            json_of(content)


def test_a_field_without_end_is_none_whatever_limit_a_library_has_set() -> None:
    before = csv.field_size_limit(10_000_000)
    try:
        assert fields_of(["a" * 200_000]) == []
        assert fields_of(["a,b"]) == ["a", "b"]
    finally:
        csv.field_size_limit(before)


def test_fields_and_lines_of_nothing_are_nothing() -> None:
    assert fields_of(lines_of(b"\xef\xbb\xbf")) == []
    assert fields_of(["a" * 200_000]) == []
    assert lines_of("a\u2028b\nc".encode()) == ["a\u2028b", "c"]
    assert text({"a": 1}) is None


@pytest.mark.parametrize("value", ["²", "Fri, 31 Dec 0001 23:59:59 -2359", "soon"])
def test_a_time_to_wait_that_is_none_is_not_waited(value: str) -> None:
    assert retry_after_seconds(value) in (None, 0.0)


def test_a_time_to_wait_beyond_all_numbers_is_a_long_one() -> None:
    assert retry_after_seconds("9" * 400) == LONGEST_RETRY_AFTER_SECONDS
