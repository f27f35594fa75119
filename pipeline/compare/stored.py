"""Differences ready to show: recorded in a published file, which describes its own release, or freshly calculated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.compare.changes import Change
from pipeline.compare.compared_files import NEWEST_FIRST, first_row
from pipeline.compare.comparison import Comparison
from pipeline.compare.one_line import explanation

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Difference:
    """``before`` and ``after`` name the two releases or files; rows have the columns of mart_revision and mart_movement."""

    before: str | None
    after: str
    kind: str
    explanation: str
    changes: tuple[Change, ...]
    revisions: Rows
    movements: Rows

    @property
    def line(self) -> str:
        """For example: "minor 1.2.0 → 1.3.0: 1 figure revised …"."""
        return (
            f"{self.after}: {self.explanation}"
            if self.before is None
            else f"{self.kind} {self.before} → {self.after}: {self.explanation}"
        )


def stored_difference(connection: duckdb.DuckDBPyConnection) -> Difference | None:
    """The record of a file's newest release; None for a file made before releases had versions.

    ``connection`` is to the file itself.
    """
    held = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
    if "meta_release" not in held:
        return None
    row = first_row(
        connection,
        f"select release_version, previous_version, kind, explanation from meta_release order by {NEWEST_FIRST} limit 1",
    )
    if row is None:
        return None
    version, previous, kind, words = row
    changes = connection.execute(
        "select subject, change, subject_id, description, row_count from meta_release_change "
        "where release_version = ? order by position",
        [version],
    ).fetchall()
    return Difference(
        before=previous,
        after=version,
        kind=kind,
        explanation=words,
        changes=tuple(Change(*change) for change in changes),
        revisions=_rows(connection, "mart_revision", version),
        movements=_rows(connection, "mart_movement", version),
    )


def as_difference(comparison: Comparison, before: str, after: str) -> Difference:
    """A freshly calculated comparison of two files with these names."""
    return Difference(
        before=before,
        after=after,
        kind=comparison.kind,
        explanation=explanation(comparison),
        changes=comparison.changes,
        revisions=comparison.revisions.to_pylist(),
        movements=comparison.movements.to_pylist(),
    )


def _rows(connection: duckdb.DuckDBPyConnection, table: str, version: str) -> Rows:
    result = connection.execute(f"select * exclude (release_version) from {table} where release_version = ?", [version])
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
