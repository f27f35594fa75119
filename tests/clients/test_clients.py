"""The published file in the hands of the clients people use: older DuckDBs, the shell, Node, SQLAlchemy and ibis.

The older ones are made by ``python tests/clients/make.py`` (`make test-clients`); without them their tests skip.
"""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy

from pipeline.questions import Question, questions
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from tests.clients import make

HERE = Path(__file__).parent
STRANGERS = (
    "select table_name, comment from duckdb_tables() order by table_name",
    "select view_name, comment from duckdb_views() where not internal order by view_name",
    "select table_name, column_name, comment from duckdb_columns() where not internal order by table_name, column_index",
    "select table_name, column_name, unit, meaning from meta_dictionary order by table_name, position",
)
STATEMENTS = (*STRANGERS, *(question.sql for question in questions()))


def plain(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows as every client can give them: numbers to nine decimals, days in ISO, all else as text."""
    return [[plain_cell(cell) for cell in row] for row in rows]


def plain_cell(cell: Any) -> Any:
    if cell is None:
        return None
    if isinstance(cell, pd.Timestamp | datetime.datetime):
        return cell.date().isoformat()
    try:
        return round(float(cell), 9)
    except (TypeError, ValueError):
        return str(cell)


@pytest.fixture
def database(offline_run: tuple[Run, Outcome]) -> Path:
    return offline_run[0].settings.database


@pytest.fixture
def expected(published: duckdb.DuckDBPyConnection) -> list[list[list[Any]]]:
    """What the DuckDB that wrote the file answers to STATEMENTS."""
    return [plain(published.execute(sql).fetchall()) for sql in STATEMENTS]


def asked(command: Sequence[str | Path], folder: Path | None = None) -> dict[str, Any]:
    """The answers of a client that reads STATEMENTS as JSON and writes JSON."""
    run = subprocess.run(
        command, input=json.dumps(STATEMENTS), capture_output=True, text=True, check=False, cwd=folder, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def need(made: Path) -> Path:
    if not made.exists():
        pytest.skip("this client is not made; `make test-clients` makes it")
    return made


@pytest.mark.parametrize("release", make.RELEASES)
def test_an_older_duckdb_for_python_answers_as_the_newest_does(
    release: str, database: Path, expected: list[list[list[Any]]]
) -> None:
    found = asked([need(make.python_of(release)), HERE / "ask.py", database])
    assert found["version"].startswith(release)
    assert [plain(rows) for rows in found["answers"]] == expected


def test_node_answers_as_python_does(database: Path, expected: list[list[list[Any]]]) -> None:
    folder = need(make.node_folder() / make.STAMP).parent
    found = asked(["node", "ask.mjs", str(database)], folder)
    assert found["version"].startswith("v1.")
    assert [plain(rows) for rows in found["answers"]] == expected


@pytest.mark.parametrize("release", make.RELEASES)
def test_the_shell_answers_as_python_does(release: str, database: Path, expected: list[list[list[Any]]]) -> None:
    shell = need(make.shell_of(release))
    for sql, rows in zip(STATEMENTS, expected, strict=True):
        run = subprocess.run(
            [shell, "-readonly", "-json", database, sql], capture_output=True, text=True, check=True, timeout=60
        )
        assert plain(row.values() for row in json.loads(run.stdout)) == rows, sql


def test_sqlalchemy_lists_the_tables_and_answers_as_python_does(
    database: Path, published: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # a copy, since one process cannot hold a file open with two configurations, and the engine has its own
    copy = Path(shutil.copyfile(database, tmp_path / "copy.duckdb"))
    engine = sqlalchemy.create_engine(f"duckdb:///{copy}", connect_args={"read_only": True})
    try:
        inspector = sqlalchemy.inspect(engine)
        tables = {name for (name,) in published.execute("select table_name from duckdb_tables()").fetchall()}
        assert tables <= set(inspector.get_table_names())
        with engine.connect() as connection:
            for question in questions():
                rows = connection.execute(sqlalchemy.text(question.sql.replace(":", r"\:"))).fetchall()
                assert plain(rows) == plain(published.execute(question.sql).fetchall()), question.id
    finally:
        engine.dispose()


def same_as_sql(question: Question, answer: pd.DataFrame, published: duckdb.DuckDBPyConnection) -> None:
    sql = published.execute(question.sql)
    names = [column[0] for column in sql.description or []]
    assert list(answer.columns) == names, question.id
    cells = answer.astype(object).where(answer.notna(), None)
    assert plain(cells.itertuples(index=False)) == plain(sql.fetchall()), question.id


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.id)
def test_pandas_answers_as_sql_does(question: Question, published: duckdb.DuckDBPyConnection) -> None:
    names: dict[str, Any] = {"pandas": pd, "table": lambda name: published.table(name).df()}
    exec(compile(question.pandas, question.id, "exec"), names)  # noqa: S102
    same_as_sql(question, names["answer"], published)


@pytest.fixture(scope="module")
def ibis_table(offline_run: tuple[Run, Outcome]) -> Iterable[Callable[[str], Any]]:
    ibis = pytest.importorskip("ibis")
    connection = ibis.duckdb.connect(offline_run[0].settings.database, read_only=True)
    yield connection.table
    connection.disconnect()


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.id)
def test_ibis_answers_as_sql_does(
    question: Question, ibis_table: Callable[[str], Any], published: duckdb.DuckDBPyConnection
) -> None:
    ibis = pytest.importorskip("ibis")
    names: dict[str, Any] = {"ibis": ibis, "_": ibis._, "table": ibis_table}
    exec(compile(question.ibis, question.id, "exec"), names)  # noqa: S102
    same_as_sql(question, names["answer"].to_pandas(), published)
