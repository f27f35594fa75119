"""A night ends with one exit code and a few plain lines, whatever became of its steps."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline.errors import VerbError
from pipeline.notify import Message, Recipients
from pipeline.run import refresh as refresh_steps
from pipeline.run.context import Run
from pipeline.run.job import JobOptions
from pipeline.run.nightly import NightlyOptions, NightlySteps, build_report_if_other, run_night, site_folder
from pipeline.run.notes import notes_of
from pipeline.run.overdue_published import overdue
from pipeline.run.run_report import run_report
from pipeline.settings import Settings, SettingsError
from tests.small_world import small_world

NOW = datetime(2026, 11, 20, 3, 17, tzinfo=UTC)
RELEASE = {"version": "1.4.0", "what_changed": "minor 1.3.0 → 1.4.0: 361 figures of claimant_rate are new"}


@pytest.fixture
def report(small_run: tuple[Run, refresh_steps.Outcome]) -> dict[str, Any]:
    """A run report as a refresh writes it, of this night and with a release of our own making."""
    run, outcome = small_run
    written = run_report(run.settings, notes_of(run, outcome.results), outcome)
    return {**written, "started_at": "2026-11-20T03:17:01+00:00", "release": {**written["release"], **RELEASE}}


MakeStory = Callable[..., "Story"]


@pytest.fixture
def story_of(tmp_path: Path, report: dict[str, Any]) -> MakeStory:
    """``story_of(refresh, **changes)``: a story whose refresh ends so and leaves the run report with these changes."""
    return lambda refresh=0, **changes: Story(tmp_path, refresh, {**report, **changes})


class Story:
    """Steps of a night that end as told, and what they were asked to do."""

    def __init__(self, folder: Path, refresh: int | Exception, report: dict[str, Any]) -> None:
        self.settings = Settings(data_dir=folder)
        self.told: list[Message] = []
        self.done: list[str] = []
        self.asked: JobOptions | None = None
        self._refresh, self._report = refresh, report
        self.report_problem: Exception | None = None
        self.prune_problem: Exception | None = None

    def steps(self) -> NightlySteps:
        return NightlySteps(self.refresh, self.build_report, self.prune, self.tell)

    def refresh(self, options: JobOptions, settings: Settings) -> int:
        self.asked = options
        settings.marts_dir.mkdir(parents=True, exist_ok=True)
        (settings.marts_dir / "run_report.json").write_text(json.dumps(self._report))
        if isinstance(self._refresh, Exception):
            raise self._refresh
        return self._refresh

    def build_report(self, settings: Settings) -> Path:
        if self.report_problem:
            raise self.report_problem
        self.done.append("report")
        return site_folder(settings)

    def prune(self, settings: Settings) -> list[str]:
        if self.prune_problem:
            raise self.prune_problem
        self.done.append("prune")
        return ["Pruned: 3 snapshots older than two years"]

    def tell(self, message: Message, recipients: Recipients) -> list[str]:
        self.told.append(message)
        return ["the message could not be sent to the webhook: Timeout from hooks.example"]

    def night(self, options: NightlyOptions | None = None) -> int:
        return run_night(self.steps(), options or NightlyOptions(), self.settings, NOW).code

    @property
    def message(self) -> Message:
        (message,) = self.told
        return message


def test_a_night_that_published_says_which_version_and_what_changed(story_of: MakeStory) -> None:
    story = story_of()
    assert story.night() == 0
    assert story.message.subject == "Inclusive growth: published 1.4.0"
    assert story.message.text.splitlines()[0].startswith("What changed: minor 1.3.0 → 1.4.0: 361 figures")
    assert story.message.concerns == "changes"
    assert story.done == ["report", "prune"]


def test_a_night_without_news_is_only_told_to_those_who_want_every_night(story_of: MakeStory) -> None:
    story = story_of(status="nothing new", release=None)
    assert story.night() == 0
    assert (story.message.subject, story.message.concerns) == ("Inclusive growth: nothing new", "always")


def test_a_night_is_thorough_and_strict_unless_told_otherwise(story_of: MakeStory) -> None:
    story = story_of()
    story.night()
    assert story.asked == JobOptions(strict=True, thorough=True)
    story.night(NightlyOptions(offline=True, is_quick=True))
    assert story.asked == JobOptions(offline=True)


def test_stale_sources_are_exit_4_and_named(story_of: MakeStory) -> None:
    story = story_of(4, sources_unreachable=["nomis: no connection in time (80 parts went without it)"])
    assert story.night() == 4
    assert story.message.subject.endswith("published 1.4.0, with sources that gave no figures today")
    assert "Not reached: nomis: no connection in time" in story.message.text
    assert story.message.concerns == "failures"
    assert story.done == ["report", "prune"]


@pytest.mark.parametrize(("code", "words"), [(1, "failed"), (3, "the new file was refused"), (5, "another run")])
def test_what_ended_the_refresh_ends_the_night(story_of: MakeStory, code: int, words: str) -> None:
    story = story_of(VerbError("the reason, in a sentence", code), status="failed", release=None)
    assert story.night() == code
    assert words in story.message.subject
    assert "the reason, in a sentence" in story.message.text
    assert story.done == []


def test_another_runs_report_is_left_to_it(story_of: MakeStory, tmp_path: Path) -> None:
    story = story_of(VerbError("another run is at work on data: process 12 on host-a", 5))
    story.night()
    assert "night" not in json.loads((tmp_path / "marts" / "run_report.json").read_text())


def test_a_report_that_fails_costs_neither_the_file_nor_the_rest_of_the_night(story_of: MakeStory) -> None:
    story = story_of()
    story.report_problem = ValueError("no such chart")
    assert story.night() == 1
    assert story.done == ["prune"]
    assert story.message.subject == "Inclusive growth: published 1.4.0, but what follows it failed"
    assert "the report site was not built, the one before it stays: ValueError: no such chart" in story.message.text


def test_pruning_that_fails_is_said_and_does_not_hide_stale_sources(story_of: MakeStory) -> None:
    story = story_of(4)
    story.prune_problem = PermissionError(13, "Permission denied")
    assert story.night() == 1
    assert "were not pruned: PermissionError" in story.message.text


def test_a_defect_is_told_before_it_ends_the_program(story_of: MakeStory) -> None:
    story = story_of(KeyError("area_code"), status="failed", release=None)
    with pytest.raises(KeyError):
        story.night()
    assert story.message.subject == "Inclusive growth: failed"
    assert "KeyError: 'area_code'" in story.message.text


def test_the_night_and_messages_that_did_not_arrive_are_in_the_run_report(story_of: MakeStory, tmp_path: Path) -> None:
    story_of().night()
    text = (tmp_path / "marts" / "run_report.md").read_text()
    assert "* Inclusive growth: published 1.4.0" in text
    assert "* the message could not be sent to the webhook: Timeout from hooks.example" in text


def test_a_run_report_of_another_night_is_not_taken_for_this_ones(story_of: MakeStory) -> None:
    story = story_of(VerbError("the catalogue is wrong"), started_at="2026-11-19T03:17:01+00:00")
    story.night()
    assert "1.4.0" not in story.message.text


def test_without_a_report_none_is_built(story_of: MakeStory) -> None:
    story = story_of()
    story.night(NightlyOptions(has_report=False))
    assert story.done == ["prune"]


def test_a_setting_that_cannot_be_used_stops_the_night_before_it_begins(
    story_of: MakeStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IG_NOTIFY", "sometimes")
    story = story_of()
    with pytest.raises(SettingsError, match="IG_NOTIFY"):
        story.night()
    assert story.asked is None


def test_people_are_told_of_a_setting_that_stops_the_night(
    story_of: MakeStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IG_KEEP_RELEASES", "many")
    story = story_of()
    with pytest.raises(SettingsError, match="IG_KEEP_RELEASES"):
        run_night(story.steps(), NightlyOptions(), now=NOW)
    assert story.message.subject == "Inclusive growth: failed"
    assert "IG_KEEP_RELEASES must be a whole number" in story.message.text


def test_a_refusal_of_a_hundred_figures_is_told_in_few_lines_that_end_with_how_to_go_on(story_of: MakeStory) -> None:
    found = [f"indicator_{number}: the typical district moved" for number in range(100)]
    story = story_of(VerbError("\n".join(["not published:", *found, "To see: pipeline diff --candidate"]), 3))
    assert story.night() == 3
    lines = story.message.text.splitlines()
    assert len(lines) < 30
    assert "To see: pipeline diff --candidate" in lines
    assert "(91 lines more in the run report)" in lines


def test_the_site_is_made_anew_for_another_file_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, built = Settings(tmp_path), []

    def build(database: Path, folder: Path, *, methodology: str) -> None:
        built.append(database.read_text())
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text("site")

    monkeypatch.setattr("pipeline.report.site.build_site", build)
    settings.marts_dir.mkdir()
    for content, time in (("first", 2_000_000_000), ("of a clock set back", 1_000_000_000)):
        settings.database.write_text(content)
        os.utime(settings.database, (time, time))
        assert build_report_if_other(settings) == site_folder(settings)
        assert build_report_if_other(settings) is None
    assert built == ["first", "of a clock set back"]


def test_overdue_releases_are_reckoned_from_today_not_from_the_day_of_the_file(
    small_run: tuple[Run, refresh_steps.Outcome],
) -> None:
    database = small_run[0].settings.database

    def names(day: date) -> set[str]:
        return {sentence.split(":")[0] for sentence in overdue(database, day)}

    # the file holds pay of April 2025: the next comes in late October 2026, with some weeks' grace
    assert "Annual Survey of Hours and Earnings" not in names(date(2026, 10, 1))
    assert "Annual Survey of Hours and Earnings" in names(date(2027, 3, 1))


KEY, HOOK = "0xplantedkeythatmustnotshow", "services/T0PLANTED/secretpath"


class _Receiver(BaseHTTPRequestHandler):
    """Takes what is posted."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def flow_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("nightly")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IG_", "PREFECT_"))}
    environment = kept | {"IG_DATA_DIR": str(folder / "data"), "PREFECT_HOME": str(folder / "prefect")}
    command = [sys.executable, "-m", "flows.nightly", "--offline", "--quick"]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True).start()
        secret = {"NOMIS_UID": KEY, "IG_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_port}/{HOOK}"}
        environment |= secret | {"IG_NOTIFY": "always"}
        ended = subprocess.run(
            command, cwd=small_world().folder, env=environment, capture_output=True, text=True, check=False
        )
        receiver.shutdown()
    return folder, ended


