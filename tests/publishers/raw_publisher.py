"""A publisher on a raw socket of 127.0.0.1: it says what no HTTP library would, for a bounded time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

MOST_SECONDS = 20.0  # after which a publisher hangs up whatever it was doing
MOST_CONNECTIONS = 64

Say = Callable[[socket.socket, str], None]
"""What a publisher does with a connection, given the path that was asked for."""


class RawPublisher:
    """A running publisher: ``paths`` are those asked for, in order."""

    def __init__(self, say: Say) -> None:
        self.paths: list[str] = []
        self._say = say
        self._ends_at = time.monotonic() + MOST_SECONDS
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self._is_over = threading.Event()
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def is_over(self) -> bool:
        return self._is_over.is_set() or time.monotonic() > self._ends_at

    def serve(self) -> None:
        accepted = 0
        with self._listening:
            while not self.is_over and accepted < MOST_CONNECTIONS:
                with suppress(TimeoutError):
                    connection, _ = self._listening.accept()
                    threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
                    accepted += 1

    def stop(self) -> None:
        self._is_over.set()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(MOST_SECONDS)
            asked = b""
            while b"\r\n\r\n" not in asked:
                if not (block := connection.recv(4096)):
                    return
                asked += block
            self.paths.append(asked.split()[1].decode())
            self._say(connection, self.paths[-1])

    def trickle(self, connection: socket.socket, block: bytes, every: float = 0.02) -> None:
        """Send ``block`` again and again, slowly, until the other side hangs up or the publisher's time is over."""
        while not self.is_over:
            connection.sendall(block)
            time.sleep(every)

    def pour(self, connection: socket.socket, block: bytes) -> None:
        """Send ``block`` again and again, as fast as it is taken."""
        self.trickle(connection, block, every=0.0)


@contextmanager
def raw_publisher(say: Callable[[RawPublisher, socket.socket, str], None]) -> Iterator[RawPublisher]:
    """A publisher that answers every connection with ``say``; it hangs up by itself after MOST_SECONDS."""
    publisher = RawPublisher(lambda connection, path: say(publisher, connection, path))
    thread = threading.Thread(target=publisher.serve, daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        publisher.stop()
        thread.join(timeout=2)
