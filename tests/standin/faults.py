"""Everything WIRE_FORMATS section 7 says can go wrong, each under a name, switched on for paths that match a pattern."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.standin.exchange import Reply, Request, html_reply, json_reply

# Column names by which the publishers of CSV give the same thing.
VALUE = ("value", "OBS_VALUE")
AREA = ("areacd", "GEOGRAPHY_CODE", "administrative-geography")


def _edit_first_row(body: bytes, columns: tuple[str, ...], value: str) -> bytes:
    """The CSV with one field of its first row changed. Fields before it must hold no comma, which the first rows' do not."""
    lines = body.split(b"\n")
    header = [name.strip('"') for name in lines[0].decode().split(",")]
    position = next(header.index(name) for name in columns if name in header)
    fields = lines[1].decode().split(",")
    fields[position] = value
    return b"\n".join([lines[0], ",".join(fields).encode(), *lines[2:]])


def _rename_column(body: bytes, columns: tuple[str, ...], name: str) -> bytes:
    header, separator, rest = body.partition(b"\n")
    fields = [name if field.strip('"') in columns else field for field in header.decode().split(",")]
    return ",".join(fields).encode() + separator + rest


def _add_column(body: bytes) -> bytes:
    lines = body.rstrip(b"\n").split(b"\n")
    added = [b'"EXTRA",' + lines[0], *(b'"new",' + line for line in lines[1:])]
    return b"\n".join(added) + (b"\n" if body.endswith(b"\n") else b"")


