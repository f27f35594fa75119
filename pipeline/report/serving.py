"""Serve the site on this machine alone, for a local look."""

from __future__ import annotations

import io
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

_LOOPBACK = "127.0.0.1"


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without logging requests. Nothing is cached, so a rebuilt site shows at once."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002, ARG002 as the library has it
        return

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """As the library's, but also answers addresses that cannot be file names."""
        try:
            if "\0" not in unquote(self.path):
                return super().send_head()
        except ValueError:  # such as a null byte in the path
            pass
        self.send_error(HTTPStatus.BAD_REQUEST)
        return None

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def local_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of ``folder`` on the loopback address; port 0 takes a free one. Raises OSError if the port is taken."""
    return ThreadingHTTPServer((_LOOPBACK, port), partial(_Quiet, directory=str(folder)))
