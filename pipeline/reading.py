"""Read the published file: the command line's only access to it, always read-only, with failures as sentences."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.errors import PipelineError

# A DuckDB file begins with a checksum, these four letters, and the number of its storage format.
_HEADER = struct.Struct("<8x4sQ")
_MAGIC = b"DUCK"
# Statement types allowed on the file. A PIVOT is several statements internally, hence MULTI; the connection is
# read-only
# and cannot reach other files.
_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,
}
_ROWS_AT_A_TIME = 10_000
_MOST_SWAPS = 5  # while opening one file
_MAY_BE_ASKED = "SELECT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN and PIVOT"


class CannotRead(PipelineError):
    """The published file cannot be read, or a query cannot be run on it. The message says what to do."""


@contextmanager
def published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file.

    Raises CannotRead if it is missing, is not a DuckDB file, was written by a newer DuckDB, is truncated, or is held
    open for writing by another program.
    """
    connection = _opened(path)
    try:
        yield connection
    finally:
        connection.close()


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to the file, or to a newer one swapped in meanwhile.

    DuckDB 2.0 reads the head of a file, closes it, and opens it again for the rest. A file swapped in between looks
    damaged, but is intact on a second opening.
    """
    for _ in range(_MOST_SWAPS):
        number, before = _storage_format(path), _identity(path)
        try:
            return duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            failure = error
            if _identity(path) == before:
                break
    raise CannotRead(_why_not_opened(path, number, first_line(failure))) from failure


def _identity(path: Path) -> tuple[int, int]:
    """What distinguishes a file from one that replaced it; empty for a missing file."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_ino, found.st_mtime_ns


def _storage_format(path: Path) -> int:
    """The storage format number in a DuckDB file.

    It is checked before DuckDB opens the file, since DuckDB would look for an extension to read other kinds of file.
    Raises CannotRead for anything but a DuckDB file.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER.size)
    except FileNotFoundError as error:
        raise CannotRead(f"{path.name} is not there yet; run `make refresh` first") from error
    except OSError as error:
        raise CannotRead(f"{path.name} cannot be read: {error.strerror}") from error
    if len(head) == _HEADER.size:
        magic, number = _HEADER.unpack(head)
        if magic == _MAGIC:
            return int(number)
    raise CannotRead(f"{path.name} is not a DuckDB file; run `make refresh` to rebuild it")


def _why_not_opened(path: Path, number: int, reason: str) -> str:
    newest = _newest_storage_format()
    if number > newest:
        return (
            f"{path.name} was written by a newer DuckDB: it is in storage format {number}, and DuckDB "
            f"{duckdb.__version__}, which is installed here, reads up to {newest}; run `make refresh` with this "
            "version of the project, or update DuckDB"
        )
    if "Could not set lock" in reason:
        return f"{path.name} is open for writing in another program; close it there and try again ({reason})"
    return (
        f"{path.name} is damaged or cut short; if it is just being copied, try again, "
        f"else run `python -m pipeline refresh --force` to rebuild it ({reason})"
    )


def _newest_storage_format() -> int:
    """The newest storage format that this DuckDB knows, from a file that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "newest.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as newest (storage_version 'latest')")
        return int(_HEADER.unpack(path.read_bytes()[: _HEADER.size])[1])


def first_line(error: Exception) -> str:
    """The first line of an error's text: what a person needs, without DuckDB's pointers into the statement."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _in_words(error: Exception) -> str:
    """The first line of an error's text, with the names that DuckDB suggests."""
    hints = [line.strip() for line in str(error).splitlines()[1:] if line.startswith(("Candidate ", "Did you mean "))]
    return first_line(error) + (f" ({'; '.join(hints)})" if hints else "")


@dataclass
class Answer:
    """A query's column names and its rows, read a few thousand at a time: a result may be larger than memory.

    Reading rows raises CannotRead for errors that only occur then.
    """

    names: list[str]
    _rows: Iterator[tuple[object, ...]]

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return self._rows


@contextmanager
def asked(path: Path, sql: str) -> Iterator[Answer]:
    """The answer to one SELECT on the published file.

    Raises CannotRead for a statement that would write, for more than one statement, and for a wrong one.
    """
    with published(path) as connection:
        connection.execute("set enable_external_access = false")
        try:
            statements = connection.extract_statements(sql)
            if not statements:
                raise CannotRead("the statement is empty")
            if len(statements) != 1:
                raise CannotRead(f"give one statement at a time (found {len(statements)})")
            if statements[0].type not in _READING:
                kind = statements[0].type.name.replace("_", " ")
                raise CannotRead(f"{kind} cannot be run: the file is open read-only, for {_MAY_BE_ASKED}")
            result = connection.execute(statements[0])
        except duckdb.Error as error:
            raise CannotRead(f"the query cannot be run: {_in_words(error)}") from error
        yield Answer([column[0] for column in result.description or []], _fetched(result))


def _fetched(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    try:
        while rows := result.fetchmany(_ROWS_AT_A_TIME):
            yield from rows
    except duckdb.Error as error:
        raise CannotRead(f"the query cannot be run: {_in_words(error)}") from error


def run_query(path: Path, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Run one SELECT on the published file: (column names, all rows). Raises as ``asked`` does."""
    with asked(path, sql) as answer:
        return answer.names, list(answer)
