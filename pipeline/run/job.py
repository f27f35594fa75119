"""A refresh as a job: runs its steps, shows progress, and gives the summary, run report and exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from pipeline import stopping
from pipeline.catalogue import CatalogueError, Indicator, Part
from pipeline.console import make_console
from pipeline.errors import EXIT_FAILED, EXIT_INCOMPLETE, EXIT_OK, EXIT_REFUSED, PipelineError, VerbError
from pipeline.leftovers import remove_leftovers
from pipeline.run.check_schedule import Ask
from pipeline.run.context import Run, open_run
from pipeline.run.lock import Locked, is_held_here, one_at_a_time
from pipeline.run.notes import notes_of
from pipeline.run.options import DEFAULT_DRAWS, THOROUGH_DRAWS
from pipeline.run.progress import Reporter, print_summary
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.run_report import read_run_report, report_without_run, run_report, write_run_report
from pipeline.run.shared_bucket import with_bucket
from pipeline.settings import Settings, settings_from_environment
from pipeline.stopping import Ending

_WRONG_CATALOGUE = "the catalogue is wrong:\n{}"


_WORDS_OF_A_DISK = ("No space left on device", "Disk quota exceeded", "Read-only file system", "Permission denied")


class RefreshSteps(Protocol):
    """`pipeline.run.refresh.refresh`, or the Prefect flow that does the same."""

    def __call__(
        self,
        run: Run,
        *,
        force: bool = False,
        on_part: Callable[[PartResult], None] | None = None,
        on_results: Callable[[list[PartResult]], None] | None = None,
        timings: Timings | None = None,
    ) -> Outcome: ...


class Progress:
    """How far a run has got: the result of each part and the seconds of each step, for its report if it fails."""

    def __init__(self, reporter: Reporter, live: Path) -> None:
        self.timings = Timings()
        self.mended: list[str] = []  # faults of the published file that were mended before the run began
        self.reporter = reporter
        self._live = live
        self._live_before = _state(live)
        self._results: list[PartResult] = []

    def begin(self) -> None:
        """Note which file is published before the steps begin."""
        self._live_before = _state(self._live)

    @property
    def has_published(self) -> bool:
        """Whether the published file has been replaced since the steps began."""
        return _state(self._live) != self._live_before

    def part_done(self, result: PartResult) -> None:
        self._results.append(result)
        self.reporter.part_done(result)

    def all_done(self, results: Iterable[PartResult]) -> None:
        """Take the results of all parts as the run uses them, in place of each as it arrived."""
        self._results = list(results)

    def outcome(self, parts: Iterable[tuple[Indicator, Part]], refused: Path | None = None) -> Outcome:
        """The outcome of a run that published nothing; ``refused`` is the file that its gates refused.

        Results are in the order of ``parts``, that of the catalogue.
        """
        place = {(i.id, p.id): position for position, (i, p) in enumerate(parts)}
        results = sorted(self._results, key=lambda result: place[result.indicator_id, result.part_id])
        outcome = Outcome(False, tuple(results), {}, self.timings)
        if refused is None:
            return outcome
        from pipeline.run.row_counts import with_what_it_holds

        return with_what_it_holds(outcome, refused, self._live)


@dataclass(frozen=True)
class JobOptions:
    """The options of a refresh: see ``pipeline.verbs.refresh.add_options``. ``draws`` None is the default number."""

    force: bool = False
    offline: bool = False
    strict: bool = False
    draws: int | None = None
    thorough: bool = False
    ask: Ask = "due"


def run_job(
    steps: RefreshSteps,
    options: JobOptions,
    *,
    prefect_seconds: float | None = None,
    settings: Settings | None = None,
) -> int:
    """Run a refresh and report it; return the exit code (see ``pipeline.cli``).

    ``prefect_seconds`` is how long Prefect took to start. The run report is always written, unless
    another run holds the lock: the report then belongs to that run.
    Raises PipelineError for an expected failure, with a message that a person can act on.
    """
    console = make_console()
    run = _opened(options, settings or settings_from_environment())
    progress = Progress(Reporter(console, total=len(run.inputs.parts)), run.settings.database)
    job = _Job(run, progress, console, prefect_seconds)
    with stopping.closing("report", job.report_of_the_end):
        return job.do(steps, strict=options.strict)


@dataclass(frozen=True)
class _Job:
    """One refresh: the run, its progress, its console, and how long Prefect took to start."""

    run: Run
    progress: Progress
    console: Console
    prefect_seconds: float | None

    def do(self, steps: RefreshSteps, *, strict: bool) -> int:
        """Run the steps and report them; return the exit code."""
        run, progress, settings = self.run, self.progress, self.run.settings
        try:
            with (
                one_at_a_time(settings.marts_dir) as died,
                _healed(settings, progress, self.console),
                with_bucket(settings, lambda sentence: self.console.print(sentence, markup=False)) as shared,
                progress.reporter.showing(),
            ):
                progress.begin()
                if died is not None:
                    words = died.words(run.started_at)
                    self.console.print(f"The previous run stopped without finishing: {words}.")
                outcome = steps(
                    run,
                    force=run.options.force,
                    on_part=progress.part_done,
                    on_results=progress.all_done,
                    timings=progress.timings,
                )
                if not outcome.is_new and settings.refused_file.exists():
                    # publishers have taken back what was refused, so nobody must accept it now
                    settings.refused_file.unlink()
                    self.console.print("The refused file was deleted: sources give the published figures again.")
        except Locked:
            raise  # the report belongs to the run that holds the lock
        except BaseException as error:
            with stopping.uninterrupted():
                raised = self._reported(error)
                stopping.closed("report")
            if raised is error:
                raise
            raise raised from (error if isinstance(raised, PipelineError) else None)
        notes = notes_of(run, outcome.results)
        print_summary(self.console, settings.database, notes, outcome, self.prefect_seconds)
        code = EXIT_INCOMPLETE if shared.problems else exit_code(outcome, strict=strict)
        report = run_report(settings, notes, outcome, None, self.prefect_seconds, code)
        report |= {"mended": progress.mended, "bucket_problems": shared.problems, "bucket_notes": shared.notes}
        try:
            with stopping.uninterrupted():
                write_run_report(settings.marts_dir, report)
                stopping.closed("report")
        except OSError as error:
            ended = "the file was published" if outcome.is_new else "there was nothing new"
            why = error.strerror or error
            raise VerbError(f"{ended}, but the run report could not be written: {error.filename}: {why}") from error
        return code

    def report_of_the_end(self, ending: Ending) -> str | None:
        """Report how far a run got before it was ended; return what became of the published file, in words."""
        settings, has_published = self.run.settings, self.progress.has_published
        of_the_file = "the new file had been published" if has_published else "the published file is as it was"
        sentence = f"{ending.sentence}; {of_the_file}"
        try:
            report = self._report_of_failure(sentence, ending.exit_code)
        except RuntimeError:  # the run is still working and changed what was being read
            report = report_without_run(settings, sentence, ending.exit_code)
        traces = [settings.without_secrets(text) for text in ending.doings]
        report |= {
            "started_at": self.run.started_at.isoformat(),
            "mended": self.progress.mended,
            "tracebacks": [*report.get("tracebacks", []), *traces],
        }
        return of_the_file if _write_as_ours(settings, report) else None

    def _report_of_failure(self, sentence: str, code: int, refused: Path | None = None) -> dict[str, Any]:
        """The run report of a run that published nothing, because of ``sentence``."""
        outcome = self.progress.outcome(self.run.inputs.parts, refused)
        notes = notes_of(self.run, outcome.results, has_failed=True)
        return run_report(self.run.settings, notes, outcome, sentence, self.prefect_seconds, code)

    def _reported(self, error: BaseException) -> BaseException:
        """Report what ended a run; return what to raise: a sentence, or the error itself without any key in its text."""
        from pipeline.geography.area_errors import RegisterError
        from pipeline.publish import CandidateRefused  # loaded late: it imports all that publishing needs

        crash = "".join(traceback.format_exception(error))
        code, refused = EXIT_FAILED, None
        match error:
            case CandidateRefused():
                code, refused, sentence = EXIT_REFUSED, error.kept, str(error)
                raised: BaseException = VerbError(f"not published, the file before it stays:\n{error}", EXIT_REFUSED)
            case CatalogueError():  # in a file that only a run with news reads
                sentence, raised = str(error), VerbError(_WRONG_CATALOGUE.format(error))
            case RegisterError():
                sentence, raised = str(error), VerbError(f"the register of areas is wrong:\n{error}")
            case OSError():
                sentence = f"{error.filename or 'a file'} cannot be written or read: {error.strerror or error}"
                raised = VerbError(sentence)
            case _ if not isinstance(error, Exception):
                ending = stopping.ending_of(error)
                code, sentence, raised = ending.exit_code, ending.sentence, error
            case _ if (trouble := _trouble_of_the_disk(error)) is not None:
                sentence, raised = trouble, VerbError(trouble)
            case PipelineError():
                code, sentence, raised = error.exit_code, str(error), error
            case _:
                sentence, raised = self.run.settings.without_secrets(crash), error
                if sentence != crash:
                    words = self.run.settings.without_secrets(str(error))
                    raised = RuntimeError(f"{words} (the whole error, without the key, is in the run report)")
        report = self._report_of_failure(sentence, code, refused)
        report["mended"] = self.progress.mended
        _write_failure(self.run.settings, report)
        return raised


def report_end(settings: Settings, began: datetime, ending: Ending) -> None:
    """Write the run report of a run that was ended before it wrote its own, unless another run is at work."""
    if read_run_report(settings.marts_dir, since=began) is not None:
        return
    report = report_without_run(settings, ending.sentence, ending.exit_code)
    report |= {
        "started_at": began.isoformat(),
        "tracebacks": [settings.without_secrets(text) for text in ending.doings],
    }
    _write_as_ours(settings, report)


def _write_as_ours(settings: Settings, report: dict[str, Any]) -> bool:
    """Write a run report and return True; return False if another run is at work, since the report is then that run's."""
    try:
        with nullcontext() if is_held_here(settings.marts_dir) else one_at_a_time(settings.marts_dir):
            _write_failure(settings, report)
    except Locked:
        return False
    return True


