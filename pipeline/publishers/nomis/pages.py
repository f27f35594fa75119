"""One page of a Nomis table, and the proof that the pages of a table are complete.

Unregistered users get at most 25,000 rows, with status 200 and no mark of the cut (WIRE_FORMATS section 1.3). So the
rows that arrive must number RECORD_COUNT, and make the full product of areas, periods, options and measures. Columns
are found by header name, never by position (section 1.4).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pipeline.http.bodies import fields_of
from pipeline.http.payload import Incomplete, RequestRefused, WrongContent
from pipeline.publishers.nomis.query import NomisCode, NomisQuery

if TYPE_CHECKING:
    from pipeline.http.response import HttpResponse

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
AREA, DATE, MEASURE, MEASURE_NAME = "GEOGRAPHY_CODE", "DATE", "MEASURES", "MEASURES_NAME"
OFFSET, COUNT = "RECORD_OFFSET", "RECORD_COUNT"
# More rows than any slice of Nomis can have: twenty years of months for every ward. A higher count is a fault, and
# requesting its rows would never end.
MOST_ROWS = 20_000_000
# Nomis's names for the measures beside a value.
NAMES_BESIDE_VALUE = frozenset({"confidence", "numerator", "denominator"})
# This share of the areas that a data set lists may have no rows (Isles of Scilly), and one area of a short list may.
# The caller judges whether their figures were held before.
LARGEST_SHARE_WITHOUT_ROWS = 0.01
_COUNT = re.compile(r"[0-9]{1,12}")
REQUIRED_COLUMNS = (AREA, DATE, MEASURE, MEASURE_NAME, "OBS_VALUE", "OBS_STATUS", OFFSET, COUNT)


class OtherOptionError(Exception):
    """A code came back under a name that differs from the catalogue's, or returned nothing at all."""


@dataclass(frozen=True)
class Asked:
    """The request behind one run of pages: a query's options with their codes, for some of its periods."""

    query: NomisQuery
    codes: Mapping[str, Sequence[int]]
    geography: str
    dates: Sequence[str]

    @property
    def where(self) -> str:
        return f"Nomis {self.query.dataset} {self.geography} {self.dates[0]} to {self.dates[-1]}"

    @property
    def several(self) -> list[str]:
        """The dimensions for which several options were requested together."""
        return [name for name, options in self.query.options.items() if len(options) > 1]


def read_page(response: HttpResponse, asked: Asked) -> pa.Table:
    """The columns of one page that identify it, as text; a page's rows are its lines.

    Raises OtherOptionError for an empty body, RequestRefused for an error status, WrongContent for HTML or other
    columns, Incomplete for a truncated line.
    """
    if response.status != 200:
        raise RequestRefused(f"{asked.where} was refused with status {response.status}: {response.message}")
    if not response.content.strip():
        raise OtherOptionError(
            f"{asked.where}: an empty body with status 200, which is how Nomis says that a code, measure or geography "
            "type does not exist in this data set; check the query in indicators.yaml"
        )
    if response.is_html:
        raise WrongContent(
            f"{asked.where}: an HTML page with status 200 instead of CSV; Nomis may be overloaded, try again later."
        )
    content = response.content.removeprefix(BYTE_ORDER_MARK)
    first_line, newline, _ = content.partition(b"\n")
    header = fields_of([first_line.decode("utf-8", "replace").rstrip("\r")])
    columns = [name.strip().upper() for name in header]
    wanted = [*REQUIRED_COLUMNS, *(_name_column(dimension) for dimension in asked.query.dimensions)]
    missing = [name for name in wanted if name not in columns]
    if missing or len(set(columns)) != len(columns):
        raise WrongContent(
            f"{asked.where}: column(s) {', '.join(missing) or 'given twice'}, header {','.join(header)!r:.160}."
        )
    repeated = pa.dictionary(pa.int32(), pa.string())
    types = {name: repeated for name in wanted if not name.startswith(("OBS_", "RECORD_"))}
    types |= dict.fromkeys((OFFSET, COUNT), pa.string())  # the offset differs on every row
    if again := _header_again(content, first_line):
        raise WrongContent(
            f"{asked.where}: the header is repeated in line {again}: two answers were joined in transit (a cache or a "
            "proxy). None of it is used; try again later."
        )
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(content if newline else content + b"\n"),
            read_options=pyarrow.csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(types), column_types=types, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise Incomplete(
            f"{asked.where}: the page from row {response.params_without_secrets['RecordOffset']} on broke off ({error!s:.120})."
        ) from None


