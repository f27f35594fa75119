"""Write an export: all of its files, into one folder."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from pipeline.export.columnar import write_tables
from pipeline.export.metadata import CSVW_FILE, PACKAGE_FILE, csvw, datapackage
from pipeline.export.selection import Choice
from pipeline.export.workbook import write_workbook

FORMATS = ("parquet", "csv", "datapackage", "excel")


def export(connection: duckdb.DuckDBPyConnection, choice: Choice, formats: tuple[str, ...], folder: Path) -> list[Path]:
    """Write the requested formats into ``folder``; return the files, with metadata after what it describes.

    ``parquet/`` has one file a table. ``csv/`` has the same as CSV, described by csv-metadata.json (format csv) and by
    datapackage.json (format datapackage). ``excel/`` has one workbook. Each file appears complete or not at all. Raises
    OSError if the folder cannot be written.
    """
    parquet, csv, excel = (folder / name for name in ("parquet", "csv", "excel"))
    wants_csv = "csv" in formats or "datapackage" in formats
    written: list[Path] = []
    for path, is_wanted in ((parquet, "parquet" in formats), (csv, wants_csv), (excel, "excel" in formats)):
        if is_wanted:
            path.mkdir(parents=True, exist_ok=True)
    if "parquet" in formats or wants_csv:
        written += sorted(
            write_tables(connection, choice, parquet if "parquet" in formats else None, csv if wants_csv else None)
        )
    if "csv" in formats:
        written.append(_write(csv / CSVW_FILE, csvw(choice)))
    if "datapackage" in formats:
        written.append(_write(csv / PACKAGE_FILE, datapackage(choice, csv)))
    if "excel" in formats:
        name = choice.place.file_name if choice.place else "all_districts"
        written.append(write_workbook(connection, choice, excel / f"inclusive_growth_{name}.xlsx"))
    return written


def _write(path: Path, text: str) -> Path:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
    return path
