"""A refresh as a job: progress, summary, run report and exit code around whichever way the steps are run."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.catalogue import CatalogueError
from pipeline.console import Reporter, make_console, print_summary
from pipeline.run.context import DEFAULT_DRAWS, THOROUGH_DRAWS, RunContext, open_run
from pipeline.run.lock import Locked, one_at_a_time
from pipeline.run.report import run_report, write_run_report
from pipeline.run.results import Outcome, PartResult
from pipeline.run.rota import Ask
from pipeline.run.shared import with_bucket
from pipeline.settings import Settings, SettingsError, settings_from_environment
from pipeline.verbs.common import EXIT_INCOMPLETE, EXIT_LOCKED, EXIT_OK, EXIT_REFUSED, VerbError

_WRONG_CATALOGUE = "the catalogue is wrong:\n{}"


_WORDS_OF_A_DISK = ("No space left on device", "Disk quota exceeded", "Read-only file system", "Permission denied")


class RefreshSteps(Protocol):
    """`pipeline.run.refresh.refresh`, or the Prefect flow that does the same."""

    def __call__(
        self, context: RunContext, *, force: bool = False, on_part: Callable[[PartResult], None] | None = None
    ) -> Outcome: ...


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
    """Run a refresh and tell of it; return the exit code (see ``pipeline.cli``).

    ``prefect_seconds`` is how long Prefect took to start. Whatever happens, the run report is written.
    Raises VerbError for an expected failure, its message one a person can act on.
    """
    console = make_console()
    if options.draws is not None and options.draws < 0:
        raise VerbError("--draws must be 0 or more")
    try:
        usual = THOROUGH_DRAWS if options.thorough else DEFAULT_DRAWS
        context = open_run(
            settings or settings_from_environment(),
            offline=options.offline,
            force=options.force,
            draws=usual if options.draws is None else options.draws,
            is_thorough=options.thorough,
            ask=options.ask,
        )
    except CatalogueError as error:
        raise VerbError(_WRONG_CATALOGUE.format(error)) from error
    except SettingsError as error:
        raise VerbError(str(error)) from error
    reporter = Reporter(console, total=len(context.parts))
    try:
        with (
            one_at_a_time(context.settings.marts_dir) as died,
            with_bucket(context.settings, lambda sentence: console.print(sentence, markup=False)) as shared,
            reporter.showing(),
        ):
            if died is not None:
                console.print(f"The run before this one ended without a word: {died.words(context.started_at)}.")
            outcome = steps(context, force=options.force, on_part=reporter.part_done)
    except Locked as error:
        raise VerbError(str(error), EXIT_LOCKED) from error
    except CatalogueError as error:  # of the files that only a run with news reads
        _report_failure(context, str(error))
        raise VerbError(_WRONG_CATALOGUE.format(error)) from error
    except OSError as error:
        _report_failure(context, str(error))
        raise VerbError(f"{error.filename or 'a file'} cannot be written or read: {error.strerror or error}") from error
    except Exception as error:
        if _is_refusal(error):
            _report_failure(context, str(error))
            raise VerbError(f"not published, the file before it stays:\n{error}", EXIT_REFUSED) from error
        trouble = _trouble_of_the_disk(error)
        crash = context.settings.without_secrets("".join(traceback.format_exception(error)))
        _report_failure(context, trouble or crash)
        if trouble:
            raise VerbError(trouble) from error
        raise
    print_summary(console, context, outcome, prefect_seconds)
    report = run_report(context, outcome, None, prefect_seconds)
    report |= {"bucket_problems": shared.problems, "bucket_notes": shared.notes}
    try:
        write_run_report(context.settings.marts_dir, report)
    except OSError as error:
        ended = "the file was published" if outcome.is_new else "there was nothing new"
        why = error.strerror or error
        raise VerbError(f"{ended}, but the run report could not be written: {error.filename}: {why}") from error
    return EXIT_INCOMPLETE if shared.problems else exit_code(outcome, strict=options.strict)


def _is_refusal(error: Exception) -> bool:
    """Whether a file was refused; asked only once something went wrong, since it takes all that publishing takes."""
    from pipeline.publish import CandidateRefused

    return isinstance(error, CandidateRefused)


def _trouble_of_the_disk(error: Exception) -> str | None:
    """A sentence where DuckDB found the disk full or not to be written, which it says in words only; else None."""
    import duckdb

    if not isinstance(error, duckdb.Error) or not any(words in str(error) for words in _WORDS_OF_A_DISK):
        return None
    return f"the new file could not be written, the one before it stays: {str(error).splitlines()[0]}"


def exit_code(outcome: Outcome, *, strict: bool) -> int:
    """0, or 4 where parts have no figures at all or (``strict``) where a live source did not give its own."""
    if outcome.missing:
        return EXIT_INCOMPLETE
    stale = any(result.tier != "live" and any(a.tier == "live" for a in result.attempts) for result in outcome.results)
    return EXIT_INCOMPLETE if strict and stale else EXIT_OK


def _report_failure(context: RunContext, error: str) -> None:
    try:
        write_run_report(context.settings.marts_dir, run_report(context, None, error, None))
    except OSError as second:
        print(f"the run report could not be written either: {second}", file=sys.stderr)
