"""The command line as people use it: real processes, real help, sentences for every expected failure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import VERBS, build_parser, main
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

NAMES = [module.__name__.rsplit(".", 1)[1].replace("_", "-") for module in VERBS]


def run(*arguments: str, data: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"IG_DATA_DIR": str(data)} if data else {})}
    command = [sys.executable, "-m", "pipeline", *arguments]
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture
def data(offline_run: tuple[Run, Outcome]) -> Path:
    return offline_run[0].settings.data_dir


@pytest.mark.parametrize("verb", NAMES)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) > 6
    assert f"usage: python -m pipeline {verb}" in text


def test_help_lists_every_verb_the_exit_codes_and_the_environment() -> None:
    text = build_parser().format_help()
    assert all(f"\n    {verb}" in text for verb in NAMES)
    assert "exit codes:" in text
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("pipeline", "flows")
        for path in (PROJECT_ROOT / room).rglob("*.py")
    )
    variables = set(re.findall(r'"(IG_[A-Z_]+|NOMIS_UID)"', code))
    assert len(variables) > 15
    assert {name for name in variables if not re.search(rf"\b{name}\b", text)} == set()


def test_help_comes_without_loading_a_heavy_library() -> None:
    script = "import sys, pipeline.cli; pipeline.cli.build_parser(); print([m for m in sys.modules if m in sys.argv])"
    heavy = ["pandas", "duckdb", "pandera", "pyarrow", "requests", "rich", "scipy", "prefect"]
    ended = subprocess.run(
        [sys.executable, "-c", script, *heavy], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_an_area_prints_its_profile(data: Path) -> None:
    ended = run("area", "Birmingham", data=data)
    assert ended.returncode == 0
    assert ended.stdout.startswith("Birmingham (E08000025)\ndistrict, West Midlands, England")
    for words in ("Growth", "Sharing", "Participation in work", "Gross value added per hour worked: "):
        assert words in ended.stdout


def test_an_area_is_found_by_an_old_code_and_by_a_name_in_any_case(data: Path) -> None:
    assert "Sheffield (E08000039)" in run("area", "E08000019", data=data).stdout
    assert "Na h-Eileanan Siar" in run("area", "na h-eileanan siar", data=data).stdout


def test_an_unknown_area_gets_a_suggestion_and_exit_1(data: Path) -> None:
    ended = run("area", "Birmingam", data=data)
    assert ended.returncode == 1
    assert "Birmingham" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_areas_tells_the_history_of_a_district() -> None:
    text = run("areas", "West Northamptonshire").stdout
    assert "formed from: Daventry (E07000151), Northampton (E07000154), South Northamptonshire (E07000155)" in text


def test_areas_lists_today_s_361_districts() -> None:
    assert len(run("areas").stdout.splitlines()) == 361


def test_query_prints_a_table_and_csv(data: Path) -> None:
    sql = "select area_code, area_name from dim_area where area_name like 'Newcastle%' order by 1"
    assert "Newcastle upon Tyne" in run("query", sql, data=data).stdout
    ended = run("query", sql, "--csv", data=data)
    assert ended.stdout.splitlines() == [
        "area_code,area_name",
        "E07000195,Newcastle-under-Lyme",
        "E08000021,Newcastle upon Tyne",
    ]


def test_query_reads_standard_input(data: Path) -> None:
    assert (
        run("query", "-", "--csv", data=data, stdin="select count(*) as n from mart_area_profile").stdout == "n\n361\n"
    )


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("drop table dim_area", "DROP cannot be run: the file is open read-only"),
        ("update dim_area set area_name = 'x'", "read-only"),
        ("select 1; select 2", "one statement at a time"),
        ("selec 1", "the query cannot be run: Parser Error"),
        ("select * from nowhere", "nowhere does not exist"),
        ("select * from read_csv('/etc/passwd')", "the query cannot be run"),
        ("copy dim_area to 'x.csv'", "COPY cannot be run"),
    ],
)
def test_a_query_that_cannot_be_run_is_a_sentence_and_exit_1(data: Path, sql: str, words: str) -> None:
    ended = run("query", sql, data=data)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_missing_or_no_database_is_a_sentence(tmp_path: Path) -> None:
    ended = run("query", "select 1", data=tmp_path)
    assert (ended.returncode, "run `make refresh` first" in ended.stderr) == (1, True)
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts" / "inclusive_growth.duckdb").write_bytes(b"rubbish" * 1000)
    ended = run("area", "Leeds", data=tmp_path)
    assert ended.returncode == 1
    assert "is not a DuckDB file" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_catalogue_and_what_is_held_can_be_checked(data: Path) -> None:
    assert "all entries valid" in run("catalogue").stdout
    assert "shipped files are intact" in run("verify", data=data).stdout


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "marts").write_text("a file where the folder should be")
    ended = run("refresh", "--offline", data=tmp_path)
    assert ended.returncode == 1
    assert "cannot be written or read" in ended.stderr


def test_a_wrong_command_is_exit_2() -> None:
    assert run("frobnicate").returncode == 2
