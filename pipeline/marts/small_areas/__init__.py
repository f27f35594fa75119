"""Build the DuckDB file of one series of small areas: its declared tables, its SQL, its checks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.catalogue.yaml_entries import load_entries
from pipeline.marts.build import (
    ROW_GROUP_SIZE,
    STORAGE_VERSION,
    Model,
    comment_statements,
    create_statement,
    key_statement,
)
from pipeline.marts.declaration import Table

FOLDER = Path(__file__).parent
CHECKS_FOLDER = FOLDER / "checks"
# A unique index over millions of rows would take longer than the rest of the build; a check proves the key instead.
WITHOUT_INDEX = frozenset({"fct_small_area"})
_ALIAS = "small_areas"


@cache
def small_area_tables() -> Mapping[str, Table]:
    """The declared tables of a file of small areas, by name. Raises CatalogueError for a bad declaration."""
    return {table.id: table for table in load_entries(FOLDER / "tables.yaml", Table)}


def build_small_areas(path: Path, inputs: Mapping[str, pa.Table]) -> dict[str, int]:
    """Write the tables into a new file at ``path``; return the row count of each.

    ``inputs`` are ``area``, ``figure``, ``series`` and ``quarantine``, which the SQL reads as ``input_<name>``. The
    file is checkpointed and closed on return. Raises FileExistsError if ``path`` exists, and duckdb.Error if a row
    breaks a declared type or key.
    """
    if path.exists():
        raise FileExistsError(f"{path.name} exists already; a build never writes into an existing file")
    counts = {}
    with duckdb.connect() as connection:
        target = str(path).replace("'", "''")
        connection.execute(
            f"attach '{target}' as {_ALIAS} (storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE})"
        )
        for name, rows in inputs.items():
            connection.register(f"input_{name}", rows)
        connection.execute(f"use {_ALIAS}")
        connection.execute("create type area_code as enum (select area_code from input_area order by 1)")
        for model in _models():
            table = small_area_tables()[model.name]
            connection.execute(create_statement(table))
            connection.execute(f"insert into {table.id} by name {model.sql}")
            if table.id not in WITHOUT_INDEX:
                connection.execute(key_statement(table))
            connection.execute(";\n".join(comment_statements(table)))
            counted = connection.execute(f"select count(*) from {table.id}").fetchone()
            counts[table.id] = int(counted[0]) if counted else 0
        connection.execute(f"checkpoint {_ALIAS}")
        connection.execute("use memory")
        connection.execute(f"detach {_ALIAS}")
    return counts


def _models() -> list[Model]:
    paths = sorted((FOLDER / "sql").glob("*.sql"))
    return [Model(path.stem.split("_", 1)[1], path.read_text(encoding="utf-8")) for path in paths]
