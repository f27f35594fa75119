"""Whole refreshes from a baseline of one's own, and what the file they publish says."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.run.context import Run, open_run
from pipeline.run.refresh import refresh
from tests.quick import quick


def published(folder: Path, baseline: Path, *, force: bool = False, draws: int = 0) -> str:
    """Refresh from a baseline into a data folder; return the line that says what changed. Ranks need ``draws``."""
    context = context_of(folder, baseline, draws)
    outcome = refresh(context, force=force)
    assert outcome.keeping_problem is None
    return outcome.release.line if outcome.release else "nothing new"


def context_of(folder: Path, baseline: Path, draws: int = 0) -> Run:
    return open_run(quick(folder, baseline_dir=baseline), offline=True, draws=draws)


def rows(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "marts" / "inclusive_growth.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()
