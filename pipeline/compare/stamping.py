"""Give a version to a file that is about to be published, and record in it how it differs from the one it replaces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.compare import row_types as columns
from pipeline.compare.changes import Change
from pipeline.compare.compared_files import (
    NEW,
    OLD,
    PROVENANCE_COLUMNS,
    RELEASE_TABLES,
    CannotCompare,
    contents,
    digests,
    first_row,
    is_content,
    side_by_side,
)
from pipeline.compare.comparison import Comparison, compare_attached, method_of
from pipeline.compare.one_line import explanation
from pipeline.compare.score_changes import Rescore
from pipeline.compare.version import FIRST_VERSION, Kind, Version

# Revisions of earlier releases are copied, newest first, up to this many rows; those of older releases remain in the
# kept releases.
MOST_REVISIONS_CARRIED = 20_000


@dataclass(frozen=True)
class Stamp:
    """A release's version, its kind of change, and its one-line description."""

    version: Version
    previous: Version | None
    kind: Kind
    explanation: str
    released_at: datetime

    @property
    def line(self) -> str:
        """For example: "minor 1.2.0 → 1.3.0: 1 figure revised …"."""
        if self.previous is None:
            return f"{self.version}: {self.explanation}"
        return f"{self.kind} {self.previous} → {self.version}: {self.explanation}"


def stamp(
    candidate: Path,
    before: Path | None,
    *,
    method_fingerprint: str,
    rescore: Rescore | None = None,
    last_version: Version | None = None,
    problem: str | None = None,
) -> Stamp:
    """Compare ``candidate`` with the file ``before`` and fill its four release tables; return its stamp.

    ``last_version`` is the highest version known so far beside the file; the new one is higher. ``problem`` says why an
    expected file is missing from the comparison, or which file replaces it. ``method_fingerprint`` is that of the
    current code. A failed comparison never stops a release: the release becomes minor and its line says what went
    wrong.
    """
    history = _history(before, candidate)
    try:
        return _stamp(candidate, before, history, method_fingerprint, rescore, last_version, problem)
    except (CannotCompare, duckdb.Error) as error:
        if before is None:
            raise
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        note = f"it could not be compared with the file before it ({reason})"
        return _stamp(candidate, None, history, method_fingerprint, None, _version_of(before) or last_version, note)


def _stamp(
    candidate: Path,
    before: Path | None,
    history: Mapping[str, pa.Table],
    method_fingerprint: str,
    rescore: Rescore | None,
    last_version: Version | None,
    problem: str | None,
) -> Stamp:
    with side_by_side(before, candidate, write=True) as connection:
        comparison, previous = None, last_version
        if before is not None:
            is_same = method_of(connection, OLD) == method_fingerprint
            comparison = compare_attached(connection, is_same_method=is_same, rescore=rescore)
            previous = latest_version(connection, OLD)
        [(built_at,)] = connection.execute(f"select built_at from {NEW}.meta_run").fetchall()
        made = _made(comparison, previous, last_version, problem, _dated(built_at, history))
        tables = {
            "meta_release": _release_row(connection, made, comparison, method_fingerprint),
            "meta_release_change": _change_rows(made, comparison),
            "mart_revision": _of_release(comparison.revisions if comparison else columns.REVISION.empty_table(), made),
            "mart_movement": _of_release(comparison.movements if comparison else columns.MOVEMENT.empty_table(), made),
        }
        _fill(connection, tables, history)
        return made


def _dated(built_at: datetime, history: Mapping[str, pa.Table]) -> datetime:
    """The release date: when its file was made or, if the clock has since been set back, just after the previous release."""
    before = history.get("meta_release")
    if before is None or "released_at" not in before.column_names:
        return built_at
    latest = pc.max(before["released_at"]).as_py()
    return built_at if latest is None else max(built_at, latest + timedelta(seconds=1))


def _made(
    comparison: Comparison | None,
    previous: Version | None,
    highest: Version | None,
    problem: str | None,
    released_at: datetime,
) -> Stamp:
    """``previous`` is the replaced release, ``highest`` the last version issued, which a restored file may be behind."""
    if comparison is None:
        words = problem or "the first release; there is nothing to compare it with"
        kind: Kind = "first" if previous is None else "minor"
    else:
        words = explanation(comparison)
        words = f"{words}; {problem}" if problem else words
        kind = comparison.kind
        if previous is None:
            kind, words = "first", f"the first release with a number, compared with the file before it: {words}"
    given = [version for version in (previous, highest) if version is not None]
    version = max(given).after("minor" if kind == "first" else kind) if given else FIRST_VERSION
    return Stamp(version, previous, kind, words, released_at)


def latest_version(connection: duckdb.DuckDBPyConnection, alias: str) -> Version | None:
    """The newest version in the release list of the file attached as ``alias``; None if it has none."""
    if not contents(connection, alias).has("meta_release", "release_version"):
        return None
    found = connection.execute(f"select release_version from {alias}.meta_release").fetchall()
    return max((Version.parse(str(version)) for (version,) in found), default=None)


def _version_of(path: Path) -> Version | None:
    """The version of a file that may be damaged; None if it does not say."""
    try:
        with side_by_side(None, path) as connection:
            return latest_version(connection, NEW)
    except (CannotCompare, duckdb.Error, ValueError):
        return None


