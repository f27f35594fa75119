"""How a refresh looks: a progress display on a terminal, plain lines in a log."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.run.notes import Notes
from pipeline.run.results import Outcome, PartResult
from pipeline.run.run_report import (
    MOST_SENTENCES,
    awaited_words,
    source_words,
    sources_in_short,
    table_rows,
    unreachable_hosts,
)

READ_IT = '.venv/bin/python -m pipeline area "Preston" prints a place; `make report` builds a site to look at.'
_RIGHT = ("districts", "parts", "age")


class Reporter:
    """Tells of each part as it arrives. Safe to call from several threads."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    @contextmanager
    def showing(self) -> Iterator[Reporter]:
        """Show the progress bar while the block runs; without a terminal, print a line for each part instead."""
        if not self._console.is_terminal:
            yield self
            return
        columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            self._progress = progress
            self._task = progress.add_task("fetching", total=self._total)
            yield self
        self._progress = None

    def part_done(self, result: PartResult) -> None:
        with self._lock:
            self._done += 1
            if self._progress is not None:
                self._progress.update(self._task, completed=self._done, description=result.name)
            else:
                self._console.print(f"[{self._done}/{self._total}] {result.name}: {source_words(result)}", markup=False)


def print_summary(
    console: Console, database: Path, notes: Notes, outcome: Outcome, prefect_seconds: float | None = None
) -> None:
    """Print the summary table, what could not be reached, what failed, and the time the work took.

    The table has a row for each part where figures were read; where nothing was new, a row for each source.
    """
    is_read = any(result.accepted is not None for result in outcome.results)
    if is_read:
        headings: tuple[str, ...] = ("indicator", "source used", "years", "districts", "age")
        rows: Sequence[tuple[str, ...]] = table_rows(outcome.results, notes.started_at)
    else:
        headings = ("source used", "parts", "age")
        rows = sources_in_short(outcome.results, notes.started_at)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _RIGHT else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()
    if (awaited := awaited_words(outcome)) is not None:
        console.print(awaited, markup=False)
    _print_some(console, "Not reached", unreachable_hosts(outcome.results))
    _print_some(console, "From the newest release", notes.from_release)
    if notes.overdue:
        releases = "release is" if len(notes.overdue) == 1 else "releases are"
        console.print(
            f"Overdue: {len(notes.overdue)} {releases}; `python -m pipeline calendar` tells which.", markup=False
        )
    _print_some(console, "Went wrong", outcome.failures)
    _print_some(console, "Odd", _warnings(outcome.results))
    set_aside = sum(result.account.rows_set_aside for result in outcome.results if result.account is not None)
    if set_aside:
        console.print(f"Rows set aside on arrival: {set_aside} (see meta_quarantine)", markup=False)
    if outcome.keeping_problem is not None:
        console.print(f"Went wrong: {outcome.keeping_problem}", markup=False)
    work = outcome.timings.total
    start = "" if prefect_seconds is None else f"; Prefect's own start took {prefect_seconds:.1f} s more"
    if outcome.is_new:
        counts = outcome.row_counts
        console.print(
            f"Published {database.name}: {counts['fct_observation']:,} observations of "
            f"{counts['dim_indicator']} indicators, {counts['mart_area_profile']} districts, {counts['mart_score']:,} scores.",
            markup=False,
        )
        if outcome.release is not None:
            console.print(f"What changed: {outcome.release.line}.", markup=False)
        found = [f"{f.severity}: {f.sentence}" for f in outcome.findings if f.gate_id != "too_old"]
        _print_some(console, "Gate", found)
        console.print(f"The work took {work:.1f} s ({_steps(outcome)}){start}.", markup=False)
        console.print(f"Read it: {READ_IT}", markup=False)
    else:
        _print_some(console, "Asked", notes.asked)
        console.print(
            f"Nothing new: {database.name} already holds these figures; it was left as it is. "
            f"Looking took {work:.1f} s{start}.",
            markup=False,
        )


def _warnings(results: Sequence[PartResult]) -> list[str]:
    return [f"{r.indicator_id} ({r.part_id}): {w}" for r in results if r.account for w in r.account.warnings]


def _steps(outcome: Outcome) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in outcome.timings.seconds.items())


def _print_some(console: Console, heading: str, sentences: Sequence[str]) -> None:
    for sentence in sentences[:MOST_SENTENCES]:
        console.print(f"{heading}: {sentence}", markup=False)
    if len(sentences) > MOST_SENTENCES:
        console.print(f"{heading}: {len(sentences) - MOST_SENTENCES} more, see run_report.md", markup=False)
