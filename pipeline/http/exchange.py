"""One exchange with a publisher: one deadline and one budget of bytes, whichever part is slow or long.

The libraries (requests, urllib3, http.client) restart their timeout with every byte, read the body of a redirect to its
end, and decompress before a caller can count. So bytes are counted here on receipt, redirects are followed by hand with
their bodies unread, and bodies are decompressed here.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.http.payload import Incomplete, WrongContent

BLOCK_BYTES = 1 << 18
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Status lines and headers come on top of the body's budget. Real ones take a few kilobytes.
MOST_HEAD_BYTES = 1_000_000
_GZIP = 31  # zlib's number for a gzip stream with its header and its end mark


class OutOfTime(Incomplete):
    """The publisher did not finish its answer in the time allowed for an exchange."""


@dataclass
class Allowance:
    """The limits of one exchange: bytes of one attempt, and seconds until ``ends_at`` (``time.monotonic()``).

    ``where`` names source and address in errors; ``seconds`` is the time allowed for the exchange.
    """

    where: str
    most_bytes: int
    ends_at: float
    seconds: float
    arrived: int = 0

    def seconds_left(self) -> float:
        """More than 0. Raises OutOfTime once no time is left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise OutOfTime(
                f"{self.where} had not finished responding after {self.seconds:g} s ({self.arrived:,} bytes arrived); "
                "try again later."
            )
        return left

    def count(self, arrived: int) -> None:
        """Count bytes as they arrive. Raises WrongContent if there are more than any answer has."""
        self.arrived += arrived
        if self.arrived > self.most_bytes + MOST_HEAD_BYTES:
            raise self.too_much()

    def too_much(self) -> WrongContent:
        return WrongContent(
            f"{self.where} sent more than {self.most_bytes:,} bytes; none of it is used. "
            "Request less at a time, or raise largest_answer_megabytes in sources.yaml."
        )


_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def within(allowance: Allowance) -> Iterator[None]:
    """Everything that this thread receives in this context counts against ``allowance``."""
    token = _allowance.set(allowance)
    try:
        yield
    finally:
        _allowance.reset(token)


class _Counted(io.RawIOBase):
    """A socket whose receipts count against an allowance: it waits no longer than the exchange has left."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, allowance: Allowance) -> None:
        super().__init__()
        self._raw, self._connection, self._allowance = raw, connection, allowance
        self._patience = connection.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._allowance.seconds_left()
        if self._patience is None or left < self._patience:
            self._connection.settimeout(left)
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            self._allowance.seconds_left()  # the exchange's time is up; this is not a read timeout
            raise
        self._allowance.count(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose status line, interim answers, headers and body are all counted."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        allowance = _allowance.get()
        if allowance is not None:
            self.fp = io.BufferedReader(_Counted(self.fp.detach(), sock, allowance))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Session(requests.Session):
    """A session that counts bytes and never follows a redirect itself, since it would read the body first."""

    def __init__(self, user_agent: str) -> None:
        super().__init__()
        self.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        for scheme in _POOLS:
            self.mount(f"{scheme}://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - as requests has it
        return None


def redirected_to(answer: requests.Response, allowed: Collection[str], secret: str | None) -> str | None:
    """The target of a redirect, None if the answer is not one.

    ``allowed`` are hosts (with any unusual port) that may be contacted for this source. Raises InvalidURL for a
    redirect that is not followed: to an invalid address, from https to http, to another host, or to another host with
    the key in the address. Its text holds no key.
    """
    location = answer.headers.get("location")
    if answer.status_code not in REDIRECTS or location is None:
        return None
    try:
        # headers arrive as Latin-1, but publishers write addresses in UTF-8
        address = urljoin(answer.url, location.encode("latin-1").decode("utf-8"))
        here, there = urlsplit(answer.url), urlsplit(address)
        host = host_of(there) if there.scheme in ("http", "https") else ""
    except ValueError:
        raise requests.exceptions.InvalidURL("it redirects to an invalid address") from None
    if there.scheme not in ("http", "https") or (here.scheme == "https" and there.scheme == "http"):
        raise requests.exceptions.InvalidURL(
            f"it redirects from {here.scheme} to {there.scheme} ({there.hostname}), which is not followed"
        )
    if host not in {host_of(here), *allowed}:
        raise requests.exceptions.InvalidURL(
            f"it redirects to another host ({host}), which is not followed: "
            "sources.yaml does not name it among the source's other_hosts"
        )
    if secret and host != host_of(here) and secret in unquote(address):
        raise requests.exceptions.InvalidURL(
            f"it redirects to another host ({host}) with the key in the address, which is not followed"
        )
    return address


def host_of(address: SplitResult) -> str:
    """Host and port in the form of ``allowed``: without the port that the scheme implies.

    Raises ValueError for an address without a host, with a user name and password, or with an invalid port.
    """
    if not address.hostname or "@" in address.netloc:
        raise ValueError("no host, or a name and password before it")
    usual = {"https": 443, "http": 80}.get(address.scheme)
    return address.hostname if address.port in (None, usual) else f"{address.hostname}:{address.port}"


def body_of(answer: requests.Response, allowance: Allowance) -> bytes:
    """The complete body, decompressed if it is gzip, the only compression requested.

    Raises WrongContent if it is longer than allowed, compressed or not; OutOfTime; and ChunkedEncodingError if it
    breaks off, claims to be gzip but is not, or lacks gzip's end mark.
    """
    is_packed = answer.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
    received = _received(answer)
    body = bytearray()
    for block in _unpacked(received) if is_packed else received:
        body += block
        if len(body) > allowance.most_bytes:
            raise allowance.too_much()
        allowance.seconds_left()
    return bytes(body)


def _received(answer: requests.Response) -> Iterator[bytes]:
    """The bytes as they arrive, as sent: requests' own iterator waits for a full block."""
    try:
        while block := answer.raw.read1(BLOCK_BYTES, decode_content=False):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError("the body stopped coming") from error


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Decompressed gzip in blocks of at most BLOCK_BYTES, however large it becomes; members may follow one another."""
    unpacker = zlib.decompressobj(_GZIP)
    has_begun = False
    try:
        for block in packed:
            left = block
            while left:
                has_begun = True
                yield unpacker.decompress(left, BLOCK_BYTES)
                left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if unpacker.eof:
                    unpacker, has_begun = zlib.decompressobj(_GZIP), False
    except zlib.error as error:
        raise requests.exceptions.ChunkedEncodingError("the body is not compressed as declared") from error
    if has_begun:
        raise requests.exceptions.ChunkedEncodingError("the body ended before the end mark of gzip")
