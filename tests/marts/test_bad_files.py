"""`pipeline query` on a file that cannot be read: a sentence that says why and what to do, exit 1, no traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline import reading
from pipeline.cli import main
from pipeline.publish import swap
from pipeline.reading import CannotRead, published, run_query
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

FORMAT_AT = 12  # where the number of the storage format stands in the header
HOLDER = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def copy(offline_run: tuple[Run, Outcome], tmp_path: Path) -> Path:
    """A copy of the published file, in a data folder of its own, to be spoilt."""
    path = tmp_path / "marts" / "inclusive_growth.duckdb"
    path.parent.mkdir()
    return Path(shutil.copyfile(offline_run[0].settings.database, path))


def of_a_newer_format(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(FORMAT_AT)
        stream.write(struct.pack("<Q", 1_000_000))


def cut_short(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(3_000_000)


def a_database_of_another_kind(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("create table figure (value)")
    connection.close()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, "is not there yet; run `make refresh` first"),
        (lambda path: path.write_bytes(b""), "is not a DuckDB file"),
        (lambda path: path.write_bytes(b"rubbish" * 1000), "is not a DuckDB file"),
        (a_database_of_another_kind, "is not a DuckDB file"),
        (a_folder, "cannot be read"),
        (of_a_newer_format, "written by a newer DuckDB: it is in storage format 1000000"),
        (cut_short, "is damaged or cut short; if it is just being copied, try again"),
    ],
    ids=["missing", "empty", "rubbish", "SQLite", "folder", "newer format", "cut short"],
)
def test_a_file_that_cannot_be_read_is_a_sentence_and_exit_1(
    copy: Path,
    spoil: Callable[[Path], object],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(copy)
    monkeypatch.setenv("IG_DATA_DIR", str(copy.parents[1]))
    assert main(["query", "select 1"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_a_file_that_another_program_writes_to_is_a_sentence(copy: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, copy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CannotRead, match="is open for writing in another program; close it there and try again"):
            run_query(copy, "select 1")
        holder.stdin.close()
    assert run_query(copy, "select 1 as one") == (["one"], [(1,)])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("delete from mart_score", "DELETE cannot be run: the file is open read-only"),
        ("attach 'other.duckdb'", "ATTACH cannot be run"),
        ("set enable_external_access = true", "SET cannot be run"),
        ("select 1; drop table mart_score", "one statement at a time"),
        ("pivot meta_run on run_id using count(*); select 1", "one statement at a time"),
        ("", "the statement is empty"),
        ("-- nothing but words", "the statement is empty"),
        ("with gone as (delete from mart_score returning *) select * from gone", "read-only mode"),
        ("explain analyze delete from mart_score", "read-only mode"),
        ("copy mart_rank to 'taken.csv'", "COPY cannot be run"),
        ("export database 'taken'", "EXPORT cannot be run"),
        ("explain analyze copy (select 1) to 'taken.csv'", "file system operations are disabled"),
        ("import database 'taken'", "file system operations are disabled"),
        ("select * from read_csv('/etc/passwd')", "file system operations are disabled"),
        ("install httpfs", "LOAD cannot be run"),
        ("pragma memory_limit = '10TB'", "SET cannot be run"),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select * from mart_scores", r'does not exist! \(Did you mean "mart_score"\?\)'),
        ("select scor from mart_score", r'not found in FROM clause! \(Candidate bindings: "score"'),
        ("select error('it went wrong')", "it went wrong"),
    ],
)
def test_what_would_write_or_is_no_single_question_is_refused(copy: Path, sql: str, words: str) -> None:
    with pytest.raises(CannotRead, match=words):
        run_query(copy, sql)


def test_the_type_of_a_code_is_told_in_a_line(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(copy.parents[1]))
    assert main(["query", "describe mart_score"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 120


def test_an_answer_larger_than_anybody_reads_is_neither_held_nor_counted_to_the_end(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(copy.parents[1]))
    monkeypatch.setattr("pipeline.verbs.query._MOST_COUNTED", 1000)
    assert main(["query", "select * from range(1_000_000_000_000)", "--limit", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "    0",
        "    1",
        "... more than 1,000 more rows; --csv prints all, --limit N more",
    ]


@pytest.mark.parametrize(
    ("sql", "options", "said"),
    [
        ("select area_name from dim_area where area_name = 'Atlantis'", [], "no rows\n"),
        ("select area_name from dim_area where area_name = 'Atlantis'", ["--csv"], "area_name\n"),
        ("select 1 as a, null as b, true as c, 'x,\"y' as d", ["--csv"], 'a,b,c,d\n1,,true,"x,""y"\n'),
        ("select * from range(3)", ["--limit", "2"], "range\n    0\n    1\n... 1 more row; --csv prints all, --limit N more\n"),
    ],
)  # fmt: skip
def test_what_an_answer_looks_like(
    copy: Path,
    sql: str,
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(copy.parents[1]))
    assert main(["query", sql, *options]) == 0
    assert capsys.readouterr().out == said


def test_fewer_rows_than_none_cannot_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["query", "select 1", "--limit", "-3"])
    assert "'-3' is not a number of rows" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("sql", ["select 1", "select * from fct_observation"])
@pytest.mark.parametrize("form", [[], ["--csv"]])
def test_an_answer_that_finds_the_disk_full_is_a_sentence(copy: Path, sql: str, form: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "pipeline", "query", sql, *form],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=PROJECT_ROOT,
            env={**os.environ, "IG_DATA_DIR": str(copy.parents[1])},
        )  # fmt: skip
    assert (run.returncode, run.stderr) == (1, "error: the output cannot be written: No space left on device\n")


def test_a_file_swapped_in_the_moment_of_opening_is_opened_once_more(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB 2.0 opens a file twice and fails where it is another in between; the moment is too short to be met by chance."""
    real, swaps = duckdb.connect, []

    def in_the_wrong_moment(path: str, **options: bool) -> duckdb.DuckDBPyConnection:
        if not swaps:
            swaps.append(swap(Path(shutil.copyfile(copy, tmp_path / "candidate.duckdb")), copy))
            raise duckdb.InternalException("Failed to load metadata pointer")
        return real(path, **options)

    monkeypatch.setattr(reading.duckdb, "connect", in_the_wrong_moment)
    with published(copy) as connection:
        assert connection.execute("select count(*) from mart_area_profile").fetchone() == (361,)


def test_a_file_that_cannot_be_opened_and_is_the_same_is_tried_once(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = duckdb.connect, []

    def never(path: str = ":memory:", **options: object) -> duckdb.DuckDBPyConnection:
        if path != str(copy):
            return real(path, **options)
        tried.append(path)
        raise duckdb.InternalException("Failed to load metadata pointer")

    monkeypatch.setattr(reading.duckdb, "connect", never)
    with pytest.raises(CannotRead, match="damaged or cut short"), published(copy):
        pass
    assert len(tried) == 1
