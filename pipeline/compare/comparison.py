"""One file against another: every difference, the version that follows, and a sentence about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.compare import figure_changes as figures
from pipeline.compare import row_types as columns
from pipeline.compare import score_changes as scores
from pipeline.compare.changes import Change, area_changes, indicator_and_period_changes, shape_changes
from pipeline.compare.compared_files import (
    NEW,
    NEWEST_FIRST,
    OLD,
    PROVENANCE_COLUMNS,
    Contents,
    contents,
    digests,
    first_row,
    is_content,
    side_by_side,
)
from pipeline.compare.score_changes import Rescore
from pipeline.compare.version import Kind

__all__ = ["Comparison", "Rescore", "compare", "compare_attached"]


@dataclass(frozen=True)
class Comparison:
    """The differences between two files.

    ``kind`` is the part of the version that the differences raise. ``changes`` are the additions, removals and other
    changes. ``revisions`` and ``movements`` have the columns of mart_revision and mart_movement except the release.
    ``run_before`` and ``run_after`` are the rows of meta_run, empty if a file has none.
    """

    kind: Kind
    changes: tuple[Change, ...]
    revisions: pa.Table
    movements: pa.Table
    new_figures: int
    scores_compared: int
    is_split: bool
    run_before: Mapping[str, Any]
    run_after: Mapping[str, Any]

    def count(self, subject: str, change: str) -> int:
        """The number of changes of one kind."""
        return sum(item.subject == subject and item.change == change for item in self.changes)

    def revised(self, *kinds: str, is_derived: bool = False) -> int:
        """The number of figures with some kinds of revision, either published or derived here from others."""
        if not self.revisions.num_rows:
            return 0
        wanted = pc.and_(
            pc.is_in(self.revisions["kind"], pa.array(kinds)), pc.equal(self.revisions["is_derived"], is_derived)
        )
        return int(pc.sum(wanted).as_py() or 0)

    @property
    def scores_moved(self) -> int:
        return int(self.movements.num_rows)


def compare(before: Path, after: Path, rescore: Rescore | None = None) -> Comparison:
    """Compare two files, both read-only.

    ``rescore`` scores figures with the current code; without it, a movement with several causes is not split. The code
    counts as changed unless both files name the same code. Raises CannotCompare naming a file that cannot be read.
    """
    with side_by_side(before, after) as connection:
        was, now = method_of(connection, OLD), method_of(connection, NEW)
        return compare_attached(connection, is_same_method=was is not None and was == now, rescore=rescore)


def made_by(database: Path) -> str | None:
    """The fingerprint of the code that made a file; None if it does not say. Raises CannotCompare."""
    with side_by_side(None, database) as connection:
        return method_of(connection, NEW)


def compare_attached(
    connection: duckdb.DuckDBPyConnection, *, is_same_method: bool, rescore: Rescore | None
) -> Comparison:
    """Compare the files attached as ``old_file`` and ``new_file``: see ``side_by_side``."""
    old, new = contents(connection, OLD), contents(connection, NEW)
    changes = shape_changes(old, new)
    equal, row_changes = _rows(connection, old, new)
    changes += row_changes
    notes: list[Change] = []
    if old.has("dim_area", "area_code", "area_name") and "dim_area" not in equal:
        changes += area_changes(connection)
    revisions, new_figures, causes = columns.REVISION.empty_table(), 0, frozenset[str]()
    if figures.can_compare_figures(old, new):
        changes += [] if "fct_observation" in equal else indicator_and_period_changes(connection)
        found = figures.figure_changes(connection, old, new, are_equal="fct_observation" in equal)
        revisions, new_figures, causes = found.revisions, found.new_figures, found.causes
    else:
        notes.append(_note("figures could not be compared: the file before holds them in other columns"))
    movements = scores.Movements(columns.MOVEMENT.empty_table(), 0, True)
    if scores.can_compare_scores(old, new):
        usable = rescore if figures.can_rescore(old, new) else None
        movements = scores.score_movements(connection, causes | (frozenset() if is_same_method else {"method"}), usable)
    else:
        notes.append(_note("scores could not be compared: the file before holds them in other columns"))
    return Comparison(
        kind=_kind(changes),
        changes=tuple(changes + notes),
        revisions=revisions,
        movements=movements.table,
        new_figures=new_figures,
        scores_compared=movements.compared,
        is_split=movements.is_split,
        run_before=_run(connection, OLD, old),
        run_after=_run(connection, NEW, new),
    )


def _kind(changes: list[Change]) -> Kind:
    if any(change.is_breaking for change in changes):
        return "major"
    return "minor" if changes else "patch"


def _rows(connection: duckdb.DuckDBPyConnection, old: Contents, new: Contents) -> tuple[set[str], list[Change]]:
    """The tables with equal rows in both files, and a change for each of the others; provenance is excluded.

    Rows are compared over the columns that both files have.
    """
    shared = {
        table: {
            name: kind
            for name, kind in new.columns[table].items()
            if name not in PROVENANCE_COLUMNS and name in old.columns[table]
        }
        for table in sorted(old.tables & new.tables)
        if is_content(table)
    }
    shared = {table: names for table, names in shared.items() if names}
    before, after = digests(connection, OLD, shared), digests(connection, NEW, shared)
    found = []
    for table in shared:
        if before[table] != after[table]:
            was, now = before[table][0], after[table][0]
            words = f"{table}: {now:,} rows, some of them changed"
            if was != now:
                words = f"{table}: {was:,} rows before, {now:,} now"
            found.append(Change("rows", "changed", table, words, now))
    return {table for table in shared if before[table] == after[table]}, found


def _note(words: str) -> Change:
    return Change("note", "changed", "comparison", words)


def _run(connection: duckdb.DuckDBPyConnection, alias: str, held: Contents) -> dict[str, Any]:
    if "meta_run" not in held.tables:
        return {}
    result = connection.execute(f"select * from {alias}.meta_run")
    names = [column[0] for column in result.description or []]
    rows = result.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else {}


def method_of(connection: duckdb.DuckDBPyConnection, alias: str) -> str | None:
    """The fingerprint of the code that made a file, from its newest release; None if it does not say."""
    if not contents(connection, alias).has("meta_release", "method_fingerprint", "release_version"):
        return None
    row = first_row(connection, f"select method_fingerprint from {alias}.meta_release order by {NEWEST_FIRST} limit 1")
    return str(row[0]) if row else None
