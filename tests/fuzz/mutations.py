"""What can go wrong with bytes on their way: small changes to tables, documents and files, drawn from a seeded generator."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CELLS = (
    b"",
    b" ",
    b"NaN",
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"1e999",
    b"-1",
    b"0",
    b"1_000",
    b'"1,000"',
    b"0x10",
    b"1,5",
    b"..",
    b"x",
    b"[c]",
    b"=1+1",
    b"@SUM(A1)",
    b"\x00",
    b"\x1b[31m",
    "٣٧".encode(),
    "１２".encode(),
    "²".encode(),
    "\u2028".encode(),
    "Ynys Môn".encode("latin-1"),
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"a" * 50_000,
    b"9" * 400,
    b'"',
    b'""',
    b'"unclosed',
    b"<td>1</td>",
    b"E99999999",
    b"true",
    b"null",
    b"2023-13-45/P1Y",
    b"9999-12-31/P999Y",
    b"2023-01-01/P0M",
    b"0000-00-00",
)
HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    10**30,
    "",
    " ",
    "²",
    "٣",
    "=1+1",
    "\x00",
    "\ud800",
    "a" * 50_000,
    [],
    {},
    [[]],
    [None],
    [1],
    {"": {}},
    "<html>",
)


@dataclass(frozen=True)
class Mutant:
    """Changed bytes, and what was done to them."""

    content: bytes
    changes: tuple[str, ...]


# --- tables ---------------------------------------------------------------------------------------------------------


def table(content: bytes, rng: random.Random, count: int) -> Mutant:
    """A table with ``count`` changes: all to single lines or, one time in three, one of them to the table as a whole."""
    lines = content.split(b"\n")
    changes = []
    whole = rng.random() < 1 / 3
    for _ in range(count - whole):
        change = rng.choice(LINE_CHANGES)
        change(lines, rng)
        changes.append(change.__name__)
    if whole:
        change_all = rng.choice(TABLE_CHANGES)
        lines = change_all(lines, rng)
        changes.append(change_all.__name__)
    return Mutant(b"\n".join(lines), tuple(changes))


def _row(lines: list[bytes], rng: random.Random) -> int:
    return rng.randrange(1, len(lines)) if len(lines) > 1 else 0


def cell_replaced(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    fields = lines[row].split(b",")
    fields[rng.randrange(len(fields))] = rng.choice(CELLS)
    lines[row] = b",".join(fields)


def cell_of_another_row(lines: list[bytes], rng: random.Random) -> None:
    row, other = lines[_row(lines, rng)].split(b","), _row(lines, rng)
    fields = lines[other].split(b",")
    place = rng.randrange(min(len(row), len(fields)))
    fields[place] = row[place]
    lines[other] = b",".join(fields)


def cells_swapped(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    fields = lines[row].split(b",")
    one, other = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[one], fields[other] = fields[other], fields[one]
    lines[row] = b",".join(fields)


def byte_changed(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    if lines[row]:
        line = bytearray(lines[row])
        line[rng.randrange(len(line))] = rng.randrange(256)
        lines[row] = bytes(line)


def bit_flipped(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    if lines[row]:
        line = bytearray(lines[row])
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        lines[row] = bytes(line)


def line_repeated(lines: list[bytes], rng: random.Random) -> None:
    lines.insert(_row(lines, rng), lines[_row(lines, rng)])


def line_gone(lines: list[bytes], rng: random.Random) -> None:
    if len(lines) > 2:
        del lines[_row(lines, rng)]


def line_cut(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    lines[row] = lines[row][: rng.randrange(len(lines[row]) + 1)]


def line_inserted(lines: list[bytes], rng: random.Random) -> None:
    lines.insert(_row(lines, rng), rng.choice([b"", b",", HTML, b"\r", b"\x00", b"Total,,,,,,", b'"', b"1,2,3"]))


def line_in_another_encoding(lines: list[bytes], rng: random.Random) -> None:
    row = _row(lines, rng)
    lines[row] = (
        lines[row].decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-16-le", "cp500", "utf-7"]), "replace")
    )


def lines_swapped(lines: list[bytes], rng: random.Random) -> None:
    one, other = _row(lines, rng), _row(lines, rng)
    lines[one], lines[other] = lines[other], lines[one]


LINE_CHANGES: tuple[Callable[[list[bytes], random.Random], None], ...] = (
    cell_replaced,
    cell_replaced,
    cell_replaced,
    cell_of_another_row,
    cells_swapped,
    byte_changed,
    bit_flipped,
    line_repeated,
    line_gone,
    line_cut,
    line_inserted,
    line_in_another_encoding,
    lines_swapped,
)


def cut_short(lines: list[bytes], rng: random.Random) -> list[bytes]:
    content = b"\n".join(lines)
    return content[: rng.randrange(len(content))].split(b"\n")


def headed_otherwise(lines: list[bytes], rng: random.Random) -> list[bytes]:
    names = lines[0].split(b",")
    place = rng.randrange(len(names))
    names[place] = rng.choice(
        [b"", b"figure", names[0], names[place].lower(), b"\x00", "Größe".encode("latin-1"), b'"']
    )
    return [b",".join(names), *lines[1:]]


def _by_column(lines: list[bytes], order: list[int]) -> list[bytes]:
    rows = [line.split(b",") for line in lines]
    return [b",".join(row[place] for place in order) if len(row) > max(order) else b",".join(row) for row in rows]


def columns_shuffled(lines: list[bytes], rng: random.Random) -> list[bytes]:
    order = list(range(len(lines[0].split(b","))))
    rng.shuffle(order)
    return _by_column(lines, order)


def column_gone(lines: list[bytes], rng: random.Random) -> list[bytes]:
    order = list(range(len(lines[0].split(b","))))
    del order[rng.randrange(len(order))]
    return _by_column(lines, order or [0])


def column_twice(lines: list[bytes], rng: random.Random) -> list[bytes]:
    order = list(range(len(lines[0].split(b","))))
    return _by_column(lines, [*order, rng.choice(order)])


def lines_shuffled(lines: list[bytes], rng: random.Random) -> list[bytes]:
    rest = lines[1:]
    rng.shuffle(rest)
    return [lines[0], *rest]


def block_repeated(lines: list[bytes], rng: random.Random) -> list[bytes]:
    start = _row(lines, rng)
    block = lines[start : start + rng.randrange(1, 40)]
    return [*lines[:start], *block, *lines[start:]]


def html_in_the_middle(lines: list[bytes], rng: random.Random) -> list[bytes]:
    row = _row(lines, rng)
    return [*lines[:row], *HTML.replace(b">", b">\n").split(b"\n"), *lines[row:]]


def as_html(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return [HTML]


def with_byte_order_mark(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return [rng.choice([b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xff\xfe"]) + lines[0], *lines[1:]]


def with_carriage_returns(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return [line + b"\r" for line in lines]


def with_carriage_returns_only(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return [b"\r".join(lines)]


def in_another_encoding(lines: list[bytes], rng: random.Random) -> list[bytes]:
    text = b"\n".join(lines).decode("utf-8", "replace")
    return text.encode(rng.choice(["utf-16", "utf-32", "utf-16-be", "cp500"]), "replace").split(b"\n")


def nothing_left(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return [rng.choice([b"", b" ", b"\xef\xbb\xbf", b"\x00", lines[0], b"\r", b"{}", b"[]"])]


def header_again(lines: list[bytes], rng: random.Random) -> list[bytes]:
    row = _row(lines, rng)
    return [*lines[:row], lines[0], *lines[row:]]


TABLE_CHANGES: tuple[Callable[[list[bytes], random.Random], list[bytes]], ...] = (
    cut_short,
    headed_otherwise,
    headed_otherwise,
    columns_shuffled,
    columns_shuffled,
    column_gone,
    column_twice,
    lines_shuffled,
    lines_shuffled,
    block_repeated,
    html_in_the_middle,
    as_html,
    with_byte_order_mark,
    with_carriage_returns,
    with_carriage_returns_only,
    in_another_encoding,
    nothing_left,
    header_again,
)


# --- documents and files --------------------------------------------------------------------------------------------


def document(content: bytes, rng: random.Random) -> Mutant:
    """A JSON document with one to three values changed, renamed, removed or repeated; now and then damaged as bytes."""
    if rng.random() < 0.2:
        return blob(content, rng)
    value = copy.deepcopy(json.loads(content))
    changes = []
    for _ in range(rng.randint(1, 3)):
        value, change = _changed_inside(value, rng)
        changes.append(change)
    return Mutant(json.dumps(value).encode(), tuple(changes))


def _changed_inside(value: Any, rng: random.Random) -> tuple[Any, str]:
    """Walk down at random and change what is found there."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(min(len(value), 3)))
        key = rng.choice(keys)
        if rng.random() < 0.1:
            del value[key]
            return value, f"{key} gone"
        value[key], change = _changed_inside(value[key], rng)
        return value, f"{key}.{change}"
    if isinstance(value, list) and rng.random() < 0.2:
        return value * 2, "repeated"
    other = rng.choice(VALUES)
    return copy.deepcopy(other), f"{other!r:.20}"


def blob(content: bytes, rng: random.Random) -> Mutant:
    """Bytes with a few changed, a piece cut out, repeated or moved, or the end gone."""
    data = bytearray(content)
    kind = rng.choice(["bytes", "bytes", "cut", "piece gone", "piece twice", "zeros", "text"])
    place = rng.randrange(len(data))
    size = rng.randrange(1, max(2, min(2000, len(data) // 4)))
    if kind == "bytes":
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == "cut":
        del data[place:]
    elif kind == "piece gone":
        del data[place : place + size]
    elif kind == "piece twice":
        data[place:place] = data[place : place + size]
    elif kind == "zeros":
        data[place : place + size] = bytes(size)
    else:
        data[place:place] = rng.choice([HTML, b"\x00", "٣".encode(), b"[" * 5000, b'{"a":' * 5000])
    return Mutant(bytes(data), (kind,))
