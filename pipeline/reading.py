"""Read the published file: the one way in for the command line, always read-only, every failure a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


class CannotRead(Exception):
    """The published file cannot be read, or a query cannot be run on it. The message says what to do."""


@contextmanager
def published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file.

    Raises CannotRead when it is missing, is no DuckDB file, or was written by a newer DuckDB.
    """
    if not path.exists():
        raise CannotRead(f"{path.name} is not there yet; run `make refresh` first")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise CannotRead(f"{path.name} cannot be opened: {first_line(error)}") from error
    try:
        yield connection
    finally:
        connection.close()


def first_line(error: Exception) -> str:
    """The first line of an error's text: what a person needs, without DuckDB's pointers into the statement."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def run_query(path: Path, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Run one SELECT on the published file: (column names, rows).

    Raises CannotRead for a statement that would write, for more than one statement, and for a wrong one.
    """
    with published(path) as connection:
        connection.execute("set enable_external_access = false")
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise CannotRead(f"give one statement at a time (found {len(statements)})")
            if statements[0].type not in _READING:
                kind = statements[0].type.name.lower().replace("_", " ")
                raise CannotRead(f"the file is opened read-only; a {kind} statement cannot be run on it")
            result = connection.execute(statements[0])
            names = [column[0] for column in result.description or []]
            return names, result.fetchall()
        except duckdb.Error as error:
            raise CannotRead(f"the query cannot be run: {first_line(error)}") from error


# A PIVOT is several statements inside, hence MULTI; the connection is read-only and cannot reach other files.
_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,
}
