"""Build a fresh DuckDB file from a run's tables: declared keys and types, numbered SQL, comments from the declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.marts.declaration import Column, Table

SQL_FOLDER = Path(__file__).with_name("sql")
# Readers from this DuckDB release on can open the file; a test opens it with the oldest one.
STORAGE_VERSION = "v1.4.0"
DATABASE_ALIAS = "inclusive_growth"

_NODES = (
    "select node_id from input_score union select node_id from input_not_scored "
    "union select indicator_id from input_change union select indicator_id from input_indicator"
)
# Codes that stand in the keys of large tables are stored as enums: the key's index is then a fifth of the size.
# Several columns may share one type: an indicator is a node of a framework's tree.
ENUMS = {
    "area": "select area_code from input_area order by 1",
    "framework": "select framework_id from input_score union select framework_id from input_not_scored order by 1",
    "flavour": "select flavour from input_score union select flavour from input_not_scored order by 1",
    "node": f"select node_id from ({_NODES}) order by 1",
}
# Inputs that only a thorough run makes; without them the tables they fill stay empty.
STUDY_INPUTS = frozenset({"rank_set", "audit", "sensitivity", "sensitivity_variant"})
ENUM_OF_COLUMN = {
    "area_code": "area",
    "framework_id": "framework",
    "flavour": "flavour",
    "node_id": "node",
    "member_id": "node",
    "indicator_id": "node",
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
    """Write all published tables into a new file at ``path``; return the row count of each.

    ``inputs`` are registered as ``input_<name>`` for the SQL to read. The file is checkpointed and closed
    on return, with nothing beside it. Raises FileExistsError when ``path`` is there already, and
    duckdb.Error when a row breaks a declared key or type.
    """
    if path.exists():
        raise FileExistsError(f"{path.name} exists already; a build never writes into an existing file")
    with duckdb.connect() as connection:
        target = str(path).replace("'", "''")
        connection.execute(f"attach '{target}' as {DATABASE_ALIAS} (storage_version '{STORAGE_VERSION}')")
        for name, table in inputs.items():
            connection.register(f"input_{name}", table)
        all_models = models()
        for model in all_models:
            if model.is_staging:
                connection.execute(f"create temp table {model.name} as {model.sql}")
        connection.execute(f"use {DATABASE_ALIAS}")
        connection.execute("begin transaction")  # one flush to disk for everything
        for enum, values in ENUMS.items():
            connection.execute(f"create type {enum}_code as enum ({values})")
        counts = {
            model.name: _fill(connection, model, tables[model.name], inputs)
            for model in all_models
            if not model.is_staging
        }
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


def create_statement(table: Table) -> str:
    """``CREATE TABLE`` with the declared types and NOT NULL."""
    lines = [f"    {_quoted(column.name)} {_type(column)}{_not_null(column)}" for column in table.columns]
    return f"create table {table.id} (\n" + ",\n".join(lines) + "\n)"


def key_statement(table: Table) -> str:
    """``ALTER TABLE`` that adds the primary key; over a filled table its index is built in a third less time."""
    return f"alter table {table.id} add primary key ({', '.join(map(_quoted, table.key))})"


def comment_statements(table: Table) -> list[str]:
    """``COMMENT ON`` for the table and each of its columns, so that the file explains itself."""
    statements = [f"comment on table {table.id} is {_literal(table.comment)}"]
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