def _header_again(content: bytes, header: bytes) -> int:
    """The line in which a page's header is repeated; 0 if it is not."""
    place = content.find(b"\n" + header.rstrip(b"\r"), 1)
    return content.count(b"\n", 0, place) + 2 if place >= 0 else 0


def record_count(page: pa.Table, offset: int, asked: Asked) -> int | None:
    """RECORD_COUNT of a page's first row, once RECORD_OFFSET is known to be the one requested; None without rows.

    Raises WrongContent for a page from another part of the table.
    """
    if not page.num_rows:
        return None
    came, count = (str(page.column(name)[0]) for name in (OFFSET, COUNT))
    if not _COUNT.fullmatch(count) or int(count) > MOST_ROWS or came != str(offset):
        raise WrongContent(f"{asked.where}: asked for rows from {offset:,}, got rows from {came!r} of {count!r}.")
    return int(count)


def require_options(page: pa.Table, asked: Asked) -> None:
    """Check that every option came back under the catalogue's name. Raises OtherOptionError."""
    for dimension, options in asked.query.options.items():
        for came in page.column(_name_column(dimension)).unique().to_pylist():
            if not any(option.is_named(came) for option in options):
                codes = ", ".join(map(str, asked.codes[dimension]))
                expected = " or ".join(f"'{option.name}'" for option in options)
                raise OtherOptionError(
                    f"{asked.where}: {dimension} {codes} should be {expected} but came back as '{came}'"
                )


