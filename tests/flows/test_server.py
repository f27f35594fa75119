"""A run asks whether its Prefect server is there, and does the work without it where it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from flows.server import Server, on_server


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
