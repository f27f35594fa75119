"""Check a candidate file and swap it in for the live one, so that no reader ever sees half a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd

from pipeline.errors import EXIT_REFUSED, PipelineError
from pipeline.leftovers import remove_unfinished
from pipeline.marts.declaration import Column, Table
from pipeline.published_digest import keep_digests, make_read_only, published_digests, write_ahead_log
from pipeline.setting_aside import set_aside

CHECKS_FOLDER = Path(__file__).parent / "marts" / "checks"
_MOST_EXAMPLES = 3

_COLUMNS_HELD = (
    "select table_name, column_name from duckdb_columns() where not internal order by table_name, column_index"
)


class TableRules(Protocol):
    """The contents of the `schemas.marts` module, passed in so that this module does not need pandera."""

    def has_rule(self, column: Column, /) -> bool: ...
    def problems(self, table: pd.DataFrame, name: str, columns: Sequence[Column], /) -> list[str]: ...


class CandidateRefused(PipelineError):
    """The candidate failed a check and was not published; the live file is untouched. One problem a line.

    ``kept`` is where it is kept for inspection, None if it is gone.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, problems: str, kept: Path | None = None) -> None:
        super().__init__(problems)
        self.kept = kept


def candidate_path(live: Path) -> Path:
    """A name beside ``live`` for the file being built by this process."""
    return live.with_name(f".{live.stem}.{os.getpid()}.building{live.suffix}")


def remove_leftovers(live: Path) -> list[str]:
    """Remove candidates that a killed run left beside ``live``; return their names. A running build's is kept."""
    return remove_unfinished(live.parent, live.stem)


def refused_path(live: Path) -> Path:
    """Where a file that a quality gate refused is kept, for inspection and possible acceptance."""
    return live.with_name(f"{live.stem}.refused{live.suffix}")


def keep_refused(candidate: Path, live: Path) -> Path:
    """Keep a refused candidate beside ``live``, replacing any earlier one; return where."""
    kept = refused_path(live)
    candidate.replace(kept)
    return kept


def discard(candidate: Path) -> None:
    """Remove a candidate, and the write-ahead log that a failed build may have left beside it."""
    candidate.unlink(missing_ok=True)
    write_ahead_log(candidate).unlink(missing_ok=True)


def refuse_lost_indicators(live: Path, *, missing_parts: Sequence[str]) -> None:
    """Refuse to replace a live file if parts of indicators have no figures at all; a first file may lack them.

    Raises CandidateRefused.
    """
    if missing_parts and live.exists():
        raise CandidateRefused(
            f"no source, snapshot or baseline has figures for {', '.join(missing_parts)}, "
            "and the published file has them; it is kept. The run report lists the attempts."
        )


def check_candidate(
    candidate: Path, tables: Mapping[str, Table], rules: TableRules, checks: Path = CHECKS_FOLDER
) -> None:
    """Hold every table against its declaration, follow every reference from one to another, and run every SQL check.

    Each SQL check selects the rows that are wrong.
    ``checks`` is the folder of the SQL checks.
    Raises CandidateRefused listing what failed.
    """
    with duckdb.connect(str(candidate), read_only=True) as connection:
        found = _wrong_columns(connection, tables)
        if not found:
            for name, table in tables.items():
                ruled = [column for column in table.columns if rules.has_rule(column)]
                if ruled and rules.problems(_probe(connection, name, ruled), name, ruled):
                    names = ", ".join(f'"{column.name}"' for column in ruled)
                    found.extend(rules.problems(connection.execute(f"select {names} from {name}").df(), name, ruled))
            found.extend(_dangling(connection, tables))
            found.extend(_wrong_rows(connection, checks))
    if found:
        raise CandidateRefused("\n".join(found))


