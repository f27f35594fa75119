"""A stand-in for the publishers on loopback: it speaks their formats, keeps their limits, and fails as they do.

with StandIn(faults={"unavailable_once": "employment-rate"}) as standin:
    settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls)
    ...
    assert standin.count("data/") == 3
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from pipeline.settings import url_variables
from tests.standin import arcgis, els, files, nomis
from tests.standin.exchange import Reply, Request, html_reply
from tests.standin.faults import Faults
from tests.standin.figures import SHARED_DATA, Figures, figures_of

PREFIXES: Mapping[str, str] = {
    "ons_els": els.PREFIX,
    "nomis": nomis.PREFIX,
    "open_geography": arcgis.PREFIX,
    "govuk": files.PREFIX,
    "gov_wales": files.PREFIX,
    "gov_scot": files.PREFIX,
    "nisra": files.PREFIX,
}


class StandIn:
    """All publishers behind one port of 127.0.0.1. ``requests`` holds every request in the order of arrival.

    ``data_dir`` is a folder laid out like ../shared/data (default: that one; without it, the shipped baseline's
    figures). ``els_generation`` is "A" or "B". ``faults`` maps a name of ``faults.NAMES`` to a regular expression of
    path and query; ``standin.faults`` switches them while it runs.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        els_generation: str = "B",
        faults: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.faults = Faults(faults)
        self._listener: Callable[[Request, Reply, Reply], None] | None = None
        self.requests: list[Request] = []
        self._figures = figures_of(data_dir or SHARED_DATA)
        self._els_generation = els_generation
        self._lock = threading.Lock()
        self._server = _QuietServer(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stand-in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_urls(self) -> dict[str, str]:
        """Source id to base URL, as ``Settings.base_urls`` takes them."""
        return {source_id: self.origin + prefix for source_id, prefix in PREFIXES.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point a run at this stand-in."""
        return {url_variables()[source_id]: url for source_id, url in self.base_urls.items()}

    def count(self, text: str = "") -> int:
        """How many requests so far had ``text`` in their path and query."""
        with self._lock:
            return sum(text in request.target for request in self.requests)

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
        undisturbed = self._undisturbed(request)
        sent = self.faults.apply(request, undisturbed)
        if self._listener is not None:
            self._listener(request, undisturbed, sent)
        return sent

    def tell(self, listener: Callable[[Request, Reply, Reply], None]) -> None:
        """Have ``listener`` told of each request, of the answer to it undisturbed, and of the one that is sent."""
        self._listener = listener

    def hold(self, figures: Figures) -> None:
        """Answer with these figures from now on."""
        self._figures = figures
        self.__dict__.pop("_services", None)

    def _undisturbed(self, request: Request) -> Reply:
        for source_id, prefix in PREFIXES.items():
            if prefix and request.path.startswith(prefix + "/"):
                return self._services[source_id](request)
        return self._services["govuk"](request)

    @cached_property
    def _services(self) -> dict[str, Callable[[Request], Reply]]:
        nomis_service = nomis.NomisService(self._figures)
        return {
            "ons_els": els.ElsService(self._figures, self._els_generation).answer,
            "nomis": lambda request: nomis_service.answer(
                request, zero_ghosts=self.faults.is_on("zero_ghosts", request)
            ),
            "open_geography": arcgis.ArcGisService(self._figures.data_dir).answer,
            "govuk": files.FileService(self._figures.data_dir).answer,
        }


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here; anything else is printed as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(standin: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "stand-in"

        def log_message(self, *_: object) -> None:
            """Quiet: ``StandIn.requests`` is the log."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = dict(self.headers.items())
            path = parts.path
            if path.startswith("/moved/"):  # where the fault "redirect" sends people
                path, headers["x-moved"] = path.removeprefix("/moved"), "yes"
            query = tuple(parse_qsl(parts.query, keep_blank_values=True))
            request = Request(self.command, path, query, headers)
            try:
                reply = standin.answer(request)
            except Exception:
                self._send(html_reply(500))
                raise
            self._send(reply)

        do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def _send(self, reply: Reply) -> None:
            if reply.silent_seconds:
                time.sleep(reply.silent_seconds)
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 304:
                    self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                if self.command == "HEAD":
                    return
                if reply.breaks_off_after is None:
                    self.wfile.write(reply.body)
                else:
                    self.wfile.write(reply.body[: reply.breaks_off_after])
                    self.close_connection = True
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client has gone, which some tests want

    return Handler
