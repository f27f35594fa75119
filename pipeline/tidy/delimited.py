"""Read a publisher's CSV by header name, keeping track of the line each row came from."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from pipeline.tidy.observations import UnreadablePayload

SET_ASIDE_COLUMNS = ("source_row", "area_code", "period", "reason", "raw_line")
BLOCK_BYTES = 1 << 22  # of a table held in memory as text at one time
LONGEST_HEADER_BYTES = 1 << 16
LONGEST_LINE_QUOTED_BYTES = 4096  # of a row that is set aside; a line may be as long as a payload
FILES_KEPT_READ = 2
_FIELD = rb'(?:[^",]*|"(?:[^"]|"")*")'
_WELL_QUOTED = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*")


@dataclass(frozen=True)
class Delimited:
    """A CSV payload as text columns.

    ``columns`` has one row for each whole line and keeps only the columns asked for (blank is '');
    ``source_row`` holds its 1-based line; ``ragged_rows`` the lines with too few or too many fields.
    """

    columns: pd.DataFrame
    source_row: np.ndarray
    ragged_rows: np.ndarray
    lines: _Lines

    @property
    def rows_read(self) -> int:
        return len(self.source_row) + len(self.ragged_rows)

    def where(self, is_wanted: np.ndarray) -> Delimited:
        """The selected rows, plus every malformed line: these cannot be assigned to an option."""
        return replace(
            self, columns=self.columns[is_wanted].reset_index(drop=True), source_row=self.source_row[is_wanted]
        )


class _Lines:
    """Lines of a payload by number, looked up only when a row has to be quoted to a person."""

    def __init__(self, source: bytes | Path) -> None:
        self._source = source

    def __call__(self, numbers: Iterable[int]) -> list[str]:
        numbers = list(numbers)
        if not numbers:
            return []
        with self._open() as stream:
            return [self._line(stream, number) for number in numbers]

    def _line(self, stream: BinaryIO, number: int) -> str:
        stream.seek(0 if number == 1 else int(self._ends[number - 2]))
        return stream.readline(LONGEST_LINE_QUOTED_BYTES).rstrip(b"\r\n").decode("utf-8", "replace")

    @cached_property
    def _ends(self) -> np.ndarray:
        """Where each line ends, in bytes: computed once, since a payload of many indicators is queried many times."""
        ends, start = [], 0
        with self._open() as stream:
            while block := stream.read(BLOCK_BYTES):
                ends.append(np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")) + start + 1)
                start += len(block)
        return np.concatenate([*ends, np.empty(0, dtype=np.int64)])

    def _open(self) -> BinaryIO:
        return _opened(self._source)


def _opened(source: bytes | Path) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def read_delimited(
    source: bytes | Path, *, what: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Delimited:
    """Parse a CSV (UTF-8, BOM allowed, LF or CRLF) as text columns, found by name in upper or lower case.

    A file is read block by block, so that memory only ever holds the columns requested, each distinct text once. The
    latest results for a few files are cached, since a file may hold the figures of many indicators and never changes
    once written. ``what`` names the payload in errors. Raises UnreadablePayload for an empty body, HTML, JSON, or
    missing columns.
    """
    if isinstance(source, Path):
        return _read_file(source, what, tuple(required), tuple(optional))
    return _read(source, what, required, optional)


@lru_cache(maxsize=FILES_KEPT_READ)
def _read_file(path: Path, what: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Delimited:
    return _read(path, what, required, optional)


def _read(source: bytes | Path, what: str, required: Sequence[str], optional: Sequence[str]) -> Delimited:
    header = header_of(source, what)
    header = _in_wanted_case(header, (*required, *optional))
    positions = {name: position for position, name in enumerate(header)}
    missing = [name for name in required if name not in positions]
    if missing:
        raise UnreadablePayload(
            f"{what}: column(s) {', '.join(missing)} missing; the header is {','.join(header)!r:.200}."
        )
    if len(positions) != len(header):
        raise UnreadablePayload(f"{what}: a column name is given twice in {','.join(header)!r:.200}.")
    kept = [name for name in dict.fromkeys((*required, *optional)) if name in positions]
    lines = _line_count(source)
    table, ragged = _rows(_cleaned(source) if lines is None else source, what, header, kept)
    if lines not in (None, 1 + table.num_rows + len(ragged)):  # an unclosed quotation mark has swallowed lines
        table, ragged = _rows(_cleaned(source), what, header, kept)
    ragged_rows = np.asarray(ragged, dtype="int64")
    source_row = np.setdiff1d(
        np.arange(2, table.num_rows + len(ragged) + 2, dtype="int64"), ragged_rows, assume_unique=True
    )
    return Delimited(table.unify_dictionaries().to_pandas(), source_row, ragged_rows, _Lines(source))


def _in_wanted_case(header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """A header with the ``wanted`` columns in the given spelling, since a publisher may switch to capitals."""
    by_name = {name.casefold(): name for name in wanted if name not in header}
    return [name if name in wanted else by_name.get(name.casefold(), name) for name in header]


def _rows(source: bytes | Path, what: str, header: list[str], kept: list[str]) -> tuple[pa.Table, list[int]]:
    """The columns ``kept`` of all complete rows, and the numbers of the lines with too few or too many fields."""
    ragged: list[int] = []

    def set_aside(row: pa.csv.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            _whole_lines(source),
            # One thread: otherwise pyarrow does not number the lines that it could not read.
            read_options=pa.csv.ReadOptions(
                column_names=header, skip_rows=1, use_threads=False, block_size=BLOCK_BYTES
            ),
            parse_options=pa.csv.ParseOptions(invalid_row_handler=set_aside, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                include_columns=kept,
                column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in kept},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnreadablePayload(f"{what}: not a readable CSV table: {str(error)[:160]}") from error
    return table, ragged


def _line_count(source: bytes | Path) -> int | None:
    """The number of lines; None if one is not UTF-8 or contains a carriage return.

    pyarrow may silently drop a line with other bytes, and a lone carriage return splits one line into two rows.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last = 0, b""
    with _opened(source) as stream:
        while block := stream.read(BLOCK_BYTES):
            if block.endswith(b"\r"):
                block += stream.read(1)
            if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
                return None
            if decoder.getstate()[0] or not block.isascii():
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    return None
            lines += int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))
            last = block[-1:]
    return None if decoder.getstate()[0] else lines + (last != b"\n")


