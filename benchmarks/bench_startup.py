"""What it takes to begin: help, one area's profile, a refresh with nothing new, and Prefect with and without a server of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.case import measure_commands
from benchmarks.measure import Figure, Limit, Sample
from benchmarks.timing import PROJECT, run_command
from benchmarks.workshop import PYTHON, Workshop

LONGEST_START_SECONDS = 180
NOTHING = """
from flows.server import begin

server = begin()  # as `make refresh` does, before Prefect is imported
from prefect import flow

@flow
def nothing():
    pass

assert server.answers()
with server.used():
    nothing()
"""


def measure(workshop: Workshop) -> Iterator[Figure]:
    quick = workshop.quick
    verbs = (
        ("help", "`python -m pipeline --help`", ("--help",), 9, 0.3),
        ("area", "`python -m pipeline area Oldham`", ("area", "Oldham"), 7, 1.0),
        (
            "nothing-new",
            "`python -m pipeline refresh --offline` with nothing new",
            ("refresh", "--offline"),
            5,
            3.0,
        ),
    )
    _ = workshop.database
    for id_, title, words, repeats, most in verbs:
        yield measure_commands(
            id_,
            title,
            partial(workshop.pipeline, *words),
            lambda: run_command([PYTHON, "-c", "pass"]),
            peer_title="Python that does nothing",
            command=f"python -m pipeline {' '.join(words)}",
            repeats=2 if quick else repeats,
            limits=(Limit(at_most=most),),
        )
    if not quick:
        yield from _prefect(workshop)


def _prefect(workshop: Workshop) -> Iterator[Figure]:
    """A flow that does nothing, on a temporary server and on one that runs."""
    home = workshop.folder / "prefect"
    command = "python -m benchmarks startup"
    without = {"PREFECT_HOME": str(home / "temporary"), "PREFECT_API_URL": ""}
    with running_server(home / "running") as address:
        on_server = {"PREFECT_HOME": str(home / "client"), "PREFECT_API_URL": address}
        yield measure_commands(
            "prefect-running",
            "A Prefect flow that does nothing, on a running server",
            lambda: _flow(on_server),
            lambda: run_command([PYTHON, "-c", "import prefect"]),
            peer_title="a process that imports Prefect and ends",
            command=command,
            repeats=3,
        )
    yield measure_commands(
        "prefect-temporary",
        "A Prefect flow that does nothing, with a temporary server",
        lambda: _flow(without),
        None,
        command=command,
        repeats=2,
        note="The very first start, which makes the server's database, is not counted.",
    )


def _flow(environment: Mapping[str, str]) -> Sample:
    return run_command([PYTHON, "-c", NOTHING], environment)


@contextmanager
def running_server(home: Path) -> Iterator[str]:
    """A Prefect server with SQLite on a free port of this machine; gives the address of its API."""
    home.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            [PYTHON, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            cwd=PROJECT,
            env={**os.environ, **environment, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/api/health", server, home / "server.log")
        yield f"http://127.0.0.1:{port}/api"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"the Prefect server did not come up:\n{log.read_text(errors='replace')[-2000:]}")
