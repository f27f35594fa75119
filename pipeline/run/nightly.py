"""The nightly job: refresh, report site, pruning, telling people; each step runs even if the one before failed.

The steps are handed in, so that ``python -m pipeline nightly`` and the Prefect flow do the same. What a night came to:

* 0: published, or nothing new
* 1: failed: the refresh, or only the report or the pruning after a refresh that went well (the text says which)
* 3: the new file was refused by a check or a gate; the one before it stays
* 4: published or nothing new, but a source did not give its figures today, or the bucket did not take what is new
* 5: another run is at work; nothing was done, and nothing after the refresh is tried
* 130, 143, 129: stopped by hand, by the system (SIGTERM) or with its terminal: see `pipeline.stopping`
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import stopping
from pipeline.errors import EXIT_FAILED, EXIT_INCOMPLETE, EXIT_LOCKED, EXIT_OK, EXIT_REFUSED, PipelineError
from pipeline.notify import Message, Recipients, When, recipients_from_environment, send
from pipeline.run.job import JobOptions, report_end
from pipeline.run.run_report import read_run_report, write_run_report
from pipeline.run.watchdog import ended_after
from pipeline.settings import PROJECT_ROOT, Settings, SettingsError, settings_from_environment
from pipeline.stopping import STOPPED, Ending

REPORT_FOLDER = "report"
METHODOLOGY = PROJECT_ROOT / "docs" / "methodology.md"
# Exit codes after which there is a file to look after: a site to build, old releases to delete.
WENT_WELL = (EXIT_OK, EXIT_INCOMPLETE)
_MOST_SENTENCES = 8
_MOST_LINES = 12
_HEADLINES = {
    EXIT_FAILED: "failed",
    EXIT_REFUSED: "not published, the new file was refused",
    EXIT_LOCKED: "not run, another run is at work",
}
log = logging.getLogger(__name__)
Tell = Callable[[Message, Recipients], list[str]]


@dataclass(frozen=True)
class NightlyOptions:
    """Options of a night. ``is_quick`` leaves out the 2,000 draws and the studies, ``has_report`` False the site."""

    offline: bool = False
    is_quick: bool = False
    has_report: bool = True

    @property
    def job(self) -> JobOptions:
        """The refresh of this night. An offline night asks nobody on purpose, so nobody's silence is a failing."""
        return JobOptions(offline=self.offline, strict=not self.offline, thorough=not self.is_quick)


@dataclass(frozen=True)
class NightlySteps:
    """The work of a night, as plain functions or as Prefect's tasks.

    ``refresh`` gives an exit code or raises PipelineError; ``build_report`` the site's folder, or None where the site that
    stands is of the live file; ``prune`` a sentence for each kind of thing deleted; ``tell`` one for each message that
    did not arrive.
    """

    refresh: Callable[[JobOptions, Settings], int]
    build_report: Callable[[Settings], Path | None]
    prune: Callable[[Settings], list[str]]
    tell: Tell


@dataclass
class Night:
    """What became of a night: its exit code, and the sentences for people."""

    code: int
    failure: str | None = None
    site: Path | None = None
    pruned: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def went_wrong(self, sentence: str) -> None:
        """Note a step after the refresh that failed; what was published stays, but somebody has to look."""
        self.problems.append(sentence)
        self.code = EXIT_FAILED if self.code in WENT_WELL else self.code


def run_night(
    steps: NightlySteps, options: NightlyOptions, settings: Settings | None = None, now: datetime | None = None
) -> Night:
    """Do a night's work and tell of it. A night that outlasts ``settings.most_minutes`` ends this process with exit code 1.

    Raises SettingsError before anything is done when a setting cannot be used, and tells of it where it is none of those
    that say whom to tell; whatever else the refresh raises that
    is no PipelineError (a defect) is reported first and then raised.
    """
    now = now or datetime.now(UTC)
    recipients = recipients_from_environment()
    try:
        settings = settings or settings_from_environment()
    except SettingsError as error:
        subject = f"Inclusive growth: {_HEADLINES[EXIT_FAILED]}"
        for undelivered in steps.tell(Message(subject, str(error), "failures"), recipients):
            print(undelivered, file=sys.stderr)
        raise
    too_long = (
        f"the night was ended after {settings.most_minutes:g} minutes (IG_MOST_MINUTES), before its work was done; "
        "what was published stays, and the next night begins anew"
    )
    with (
        stopping.closing("people", partial(tell_of_the_end, settings, recipients, now)),
        ended_after(settings.most_minutes * 60, too_long),
    ):
        return _night(steps, options, settings, recipients, now)


