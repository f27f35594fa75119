"""What must hold of whatever a parser makes of a payload, told without the parser: from the payload's own lines."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from pipeline.catalogue import Indicator
from pipeline.run.payload_checks import set_failing_rows_aside
from pipeline.tidy.observations import STATUSES, Parsed, finish

Cells = Mapping[str, str]
LARGEST_MISPRINT = 1e-9  # bounds are computed, so they may differ in the last place


@dataclass(frozen=True)
class Claim:
    """What one line of a payload says, read by plain Python: None for what it does not say."""

    area: str
    period: str
    value: float | None
    bounds: tuple[float, float] | None = None
    beside: tuple[str, ...] = ()  # what the lines that belong to it say, as they say it


# From a line's cells by header name, and all lines of the payload, to what it says; ValueError for nonsense.
Reader = Callable[[Cells, "Lines"], Claim]


class Lines:
    """A payload's lines and the cells of each, read by the csv module."""

    def __init__(self, content: bytes) -> None:
        self.raw = [line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
        self._indices: dict[tuple[str, ...], dict[tuple[str, ...], list[Cells]]] = {}
        self.header = [name.strip().strip('"').strip() for name in self.raw[0].decode("utf-8", "replace").split(",")]

    def cells(self, number: int) -> Cells:
        """The cells of 1-based line ``number``. Raises ValueError for a line that is not as long as the header."""
        fields = next(csv.reader([self.raw[number - 1].replace(b"\r", b" ").decode("utf-8", "replace")]), [])
        if len(fields) != len(self.header):
            raise ValueError(f"line {number} has {len(fields)} fields, the header {len(self.header)}")
        return dict(zip(self.header, fields, strict=True))

    def where(self, **wanted: str) -> Cells | None:
        """The cells of the only line that holds all the ``wanted`` cells by header name; None for none or several."""
        names = tuple(sorted(wanted))
        index = self._indices.get(names)
        if index is None:
            index = self._indices[names] = {}
            for number in range(2, len(self.raw) + 1):
                with suppress(ValueError, csv.Error, KeyError):
                    cells = self.cells(number)
                    index.setdefault(tuple(cells[name].strip() for name in names), []).append(cells)
        found = index.get(tuple(wanted[name] for name in names), [])
        return found[0] if len(found) == 1 else None


def believed(parsed: Parsed, indicator: Indicator) -> pd.DataFrame:
    """The rows that would go on, after the row checks of ``pipeline.run.payload_checks``."""
    observations = finish(parsed.figures, indicator_id=indicator.id, source_id="fuzz", edition="", payload_sha256="")
    kept, _ = set_failing_rows_aside(observations, indicator)
    return kept


def complaints(parsed: Parsed, kept: pd.DataFrame, indicator: Indicator) -> Iterator[str]:
    """What is wrong with figures whatever they were read from."""
    counted = len(parsed.figures) + len(parsed.set_aside) + parsed.out_of_scope
    if parsed.rows_read != counted:
        yield f"{parsed.rows_read} rows read, {counted} accounted for"
    if not (parsed.set_aside["reason"].str.len() > 0).all():
        yield "a row was set aside without a reason"
    if kept.duplicated(["area_code", "period"]).any():
        yield "an area and period came twice"
    if not set(kept["status"]) <= set(STATUSES):
        yield f"unknown statuses {sorted(set(kept['status']) - set(STATUSES))}"
    value = kept["value"].dropna()
    if not value.between(indicator.bounds.min, indicator.bounds.max).all():
        yield f"a value outside {indicator.bounds.min} to {indicator.bounds.max}"
    for column in ("value", "lower", "upper"):
        if kept[column].map(math.isinf).any():
            yield f"an infinite {column}"
    if (kept["value"].isna() & kept["status"].isin(["ok", "provisional", "rounded", "estimated"])).any():
        yield "a figure that is missing counts as one"
    if not kept["area_code"].map(str.isascii).all() or not kept["period"].map(str.isascii).all():
        yield "an area or a period in other letters"


def misread(kept: pd.DataFrame, content: bytes, read: Reader) -> Iterator[str]:
    """Rows that are not what the payload's own line says."""
    lines = Lines(content)
    for row in kept.itertuples(index=False):
        where = f"line {row.source_row} gave {row.area_code} {row.period} {row.value}"
        try:
            claim = read(lines.cells(int(row.source_row)), lines)
        except (ValueError, KeyError, IndexError, csv.Error) as error:
            yield f"{where}, but it reads otherwise: {error}"
            continue
        if (row.area_code, row.period) != (claim.area, claim.period) or not _equal(row.value, claim.value):
            yield f"{where}, but it says {claim}"
        elif claim.bounds is not None and not all(map(_equal, (row.lower, row.upper), claim.bounds)):
            yield f"{where} within {row.lower} to {row.upper}, but it says {claim}"


def lost(kept: pd.DataFrame, original: pd.DataFrame, before: bytes, after: bytes, read: Reader) -> Iterator[str]:
    """Figures of untouched lines that are otherwise or gone, though nothing else in the payload speaks of them."""
    old, new = Lines(before), Lines(after)
    if old.header != new.header:
        return
    times = Counter(new.raw)
    says = dict(_claims(new, read))
    spoken_of = Counter((claim.area, claim.period) for claim in says.values())
    number_of = {line: number for number, line in enumerate(new.raw, 1)}
    now = {(row.area_code, row.period): row.value for row in kept.itertuples(index=False)}
    for row in original.itertuples(index=False):
        key, line = (row.area_code, row.period), old.raw[int(row.source_row) - 1]
        if times[line] != 1 or spoken_of[key] != 1:
            continue
        if says.get(number_of[line]) != read(old.cells(int(row.source_row)), old):
            continue  # another line that belongs to it, such as its error, is not what it was
        if key not in now:
            yield f"{key} was {row.value}, its line is untouched, and it is gone"
        elif not _equal(now[key], None if math.isnan(row.value) else row.value):
            yield f"{key} was {row.value}, its line is untouched, and it is {now[key]}"


def _claims(lines: Lines, read: Reader) -> Iterator[tuple[int, Claim]]:
    for number in range(2, len(lines.raw) + 1):
        try:
            yield number, read(lines.cells(number), lines)
        except (ValueError, KeyError, IndexError, csv.Error):
            continue


def _equal(number: float, said: float | None) -> bool:
    if said is None:
        return math.isnan(number)
    return math.isclose(number, said, rel_tol=LARGEST_MISPRINT, abs_tol=LARGEST_MISPRINT)


# What publishers set in place of a figure, or stick to one: the government's shorthand and the older symbols.
_LETTERS = r"(?:low|[cekpruwxz])"
_MARK = re.compile(rf"(?:{_LETTERS}|\[{_LETTERS}\](?:\s*\[{_LETTERS}\])*|\.\.|[-!#*~:.])", re.ASCII | re.IGNORECASE)
_STUCK_MARK = re.compile(rf"(.*?[0-9.])\s*(?:\[{_LETTERS}\](?:\s*\[{_LETTERS}\])*|[!#*~])", re.ASCII | re.IGNORECASE)


def number_or_none(cell: str) -> float | None:
    """A cell as a number, without a mark stuck to it; None where it is blank or a mark alone. Raises ValueError."""
    cell = cell.strip(" \t\r\n\u00a0")
    if not cell or _MARK.fullmatch(cell):
        return None
    if stuck := _STUCK_MARK.fullmatch(cell):
        cell = stuck[1]
    if not cell.isascii() or "_" in cell:
        raise ValueError(f"{cell!r} is no plain number")
    return float(cell)


def first(complaints_made: Sequence[str], count: int = 3) -> str:
    return "; ".join(complaints_made[:count])
