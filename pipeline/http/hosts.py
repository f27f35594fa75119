"""One run's knowledge of one host: whether it can be reached, and when the next request may start."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

FIRST_CONTACT_SECONDS = 3.0  # to connect; a resolver without a network can hang for much longer,
FIRST_CONTACT_DEADLINE_SECONDS = 5.0  # so look-up and connection together get this long, in their own thread


class Host:
    """One host of one run, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._verdict: str | None = None  # None before the first contact; then '', or why it cannot be reached
        self._next_request_at = 0.0
        self._held_until = 0.0
        self.has_answered = False

    def verdict(self, url: str) -> str:
        """'' if ``url``'s host can be reached, else why not; decided once for the run.

        Concurrent first requests wait for the first one's result; later ones pass or fail at once.
        """
        with self._lock:
            if self._verdict is None:
                self._verdict = first_contact(*address_to_contact(url))
            return self._verdict

    def give_up(self, reason: str, *, for_good: bool = False) -> None:
        """Make later requests fail at once. Without ``for_good``, a host that has answered before may still recover."""
        if for_good or not self.has_answered:
            self._verdict = reason

    def hold_off(self, seconds: float) -> None:
        """Start no request for this long, in any thread: the host has asked for it (Retry-After)."""
        with self._lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    @property
    def held_for(self) -> float:
        """How many seconds are left of the pause that the host asked for."""
        return max(0.0, self._held_until - time.monotonic())

    def take_turn(self, requests_per_second: float) -> None:
        """Wait until the next request may start, counted over all threads."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next_request_at, self._held_until)
            self._next_request_at = start + 1.0 / requests_per_second
        if start > now:
            time.sleep(start - now)


def is_loopback(url: str) -> bool:
    """Whether ``url`` is on this machine (a stand-in or a mirror), where no proxy is used."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def address_to_contact(url: str) -> tuple[str, int]:
    """Host and port of the first hop to ``url``: the proxy if the environment names one, else the host itself."""
    proxies = {} if is_loopback(url) else requests.utils.get_environ_proxies(url, no_proxy=None)
    proxy = requests.utils.select_proxy(url, proxies)
    parts = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}" if proxy else url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def first_contact(host: str, port: int, *, connect: Callable[..., socket.socket] = socket.create_connection) -> str:
    """'' if a TCP connection can be opened, else why not. Takes at most FIRST_CONTACT_DEADLINE_SECONDS."""
    outcome: list[str] = []

    def attempt() -> None:
        try:
            connect((host, port), timeout=FIRST_CONTACT_SECONDS).close()
            outcome.append("")
        except socket.gaierror:
            outcome.append("its name is not known to the resolver")
        except TimeoutError:
            outcome.append(f"no connection within {FIRST_CONTACT_SECONDS:g} s")
        except OSError as error:
            outcome.append((error.strerror or "the connection failed").lower())

    # A daemon thread: a hanging resolver cannot be interrupted and must not delay the program's exit.
    thread = threading.Thread(target=attempt, name=f"first contact with {host}", daemon=True)
    thread.start()
    thread.join(FIRST_CONTACT_DEADLINE_SECONDS)
    return outcome[0] if outcome else f"no answer from the resolver within {FIRST_CONTACT_DEADLINE_SECONDS:g} s"
