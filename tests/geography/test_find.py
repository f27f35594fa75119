from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.geography import (
    AmbiguousAreaError,
    Register,
    UnknownAreaError,
    describe_area,
    list_areas,
    load_register,
)
from pipeline.geography.register_tables import FACTS_DIR


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("E06000062", "E06000062"),
        (" e06 000062 ", "E06000062"),
        ("West Northamptonshire", "E06000062"),
        ("west northamptonshire", "E06000062"),
        ("Bristol", "E06000023"),
        ("bristol, city of", "E06000023"),
        ("Hull", "E06000010"),
        ("Kings Lynn & West Norfolk", "E07000146"),
        ("King's Lynn and West Norfolk", "E07000146"),
        ("Shepway", "E07000112"),
        ("Caerdydd", "W06000015"),
        ("ynys mon", "W06000001"),
        ("YNYS MÔN", "W06000001"),
        ("King\u2019s Lynn and West Norfolk", "E07000146"),
        ("St Albans", "E07000240"),
        ("Stoke on Trent", "E06000021"),
        ("Greater London", "E12000007"),
        ("Barnsley", "E08000038"),
        ("E08000016", "E08000016"),
        ("Dorset", "E06000059"),
        ("Taunton Deane", "E07000190"),
        ("95Z", "95GG"),
        ("Belfast", "N09000003"),
        ("Northamptonshire", "E10000021"),
        ("North of Tyne", "E47000011"),
        ("Sheffield City Region", "E47000002"),
    ],
)
def test_an_area_is_found_by_code_or_name_old_or_new(register: Register, text: str, code: str) -> None:
    assert register.find(text).code == code


def test_a_name_shared_by_two_current_areas_is_refused_with_both_listed(register: Register) -> None:
    with pytest.raises(AmbiguousAreaError, match=r"E12000005, region.*E47000007, combined authority"):
        register.find("West Midlands")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Bradfrod", "Bradford"),
        ("Leeeds", "Leeds"),
        ("Bourenmouth", r"did you mean Bournemouth \(E06000028"),
        ("E05000026", "code of a ward"),
        ("95GG01S1", "small statistical area"),
        ("E01000001", "small statistical area"),
        ("E06000099", "near codes"),
        ("", "empty"),
    ],
)
def test_what_is_not_an_area_held_is_refused_with_a_hint(register: Register, text: str, hint: str) -> None:
    with pytest.raises(UnknownAreaError, match=hint):
        register.find(text)


def test_search_lists_current_areas_first(register: Register) -> None:
    names = [area.name for area in register.search("northampton")]
    assert names[0] == "Northampton"
    assert {"West Northamptonshire", "North Northamptonshire"} <= set(names)
    assert register.search("yorkshire")[0].is_current
    assert register.search("no such place at all") == []


def test_the_history_of_west_northamptonshire_reads_as_sentences(register: Register) -> None:
    text = "\n".join(describe_area(register, "west northamptonshire"))
    assert "West Northamptonshire (E06000062), district, in force" in text
    assert "01 April 2021" in text
    assert "Daventry (E07000151), Northampton (E07000154), South Northamptonshire (E07000155)" in text
    assert "Northamptonshire (Structural Changes) Order 2020" in text


def test_an_abolished_district_is_told_with_all_that_went_into_its_successor(register: Register) -> None:
    text = describe_area(register, "e07000048")[-1]
    assert "formed from: Bournemouth (E06000028), Poole (E06000029), Christchurch (E07000048)" in text


def test_every_combined_authority_that_a_district_was_in_is_told_with_its_days(register: Register) -> None:
    lines = [line.strip() for line in describe_area(register, "Newcastle upon Tyne") if "Combined authority" in line]
    assert lines == [
        "Combined authority: North East (E47000014), from 07 May 2024",
        "Combined authority: North of Tyne (E47000011), from 02 November 2018 to 06 May 2024",
        "Combined authority: North East (E47000005), from 15 April 2014 to 01 November 2018",
    ]
    assert "  Combined authority: South Yorkshire (E47000002)" in describe_area(register, "Barnsley")


def test_a_name_that_a_group_and_an_area_share_tells_of_both(register: Register) -> None:
    lines = describe_area(register, "liverpool city region")
    assert lines[0] == "Liverpool City Region (liverpool_city_region), named group"
    assert "Liverpool City Region (E47000004), combined authority, in force" in lines
    assert lines[-1] == "  Established on 01 April 2014"


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [("changes.csv", "kind 'swap' is none of relabel"), ("areas.csv", "line 2: start_date is 'long ago', not a day")],
)
def test_a_register_written_wrongly_is_a_sentence_on_the_command_line(
    broken: str,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = Path(shutil.copytree(FACTS_DIR, tmp_path / "facts"))
    text = (facts / broken).read_text(encoding="utf-8")
    wrong = (
        text.replace(",relabel,", ",swap,", 1) if broken == "changes.csv" else text.replace("2009-01-01", "long ago", 1)
    )
    (facts / broken).write_text(wrong, encoding="utf-8")
    monkeypatch.setattr("pipeline.geography.load_register", lambda: load_register(facts))
    assert main(["areas", "Leeds"]) == 1
    assert complaint in capsys.readouterr().err


def test_a_wider_area_is_described_with_its_districts_and_an_unchanged_one_says_so(register: Register) -> None:
    assert any(line.strip().startswith("9 districts: ") for line in describe_area(register, "Devon and Torbay"))
    assert "No change of code or boundary since 2009" in describe_area(register, "Leeds")[-1]
    assert any("33% of it" in line for line in describe_area(register, "N09000003"))


def test_the_list_of_areas_has_a_row_for_each_current_district(register: Register) -> None:
    areas = list_areas(register)
    assert list(areas["area_code"]) == register.districts()
    assert areas.set_index("area_code").loc["E08000038", "combined_authority_name"] == "South Yorkshire"
