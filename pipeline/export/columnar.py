"""Tables as Parquet and CSV files, written by DuckDB straight from the published file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from pipeline.export import selection as facts
from pipeline.export.selection import Choice
from pipeline.marts.declaration import Table
from pipeline.spreadsheet import disarmed_in_sql

# Full precision, LF line ends, UTF-8, ISO 8601; a missing cell is empty.
_CSV = "format csv, header, dateformat '%Y-%m-%d', timestampformat '%Y-%m-%dT%H:%M:%S'"


def write_tables(
    connection: duckdb.DuckDBPyConnection, choice: Choice, parquet: Path | None, csv: Path | None
) -> list[Path]:
    """Write each table into the given folders, several at a time; return the files.

    DuckDB uses one thread for each statement: with more, the output depends on which finishes first.
    """
    connection.execute("set threads = 1")
    jobs: list[tuple[Path, str]] = []
    for table in choice.tables.values():
        if parquet is not None:
            options = f"format parquet, compression zstd, kv_metadata {_described(choice, table)}"
            jobs.append((parquet / f"{table.id}.parquet", f"({choice.select(table)}) to '{{}}' ({options})"))
        if csv is not None:
            text = [column.name for column in table.columns if column.type in ("VARCHAR", "ENUM")]
            rows = disarmed_in_sql(text, choice.select(table))
            jobs.append((csv / f"{table.id}.csv", f"({rows}) to '{{}}' ({_CSV})"))

    def write(job: tuple[Path, str]) -> Path:
        path, statement = job
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        before, _, after = statement.partition("{}")
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"copy {before}{_escaped(str(part))}{after}")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(write, _largest_first(connection, jobs)))


def _largest_first(connection: duckdb.DuckDBPyConnection, jobs: Iterable[tuple[Path, str]]) -> list[tuple[Path, str]]:
    sizes = dict(connection.execute("select table_name, estimated_size * column_count from duckdb_tables()").fetchall())
    return sorted(jobs, key=lambda job: (-(sizes.get(job[0].stem) or 0), job[0].name))


def _described(choice: Choice, table: Table) -> str:
    """A Parquet file's description of itself, as a DuckDB struct of text."""
    columns = [
        {"name": column.name, "type": column.type, "unit": column.unit, "meaning": column.meaning}
        for column in table.columns
    ]
    values = {
        "title": table.id,
        "description": table.comment,
        "data_set": choice.about,
        "version": choice.version,
        "licence": facts.LICENCE_URL,
        "sources": json.dumps(choice.sources, ensure_ascii=False),
        "columns": json.dumps(columns, ensure_ascii=False),
    }
    return "{" + ", ".join(f"{name}: '{_escaped(value)}'" for name, value in values.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("'", "''")
