"""Build a fresh DuckDB file from a run's tables: declared keys and types, numbered SQL, views, comments."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.marts.declaration import Column, Table

SQL_FOLDER = Path(__file__).with_name("sql")
# DuckDB releases from this one on can open the file; a test opens it with the oldest one.
STORAGE_VERSION = "v1.4.0"
# Two and a half times DuckDB's default: fewer, fuller column segments make the file 5% smaller, and the largest tables
# still have two row groups for two cores to read.
ROW_GROUP_SIZE = 307_200
DATABASE_ALIAS = "inclusive_growth"

# SQL functions shared by the models, in the build's temporary database: readers of the file do not need them.
MACROS = SQL_FOLDER / "macros.sql"

# Codes in the keys of large tables are stored as enums, which makes the key's index a fifth of the size. So are the
# names beside them, which then cost almost nothing. Several columns may share a type: an indicator is also a node of a
# framework's tree.
ENUMS = {
    "area": "select area_code from input_area order by 1",
    "framework": "select distinct framework_id from input_node order by 1",
    "comparator": "select area_code from input_area union select 'typical_district' order by 1",
    "flavour": "values ('change'), ('level')",
    "node": "select node_id from input_node union select indicator_id from input_indicator order by 1",
    "framework_name": "select distinct framework_title from input_node order by 1",
    "title": "select title from input_node union select title from input_indicator order by 1",
    "unit": "select distinct unit from input_indicator order by 1",
}
# Enums whose values come from a staging model; the tables that use them depend on that model.
ENUMS_OF_MODELS = {
    "stg_node_title": ("node_title", "select title from input_node union select title from stg_node_title order by 1"),
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
# Inputs from a thorough run only; without them their tables stay empty.
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
    "node_title": "node_title",
    "member_title": "node_title",
    "indicator_title": "title",
    "growth_title": "node_title",
    "sharing_title": "node_title",
    "unit": "unit",
}


@dataclass(frozen=True)
class Design:
    """What a published file is built from: its SQL models, its enum types, and the inputs these wait for.

    Tables of ``optional_inputs`` stay empty without them; tables ``without_index`` have their key proved by a check.
    ``flushes_once`` writes everything to disk at the end: faster, but tables of millions of rows take more memory.
    """

    sql_folder: Path
    enums: Mapping[str, str]
    inputs_of_enums: frozenset[str]
    optional_inputs: frozenset[str] = frozenset()
    without_index: frozenset[str] = frozenset()
    flushes_once: bool = True

    @property
    def models(self) -> list[Model]:
        """Every SQL model in numerical order."""
        paths = sorted(self.sql_folder.rglob("[0-9]*.sql"), key=lambda path: path.name)
        return [Model(path.stem.split("_", 1)[1], path.read_text(encoding="utf-8")) for path in paths]


@dataclass(frozen=True)
class Model:
    """One SQL file: ``22_fct_observation.sql`` fills the table ``fct_observation``; ``stg_`` tables stay unpublished."""

    name: str
    sql: str

    @property
    def inputs(self) -> set[str]:
        """The names of the inputs that it reads."""
        return set(re.findall(r"\b(?:from|join)\s+input_(\w+)", self.sql))

    @property
    def words(self) -> frozenset[str]:
        """Every word of its SQL, which includes the names of the models that it reads."""
        return frozenset(re.findall(r"\w+", self.sql))

    @property
    def is_staging(self) -> bool:
        return self.name.startswith("stg_")


OF_DISTRICTS = Design(SQL_FOLDER, ENUMS, frozenset({"area", "node", "indicator"}), STUDY_INPUTS)


def build(path: Path, inputs: Mapping[str, pa.Table], tables: Mapping[str, Table]) -> dict[str, int]:
    """Write all published tables and views into a new file at ``path``; return the row count of each table.

    Raises as ``Building`` does.
    """
    with Building(path, tables) as building:
        building.add(inputs)
        return building.finish()


class Building:
    """A file being built. Inputs may arrive in several lots: each model runs as soon as everything it reads is there.

    So figures are written while the scores are still being calculated. Inputs are registered for the SQL as
    ``input_<name>``, together with ``input_dictionary``, the declaration as rows. There is no write-ahead log: a build
    that dies leaves a candidate that nobody reads.

    Raises FileExistsError if ``path`` exists, and duckdb.Error if a row breaks a declared key or type.
    """

    def __init__(self, path: Path, tables: Mapping[str, Table], design: Design = OF_DISTRICTS) -> None:
        if path.exists():
            raise FileExistsError(f"{path.name} exists already; a build never writes into an existing file")
        self._tables = tables
        self._design = design
        self._waiting = list(design.models)
        self._inputs: set[str] = set()
        self._forgone: frozenset[str] = frozenset()
        self._failure: Exception | None = None
        self._one_at_a_time = threading.Lock()
        self._counts: dict[str, int] = {}
        self._connection = duckdb.connect()
        target = str(path).replace("'", "''")
        options = f"storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE}, recovery_mode 'no_wal_writes'"
        self._connection.execute(f"attach '{target}' as {DATABASE_ALIAS} ({options})")
        if design.flushes_once:
            self._connection.execute("set checkpoint_threshold = '1TB'")
        self._connection.execute(MACROS.read_text(encoding="utf-8"))
        self._connection.execute(f"use {DATABASE_ALIAS}")

    def __enter__(self) -> Building:
        return self

    def __exit__(self, *_: object) -> None:
        with self._one_at_a_time:  # a lot that is being written is not interrupted
            self._connection.close()

    def add(self, inputs: Mapping[str, pa.Table]) -> None:
        """Register some inputs by name, and run every model that needs nothing else. Lots may come in any order.

        Once a lot has failed, every later one raises its error again.
        """
        with self._one_at_a_time:
            if self._failure is not None:
                raise self._failure
            lacked_enums = not self._inputs >= self._design.inputs_of_enums
            for name, rows in inputs.items():
                self._connection.register(f"input_{name}", rows)
            self._inputs |= inputs.keys()
            if lacked_enums and self._inputs >= self._design.inputs_of_enums:
                for enum, values in self._design.enums.items():
                    self._connection.execute(f"create type {enum}_code as enum ({values})")
            if self._inputs >= self._design.inputs_of_enums:  # any table may need their types
                self._run_what_can()

    def finish(self) -> dict[str, int]:
        """Run the remaining models, then checkpoint and close the file; return the row count of each table.

        Inputs from a thorough run may be missing: their tables stay empty. Raises ValueError if another input is
        missing.
        """
        self.add({"dictionary": dictionary_rows(self._tables.values())})
        self._forgone = self._design.optional_inputs - self._inputs
        self._run_what_can()
        if self._waiting:
            first = self._waiting[0]
            lacking = ", ".join(sorted(first.inputs - self._inputs))
            raise ValueError(f"{first.name} cannot be built without the input {lacking}")
        self._connection.execute(f"checkpoint {DATABASE_ALIAS}")
        self._connection.execute("use memory")
        self._connection.execute(f"detach {DATABASE_ALIAS}")
        return self._counts

    def _run_what_can(self) -> None:
        """Run, in numerical order, the models that wait for neither an input nor another model."""
        waiting: list[Model] = []
        for model in tuple(self._waiting):
            if model.inputs <= self._inputs | self._forgone and not any(other.name in model.words for other in waiting):
                self._waiting.remove(model)
                try:
                    self._run(model)
                except Exception as failure:
                    self._failure = failure
                    raise
            else:
                waiting.append(model)

    def _run(self, model: Model) -> None:
        if model.is_staging:
            self._connection.execute(f"create temp table {model.name} as {model.sql}")
            if model.name in ENUMS_OF_MODELS:
                enum, values = ENUMS_OF_MODELS[model.name]
                self._connection.execute(f"create type {enum}_code as enum ({values})")
        elif self._tables[model.name].is_view:
            _define(self._connection, model, self._tables[model.name])
        else:
            self._counts[model.name] = self._fill(model, self._tables[model.name])

    def _fill(self, model: Model, table: Table) -> int:
        """Create one published table, fill it and add its comments; return its row count."""
        self._connection.execute(create_statement(table))
        if not model.inputs & self._forgone:
            self._connection.execute(f"insert into {table.id} by name {model.sql}")
        if table.id not in self._design.without_index:
            self._connection.execute(key_statement(table))
        self._connection.execute(";\n".join(comment_statements(table)))
        [(count,)] = self._connection.execute(f"select count(*) from {table.id}").fetchall()
        return int(count)


def _define(connection: duckdb.DuckDBPyConnection, model: Model, view: Table) -> None:
    """Create one published view and add its comments; its text includes the comment of its SQL file."""
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
                "may_be_null": column.may_be_missing,
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
    """``ALTER TABLE`` that adds the primary key; on a filled table its index is built in a third less time."""
    return f"alter table {table.id} add primary key ({', '.join(map(_quoted, table.key))})"


def comment_statements(table: Table) -> list[str]:
    """``COMMENT ON`` for the table or view and each of its columns, so that the file documents itself."""
    statements = [f"comment on {table.kind} {table.id} is {_literal(table.comment)}"]
    statements += [
        f"comment on column {table.id}.{_quoted(column.name)} is {_literal(column.comment)}" for column in table.columns
    ]
    return statements


def _type(column: Column) -> str:
    return f"{ENUM_OF_COLUMN[column.name]}_code" if column.type == "ENUM" else column.type


def _not_null(column: Column) -> str:
    return " not null" if column.is_key or column.is_required else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