def _cleaned(source: bytes | Path) -> bytes:
    """The same lines, with those that are not rows emptied, and bytes that are not UTF-8 replaced by a mark."""
    with _opened(source) as stream:
        return b"\n".join(map(_cleaned_line, stream.read().removesuffix(b"\n").split(b"\n"))) + b"\n"


def _cleaned_line(line: bytes) -> bytes:
    line = line.removesuffix(b"\r").replace(b"\r", b" ").decode("utf-8", "replace").encode()
    return line if b'"' not in line or _WELL_QUOTED.fullmatch(line) else b""


def header_of(source: bytes | Path, what: str) -> list[str]:
    """The column names of a CSV, without quotes and surrounding blanks. Raises UnreadablePayload if it is not a table."""
    return _header(_first_line(source, what), what)


def _first_line(source: bytes | Path, what: str) -> bytes:
    """The header line without a byte order mark. Raises UnreadablePayload if it is not a CSV table at all."""
    if isinstance(source, bytes):
        body = source
    else:
        with source.open("rb") as stream:
            body = stream.readline(LONGEST_HEADER_BYTES)
    body = body.removeprefix(b"\xef\xbb\xbf")
    start = body[:64].lstrip()[:1] or body.lstrip()[:1]
    if not start:
        raise UnreadablePayload(f"{what}: expected a CSV table, got an empty body.")
    if start in (b"<", b"{", b"["):
        kind = "an HTML page" if start == b"<" else "JSON"
        raise UnreadablePayload(f"{what}: expected a CSV table, got {kind} starting {body[:64].lstrip()!r}.")
    return body.partition(b"\n")[0].rstrip(b"\r")