@contextmanager
def _healed(settings: Settings, progress: Progress, console: Console) -> Iterator[None]:
    """Mend the published file before the run uses it (see `pipeline.run.healing`).

    Files that an ended run had begun to write are deleted.
    """
    from pipeline.run.healing import heal  # loaded late: it imports all that publishing needs

    remove_leftovers(settings.marts_dir, settings.raw_dir)
    progress.mended = heal(settings)
    for sentence in progress.mended:
        console.print(f"Mended: {sentence}.", markup=False)
    yield


def _opened(options: JobOptions, settings: Settings) -> Run:
    if options.draws is not None and options.draws < 0:
        raise VerbError("--draws must be 0 or more")
    usual = THOROUGH_DRAWS if options.thorough else DEFAULT_DRAWS
    try:
        return open_run(
            settings,
            offline=options.offline,
            force=options.force,
            draws=usual if options.draws is None else options.draws,
            is_thorough=options.thorough,
            ask=options.ask,
        )
    except CatalogueError as error:
        # replaces the last run's report, which would otherwise be taken for this run's
        _write_failure(settings, report_without_run(settings, str(error), EXIT_FAILED))
        raise VerbError(_WRONG_CATALOGUE.format(error)) from error


def _state(live: Path) -> tuple[int, int] | None:
    try:
        state = live.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _trouble_of_the_disk(error: BaseException) -> str | None:
    """A sentence if DuckDB found the disk full or not writable, which only its words say; else None."""
    import duckdb

    if not isinstance(error, duckdb.Error) or not any(words in str(error) for words in _WORDS_OF_A_DISK):
        return None
    return f"the new file could not be written, the one before it stays: {str(error).splitlines()[0]}"


def exit_code(outcome: Outcome, *, strict: bool) -> int:
    """0, or 4 if parts have no figures at all or (``strict``) if a live source gave none."""
    if outcome.missing:
        return EXIT_INCOMPLETE
    stale = any(result.tier != "live" and any(a.tier == "live" for a in result.attempts) for result in outcome.results)
    return EXIT_INCOMPLETE if strict and stale else EXIT_OK


def _write_failure(settings: Settings, report: dict[str, Any]) -> None:
    try:
        write_run_report(settings.marts_dir, report)
    except OSError as second:
        print(f"the run report could not be written either: {second}", file=sys.stderr)