def _release_row(
    connection: duckdb.DuckDBPyConnection, made: Stamp, comparison: Comparison | None, method_fingerprint: str
) -> pa.Table:
    held = contents(connection, NEW)
    tables = {
        table: {name: kind for name, kind in held.columns[table].items() if name not in PROVENANCE_COLUMNS}
        for table in sorted(held.tables)
        if is_content(table)
    }
    content = json.dumps([duckdb.__version__, digests(connection, NEW, tables)], sort_keys=True)
    names = ("run_id", "code_version", "input_fingerprint", "draw_count", "is_thorough")
    run = first_row(connection, f"select {', '.join(names)} from {NEW}.meta_run")
    row: dict[str, Any] = {
        "release_version": str(made.version),
        "released_at": made.released_at,
        "previous_version": str(made.previous) if made.previous else None,
        "kind": made.kind,
        "explanation": made.explanation,
        **dict(zip(names, run or (), strict=True)),
        "method_fingerprint": method_fingerprint,
        "content_hash": hashlib.sha256(content.encode()).hexdigest(),
        **_counts(comparison),
    }
    return pa.Table.from_pylist([row])


def _counts(comparison: Comparison | None) -> dict[str, Any]:
    names = (
        "new_period_count", "new_figure_count", "revised_figure_count", "filled_figure_count", "withdrawn_figure_count",
        "status_change_count", "derived_change_count", "new_indicator_count", "gone_indicator_count", "new_area_count",
        "gone_area_count", "scores_compared_count", "scores_moved_count", "ranks_moved_count", "largest_score_change",
    )  # fmt: skip
    if comparison is None:
        return dict.fromkeys(names)
    moved = comparison.movements
    kinds = ("revised", "filled", "withdrawn", "status_changed", "interval_revised")
    values = (
        comparison.count("period", "appeared"),
        comparison.new_figures,
        comparison.revised("revised"),
        comparison.revised("filled"),
        comparison.revised("withdrawn"),
        comparison.revised("status_changed"),
        comparison.revised(*kinds, is_derived=True),
        comparison.count("indicator", "appeared"),
        comparison.count("indicator", "gone"),
        comparison.count("area", "appeared"),
        comparison.count("area", "gone"),
        comparison.scores_compared,
        comparison.scores_moved,
        int(pc.sum(pc.not_equal(pc.fill_null(moved["rank_change"], 0), 0)).as_py() or 0),
        pc.max(pc.abs(moved["score_change"])).as_py(),
    )
    return dict(zip(names, values, strict=True))


def _change_rows(made: Stamp, comparison: Comparison | None) -> pa.Table:
    changes: tuple[Change, ...] = comparison.changes if comparison else ()
    schema = pa.schema(
        {
            "release_version": pa.string(),
            "position": pa.int32(),
            "subject": pa.string(),
            "change": pa.string(),
            "subject_id": pa.string(),
            "description": pa.string(),
            "row_count": pa.int64(),
        }
    )
    rows = [
        {
            "release_version": str(made.version),
            "position": position,
            "subject": change.subject,
            "change": change.change,
            "subject_id": change.subject_id,
            "description": change.words,
            "row_count": change.row_count,
        }
        for position, change in enumerate(changes, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _of_release(table: pa.Table, made: Stamp) -> pa.Table:
    return table.append_column("release_version", pa.array([str(made.version)] * table.num_rows, pa.string()))


def _history(before: Path | None, candidate: Path) -> Mapping[str, pa.Table]:
    """The previous file's list of its own and earlier releases, with as many revisions as are copied.

    Empty if it cannot be read: the kept releases still have them.
    """
    if before is None:
        return {}
    found = {}
    try:
        with side_by_side(before, candidate) as connection:
            old, new = contents(connection, OLD), contents(connection, NEW)
            for table in ("meta_release", "meta_release_change", "mart_revision"):
                shared = [name for name in new.columns[table] if name in old.columns.get(table, {})]
                if "release_version" in shared:
                    names = ", ".join(f'"{name}"' for name in shared)
                    found[table] = connection.sql(f"select {names} from {OLD}.{table}").to_arrow_table()
    except (CannotCompare, duckdb.Error):
        return {}
    if "mart_revision" in found:
        found["mart_revision"] = _newest(found["mart_revision"])
    return found


def _newest(revisions: pa.Table) -> pa.Table:
    """Complete releases of ``revisions``, newest first, up to MOST_REVISIONS_CARRIED rows."""
    sizes = {row["values"]: row["counts"] for row in pc.value_counts(revisions["release_version"]).to_pylist()}
    kept, total = [], 0
    for version in sorted(sizes, key=Version.parse, reverse=True):
        total += sizes[version]
        if total > MOST_REVISIONS_CARRIED:
            break
        kept.append(version)
    return revisions.filter(pc.is_in(revisions["release_version"], pa.array(kept, pa.string())))


def _fill(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], history: Mapping[str, pa.Table]
) -> None:
    """Write history and this release's rows in one transaction, replacing those of an earlier stamp."""
    connection.execute("begin transaction")
    for table in RELEASE_TABLES:
        connection.execute(f"delete from {NEW}.{table}")
        for rows in (history.get(table), tables[table]):
            if rows is not None and rows.num_rows:
                connection.register("rows_to_add", rows)
                connection.execute(f"insert into {NEW}.{table} by name select * from rows_to_add")
                connection.unregister("rows_to_add")
    connection.execute("commit")
    connection.execute(f"checkpoint {NEW}")
    connection.execute(f"detach {NEW}")