def require_measures(page: pa.Table, asked: Asked) -> None:
    """Check Nomis's names of error, numerator, denominator and value, which is none of the others. Raises WrongContent."""
    (codes, code_of_row), (names, name_of_row) = (_dictionary(page, column) for column in (MEASURE, MEASURE_NAME))
    pairs = pc.unique(pc.add(pc.multiply(code_of_row, len(names)), name_of_row)).to_pylist()
    role_of = {
        asked.query.error_measure: "confidence",
        asked.query.numerator_measure: "numerator",
        asked.query.denominator_measure: "denominator",
    }
    for code, name in ((codes[pair // len(names)], names[pair % len(names)]) for pair in pairs):
        role = role_of.get(int(code)) if _COUNT.fullmatch(code) else None
        came = " ".join(name.split()).casefold()
        if came != role and (role or came in NAMES_BESIDE_VALUE):
            raise WrongContent(
                f"{asked.where}: measure {code} should be named '{role.capitalize() if role else 'Value or the like'}' but "
                f"came back as '{name}'; correct the measures in indicators.yaml."
            )


class Completeness:
    """Which (area, period, measure, options) have arrived, a byte for each, page by page."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._several = asked.several
        measures = [str(code) for code in asked.query.measures]
        self._axes = [_Axis(DATE, list(asked.dates)), _Axis(MEASURE, measures)]
        self._axes += [_Axis.of(_name_column(name), asked.query.options[name]) for name in self._several]
        self._cells = math.prod(len(axis.labels) for axis in self._axes)  # of one area
        self._areas: dict[str, int] = {}
        self._has_come = bytearray()
        self.received = 0

    @property
    def area_count(self) -> int:
        """How many distinct areas have arrived."""
        return len(self._areas)

    def add(self, page: pa.Table) -> None:
        """Raises WrongContent for a row of a period, measure or option that was not requested."""
        cells = pa.scalar(0, pa.int64())
        for axis in self._axes:
            cells = pc.add(pc.multiply(cells, len(axis.labels)), self._positions(page, axis))
        texts, area_of_row = _dictionary(page, AREA)
        starts = [self._areas.setdefault(code, len(self._areas)) * self._cells for code in texts]
        self._has_come.extend(bytes(len(self._areas) * self._cells - len(self._has_come)))
        for place in pc.unique(pc.add(pa.array(starts, pa.int64()).take(area_of_row), cells)).to_pylist():
            self._has_come[place] = 1
        self.received += page.num_rows

    def require(self, expected: int, listed: Collection[str]) -> list[str]:
        """Check that rows equal RECORD_COUNT, all periods came, and every area has every period, measure and option.

        ``listed`` are the areas in the data set's own list, empty if it gave none. Nearly all must have arrived, since
        a wrong count may agree with the rows. Returns the few listed areas without rows. Raises Incomplete saying what
        is missing.
        """
        problems = list(self._shortfalls(expected, listed))
        if problems:
            raise Incomplete(f"{self._asked.where}: {'; '.join(problems)}. None of it is used.")
        return sorted(set(listed) - self._areas.keys())

    def _positions(self, page: pa.Table, axis: _Axis) -> pa.Array:
        texts, text_of_row = _dictionary(page, axis.column)
        known = [axis.position(text) for text in texts]
        unasked = sorted(text for text, position in zip(texts, known, strict=True) if position < 0)
        if unasked:
            raise WrongContent(f"{self._asked.where}: rows of {', '.join(unasked[:5])} were not requested.")
        return pa.array(known, pa.int64()).take(text_of_row)

    def _shortfalls(self, expected: int, listed: Collection[str]) -> Iterator[str]:
        if self.received != expected:
            yield f"{self.received:,} rows arrived of {expected:,}"
        without = sorted(set(listed) - self._areas.keys())
        if len(without) > max(1, LARGEST_SHARE_WITHOUT_ROWS * len(listed)):
            yield f"no rows for {len(without):,} of the {len(listed):,} areas it lists ({', '.join(without[:5])})"
        areas_with = [self._has_come[cell :: self._cells].count(1) for cell in range(self._cells)]
        stride = self._cells
        for axis in self._axes:
            stride //= len(axis.labels)
            come = {cell // stride % len(axis.labels) for cell, areas in enumerate(areas_with) if areas}
            absent = [label for position, label in enumerate(axis.labels) if position not in come]
            if absent:
                yield f"no rows for {axis.word}{', '.join(absent[:5])}"
        if sum(areas_with) != len(self._has_come):
            by = " x ".join(["areas", "periods", "measures", *self._several])
            yield f"{sum(areas_with):,} different rows where {by} make {len(self._has_come):,}"


def _dictionary(page: pa.Table, column: str) -> tuple[list[str], pa.Array]:
    """The distinct texts of a column, and for each row the number of its text."""
    encoded = page.column(column).unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.cast(pa.int64())


@dataclass(frozen=True)
class _Axis:
    """One column that identifies rows, with what was requested for it; ``options`` if rows are identified by name."""

    column: str
    labels: list[str]
    options: Sequence[NomisCode] = ()

    @classmethod
    def of(cls, column: str, options: Sequence[NomisCode]) -> _Axis:
        return cls(column, [option.name for option in options], options)

    @property
    def word(self) -> str:
        return "measure " if self.column == MEASURE else ""

    def position(self, text: str) -> int:
        """The position of ``text`` in the request; -1 if it was not requested."""
        if not self.options:
            return self.labels.index(text) if text in self.labels else -1
        return next((number for number, option in enumerate(self.options) if option.is_named(text)), -1)


def _name_column(dimension: str) -> str:
    return f"{dimension.upper()}_NAME"
