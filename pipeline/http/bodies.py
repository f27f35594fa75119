"""Safe parsing of external documents: JSON of any shape and depth, and the lines of a CSV.

A publisher may send anything on a bad day. Parsing a document either returns plain values or raises ValueError. Looking
inside one never raises, whatever is found in place of a mapping or a list.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from typing import Any

# The largest known document is Nomis's list of all its definitions, about 4.5 MB. In Python, a document takes up to
# twenty times its bytes.
LARGEST_DOCUMENT_BYTES = 24_000_000
MOST_FOOTNOTES = 50
# The csv module has a limit too, but one for the whole process, which any library may raise (frictionless does).
LONGEST_FIELD_CHARACTERS = 131_072
_WORDS = re.compile(r"[A-Za-z]{2,}.*\s|\s.*[A-Za-z]{2,}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def json_of(content: bytes) -> Any:
    """The value of a JSON document. Raises ValueError if it is not one, is too large or too deep, or is not Unicode text."""
    if len(content) > LARGEST_DOCUMENT_BYTES:
        raise ValueError(f"{len(content):,} bytes are more than any publisher's document has")
    try:
        value = json.loads(content)
        if _SURROGATE.search(content):  # half of a surrogate pair is not a character, and no file can hold it
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply to be a publisher's document") from None
    return value


def inside(document: object, *names: str) -> Any:
    """The value under ``names``, in nested mappings; None if one of them is missing."""
    for name in names:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def mappings(value: object) -> list[dict[str, Any]]:
    """The mappings in a list; empty for anything else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A text or a number as text, without surrounding blanks; None for a blank, and for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def lines_of(content: bytes) -> list[str]:
    """The lines of a UTF-8 table (byte order mark allowed), without the empty one after the last line end.

    Only a line feed ends a line, with or without a carriage return before it. Raises UnicodeDecodeError.
    """
    lines = [line.removesuffix("\r") for line in content.decode("utf-8-sig").split("\n")]
    return lines if lines[-1] else lines[:-1]


def without_footnotes(content: bytes) -> tuple[bytes, list[str]]:
    """A CSV without the lines of words under its last row, and those lines.

    A footnote has fewer fields than the header, and its first field is several words that do not begin the row before
    it. So a truncated row is not a footnote, and is kept. Text that is not UTF-8 is returned unchanged.
    """
    try:
        lines = content.rstrip(b"\r\n ").decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return content, []
    columns = len(fields_of(lines))
    end = len(lines)
    while end > 2 and len(lines) - end < MOST_FOOTNOTES and _is_footnote(lines[end - 1], columns):
        end -= 1
    notes = [" ".join(line.strip().strip('"').split()) for line in lines[end:] if line.strip()]
    first = fields_of(lines[end - 1 : end])
    if not notes or len(first) != columns or any(first[0].startswith(fields_of([note])[0]) for note in notes):
        return content, []
    return ("\n".join(line.removesuffix("\r") for line in lines[:end]) + "\n").encode(), notes


def _is_footnote(line: str, columns: int) -> bool:
    fields = fields_of([line.removesuffix("\r")])
    return not line.strip() or (len(fields) < columns and _WORDS.search(fields[0] if fields else "") is not None)


def fields_of(lines: Sequence[str]) -> list[str]:
    """The fields of the first of ``lines``; none if there is no line or it is not a line of a CSV.

    A line with a field of more than ``LONGEST_FIELD_CHARACTERS`` is not a line of a publisher's CSV.
    """
    try:
        fields = next(csv.reader(lines[:1]), [])
    except csv.Error:
        return []
    return [] if any(len(field) > LONGEST_FIELD_CHARACTERS for field in fields) else fields
