"""Real Prefect servers, workers and a PostgreSQL server for the tests of ``make test-server``: processes of their own.

Everything listens on a free port of this machine and writes into a folder of the test's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from pipeline.settings import PROJECT_ROOT

T = TypeVar("T")
POOL = "local"
DEPLOYMENT = "nightly/nightly"
AUTOMATIONS = PROJECT_ROOT / "docs" / "recipes" / "prefect-automations.yaml"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

on_request = pytest.mark.skipif(
    not os.environ.get("IG_TEST_SERVERS"), reason="starts real servers and takes minutes: run `make test-server`"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 180) -> T:
    """What ``look`` gives as soon as that is something. Fails the test, naming ``what``, when it never is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


class Worker:
    """A worker process in a process group of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.process = process

    def flow_run_processes(self) -> list[int]:
        """The processes in which this worker runs flows (each leads a process group)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(process) for process in children.read_text().split()]

    def lose_its_machine(self) -> None:
        """SIGKILL to the worker and to every flow it runs, as when the power goes."""
        groups = [self.process.pid, *self.flow_run_processes()]
        for group in groups:
            os.killpg(group, signal.SIGKILL)
        self.process.wait()


class PrefectServer:
    """A running server with what the tests ask of it, by its own command line and API."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.api = f"http://127.0.0.1:{port}/api"
        self.environment = {**environment, "PREFECT_API_URL": self.api}
        self.workers: list[Worker] = []

    def prefect(self, *arguments: str) -> str:
        """Run the ``prefect`` command in the project's folder; return its output. Fails the test where it fails."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        ended = subprocess.run(
            command, cwd=PROJECT_ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"prefect {' '.join(arguments)}:\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.api}/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def filtered(self, kind: str, **body: Any) -> list[dict[str, Any]]:
        answer = requests.post(f"{self.api}/{kind}/filter", json=body, timeout=30)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def deploy(self) -> dict[str, Any]:
        """Make the pool and the deployment of prefect.yaml, as its comments tell; return the deployment."""
        self.prefect("work-pool", "create", "--type", "process", POOL)
        self.prefect("deploy", "--all")
        found: dict[str, Any] = self.get(f"deployments/name/{DEPLOYMENT}")
        return found

    def start_worker(self, name: str, **environment: str) -> Worker:
        command = ["worker", "start", "--pool", POOL, "--name", name, "--type", "process"]
        with (self.folder / f"worker-{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *command],
                cwd=PROJECT_ROOT,
                env={**self.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = Worker(name, process)
        self.workers.append(worker)
        wait_for(f"worker {name}", lambda: "started" in self.log_of(worker))
        return worker

    def log_of(self, worker: Worker) -> str:
        return (self.folder / f"worker-{worker.name}.log").read_text()

    def run(self, **parameters: Any) -> str:
        """Start a run of the deployment with `prefect deployment run`; return its id."""
        before = {run["id"] for run in self.filtered("flow_runs")}
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}={json.dumps(value)}")]
        self.prefect("deployment", "run", DEPLOYMENT, *given)
        (new,) = [run["id"] for run in self.runs() if run["id"] not in before]
        return str(new)

    def runs(self) -> list[dict[str, Any]]:
        """Runs of the deployment that were asked for (not those the schedule has made for later), the oldest first."""
        asked = {"deployments": {"name": {"any_": ["nightly"]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return [run for run in self.filtered("flow_runs", **asked) if not run["auto_scheduled"]]

    def successor_of(self, run_id: str) -> str | None:
        """The run that was started in the place of another, once there is one."""
        return next((run["id"] for run in self.runs() if run["id"] != run_id), None)

    def state(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"flow_runs/{run_id}")["state"]
        return found

    def wait_until_ended(self, run_id: str, seconds: float = 400) -> dict[str, Any]:
        return wait_for(
            f"the end of run {run_id}", lambda: s if (s := self.state(run_id))["type"] in ENDED else None, seconds
        )

    def wait_until_at(self, run_id: str, task_name: str) -> None:
        """Wait until a run, or the refresh it started, is at work on a task."""

        def is_at_work() -> bool:
            return any(task["name"].startswith(task_name) for task in self.filtered("task_runs"))

        wait_for(f"run {run_id} to come to {task_name!r}", is_at_work)

    def logs(self, run_id: str) -> str:
        rows = self.filtered("logs", logs={"flow_run_id": {"any_": [run_id]}}, sort="TIMESTAMP_ASC")
        return "\n".join(row["message"] for row in rows)

    def stop(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.lose_its_machine()


@contextmanager
def prefect_server(folder: Path, **settings: str) -> Iterator[PrefectServer]:
    """A Prefect server with a home in ``folder``; SQLite unless a setting says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "IG_"))}
    environment |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "IG_DATA_DIR": str(folder / "data"),
        **settings,
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = PrefectServer(folder, port, environment)
    try:
        wait_for("the Prefect server", lambda: _is_healthy(server))
        yield server
    finally:
        server.stop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_healthy(server: PrefectServer) -> bool:
    try:
        return bool(server.get("health"))
    except requests.RequestException:
        return False


def _postgres_binaries() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    return next(iter(places), Path(on_path).resolve().parent if on_path else None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of the test's own; gives the address Prefect takes. Skips the test where there is none."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian and Ubuntu: apt-get install -y postgresql)")
    # PostgreSQL refuses to run as root, and pytest's folders are closed to everybody else.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="inclusive-growth-postgres-"))
    if user:
        shutil.chown(folder, user)
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "prefect")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect")
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
        finally:
            run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