def _probe(connection: duckdb.DuckDBPyConnection, name: str, ruled: Sequence[Column]) -> pd.DataFrame:
    """A few rows that decide whether a table keeps its rules: the extremes of columns with a range, and the distinct
    values of columns with a list. Only a table that fails here is checked row by row."""
    looks = ", ".join(
        f'[min("{column.name}"), max("{column.name}")]' if column.values is None else f'list(distinct "{column.name}")'
        for column in ruled
    )
    found = connection.execute(f"select {looks} from {name}").fetchone() or ()
    return pd.DataFrame({column.name: pd.Series(few or [None]) for column, few in zip(ruled, found, strict=True)})


def _wrong_columns(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> list[str]:
    """Tables whose columns differ from those declared, in order."""
    held: dict[str, list[str]] = {}
    for name, column in connection.execute(_COLUMNS_HELD).fetchall():
        held.setdefault(name, []).append(column)
    declared = {name: [column.name for column in table.columns] for name, table in tables.items()}
    return [
        f"{name}: the file has the columns {held.get(name, [])}, declared are {declared.get(name, [])}"
        for name in sorted(held.keys() | declared.keys())
        if held.get(name) != declared.get(name)
    ]


def _dangling(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> list[str]:
    """References without a target: DuckDB enforces no foreign keys here, since that would slow the build for nothing."""
    found = []
    for table in tables.values():
        for reference in [] if table.is_view else table.references(tables):
            columns, texts = _listed(reference.columns), _listed(reference.columns, "::varchar")
            held = " and ".join(f'"{name}" is not null' for name in reference.columns)
            lost = connection.execute(
                f"select {texts} from (select distinct {columns} from {table.id} where {held}) "
                f"except select {_listed(reference.key, '::varchar')} from {reference.table}"
            ).fetchall()
            if lost:
                found.append(
                    f"{table.id}.{reference.columns[-1]}: {len(lost)} refer to no row of {reference.table}, "
                    f"for example {lost[0]}"
                )
    return found


def _listed(names: Sequence[str], cast: str = "") -> str:
    return ", ".join(f'"{name}"{cast}' for name in names)


def _wrong_rows(connection: duckdb.DuckDBPyConnection, checks: Path) -> list[str]:
    found = []
    for path in sorted(checks.glob("*.sql")):
        wrong = connection.execute(path.read_text(encoding="utf-8")).fetchall()
        if wrong:
            examples = "; ".join(map(str, wrong[:_MOST_EXAMPLES]))
            found.append(f"{path.stem.replace('_', ' ')}: {len(wrong)} rows are wrong, for example {examples}")
    return found


def swap(candidate: Path, live: Path) -> None:
    """Swap ``candidate`` in for ``live`` in one step; readers with the old file open keep all of it.

    The new file is made read-only, and its digest is kept beside it (``published_digests``). A write-ahead log left by
    another program beside the live file would make the new file unreadable, and a folder with the file's name would
    block it: both are set aside.
    """
    with candidate.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    make_read_only(candidate)
    for in_the_way in (write_ahead_log(live), live):
        if in_the_way.is_dir() or (in_the_way.exists() and in_the_way != live):
            set_aside(in_the_way)
    # If the run dies now, either file may be left: both digests are recorded until the new one is in place.
    before = sorted(published_digests(live))
    keep_digests(live, [digest, *(known for known in before if known != digest)])
    candidate.replace(live)
    _flush_folder(live.parent)
    with suppress(OSError):  # published anyway; the note then also names the previous file
        keep_digests(live, [digest])


def live_fingerprint(live: Path) -> str | None:
    """The input fingerprint of the live file; None if there is no readable live file."""
    return _of_run(live, "input_fingerprint")


def run_id(live: Path) -> str | None:
    """The id of the run that made the live file; None if there is no readable live file."""
    return _of_run(live, "run_id")


def _of_run(live: Path, column: str) -> str | None:
    if not live.exists():
        return None
    try:
        with duckdb.connect(str(live), read_only=True) as connection:
            row = connection.execute(f"select {column} from meta_run").fetchone()
    except duckdb.Error:
        return None
    return str(row[0]) if row else None


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no directory handles to flush
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
