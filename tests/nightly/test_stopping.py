"""Ctrl-C and SIGTERM end a run within seconds, in every phase, with a sentence, a report, a closed record and no trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.run.context import Run
from pipeline.run.lock import holder, one_at_a_time
from pipeline.run.refresh import Outcome
from tests.nightly.test_watchdog import webhook
from tests.small_world import small_world

pytestmark = pytest.mark.slow
MOST_SECONDS = 10
# Far more than any phase takes to be reached, on a machine that does much else.
SECONDS_TO_BEGIN = 240
SOURCES = ("ELS", "NOMIS", "OPEN_GEOGRAPHY", "GOVUK", "GOV_WALES", "GOV_SCOT", "NISRA")
OFFLINE = ("-m", "flows.refresh", "--offline")
BY_HAND = "stopped by hand before it ended"
BY_SYSTEM = "stopped by the system (SIGTERM) before it ended"


@pytest.fixture(autouse=True, scope="module")
def interruptible() -> Iterator[None]:
    """Processes begun here can be interrupted, also where the tests run in a background that ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass
class Ended:
    """What a process came to that was stopped: its exit code, all it said, and the seconds from the signal to its end."""

    code: int
    said: str
    seconds: float


@dataclass
class Place:
    """A data folder with a published file, a PREFECT_HOME, and publishers that take every connection and never answer."""

    data: Path
    home: Path
    publisher: Publisher

    @property
    def marts(self) -> Path:
        return self.data / "marts"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("IG_", "PREFECT_"))}
        asked = {f"IG_{source}_URL": self.publisher.address for source in SOURCES}
        return kept | asked | {"IG_DATA_DIR": str(self.data), "PREFECT_HOME": str(self.home), "IG_MOST_MINUTES": "30"}

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        self.publisher.asked.clear()
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=small_world().folder,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def quiet_run(self) -> None:
        """A run that finds nothing new, with Prefect's record of it."""
        command = [sys.executable, *OFFLINE]
        done = subprocess.run(
            command,
            cwd=small_world().folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Nothing new" in done.stdout

    def report(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.marts / "run_report.json").read_text())
        return found

    def half_written(self) -> list[str]:
        return sorted(path.name for path in self.marts.glob(".*") if path.name != ".gitkeep")

    def record(self, table: str) -> list[tuple[str, str]]:
        """State and message of every flow run or task run, in the order in which they began."""
        with sqlite3.connect(self.home / "prefect.db") as connection:
            found = connection.execute(
                f"select r.state_type, coalesce(s.message, '') from {table} r left join {table}_state s "
                "on s.id = r.state_id order by r.created"
            ).fetchall()
        connection.close()
        return found


