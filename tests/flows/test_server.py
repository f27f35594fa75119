"""A run asks whether its Prefect server is there, and does the work without it where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from flows.server import Server, on_server
from pipeline.settings import PROJECT_ROOT


@contextmanager
def answering(code: int) -> Iterator[ThreadingHTTPServer]:
    """A server on this machine that answers everything with one code."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def of(server: ThreadingHTTPServer) -> Server:
    return Server(f"http://127.0.0.1:{server.server_port}/api")


def must_not_be_called() -> int:
    raise AssertionError("called without need")


@pytest.mark.parametrize(("code", "is_there"), [(200, True), (401, True), (502, False)])
def test_a_server_is_there_unless_its_gateway_says_otherwise(code: int, is_there: bool) -> None:
    with answering(code) as server:
        assert of(server).answers() is is_there


def test_the_flow_is_called_where_the_server_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(200) as server:
        assert on_server(of(server), lambda: 4, must_not_be_called) == 4
    assert capsys.readouterr().err == ""


def test_a_server_lost_during_the_run_is_told_and_the_exit_code_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(200) as server:
        assert on_server(of(server), ending(server), must_not_be_called) == 0
    assert "was lost during the run: what is said above stands" in capsys.readouterr().err


def test_work_whose_end_could_not_be_told_is_looked_at_without_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    def untold() -> int:
        raise httpx.ConnectError("All connection attempts failed")

    with answering(200) as server:
        assert on_server(of(server), untold, otherwise=lambda: 3) == 3
    assert "does not answer: the work is done without it" in capsys.readouterr().err


def ending(server: ThreadingHTTPServer) -> Callable[[], int]:
    def flow() -> int:
        server.shutdown()
        server.server_close()
        return 0

    return flow


def test_a_run_that_is_killed_takes_its_temporary_server_along() -> None:
    begin = "import time; from flows.server import begin; print(begin().process.pid, flush=True); time.sleep(60)"
    run = subprocess.Popen([sys.executable, "-c", begin], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run.stdout:
        server = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    run.wait()
    until = time.monotonic() + 30
    while is_running(server):
        assert time.monotonic() < until, "the server lives on without its run"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