def _whole_lines(source: bytes | Path) -> pa.BufferReader | str:
    """The input for pyarrow: a file by name, or bytes, with a line end added after a header on its own."""
    if isinstance(source, Path):
        return str(source)
    return pa.BufferReader(source if b"\n" in source else source + b"\n")


def _header(first: bytes, what: str) -> list[str]:
    try:
        text = first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadablePayload(f"{what}: the header is not UTF-8 at byte {error.start}.") from None
    return [name.strip().strip('"').strip() for name in text.split(",")]


def texts_of(choices: Sequence[str], which: np.ndarray) -> pd.Series:
    """A text column with ``choices[i]`` for each ``i`` of ``which``, made without handling each text."""
    return pd.Series(pd.array(list(choices), dtype="str").take(which)) if len(which) else pd.Series([], dtype="str")


def set_aside_rows(table: Delimited, reasons: np.ndarray, area_code: pd.Series, period: np.ndarray) -> pd.DataFrame:
    """SET_ASIDE_COLUMNS for the rows with a non-empty entry in ``reasons``, and for the ragged lines."""
    rows = np.flatnonzero(reasons != "")
    aside = pd.DataFrame(
        {
            "source_row": table.source_row[rows],
            "area_code": area_code.iloc[rows].astype("str").to_numpy(),
            "period": np.asarray(period[rows], dtype=object),
            "reason": reasons[rows],
        }
    )
    ragged = pd.DataFrame({"source_row": table.ragged_rows, "area_code": "", "period": ""})
    ragged["reason"] = "the line does not have as many fields as the header"
    out = pd.concat([aside, ragged], ignore_index=True).astype(
        {"source_row": "int64", "area_code": "str", "period": "str", "reason": "str"}
    )
    out["raw_line"] = pd.Series(table.lines(out["source_row"]), dtype="str", index=out.index)
    return out.sort_values("source_row", ignore_index=True)[list(SET_ASIDE_COLUMNS)]


def repeated_keys(area: np.ndarray, period: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Why a row is rejected because its (area, period) is repeated; '' if it is not.

    ``area`` and ``period`` are integer codes. Of equal figures the first is kept; of unequal ones none is, since there
    is no way to tell which is right.
    """
    reasons = np.full(len(value), "", dtype=object)
    key = area.astype("int64") * (int(period.max(initial=0)) + 1) + period
    counts = pd.Series(key).duplicated(keep=False).to_numpy()
    if not counts.any():
        return reasons
    rows = np.flatnonzero(counts)
    repeated = pd.DataFrame({"key": key[rows], "value": value[rows]})
    group = repeated.groupby("key")["value"]
    figures = group.transform("count")
    is_mixed = (figures > 0) & (figures < group.transform("size"))
    different = (is_mixed | ((figures > 0) & (group.transform("min") != group.transform("max")))).to_numpy(dtype=bool)
    again = repeated["key"].duplicated().to_numpy()
    reasons[rows[different]] = "two different figures are given for this area and period"
    reasons[rows[again & ~different]] = "the figure is given twice for this area and period; one is kept"
    return reasons


def names_of_codes(codes: pd.Series, names: pd.Series | None) -> dict[str, str]:
    """The name with each code (both columns of categories), the last if it has several; empty without names."""
    if names is None:
        return {}
    name_of = np.full(len(codes.cat.categories), -1)
    name_of[codes.cat.codes.to_numpy()] = names.cat.codes.to_numpy()
    texts = names.cat.categories
    return {
        str(code).strip(): str(texts[name])
        for code, name in zip(codes.cat.categories, name_of, strict=True)
        if name >= 0
    }
