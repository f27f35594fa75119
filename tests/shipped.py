"""A copy of the shipped figures in which some are otherwise, with a manifest that says so: another edition, in effect."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.settings import Settings

Row = dict[str, Any]


def shipped() -> Path:
    """The folder of the shipped figures: the project's, or those of the small world."""
    return Settings(Path()).baseline_dir


def edition(folder: Path, changes: dict[str, Callable[[list[Row]], list[Row]]]) -> Path:
    """Copy the baseline to ``folder`` and put each named file's rows through a function."""
    shutil.copytree(shipped(), folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for entry in manifest["files"]:
        if entry["file"].removesuffix(".parquet") in changes:
            table = pq.read_table(folder / entry["file"])
            rows = changes[entry["file"].removesuffix(".parquet")](table.to_pylist())
            pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / entry["file"])
            content = (folder / entry["file"]).read_bytes()
            periods = sorted(row["period"] for row in rows)
            entry |= {
                "byte_count": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "row_count": len(rows),
                "first_period": periods[0],
                "last_period": periods[-1],
            }
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def with_value(area_code: str, period: str, value: float | None) -> Callable[[list[Row]], list[Row]]:
    """A change of one figure."""
    return lambda rows: [
        row | {"value": value} if (row["area_code"], row["period"]) == (area_code, period) else row for row in rows
    ]


def without_year(year: int) -> Callable[[list[Row]], list[Row]]:
    """The same without one year's figures."""
    return lambda rows: [row for row in rows if not row["period"].startswith(str(year))]
