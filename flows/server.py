"""The Prefect server of a run: the team's own, or a temporary one that starts while this process still imports.

Prefect starts a temporary server by itself as well, but only once a flow is called, and imports the whole server into the
caller first. Started here it is a process of its own from the first moment on.
The figures need no server: where none answers, the caller does the same work without Prefect, and says so.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from flows.quiet import PROJECT_ROOT
from pipeline import stopping

HOST = "127.0.0.1"
LONGEST_START_SECONDS = 120  # a first start makes its database
LONGEST_ANSWER_SECONDS = 10
LONGEST_STOP_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A Prefect server at ``api``; ``process`` is None for the team's own."""

    api: str
    process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Stop the temporary server; one of the team is left alone."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=LONGEST_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def answers(self) -> bool:
        """Whether the team's server answers now, or the temporary one as soon as it is up."""
        until = time.monotonic() + LONGEST_START_SECONDS
        while self.process is not None and not _is_listening(self.api):
            if self.process.poll() is not None or time.monotonic() > until:
                return False
            time.sleep(0.05)
        return _answers(f"{self.api}/health")

    @property
    def absence(self) -> str:
        """What is said when it does not answer."""
        return f"{self._words} does not answer: the work is done without it, and is not in its record."

    @property
    def loss(self) -> str:
        """What is said when it did answer, and no longer does."""
        return (
            f"{self._words} was lost during the run: what is said above stands, but its record of the run has no end."
        )

    @property
    def _words(self) -> str:
        if self.process is None:
            return f"The Prefect server at {self.api} (PREFECT_API_URL)"
        return "Prefect's temporary server (`python -m flows.server 4200` shows why)"

    @contextmanager
    def used(self) -> Iterator[None]:
        """Flows called inside talk to this server."""
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: self.api}):
            yield


def begin() -> Server:
    """The server of PREFECT_API_URL; without one, a temporary server that starts beside this process and ends with it."""
    if address := os.environ.get("PREFECT_API_URL"):
        return Server(address.rstrip("/"))
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "flows.server", str(port)]
    # Its standard input stays open as long as this process lives: a run that is killed takes its server along.
    # In a session of its own: Ctrl-C must not stop the server before the run has closed its record there.
    process = subprocess.Popen(  # noqa: S603
        command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
    )
    server = Server(f"http://{HOST}:{port}/api", process)
    atexit.register(server.stop)
    return server


def on_server(server: Server, flow: Callable[[], int], otherwise: Callable[[], int]) -> int:
    """What ``flow`` returns, called on a server; where that does not answer, what ``otherwise`` does.

    The loss of a server during a run does not stop the work. Where Prefect fails to tell it of the run's end all the same,
    ``otherwise`` finds the work done.
    """
    if server.process is not None:
        import pipeline.run.rebuild  # noqa: F401 - with all that a run with news needs, while the server starts

    if server.answers():
        from httpx import TransportError

        from flows.record import at_work

        with suppress(TransportError), server.used(), at_work(is_temporary=server.process is not None):
            code = flow()
            if not server.answers():
                stopping.wait_if_ending()
                print(server.loss, file=sys.stderr)
            return code
    stopping.wait_if_ending()  # a server that is gone at the end is not missed
    print(server.absence, file=sys.stderr)
    return otherwise()


def _is_listening(api: str) -> bool:
    """Whether anything listens there; Prefect's server does so only once its database and services are ready."""
    port = int(api.removesuffix("/api").rpartition(":")[2])
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _answers(address: str) -> bool:
    """Whether a server is there: one that asks who we are is, one whose gateway makes excuses for it is not."""
    try:
        with urllib.request.urlopen(address, timeout=LONGEST_ANSWER_SECONDS):  # noqa: S310 - the team's own address
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False


def _end_with_the_run() -> None:
    """End this process once its standard input does, which is when the run that started it is gone."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """The temporary server on the port given, until it is stopped or, with a pipe as standard input, the pipe ends."""
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(target=_end_with_the_run, daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    # Not as "ephemeral", since Prefect then leaves out the service that deletes old runs; flows/quiet.py turns off the rest.
    app = create_app(final=True)
    uvicorn.run(app, host=HOST, port=int(sys.argv[1]), log_level="critical", lifespan="on")


if __name__ == "__main__":
    main()