def _cut_in_mid_line(body: bytes) -> bytes:
    cut = body[: len(body) // 2]
    return cut[:-3] if cut.endswith(b"\n") else cut


def _repeat_first_row(body: bytes) -> bytes:
    header, first, rest = body.split(b"\n", 2)
    return b"\n".join([header, first, first, rest])


def _without_some_rows(body: bytes) -> bytes:
    """One row in fifty is gone; nothing in the answer says so."""
    header, *rows = body.rstrip(b"\n").split(b"\n")
    return b"\n".join([header, *(row for number, row in enumerate(rows) if number % 50 != 17)])


def _counted(body: bytes) -> tuple[list[bytes], list[list[bytes]], int] | None:
    """The lines of a Nomis table and the fields of its rows from the right, which hold no comma, with its RECORD_COUNT."""
    lines = body.rstrip(b"\n").split(b"\n")
    if not lines[0].endswith(b'"RECORD_OFFSET","RECORD_COUNT"') or len(lines) == 1:
        return None
    rows = [line.rsplit(b",", 2) for line in lines[1:]]
    return lines, rows, int(rows[0][2])


def _without_last_area(body: bytes) -> bytes:
    """The last area of a table that came in one page is gone, and RECORD_COUNT agrees with what is left."""
    counted = _counted(body)
    if counted is None or counted[2] != len(counted[1]):
        return body
    lines, rows, _ = counted
    found = re.findall(rb'"([A-Z][0-9]{8})"', lines[-1])
    kept = [row[0] for row in rows if found[-1] not in row[0]] if found else []
    total = b"%d" % len(kept)
    return b"\n".join([lines[0], *(b"%b,%d,%b" % (row, n, total) for n, row in enumerate(kept))]) + b"\n"


def _counting_the_page(body: bytes) -> bytes:
    """RECORD_COUNT tells how far this page goes instead of how many rows there are."""
    counted = _counted(body)
    if counted is None:
        return body
    lines, rows, _ = counted
    end = b"%d" % (int(rows[-1][1]) + 1)
    return b"\n".join([lines[0], *(b",".join([*row[:2], end]) for row in rows)]) + b"\n"


def _grown(body: bytes) -> bytes:
    """Later pages are of a table that has a row more than when the first was sent."""
    counted = _counted(body)
    if counted is None or counted[1][0][1] == b"0":
        return body
    lines, rows, total = counted
    return b"\n".join([lines[0], *(b",".join([*row[:2], b"%d" % (total + 1)]) for row in rows)]) + b"\n"


def _with_body(change: Callable[[bytes], bytes]) -> Callable[[Request, Reply], Reply]:
    """A fault in a table: other documents (definitions, errors) pass unchanged."""

    def apply(request: Request, reply: Reply) -> Reply:
        return replace(reply, body=change(reply.body)) if ".csv" in request.path and reply.body[:1] != b"{" else reply

    return apply


def _redirected(request: Request, reply: Reply) -> Reply:
    if any(name.lower() == "x-moved" for name in request.headers):
        return reply
    return Reply(302, b"", {"location": f"/moved{request.target}"})


TABLE_FAULTS: Mapping[str, Callable[[bytes], bytes]] = {
    "truncated_body": _cut_in_mid_line,  # content-length agrees with what is sent: a proxy has cut it
    "wrong_column": lambda body: _rename_column(body, VALUE, "figure"),
    "extra_column": _add_column,
    "duplicate_rows": _repeat_first_row,
    "value_140_percent": lambda body: _edit_first_row(body, VALUE, "140"),
    "negative_pay": lambda body: _edit_first_row(body, VALUE, "-50"),
    "unknown_code": lambda body: _edit_first_row(body, AREA, "E99999999"),
    "withdrawn_rows": _without_some_rows,
    "missing_area": _without_last_area,
    "count_of_the_page": _counting_the_page,
    "grown_between_pages": _grown,
    "not_a_number": lambda body: _edit_first_row(body, VALUE, "n/a"),
}
REPLY_FAULTS: Mapping[str, Callable[[Request, Reply], Reply]] = {
    **{name: _with_body(change) for name, change in TABLE_FAULTS.items()},
    "html_200": lambda request, reply: html_reply(200),
    "echoed_address": lambda request, reply: Reply(
        200, f"Bad request: {request.target}".encode(), {"x-asked": request.target}
    ),
    "empty_200": lambda request, reply: replace(reply, status=200, body=b""),
    "unavailable": lambda request, reply: Reply(503, b"Service Unavailable", {"content-type": "text/plain"}),
    "internal_error": lambda request, reply: json_reply({"message": "Internal Error"}, 500),
    "plain_text_error": lambda request, reply: Reply(500, b"internal error\n", {"content-type": "text/plain"}),
    "rate_limited": lambda request, reply: Reply(429, b"Too many requests", {"retry-after": "1"}),
    "dropped_connection": lambda request, reply: replace(reply, breaks_off_after=len(reply.body) // 2),
    "redirect": _redirected,
    "truncated_file": lambda request, reply: replace(reply, body=reply.body[: len(reply.body) // 2]),
    "moved_file": lambda request, reply: json_reply({"_response_info": {"status": "not found"}}, 404),
    "renamed_service": lambda request, reply: json_reply(
        {"error": {"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}}
    ),
    "arcgis_busy": lambda request, reply: json_reply(
        {"error": {"code": 503, "message": "An error occurred.", "details": []}}
    ),
    "zero_ghosts": lambda request, reply: reply,  # the Nomis service itself answers with them
}
# The publisher takes the question and says nothing for so long that its read timeout, cut short for this, has passed.
SECONDS_OF_SILENCE = 10.0
SILENT = "silent"
# The same, for the first matching request only.
ONCE = frozenset({"unavailable_once", "rate_limited_once", "dropped_connection_once", "internal_error_once"})
NAMES = frozenset(REPLY_FAULTS) | ONCE
_REPLIES = {**REPLY_FAULTS, SILENT: lambda request, reply: replace(reply, silent_seconds=SECONDS_OF_SILENCE)}


class Faults:
    """The faults that are on: name to regular expression of path and query ('' matches everything)."""

    def __init__(self, switched_on: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._spent: set[str] = set()
        for name, pattern in (switched_on or {}).items():
            self.switch_on(name, pattern)

    def switch_on(self, name: str, pattern: str = "") -> None:
        """Raises ValueError for a name that is neither in NAMES nor SILENT."""
        if name not in NAMES and name != SILENT:
            raise ValueError(f"no fault named {name!r}; there are {', '.join(sorted(NAMES))}")
        with self._lock:
            self._patterns[name] = re.compile(pattern)
            self._spent.discard(name)

    def switch_off(self, name: str) -> None:
        with self._lock:
            self._patterns.pop(name, None)

    def names(self) -> list[str]:
        """What is switched on, in alphabetical order."""
        return sorted(self._patterns)

    def is_on(self, name: str, request: Request) -> bool:
        pattern = self._patterns.get(name)
        return pattern is not None and pattern.search(request.target) is not None

    def apply(self, request: Request, reply: Reply) -> Reply:
        """The reply with every fault that is on for this request, in alphabetical order."""
        for name in sorted(self._patterns):
            if self.is_on(name, request) and self._may_fire(name):
                reply = _REPLIES[name.removesuffix("_once")](request, reply)
        return reply

    def _may_fire(self, name: str) -> bool:
        with self._lock:
            if name not in ONCE:
                return True
            if name in self._spent:
                return False
            self._spent.add(name)
            return True
