"""One deadline and one budget of bytes hold for every part of an exchange, told by a publisher on a raw socket."""

from __future__ import annotations

import gzip
import resource
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable

import pytest

from pipeline.http.client import HttpClient
from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.settings import PROJECT_ROOT
from tests.publishers.conftest import ClientFor
from tests.publishers.raw_publisher import RawPublisher, raw_publisher

SECONDS = 0.6
TABLE = b"a,b\n1,2\n"
KEY = "0xplanted0key"
OK = b"HTTP/1.1 200 OK\r\n"
GZIPPED = OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
Say = Callable[[RawPublisher, socket.socket, str], None]


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n".encode()


def failure(client: HttpClient) -> SourceError:
    with pytest.raises(SourceError) as caught:
        client.get("nomis", "x.csv")
    assert KEY not in str(caught.value)
    return caught.value


def asking(client_for: ClientFor, publisher: RawPublisher, **options: object) -> HttpClient:
    return client_for(base_urls={"nomis": publisher.address}, nomis_uid=KEY, **options)


# --- the clock ---------------------------------------------------------------------------------------------------------

TRICKLED: dict[str, Say] = {
    "a status line": lambda publisher, out, _: publisher.trickle(out, b"H"),
    "a header": lambda publisher, out, _: (out.sendall(OK + b"X-A: "), publisher.trickle(out, b"y"))[1],
    "headers": lambda publisher, out, _: (out.sendall(OK), publisher.trickle(out, b"X-A: y\r\n", every=0.1))[1],
    "100 Continue": lambda publisher, out, _: publisher.trickle(out, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": lambda publisher, out, _: (out.sendall(OK + b"\r\n"), publisher.trickle(out, b"x"))[1],
    "a body in chunks": lambda publisher, out, _: (
        out.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        publisher.trickle(out, b"1\r\nx\r\n"),
    )[1],
    "the length of a chunk": lambda publisher, out, _: (
        out.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        publisher.trickle(out, b"0"),
    )[1],
    "what follows the last chunk": lambda publisher, out, _: (
        out.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n8\r\n" + TABLE + b"\r\n0\r\n"),
        publisher.trickle(out, b"X-A: y\r\n", every=0.1),
    )[1],
    "empty members of gzip": lambda publisher, out, _: (
        out.sendall(GZIPPED + gzip.compress(TABLE)),
        publisher.trickle(out, gzip.compress(b"")),
    )[1],
    "an error's body": lambda publisher, out, _: (
        out.sendall(b"HTTP/1.1 503 Busy\r\n\r\n"),
        publisher.trickle(out, b"x"),
    )[1],
    "a redirect's status line": lambda publisher, out, path: (
        out.sendall(redirect("/then") + b"Content-Length: 0\r\n\r\n")
        if path != "/then"
        else publisher.trickle(out, b"H")
    ),
    "nothing": lambda publisher, out, _: publisher.trickle(out, b"", every=0.1),
}


@pytest.mark.parametrize("what", TRICKLED)
def test_whatever_trickles_ends_by_the_clock_and_is_asked_for_once(client_for: ClientFor, what: str) -> None:
    with raw_publisher(TRICKLED[what]) as publisher:
        client = asking(client_for, publisher, max_answer_seconds=SECONDS)
        began = time.monotonic()
        error = failure(client)
        assert time.monotonic() - began < SECONDS + 1
        assert isinstance(error, Incomplete)
        assert f"had not finished responding after {SECONDS:g} s" in str(error)
        asked = len(publisher.paths)
        # a host that took so long once is not asked for its next table tonight
        assert isinstance(failure(client), HostUnreachable)
        assert len(publisher.paths) == asked <= 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_held_to_the_same_clock(client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with raw_publisher(TRICKLED["a status line"]) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.address)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        client = client_for(base_urls={"nomis": f"{scheme}://publisher.example"}, max_answer_seconds=SECONDS)
        began = time.monotonic()
        assert "had not finished responding" in str(failure(client))
        assert time.monotonic() - began < SECONDS + 1
        assert proxy.paths == ["http://publisher.example/x.csv" if scheme == "http" else "publisher.example:443"]


def test_redirects_and_new_attempts_share_one_clock(client_for: ClientFor) -> None:
    def slow(publisher: RawPublisher, out: socket.socket, path: str) -> None:
        time.sleep(SECONDS / 3)
        out.sendall(
            redirect(f"{path}x") + b"Content-Length: 0\r\n\r\n" if len(path) < 12 else b"HTTP/1.1 503 No\r\n\r\n"
        )

    with raw_publisher(slow) as publisher:
        began = time.monotonic()
        error = failure(asking(client_for, publisher, max_answer_seconds=SECONDS))
        assert time.monotonic() - began < SECONDS + 1
    assert "had not finished responding" in str(error)


def test_nothing_is_asked_once_half_of_the_night_has_passed(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_publisher(TRICKLED["a body"]) as publisher:
        client = asking(client_for, publisher)
        monkeypatch.setattr(client, "_asks_until", time.monotonic() + SECONDS)
        began = time.monotonic()
        assert isinstance(failure(client), Incomplete)
        assert time.monotonic() - began < SECONDS + 1
        monkeypatch.setattr(client, "_hosts", {})
        assert "half of the night's time (IG_MOST_MINUTES) is up" in str(failure(client))
        assert len(publisher.paths) == 1


# --- the budget --------------------------------------------------------------------------------------------------------

ENDLESS: dict[str, Say] = {
    "100 Continue": lambda publisher, out, _: publisher.pour(out, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "headers of 100 Continue": lambda publisher, out, _: publisher.pour(
        out, b"HTTP/1.1 100 Continue\r\n" + b"X-A: %b\r\n" % (b"y" * 60_000) + b"\r\n"
    ),
    "a body": lambda publisher, out, _: (out.sendall(OK + b"\r\n"), publisher.pour(out, bytes(1 << 18)))[1],
    "members of gzip that unpack to nothing": lambda publisher, out, _: (
        out.sendall(GZIPPED),
        publisher.pour(out, gzip.compress(b"") * 1000),
    )[1],
    "gzip that unpacks a thousandfold": lambda publisher, out, _: (
        out.sendall(GZIPPED),
        publisher.pour(out, gzip.compress(bytes(1 << 24))),
    )[1],
}


@pytest.mark.parametrize("what", ENDLESS)
def test_whatever_has_no_end_is_refused_by_its_bytes(client_for: ClientFor, what: str) -> None:
    with raw_publisher(ENDLESS[what]) as publisher:
        error = failure(asking(client_for, publisher, max_body_bytes=2_000_000))
    assert isinstance(error, WrongContent)
    assert "sent more than 2,000,000 bytes" in str(error)


@pytest.mark.parametrize("kept", range(1, 9))
def test_a_gzip_body_without_its_whole_end_mark_is_not_used(client_for: ClientFor, kept: int) -> None:
    packed = gzip.compress(TABLE)

    def cut(publisher: RawPublisher, out: socket.socket, _: str) -> None:
        out.sendall(GZIPPED + packed[:-kept])

    with raw_publisher(cut) as publisher:
        assert "broke off in the middle" in str(failure(asking(client_for, publisher)))


def test_a_whole_gzip_body_is_unpacked_also_in_several_members(client_for: ClientFor) -> None:
    table = b"area,value\n" + b"E06000001,1.5\n" * 100_000

    def answer(publisher: RawPublisher, out: socket.socket, _: str) -> None:
        packed = gzip.compress(table[:700_000]) + gzip.compress(table[700_000:])
        for start in range(0, len(packed), 997):
            out.sendall((GZIPPED if start == 0 else b"") + packed[start : start + 997])

    with raw_publisher(answer) as publisher:
        assert asking(client_for, publisher).get("nomis", "x").content == table


# --- redirects ---------------------------------------------------------------------------------------------------------


def test_the_body_of_a_redirect_is_not_read_however_long_it_is(client_for: ClientFor) -> None:
    def answer(publisher: RawPublisher, out: socket.socket, path: str) -> None:
        if path == "/then":
            out.sendall(OK + b"Content-Length: 8\r\n\r\n" + TABLE)
            return
        out.sendall(redirect("/then") + b"\r\n")
        publisher.pour(out, bytes(1 << 16))

    with raw_publisher(answer) as publisher:
        began = time.monotonic()
        response = asking(client_for, publisher).get("nomis", "x")
        assert time.monotonic() - began < 2
    assert response.content == TABLE
    assert response.url_without_secrets.endswith("/then")


def test_a_redirect_with_a_bomb_for_a_body_takes_no_memory() -> None:
    """In a process that may not have more than 700 MB: the body unpacks to 6 GB."""
    million = gzip.compress(bytes(64 << 20), 9)

    def answer(publisher: RawPublisher, out: socket.socket, path: str) -> None:
        bomb = million * 96
        head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        out.sendall(redirect(f"{path}x") + head + bomb)

    code = f"""
        import resource, sys
        from pathlib import Path
        from pipeline.catalogue import load_catalogue
        from pipeline.settings import Settings
        from pipeline.http.payload import RequestRefused
        from pipeline.http.client import HttpClient

        resource.setrlimit(resource.RLIMIT_AS, (700 << 20, {resource.RLIM_INFINITY}))
        settings = Settings(data_dir=Path("nowhere"), base_urls={{"nomis": sys.argv[1]}})
        client = HttpClient(load_catalogue().sources, settings, throttle=False, max_body_bytes=5_000_000)
        try:
            client.get("nomis", "x")
        except RequestRefused as error:
            print(error)
        print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024, "MB at most")
    """
    with raw_publisher(answer) as publisher:
        command = [sys.executable, "-c", textwrap.dedent(code), publisher.address]
        done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, timeout=60, check=False)
        assert len(publisher.paths) == 6
    assert "redirected more than 5 times" in done.stdout, done.stderr[-2000:]
    assert int(done.stdout.split()[-4]) < 200


@pytest.mark.parametrize(
    "location",
    ["http://[::1", "//", "http://", "http://a b/", "http://127.0.0.1:port/", "http://127.0.0.1:99999999/",
     "http://name:word@127.0.0.1/x", "http://xn--\xff/", "\x00", "http://\xed\xa0\x80/", "file:///etc/passwd", "http://" + "a" * 9000,
     "http://169.254.169.254/latest/meta-data/", "http://localhost:1/"],
)  # fmt: skip
def test_a_hostile_location_is_a_failure_by_name_and_leads_nowhere(client_for: ClientFor, location: str) -> None:
    def answer(publisher: RawPublisher, out: socket.socket, _: str) -> None:
        out.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + location.encode("latin-1") + b"\r\nContent-Length: 0\r\n\r\n")

    with raw_publisher(answer) as publisher:
        error = failure(asking(client_for, publisher))
        assert isinstance(error, RequestRefused)
        assert "Nomis API" in str(error)
        # three of them are no address of their own: they lead back to the publisher itself, five times
        assert len(publisher.paths) == (6 if location in ("//", "http://", "\x00") else 1)


def test_a_redirect_leads_to_another_host_only_where_the_catalogue_names_it(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def table(publisher: RawPublisher, out: socket.socket, _: str) -> None:
        out.sendall(OK + b"Content-Length: 8\r\n\r\n" + TABLE)

    with raw_publisher(table) as other:

        def away(publisher: RawPublisher, out: socket.socket, _: str) -> None:
            out.sendall(redirect(f"{other.address}/file.csv") + b"Content-Length: 0\r\n\r\n")

        with raw_publisher(away) as publisher:
            client = asking(client_for, publisher)
            assert "does not name it among the source's other_hosts" in str(failure(client))
            assert not other.paths
            with pytest.raises(RequestRefused, match="names an address that is not requested"):
                client.get("nomis", f"{other.address}/file.csv")
            assert not other.paths
            source = client._sources["nomis"].model_copy(update={"other_hosts": (other.address.split("//")[1],)})
            monkeypatch.setattr(client, "_sources", {"nomis": source})
            assert client.get("nomis", "x.csv").content == TABLE
            assert other.paths == ["/file.csv"]
