"""Read a publisher's CSV by header name, keeping track of the line each row came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from pipeline.tidy.observations import UnreadablePayload

SET_ASIDE_COLUMNS = ("source_row", "area_code", "period", "reason", "raw_line")
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?|-?\.\d+")


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


class _Lines:
    """Lines of a payload by number, split only when a row has to be quoted to a person."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._split: list[bytes] | None = None

    def __call__(self, numbers: Iterable[int]) -> list[str]:
        numbers = list(numbers)
        if not numbers:
            return []
        if self._split is None:
            self._split = self._content.split(b"\n")
        return [self._split[number - 1].rstrip(b"\r").decode("utf-8", "replace") for number in numbers]


def read_delimited(content: bytes, *, what: str, required: Sequence[str], optional: Sequence[str] = ()) -> Delimited:
    """Parse ``content`` (UTF-8, BOM allowed, LF or CRLF) as text columns, found by upper- or lower-case header name.

    ``what`` names the payload in errors. Raises UnreadablePayload for an empty body, HTML, JSON, or missing columns.
    """
    body = content.removeprefix(b"\xef\xbb\xbf")
    start = body[:64].lstrip()[:1] or body.lstrip()[:1]
    if not start:
        raise UnreadablePayload(f"{what}: expected a CSV table, got an empty body.")
    if start in (b"<", b"{", b"["):
        kind = "an HTML page" if start == b"<" else "JSON"
        raise UnreadablePayload(f"{what}: expected a CSV table, got {kind} starting {body[:64].lstrip()!r}.")
    header = _header(body, what)
    positions = {name: position for position, name in enumerate(header)}
    missing = [name for name in required if name not in positions]
    if missing:
        raise UnreadablePayload(
            f"{what}: column(s) {', '.join(missing)} missing; the header is {','.join(header)!r:.200}."
        )
    if len(positions) != len(header):
        raise UnreadablePayload(f"{what}: a column name is given twice in {','.join(header)!r:.200}.")
    kept = [name for name in (*required, *optional) if name in positions]
    ragged: list[int] = []

    def set_aside(row: pa.csv.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader(body if b"\n" in body else body + b"\n"),
            # One thread: only then does pyarrow number the lines it could not read.
            read_options=pa.csv.ReadOptions(column_names=header, skip_rows=1, use_threads=False, block_size=1 << 24),
            parse_options=pa.csv.ParseOptions(invalid_row_handler=set_aside, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                include_columns=kept,
                column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in kept},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnreadablePayload(f"{what}: not a readable CSV table: {str(error)[:160]}") from error
    ragged_rows = np.asarray(ragged, dtype="int64")
    source_row = np.setdiff1d(
        np.arange(2, table.num_rows + len(ragged) + 2, dtype="int64"), ragged_rows, assume_unique=True
    )
    return Delimited(table.unify_dictionaries().to_pandas(), source_row, ragged_rows, _Lines(body))


def _header(body: bytes, what: str) -> list[str]:
    end = body.find(b"\n")
    first = body[: end if end >= 0 else len(body)].rstrip(b"\r")
    try:
        text = first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadablePayload(f"{what}: the header is not UTF-8 at byte {error.start}.") from None
    return [name.strip().strip('"').strip() for name in text.split(",")]


def to_numbers(texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of a text column: (values as float64 with NaN for blank or unreadable, which rows are unreadable).

    Each different text is read once. Only plain decimal numbers count: no ``nan``, ``inf`` or thousands separators.
    """
    categories = texts.cat.categories.to_numpy(dtype=object)
    values = np.array(
        [float(text) if _NUMBER.fullmatch(text.strip()) else np.nan for text in categories], dtype="float64"
    )
    is_unreadable = np.array([bool(text.strip()) for text in categories], dtype=bool) & np.isnan(values)
    codes = texts.cat.codes.to_numpy()
    if not len(categories):
        return np.empty(0), np.empty(0, dtype=bool)
    return values[codes], is_unreadable[codes]


def texts_of(choices: Sequence[str], which: np.ndarray) -> pd.Series:
    """A text column that holds ``choices[i]`` for each ``i`` of ``which``, made without touching each text."""
    return pd.Series(pd.array(list(choices), dtype="str").take(which)) if len(which) else pd.Series([], dtype="str")


def set_aside_rows(table: Delimited, reasons: np.ndarray, area_code: pd.Series, period: np.ndarray) -> pd.DataFrame:
    """SET_ASIDE_COLUMNS for the rows whose entry in ``reasons`` is not '', and for the ragged lines."""
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
    """Why a row is not to be used because its (area, period) comes again; '' where it may be.

    ``area`` and ``period`` are integer codes. Of equal figures the first is kept; of unequal ones none is, since
    nothing says which is right.
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