@pytest.mark.slow
def test_the_flow_publishes_builds_the_report_and_tells(
    flow_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, ended = flow_run
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Inclusive growth: published 1.0.0" in ended.stdout
    assert (folder / "data" / "marts" / "report" / "index.html").exists()


@pytest.mark.slow
def test_prefect_holds_the_refresh_as_a_flow_of_its_own_and_the_rest_as_tasks(
    flow_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    with sqlite3.connect(flow_run[0] / "prefect" / "prefect.db") as connection:
        flows = dict(
            connection.execute("select f.name, r.state_type from flow_run r join flow f on f.id = r.flow_id").fetchall()
        )
        tasks = {name for (name,) in connection.execute("select name from task_run")}
    connection.close()
    assert flows == {"nightly": "COMPLETED", "refresh": "COMPLETED"}
    assert {"build the report site", "prune", "tell people"} <= {name.rsplit("-", 1)[0] for name in tasks}


@pytest.mark.slow
def test_neither_prefects_own_record_nor_its_logs_hold_a_key_or_the_address_people_are_told_at(
    flow_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, ended = flow_run
    assert _Receiver.asked == [f"/{HOOK}"], "the message did not even arrive"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("prefect.db") for path in files)
    for secret in (KEY, "T0PLANTED", "secretpath"):
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
        assert secret not in ended.stdout + ended.stderr