def _night(
    steps: NightlySteps, options: NightlyOptions, settings: Settings, recipients: Recipients, now: datetime
) -> Night:
    try:
        night = Night(steps.refresh(options.job, settings))
    except PipelineError as error:
        night = Night(error.exit_code, str(error))
    except Exception as error:
        night = Night(EXIT_FAILED, settings.without_secrets(_in_words(error)))
        _tell(steps.tell, night, settings, recipients, now)
        raise
    except BaseException as error:  # a key, or SIGTERM to a flow that a worker runs
        tell_of_the_end(settings, recipients, now, stopping.ending_of(error))
        raise
    if night.code in WENT_WELL:
        if options.has_report:
            _build_report(steps, settings, night)
        if _may_have_added(settings, now):
            _prune(steps, settings, night)
    _tell(steps.tell, night, settings, recipients, now)
    return night


def tell_of_the_end(settings: Settings, recipients: Recipients, now: datetime, ending: Ending) -> None:
    """Say that a night is ended before its work is done: to people, in the run report, and on the screen."""
    report_end(settings, now, ending)
    _tell(send, Night(ending.exit_code, ending.sentence), settings, recipients, now)


def _may_have_added(settings: Settings, now: datetime) -> bool:
    """Whether the refresh may have stored or published something; one that read no figures has not."""
    report = read_run_report(settings.marts_dir, since=now)
    return report is None or bool(report.get("figures_were_read", True))


def _build_report(steps: NightlySteps, settings: Settings, night: Night) -> None:
    try:
        night.site = steps.build_report(settings)
    except Exception as error:
        log.exception("the report site")
        night.went_wrong(f"the report site was not built, the one before it stays: {_in_words(error)}")


def _prune(steps: NightlySteps, settings: Settings, night: Night) -> None:
    try:
        night.pruned = steps.prune(settings)
    except Exception as error:
        log.exception("pruning")
        night.went_wrong(f"old snapshots and releases were not pruned: {_in_words(error)}")


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def build_report_if_other(settings: Settings) -> Path | None:
    """Build the report site where it is missing or of another live file; return its folder, None where it stands.

    The front page carries the live file's time, so that neither a clock that was set back nor a release that was
    restored leaves the site of another file.
    """
    folder, made = site_folder(settings), settings.database.stat().st_mtime_ns
    front = folder / "index.html"
    if front.exists() and front.stat().st_mtime_ns == made:
        return None
    from pipeline.report.site import build_site

    build_site(settings.database, folder, methodology=METHODOLOGY.read_text(encoding="utf-8"))
    os.utime(front, ns=(made, made))
    return folder


def prune(settings: Settings) -> list[str]:
    """Delete old snapshots and releases; a sentence for each kind. Not done tonight if another run has begun."""
    from pipeline import retention
    from pipeline.run.lock import Locked, one_at_a_time

    try:
        with one_at_a_time(settings.marts_dir):
            return retention.prune(settings)
    except Locked:
        return ["Old data were not deleted because another run had started. This will be retried tomorrow night."]


def site_folder(settings: Settings) -> Path:
    """Where the report site is."""
    return settings.marts_dir / REPORT_FOLDER


def _tell(tell: Tell, night: Night, settings: Settings, recipients: Recipients, now: datetime) -> None:
    """Report the night: on the screen, in the run report, and to whoever asked for messages."""
    with stopping.uninterrupted():
        _report_night(tell, night, settings, recipients, now)
        stopping.closed("people")


def _report_night(tell: Tell, night: Night, settings: Settings, recipients: Recipients, now: datetime) -> None:
    is_own_report = night.code != EXIT_LOCKED  # the run report that stands is another run's
    report = read_run_report(settings.marts_dir, since=now) if is_own_report else None
    message = message_of(night, report, settings, now)
    print(f"\n{message.subject}\n{message.text}", flush=True)
    undelivered = tell(message, recipients)
    for sentence in undelivered:
        print(sentence, file=sys.stderr)
    if report is not None:
        report |= {"exit_code": night.code, "night": [message.subject, *message.text.splitlines(), *undelivered]}
        try:
            write_run_report(settings.marts_dir, report)
        except OSError as error:
            print(f"the night could not be added to the run report: {error}", file=sys.stderr)


