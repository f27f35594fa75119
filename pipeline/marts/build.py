"""Build a fresh DuckDB file from a run's tables: declared keys and types, numbered SQL, views, comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.marts.declaration import Column, Table

SQL_FOLDER = Path(__file__).with_name("sql")
# Readers from this DuckDB release on can open the file; a test opens it with the oldest one.
STORAGE_VERSION = "v1.4.0"
# Two and a half times DuckDB's usual: fewer, fuller column segments make the file 5% smaller, and the largest tables still
# have two groups of rows for two cores to read.
ROW_GROUP_SIZE = 307_200
DATABASE_ALIAS = "inclusive_growth"

# SQL functions the models share, in the temporary database of the build: no reader of the file needs them.
MACROS = SQL_FOLDER / "macros.sql"

_NODES = (
    "select node_id from input_score union select node_id from input_not_scored "
    "union select indicator_id from input_change union select indicator_id from input_indicator"
)
# Codes that stand in the keys of large tables are stored as enums: the key's index is then a fifth of the size; the
# names beside them as well, which then cost next to nothing. Several columns may share one type: an indicator is a
# node of a framework's tree.
ENUMS = {
    "area": "select area_code from input_area order by 1",
    "framework": "select framework_id from input_score union select framework_id from input_not_scored order by 1",
    "comparator": "select area_code from input_area union select 'typical_district' order by 1",
    "flavour": "select flavour from input_score union select flavour from input_not_scored order by 1",
    "node": f"select node_id from ({_NODES}) order by 1",
    "framework_name": "select distinct framework_title from input_node order by 1",
    "title": "select title from input_node union select title from input_indicator order by 1",
    "unit": "select distinct unit from input_indicator order by 1",
}
_DICTIONARY = pa.schema(
    [
        ("table_name", pa.string()),
        ("column_name", pa.string()),
        ("position", pa.int32()),
        ("type", pa.string()),
        ("unit", pa.string()),
        ("is_key", pa.bool_()),
        ("may_be_null", pa.bool_()),
        ("meaning", pa.string()),
    ]
)
# Inputs that only a thorough run makes; without them the tables they fill stay empty.
STUDY_INPUTS = frozenset({"sensitivity", "sensitivity_variant"})
ENUM_OF_COLUMN = {
    "area_code": "area",
    "comparator_code": "comparator",
    "framework_id": "framework",
    "flavour": "flavour",
    "node_id": "node",
    "member_id": "node",
    "indicator_id": "node",
    "framework_title": "framework_name",
    "node_title": "title",
    "member_title": "title",
    "indicator_title": "title",
    "growth_title": "title",
    "sharing_title": "title",
    "unit": "unit",
}


@dataclass(frozen=True)
class Model:
    """One SQL file: ``22_fct_observation.sql`` fills the table ``fct_observation``; ``stg_`` tables stay unpublished."""

    name: str
    sql: str

    @property
    def inputs(self) -> set[str]:
        """The names of the inputs it reads."""
        return set(re.findall(r"\binput_(\w+)", self.sql))

    @property
    def is_staging(self) -> bool:
        return self.name.startswith("stg_")


def models() -> list[Model]:
    """Every SQL model in the order of its number."""
    paths = sorted(SQL_FOLDER.glob("*/*.sql"), key=lambda path: path.name)
    return [Model(path.stem.split("_", 1)[1], path.read_text(encoding="utf-8")) for path in paths]


def build(path: Path, inputs: Mapping[str, pa.Table], tables: Mapping[str, Table]) -> dict[str, int]:
    """Write all published tables and views into a new file at ``path``; return the row count of each table.

    ``inputs`` are registered as ``input_<name>`` for the SQL to read, and with them ``input_dictionary``, the
    declaration itself as rows. The file is checkpointed and closed
    on return, with nothing beside it. Raises FileExistsError when ``path`` is there already, and
    duckdb.Error when a row breaks a declared key or type.
    """
    if path.exists():
        raise FileExistsError(f"{path.name} exists already; a build never writes into an existing file")
    with duckdb.connect() as connection:
        target = str(path).replace("'", "''")
        options = f"storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE}"
        connection.execute(f"attach '{target}' as {DATABASE_ALIAS} ({options})")
        for name, rows in {**inputs, "dictionary": dictionary_rows(tables.values())}.items():
            connection.register(f"input_{name}", rows)
        connection.execute(MACROS.read_text(encoding="utf-8"))
        connection.execute(f"use {DATABASE_ALIAS}")
        connection.execute("begin transaction")  # one flush to disk for everything
        for enum, values in ENUMS.items():
            connection.execute(f"create type {enum}_code as enum ({values})")
        counts = {}
        for model in models():
            if model.is_staging:
                connection.execute(f"create temp table {model.name} as {model.sql}")
            elif tables[model.name].is_view:
                _define(connection, model, tables[model.name])
            else:
                counts[model.name] = _fill(connection, model, tables[model.name], inputs)
        connection.execute("commit")
        connection.execute(f"checkpoint {DATABASE_ALIAS}")
        connection.execute("use memory")
        connection.execute(f"detach {DATABASE_ALIAS}")
    return counts


def _fill(connection: duckdb.DuckDBPyConnection, model: Model, table: Table, inputs: Mapping[str, pa.Table]) -> int:
    """Create one published table, fill it, explain it; return its row count."""
    connection.execute(create_statement(table))
    if not model.inputs & (STUDY_INPUTS - inputs.keys()):
        connection.execute(f"insert into {table.id} by name {model.sql}")
    connection.execute(key_statement(table))
    connection.execute(";\n".join(comment_statements(table)))
    counted = connection.execute(f"select count(*) from {table.id}").fetchone()
    return int(counted[0]) if counted else 0


def _define(connection: duckdb.DuckDBPyConnection, model: Model, view: Table) -> None:
    """Create one published view and explain it; its text holds the comment of its file as well."""
    connection.execute(f"create view {view.id} as {model.sql}")
    connection.execute(";\n".join(comment_statements(view)))


def dictionary_rows(tables: Iterable[Table]) -> pa.Table:
    """The declaration as rows for ``meta_dictionary``: one for each table or view (``column_name`` empty) and column."""
    rows = []
    for table in tables:
        rows.append(
            {"table_name": table.id, "column_name": "", "position": 0, "type": table.kind, "meaning": table.comment}
        )
        rows += [
            {
                "table_name": table.id,
                "column_name": column.name,
                "position": position,
                "type": column.type,
                "unit": column.unit,
                "is_key": column.is_key,
                "may_be_null": not (column.is_key or column.is_required),
                "meaning": column.meaning,
            }
            for position, column in enumerate(table.columns, 1)
        ]
    return pa.Table.from_pylist(rows, schema=_DICTIONARY)


def create_statement(table: Table) -> str:
    """``CREATE TABLE`` with the declared types and NOT NULL."""
    lines = [f"    {_quoted(column.name)} {_type(column)}{_not_null(column)}" for column in table.columns]
    return f"create table {table.id} (\n" + ",\n".join(lines) + "\n)"


def key_statement(table: Table) -> str:
    """``ALTER TABLE`` that adds the primary key; over a filled table its index is built in a third less time."""
    return f"alter table {table.id} add primary key ({', '.join(map(_quoted, table.key))})"


def comment_statements(table: Table) -> list[str]:
    """``COMMENT ON`` for the table or view and each of its columns, so that the file explains itself."""
    statements = [f"comment on {table.kind} {table.id} is {_literal(table.comment)}"]
    for column in table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        statements.append(f"comment on column {table.id}.{_quoted(column.name)} is {_literal(column.about + unit)}")
    return statements


def _type(column: Column) -> str:
    return f"{ENUM_OF_COLUMN[column.name]}_code" if column.type == "ENUM" else column.type


def _not_null(column: Column) -> str:
    return " not null" if column.is_key or column.is_required else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
