"""Two published files in one connection, and the contents of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import PipelineError

OLD, NEW = "old_file", "new_file"

# The newest release is the highest version: a clock can be wrong, versions only increase.
NEWEST_FIRST = "string_split(release_version, '.')::integer[] desc"

# Tables about releases: they describe the comparison, so they are not part of it.
RELEASE_TABLES = ("meta_release", "meta_release_change", "mart_revision", "mart_movement")
# Columns about a figure's origin. The same figure read from other bytes is the same figure.
PROVENANCE_COLUMNS = frozenset({"source_id", "edition", "payload_sha256", "source_row", "publisher_updated"})

_COLUMNS = """
select table_name, column_name, case when data_type like 'ENUM(%' then 'ENUM' else data_type end
from duckdb_columns()
where not internal and database_name = ?
order by table_name, column_index
"""
_TABLES = "select table_name from duckdb_tables() where not internal and database_name = ? order by table_name"
_KEYS = """
select table_name, constraint_column_names
from duckdb_constraints()
where constraint_type = 'PRIMARY KEY' and database_name = ?
"""


class CannotCompare(PipelineError):
    """A file cannot be read, so there is nothing to compare; the message says which and why."""


@dataclass(frozen=True)
class Contents:
    """The structure of a file: columns of tables and views with their types, which of them are tables, and their keys."""

    columns: Mapping[str, Mapping[str, str]]
    tables: frozenset[str]
    keys: Mapping[str, tuple[str, ...]]

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is such a table with all these columns."""
        return table in self.tables and set(columns) <= self.columns[table].keys()


def is_content(table: str) -> bool:
    """Whether a table holds data, rather than a record of a run or of releases."""
    return not table.startswith("meta_") and table not in RELEASE_TABLES


@contextmanager
def side_by_side(before: Path | None, after: Path, *, write: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``after`` attached as ``new_file`` and ``before``, if given, as ``old_file``.

    Both are read-only, unless ``write`` opens ``after`` for writing. Raises CannotCompare naming the file that cannot
    be opened.
    """
    with duckdb.connect() as connection:
        _attach(connection, after, NEW, "" if write else " (read_only)")
        if before is not None:
            _attach(connection, before, OLD, " (read_only)")
        yield connection


def contents(connection: duckdb.DuckDBPyConnection, alias: str) -> Contents:
    """The structure of the file attached as ``alias``."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS, [alias]).fetchall():
        columns.setdefault(table, {})[column] = kind
    tables = frozenset(name for (name,) in connection.execute(_TABLES, [alias]).fetchall())
    keys = {table: tuple(names) for table, names in connection.execute(_KEYS, [alias]).fetchall()}
    return Contents(columns, tables, keys)


def first_row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...] | None:
    """The first row of a result, which is fetched completely: otherwise DuckDB 2.0 blocks the next statement."""
    return next(iter(connection.execute(sql).fetchall()), None)


def digests(
    connection: duckdb.DuckDBPyConnection, alias: str, columns: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[int, int]]:
    """For each table, its row count and the sum of a hash of each row, over the given columns (name to type).

    Equal digests mean equal rows in any order. DuckDB's hash may differ between its releases, so digests are only
    compared if the same release made them.
    """
    found = {}
    for table, held in columns.items():
        # an enum is hashed as its number, which another file may assign to another code
        names = [f'"{name}"::varchar' if kind == "ENUM" else f'"{name}"' for name, kind in held.items()]
        sql = f'select count(*), coalesce(sum(hash({", ".join(names)})), 0) from {alias}."{table}"'
        row = first_row(connection, sql)
        found[table] = (int(row[0]), int(row[1])) if row else (0, 0)
    return found


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str, options: str) -> None:
    if not path.is_file():
        raise CannotCompare(f"{path.name} is not there")
    try:
        quoted = str(path).replace("'", "''")
        connection.execute(f"attach '{quoted}' as {alias}{options}")
        connection.execute(f"select count(*) from duckdb_tables() where database_name = '{alias}'").fetchall()
    except duckdb.Error as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "unknown reason")
        raise CannotCompare(f"{path.name} cannot be opened: {reason}") from error