@dataclass
class Publisher:
    """Takes every connection and never answers."""

    address: str
    asked: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def place(small_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("stopping")
    shutil.copytree(small_run[0].settings.data_dir, folder / "data")
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        publisher = Publisher(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def take() -> None:
            while True:
                try:
                    connections.append(listening.accept()[0])
                except OSError:
                    return
                publisher.asked.set()

        threading.Thread(target=take, daemon=True).start()
        yield Place(folder / "data", folder / "prefect", publisher)
        listening.shutdown(socket.SHUT_RDWR)
    for connection in connections:
        connection.close()


def stop(process: subprocess.Popen[str], number: signal.Signals) -> Ended:
    """Send a signal to a process and all of its group, as a terminal does; wait for its end."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    said, _ = process.communicate(timeout=60)
    return Ended(process.returncode, said, time.monotonic() - began)


def wait_until(is_so: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + SECONDS_TO_BEGIN
    while not is_so():
        assert time.monotonic() < until, "it never came to that"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def servers_of(home: Path) -> list[int]:
    """Temporary servers that run with this PREFECT_HOME."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, settings = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if b"flows.server" in command and f"PREFECT_HOME={home}".encode() in settings.split(b"\0"):
            found.append(int(process.name))
    return found


def open_states(place: Place) -> list[tuple[str, str]]:
    return [
        found
        for table in ("flow_run", "task_run")
        for found in place.record(table)
        if found[0] in ("PENDING", "RUNNING", "CANCELLING")
    ]


def assert_ended_well(place: Place, ended: Ended, code: int, sentence: str) -> None:
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    assert sentence in ended.said
    assert ended.seconds < MOST_SECONDS, ended
    report = place.report()
    assert (report["status"], report["exit_code"]) == ("stopped", code)
    assert str(report["error"]).startswith(sentence)
    assert sentence in (place.marts / "run_report.md").read_text()
    assert holder(place.marts) is None
    assert servers_of(place.home) == []


def is_building(place: Place) -> bool:
    return any(place.marts.glob(".*.building.duckdb"))


PHASES: Mapping[str, tuple[tuple[str, ...], Callable[[Place], object]]] = {
    "while its server starts": (OFFLINE, lambda place: servers_of(place.home)),
    "while a publisher does not answer": (
        ("-m", "flows.refresh", "--force"),
        lambda place: place.publisher.asked.is_set(),
    ),
    "while it scores and builds": ((*OFFLINE, "--force"), is_building),
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_key_ends_a_run_with_a_sentence_and_closes_what_is_open(place: Place, phase: str) -> None:
    command, has_come = PHASES[phase]
    process = place.start(*command)
    wait_until(lambda: has_come(place), process)
    ended = stop(process, signal.SIGINT)
    print(f"{phase}: {ended.seconds:.1f} s")
    assert_ended_well(place, ended, 130, BY_HAND)
    assert place.half_written() == []
    if phase != "while its server starts":  # where there was no run in the record yet
        assert open_states(place) == []
        assert place.record("flow_run")[-1] == ("CANCELLED", BY_HAND)


@dataclass
class AfterAKill:
    """What a quiet run left after one that was killed: what is half written, and the record with an old run in it."""

    place: Place
    half_written_before: list[str]
    state_before: str
    old_run: str
    runs_before: set[str]


@pytest.fixture(scope="module")
def after_a_kill(place: Place) -> AfterAKill:
    process = place.start("-m", "flows.refresh", "--force")
    wait_until(place.publisher.asked.is_set, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for name in (f"inclusive_growth.{process.pid}.building.duckdb", "run_report.json.abcdefgh", "of_another_program"):
        (place.marts / f".{name}").write_text("half")
    (place.marts / f".inclusive_growth.{process.pid}.building.duckdb.wal").write_text("half")
    (place.marts / f".inclusive_growth.{process.pid}.building.duckdb.tmp").mkdir()
    before, state = place.half_written(), place.record("flow_run")[-1][0]
    wait_for_servers_to_end(place)
    with sqlite3.connect(place.home / "prefect.db") as connection:
        ((old,), *others) = connection.execute(
            "select id from flow_run where state_type != 'RUNNING' and id in (select flow_run_id from task_run)"
        ).fetchall()
        connection.execute("update flow_run set end_time = '2020-01-01 00:00:00.000000' where id = ?", [old])
    connection.close()
    place.quiet_run()
    return AfterAKill(place, before, state, old, {found for (found,) in others})


def wait_for_servers_to_end(place: Place) -> None:
    """The server of a run that was killed goes once it sees that nobody writes to it any more."""
    until = time.monotonic() + 30
    while servers_of(place.home):
        assert time.monotonic() < until, "the server lives on without its run"
        time.sleep(0.05)


def test_a_run_with_nothing_new_removes_what_a_killed_one_had_begun_to_write(after_a_kill: AfterAKill) -> None:
    assert len(after_a_kill.half_written_before) == 5
    assert after_a_kill.place.half_written() == [".of_another_program"]


def test_the_record_of_a_killed_run_is_closed_by_the_next(after_a_kill: AfterAKill) -> None:
    assert after_a_kill.state_before == "RUNNING"
    assert open_states(after_a_kill.place) == []
    (state, message), (last, _) = after_a_kill.place.record("flow_run")[-2:]
    assert (state, last) == ("CRASHED", "COMPLETED")
    assert message.startswith("Its process ended without closing its record")


def test_old_runs_are_deleted_from_the_record_and_newer_ones_stay(after_a_kill: AfterAKill) -> None:
    with sqlite3.connect(after_a_kill.place.home / "prefect.db") as connection:
        left = {found for (found,) in connection.execute("select id from flow_run")}
        tasks = connection.execute("select count(*) from task_run where flow_run_id = ?", [after_a_kill.old_run])
        assert tasks.fetchone() == (0,)
    connection.close()
    assert after_a_kill.old_run not in left
    assert after_a_kill.runs_before
    assert after_a_kill.runs_before <= left


def test_the_systems_signal_ends_a_night_that_is_told_of(place: Place) -> None:
    with webhook() as (address, posted):
        process = place.start("-m", "pipeline", "nightly", IG_WEBHOOK_URL=address)
        wait_until(place.publisher.asked.is_set, process)
        ended = stop(process, signal.SIGTERM)
    print(f"a night, by SIGTERM: {ended.seconds:.1f} s")
    assert_ended_well(place, ended, 143, BY_SYSTEM)
    assert "the published file is as it was" in str(place.report()["error"])
    (message,) = posted
    assert "Inclusive growth: stopped before it ended" in message
    assert BY_SYSTEM in message
    assert "Inclusive growth: stopped before it ended" in str(place.report()["night"])


def test_a_second_key_does_not_wait_for_people_to_be_told(place: Place) -> None:
    with webhook(trickles=True) as (address, posted):
        process = place.start("-m", "pipeline", "nightly", IG_WEBHOOK_URL=address)
        wait_until(place.publisher.asked.is_set, process)
        os.killpg(process.pid, signal.SIGINT)
        wait_until(lambda: posted, process)
        time.sleep(1)
        ended = stop(process, signal.SIGINT)
    assert ended.code == 130
    assert ended.seconds < 2
    assert "Traceback" not in ended.said


def test_the_report_of_a_run_that_is_at_work_is_left_to_it(place: Place) -> None:
    with one_at_a_time(place.marts):
        (place.marts / "run_report.json").write_text('{"status": "the report of another run"}')
        process = place.start(*OFFLINE)
        wait_until(lambda: servers_of(place.home), process)
        ended = stop(process, signal.SIGINT)
        assert (ended.code, place.report()) == (130, {"status": "the report of another run"})
        assert holder(place.marts) is not None


@contextmanager
def team_server(place: Place) -> Iterator[str]:
    """Prefect's server as a team has it: nobody's child, at a fixed address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = place.start("-m", "flows.server", str(port))
    try:
        wait_until(lambda: not is_free(port), server)
        yield f"http://127.0.0.1:{port}/api"
    finally:
        stop(server, signal.SIGTERM)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_teams_server_keeps_running_and_its_record_is_closed(place: Place) -> None:
    with team_server(place) as address:
        for number, code, state, runner in (
            (signal.SIGKILL, -9, "RUNNING", "threads"),
            (signal.SIGINT, 130, "CANCELLED", "processes"),  # which the key is sent to as well
        ):
            more = {"PREFECT_API_URL": address, "IG_TASK_RUNNER": runner}
            process = place.start("-m", "flows.refresh", "--force", **more)
            wait_until(place.publisher.asked.is_set, process)
            ended = stop(process, number)
            assert ended.code == code, ended.said
            assert "Traceback" not in ended.said
            assert len(servers_of(place.home)) == 1
            assert place.record("flow_run")[-1][0] == state
        assert place.record("flow_run")[-2][0] == "CRASHED", "the second run closes the record of the first"
        assert open_states(place) == []


@pytest.mark.parametrize(("number", "code", "words"), [(signal.SIGINT, 130, BY_HAND), (signal.SIGTERM, 143, BY_SYSTEM)])
def test_other_verbs_end_with_a_sentence_and_the_shells_exit_code(
    place: Place, tmp_path: Path, number: signal.Signals, code: int, words: str
) -> None:
    (tmp_path / "index.html").write_text("a site")
    process = place.start("-m", "pipeline", "serve", "--port", "0", "--dir", str(tmp_path))
    assert process.stdout is not None
    assert "Ctrl+C stops it" in process.stdout.readline()
    ended = stop(process, number)
    assert (ended.code, ended.said.strip()) == (code, words)
    assert ended.seconds < 2
