"""What would fill memory or disk, or write elsewhere, is refused with a sentence first; measured in a process of its own."""

from __future__ import annotations

import gzip
import io
import json
import os
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.http.bodies import json_of
from pipeline.http.client import HttpClient
from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.publishers.ons_els import parse as els
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.tidy import workbook_cells as workbook
from pipeline.tidy.observations import UnreadablePayload
from tests.fuzz.spreadsheets import xlsx
from tests.standin import opendocument

SOURCES = load_catalogue().sources
MEGABYTE = 1 << 20


# --- workbooks ----------------------------------------------------------------------------------------------------------


def refused(content: bytes, sheet: str = "Data") -> str:
    """The sentence with which a workbook is refused; this process must not have grown meanwhile."""
    before = memory_of_this_process()
    with pytest.raises(workbook.UnreadableWorkbook) as caught:
        workbook.read_sheet(content, sheet)
    assert memory_of_this_process() - before < 200 * MEGABYTE
    assert len(str(caught.value)) > 15
    return str(caught.value)


def memory_of_this_process() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """An archive with one part replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info, old.read(info))
        new.writestr(name, part)
    return out.getvalue()


SMALL = xlsx("Data", [["a", "b"], [1, 2]])
SHEET = "xl/worksheets/sheet1.xml"
XML = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def test_an_archive_that_says_it_unpacks_to_gigabytes_is_refused_unopened() -> None:
    bomb = with_part(SMALL, "xl/media/picture.bin", bytes(400 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    assert "more than the 300,000,000 allowed" in refused(bomb)


def test_an_archive_that_lies_about_its_size_meets_the_limit_of_memory() -> None:
    text = (
        XML.encode()
        + b'<row r="1"><c r="A1" t="str"><v>'
        + b"x" * (290 * MEGABYTE)
        + b"</v></c></row></sheetData></worksheet>"
    )
    bomb = with_part(SMALL, SHEET, text)
    with zipfile.ZipFile(io.BytesIO(bomb)) as file:
        size = file.getinfo(SHEET).file_size
    lying = bomb.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb
    refused(lying)


@pytest.mark.parametrize("cell", ["XFD1048576", "ZZ900000"])
def test_one_cell_far_out_does_not_make_a_sheet_of_gigabytes(cell: str) -> None:
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    text = f'{XML}<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData></worksheet>'
    assert "MB of memory" in refused(with_part(SMALL, SHEET, text.encode()))


@pytest.mark.parametrize(("rows", "columns"), [(1_048_576, 16_384), (100_000, 2_000)])
def test_repeated_cells_of_an_opendocument_sheet_do_not_fill_memory(rows: int, columns: int) -> None:
    content = opendocument.workbook({"Data": [["a", 7]]})
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        text = file.read("content.xml")
    text = text.replace(b"<table:table-row>", f'<table:table-row table:number-rows-repeated="{rows}">'.encode())
    text = text.replace(b"<table:table-cell ", f'<table:table-cell table:number-columns-repeated="{columns}" '.encode())
    refused(with_part(content, "content.xml", text))


def test_entities_that_expand_are_not_expanded() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 10}">' for n in range(9))
    content = opendocument.workbook({"Data": [["a"]]})
    text = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]>'.encode()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        body = file.read("content.xml").partition(b"?>")[2].replace(b"<text:p>a", b"<text:p>&e8;")
    try:
        cells = workbook.read_sheet(with_part(content, "content.xml", text + body), "Data")
    except workbook.UnreadableWorkbook:
        return
    assert len(json.dumps(cells)) < 10_000


def test_names_that_lead_out_of_the_folder_write_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    content = with_part(SMALL, f"../../../../../../..{outside}", b"written")
    content = with_part(content, str(outside), b"written")
    assert workbook.read_sheet(content, "Data") == [["a", "b"], [1.0, 2.0]]
    assert not outside.exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"PK\x03\x04" + bytes(5000), b"\xd0\xcf\x11\xe0" + bytes(5000)]
)
def test_stumps_are_refused(content: bytes) -> None:
    refused(content)


# --- answers over HTTP --------------------------------------------------------------------------------------------------

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server on this machine that answers every GET like this."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            with suppress(OSError):  # the client has had enough, as it should
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    running = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()


def head(handler: BaseHTTPRequestHandler, **headers: str) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def client(address: str, **options: object) -> HttpClient:
    settings = Settings(data_dir=Path("nowhere"), base_urls=dict.fromkeys(SOURCES, address), nomis_uid="0xplanted")
    return HttpClient(SOURCES, settings, throttle=False, backoff_seconds=0.01, **options)  # type: ignore[arg-type]


def failure(address: str, **options: object) -> SourceError:
    with client(address, **options) as asking, pytest.raises(SourceError) as caught:
        asking.get("nomis", "dataset/NM_1_1.data.csv")
    assert "0xplanted" not in str(caught.value)
    return caught.value


def test_a_body_that_unpacks_without_end_is_refused_in_little_memory() -> None:
    """In a process that may not have more than 700 MB: 20 GB of zeros in 20 MB of gzip."""
    block = gzip.compress(bytes(100 * MEGABYTE), 9)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler, Content_Encoding="gzip", Content_Length=str(200 * len(block)))
        for _ in range(200):
            handler.wfile.write(block)

    code = """
        import resource, sys
        from pathlib import Path
        from pipeline.catalogue import load_catalogue
        from pipeline.settings import Settings
        from pipeline.http.payload import WrongContent
        from pipeline.http.client import HttpClient

        resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
        sources = load_catalogue().sources
        settings = Settings(data_dir=Path("nowhere"), base_urls={"nomis": sys.argv[1]})
        try:
            HttpClient(sources, settings, throttle=False).get("nomis", "x")
        except WrongContent as error:
            print(error)
        status = Path("/proc/self/status").read_text()
        print(int(status.partition("VmHWM:")[2].split()[0]) // 1024, "MB at most")
    """
    with server(answer) as address:
        command = [sys.executable, "-c", textwrap.dedent(code), address]
        done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, timeout=120, check=False)
    print(done.stdout)
    assert "sent more than 100,000,000 bytes" in done.stdout, done.stderr[-2000:]
    assert int(done.stdout.split()[-4]) < 400


def test_a_body_without_end_is_refused_when_it_is_longer_than_any_can_be() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler)
        while True:
            handler.wfile.write(bytes(MEGABYTE))

    with server(answer) as address:
        error = failure(address, max_body_bytes=5_000_000)
    assert isinstance(error, WrongContent)
    assert "more than 5,000,000 bytes" in str(error)


@pytest.mark.parametrize("promised", ["10000000", ""], ids=["with a length", "without"])
def test_a_body_that_trickles_for_ever_ends_by_the_clock(promised: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler, **({"Content_Length": promised} if promised else {}))
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)

    started = time.monotonic()
    with server(answer) as address:
        error = failure(address, max_answer_seconds=0.5)
    assert isinstance(error, Incomplete)
    assert "had not finished responding after 0.5 s" in str(error)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("promised", "is_believed"), [("999", True), ("9" * 500, True), ("²", False), ("-5", False), ("1e3", False)]
)
def test_a_length_that_lies_is_a_named_failure_and_one_that_is_no_number_none_at_all(
    promised: str, is_believed: bool
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler, Content_Length=promised)
        handler.wfile.write(b"a,b\n1,2\n")

    with server(answer) as address:
        if is_believed:
            assert "broke off" in str(failure(address))
        else:
            with client(address) as asking:
                assert asking.get("nomis", "x").content == b"a,b\n1,2\n"


def test_a_body_that_is_not_in_the_encoding_it_names_is_a_named_failure() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler, Content_Encoding="gzip", Content_Length="7")
        handler.wfile.write(b"no gzip")

    with server(answer) as address:
        assert isinstance(failure(address), Incomplete)


def test_headers_without_end_are_a_named_failure() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        head(handler, **{f"X_{number}": "y" * 1000 for number in range(2000)})

    with server(answer) as address:
        failure(address)


# --- tables and documents -----------------------------------------------------------------------------------------------


def test_json_nested_a_hundred_thousand_deep_is_no_document() -> None:
    for content in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        with pytest.raises(ValueError, match=r"deep|Expecting"):
            json_of(content)


def test_a_document_larger_than_any_is_not_read() -> None:
    with pytest.raises(ValueError, match="more than any publisher"):
        json_of(b"[" + b"[]," * 9_000_000 + b"[]]")


def test_a_table_of_one_endless_line_is_refused() -> None:
    header = b"areacd,period,value\n"
    for content in (header + b"x" * (64 * MEGABYTE), b"x" * (64 * MEGABYTE), header + b"x," * (8 * MEGABYTE)):
        before = memory_of_this_process()
        with pytest.raises(UnreadablePayload):
            els.parse(content)
        assert memory_of_this_process() - before < 300 * MEGABYTE


def test_a_row_set_aside_is_quoted_in_part_however_long_it_is() -> None:
    parsed = els.parse(b"areacd,period,value\nE06000001,2023-01-01/P1Y,1\n" + b"y" * 1_000_000 + b"\n")
    assert len(parsed.figures) == 1
    assert parsed.set_aside["raw_line"].str.len().tolist() == [4096]


# --- whom we talk to ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, with its key beside it."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def self_signed(certificate: Path) -> ssl.SSLContext:
    """What a server needs to answer with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def plain(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Length="8")
    handler.wfile.write(b"a,b\n1,2\n")


def test_a_certificate_that_nobody_vouches_for_is_refused_by_name(self_signed: ssl.SSLContext) -> None:
    with server(plain, self_signed) as address:
        error = failure(address)
    assert isinstance(error, HostUnreachable)
    assert "certificate could not be verified" in str(error)


def test_over_tls_the_bytes_and_the_clock_are_counted_too(
    self_signed: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/table"):
            plain(handler)
            return
        head(handler)
        for _ in range(500):
            handler.wfile.write(b"x" if "slow" in handler.path else bytes(MEGABYTE))
            handler.wfile.flush()
            time.sleep(0.02 if "slow" in handler.path else 0)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with server(endless, self_signed) as address, client(address, max_answer_seconds=1.0) as asking:
        assert asking.get("nomis", "table").content == b"a,b\n1,2\n"
        asking._max_body_bytes = 3_000_000
        with pytest.raises(WrongContent, match="more than 3,000,000 bytes"):
            asking.get("nomis", "long")
        with pytest.raises(Incomplete, match="had not finished responding after 1 s"):
            asking.get("nomis", "slow")


def test_a_redirect_to_another_host_never_carries_the_key() -> None:
    asked: list[str] = []

    def other(handler: BaseHTTPRequestHandler) -> None:
        asked.append(f"{handler.path} {handler.headers}")
        plain(handler)

    with server(other) as elsewhere:

        def with_key(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", f"{elsewhere}{handler.path}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with server(with_key) as address:
            assert isinstance(failure(address), RequestRefused)
        assert not asked

        def without_key(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", f"{elsewhere}/file.csv")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        host = elsewhere.removeprefix("http://")
        named = {"nomis": SOURCES["nomis"].model_copy(update={"other_hosts": (host,)})}
        with server(without_key) as address, client(address) as asking:
            asking._sources = named
            assert asking.get("nomis", "x").content == b"a,b\n1,2\n"
        assert len(asked) == 1
        assert "0xplanted" not in asked[0]
        with server(with_key) as address, client(address) as asking:
            asking._sources = named
            with pytest.raises(RequestRefused, match="with the key"):
                asking.get("nomis", "x")
    assert len(asked) == 1


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    from requests import PreparedRequest, Response
    from requests.exceptions import InvalidURL

    from pipeline.http.exchange import redirected_to

    for target in ("http://example.org/x", "file:///etc/passwd", "ftp://example.org/x"):
        answer = Response()
        answer.status_code, answer.url = 302, "https://example.org/y"
        answer.headers["location"], answer.request = target, PreparedRequest()
        with pytest.raises(InvalidURL, match="not followed"):
            redirected_to(answer, {"example.org"}, "0xplanted")


def test_nothing_listens_for_what_a_redirect_to_a_file_would_read() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "file:///etc/passwd")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(answer) as address:
        assert "file" in str(failure(address))