def message_of(night: Night, report: dict[str, Any] | None, settings: Settings, now: datetime) -> Message:
    """The message about a night, in a few plain lines. ``report`` is the run report of its refresh, if any."""
    report = report or {}
    release = report.get("release") or {}
    is_new = report.get("status") == "published"
    lines = [f"What changed: {release['what_changed']}"] if release.get("what_changed") else []
    lines += _at_most((night.failure or "").splitlines())
    lines += night.problems
    lines += _some(report.get("sources_unreachable", []), "Not reached")
    lines += _some(report.get("failures", []), "Went wrong")
    lines += _some(report.get("from_release", []), "From the newest release")
    lines += _some(report.get("mended", []), "Put right")
    lines += _some(report.get("bucket_problems", []), "Bucket")
    if night.code not in (EXIT_REFUSED, EXIT_LOCKED):
        lines += _some(_overdue(report, settings, now), "Overdue")
    found = _found_by_gates(report) if is_new else []
    lines += _some(found, "Gate")
    lines += night.pruned
    lines += [f"Report: {night.site / 'index.html'}"] if night.site else []
    lines += [f"More: {settings.marts_dir / 'run_report.md'}"] if report else []
    # The gates let a file pass with a warning, or something wrote into the published file: somebody should look at it
    # though the night went well.
    is_worth_telling = night.code != EXIT_OK or found or report.get("mended")
    concerns: When = "failures" if is_worth_telling else "changes" if is_new else "always"
    ended = f"published {release.get('version', '')}".strip() if is_new else "nothing new"
    ended += f", with {len(found)} {'warning' if len(found) == 1 else 'warnings'} of the gates" if found else ""
    headline = _headline(night, ended, _missing(report), is_new=is_new)
    return Message(f"Inclusive growth: {headline}", "\n".join(lines), concerns)


def _overdue(report: dict[str, Any], settings: Settings, now: datetime) -> list[str]:
    """What is overdue: as the refresh found it, or where it did not get so far, by the published file."""
    if report.get("status") not in ("failed", "stopped") and report.get("parts"):
        found: list[str] = report.get("overdue", [])
        return found
    from pipeline.run.overdue_published import overdue

    return overdue(settings.database, now.date())


def _found_by_gates(report: Mapping[str, Any]) -> list[str]:
    """What the gates found in the new file but for lateness, which is said of every night."""
    found = report.get("gates", [])
    return [f"{finding['severity']}: {finding['sentence']}" for finding in found if finding["gate_id"] != "too_old"]


def _missing(report: dict[str, Any]) -> str:
    """What a night that ended with 4 lacks, by its report: figures of a source, the bucket, or both."""
    sources = "sources that gave no figures today"
    if not report.get("bucket_problems"):
        return sources
    of_sources = report.get("sources_unreachable") or report.get("failures")
    return f"{sources} and a bucket to look after" if of_sources else "a bucket to look after"


def _headline(night: Night, ended: str, missing: str, *, is_new: bool) -> str:
    """One line on a night; ``ended`` says what a refresh that went well came to, ``missing`` what it lacks if it ended with 4."""
    if night.code in STOPPED:
        return f"{ended}, and stopped before what follows it was done" if is_new else "stopped before it ended"
    if night.code == EXIT_FAILED and night.failure is None:
        return f"{ended}, but what follows it failed"
    if night.code == EXIT_INCOMPLETE:
        return f"{ended}, with {missing}"
    return _HEADLINES.get(night.code, ended)


def _at_most(lines: list[str]) -> list[str]:
    """The first and the last of many lines: what was found, and how to go on."""
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 2], f"({len(lines) - _MOST_LINES + 1} lines more in the run report)", lines[-1]]


def _some(sentences: list[str], heading: str) -> list[str]:
    shown = [f"{heading}: {sentence}" for sentence in sentences[:_MOST_SENTENCES]]
    more = len(sentences) - len(shown)
    return [*shown, f"{heading}: {more} more"] if more else shown


def plain_steps() -> NightlySteps:
    """The steps without Prefect."""
    from pipeline.run.job import run_job
    from pipeline.run.refresh import refresh

    return NightlySteps(
        refresh=lambda options, settings: run_job(refresh, options, settings=settings),
        build_report=build_report_if_other,
        prune=prune,
        tell=send,
    )
