"""Publish a file that a quality gate refused, because a person says that it is right."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline import publish
from pipeline.compare import Stamp
from pipeline.errors import PipelineError
from pipeline.gates import Finding, accept_findings
from pipeline.run.gate_check import hold_against_live
from pipeline.run.healing import heal
from pipeline.run.inputs import Inputs
from pipeline.run.lock import one_at_a_time
from pipeline.run.person import this_person
from pipeline.run.rebuild import publish_candidate
from pipeline.run.release import keep_release
from pipeline.run.run_report import write_run_report
from pipeline.run.shared_bucket import with_bucket
from pipeline.run.stores import Stores


class NothingToAccept(PipelineError):
    """No refused file is kept."""


def publish_refused(inputs: Inputs, stores: Stores, reason: str, now: datetime) -> tuple[Stamp, list[Finding]]:
    """Publish the refused file and keep in it why, by whom and when it was accepted; return its release and findings.

    It is compared with the live file again, which may have changed since. Raises NothingToAccept where no file was
    refused, Locked while a run is at work, CandidateRefused where a check fails that nobody can accept (a file of
    another edition of the tables, rows that are wrong).
    """
    with one_at_a_time(stores.settings.marts_dir):
        for sentence in heal(stores.settings):
            print(f"Mended: {sentence}.")
        return _published(inputs, stores, reason, now)


def _published(inputs: Inputs, stores: Stores, reason: str, now: datetime) -> tuple[Stamp, list[Finding]]:
    live = stores.settings.database
    with with_bucket(stores.settings, print):
        candidate = publish.refused_path(live)
        if not candidate.exists():
            raise NothingToAccept(f"there is no refused file ({candidate.name}) beside {live.name}; nothing to accept")
        findings = hold_against_live(inputs.calendar, stores, now.date(), candidate)
        with duckdb.connect(str(candidate)) as connection:
            accept_findings(connection, reason, this_person(), now.replace(tzinfo=None))
            connection.execute("checkpoint")
        release = publish_candidate(inputs, stores, candidate)
        keep_release(stores.settings)
        _note_in_report(stores.settings.marts_dir, reason, release, now)
    return release, findings


def _note_in_report(folder: Path, reason: str, release: Stamp, now: datetime) -> None:
    """Say in the report of the run that was refused that its file was published after all."""
    path = folder / "run_report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # the file itself holds what was accepted; the report is a convenience
    report["status"] = "published after a person accepted what the gates refused"
    report["accepted"] = {
        "because": reason,
        "by": this_person(),
        "at": now.isoformat(),
        "release": str(release.version),
    }
    write_run_report(folder, report)
