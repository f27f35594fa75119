"""Workbooks whose cells were changed, each well formed as a file: what a sheet says, not how it is packed, is mutated.

The same forms as publishers send: .xlsx (SIMD, File 10 of an English index, ASHE), .ods (WIMD) and, where the publisher's
own file is at hand, .xls (ASHE) with numbers changed in place. They are read by the pipeline's reader in this process,
since a child of its own for each would leave time for a few hundred only; the child is tested by ``fuzz_workbooks``.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from pipeline.geography import load_register
from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.deprivation import iod_files
from pipeline.tidy import ashe, workbook_reader
from pipeline.tidy import workbook_cells as workbook
from pipeline.tidy.observations import UnreadablePayload
from tests.fuzz.formats import CATALOGUE
from tests.fuzz.judging import believed, complaints
from tests.fuzz.mutations import Mutant
from tests.fuzz.spreadsheets import xlsx
from tests.standin import opendocument
from tests.standin.figures import SHARED_DATA

Rows = list[list[object]]
Claims = Mapping[str, tuple[float | None, ...]]  # key of a row, and the numbers read of it

CELLS: tuple[object, ...] = (
    None, "", " ", "..", "x", "[c]", "n/a", "-", 0, -1, 1, 101, 1e308, -1e-308, 10**15, True, False, "12", " 12 ", "1,000",
    "1e3", "0x10", "nan", "inf", "٣٧", "１２", "²", "=1+1", "=HYPERLINK(\"http://x\")", "@SUM(A1)", "'12", "a" * 32_000,
    "<b>1</b>", "' or 1=1 --", "\n", "E99999999", "Ynys Môn", dt.date(2020, 1, 1), dt.time(1),
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """One form of workbook: its rows, how they are written, read, and what a person reads of one row."""

    name: str
    rows: Rows
    write: Callable[[Rows], bytes]
    read: Callable[[bytes], Claims]
    row_says: Callable[[list[object]], tuple[str, tuple[float | None, ...]]]
    most_changes: int = 3  # where one cell may rightly refuse the whole; more where it sets its row aside


@contextmanager
def read_here() -> Iterator[None]:
    """Have workbooks read by the reader's own code in this process, within its bound of size."""

    def read(content: bytes, wanted: str, keeps_empty: bool) -> dict[str, workbook.Sheet]:
        answer = workbook_reader.answer(content, workbook.MOST_UNPACKED_BYTES, keeps_empty, wanted)
        if "problem" in answer:
            raise workbook.UnreadableWorkbook(str(answer["problem"]))
        return answer["sheets"]  # type: ignore[return-value]

    with patch.object(workbook, "_read", read):
        yield


def forms() -> Iterator[Form]:
    register = load_register()
    names = {register.by_code[code].name: code for code in register.districts()}
    scottish = sorted(name for name, code in names.items() if code.startswith("S12"))[:8]
    zones = [[f"S01{number:06d}", scottish[number % 8], 800 + number, 90 + number] for number in range(60)]

    def simd(content: bytes) -> Claims:
        table = deprivation.scotland_2020(content, names).table
        return {row.small_area: (row.population, row.income_rate) for row in table.itertuples(index=False)}

    def zone_says(row: list[object]) -> tuple[str, tuple[float | None, ...]]:
        return str(row[0]), (number(row[2]), 100 * number(row[3]) / number(row[2]))

    heading: Rows = [["Data_Zone", "Council_area", "Total_population", "Income_count"]]
    yield Form("SIMD cells, xlsx", heading + zones, lambda rows: xlsx("Data", rows), simd, zone_says)

    scores: Rows = [[f"E0700000{place}", 10.5 + place] for place in range(8)]
    yield Form(
        "IoD File 10 cells, xlsx",
        [["Local Authority District code (2024)", "IMD - Average score "], *scores],
        lambda rows: xlsx("IMD", rows),
        lambda content: {str(key): (value,) for key, value in iod_files.official_average_scores(content).items()},
        lambda row: (str(row[0]), (number(row[1]),)),
    )
    welsh: Rows = [[f"W0100{place:04d}", "Cardiff", place % 10 + 1] for place in range(40)]
    yield Form(
        "WIMD cells, ods",
        [["LSOA code", "Local Authority name", "WIMD 2019 overall decile"], *welsh],
        lambda rows: opendocument.workbook({"Deciles": [["" if c is None else c for c in row] for row in rows]}),
        ods_claims,
        lambda row: (str(row[0]), (number(row[2]),)),
    )
    title: Rows = [["Table 8.7a   Annual pay - Gross (£) - For all employee jobsa: United Kingdom, 2020"], [], [], []]
    columns: list[object] = ["Description", "Code", "(thousand)", "Median", "change", "Mean", "change"]
    columns += [10, 20, 25, 30, 40, 60, 70, 75, 80, 90]
    paid: Rows = [["A place", code, 12, 25_000 + place, 1.0, 30_000 + place, 1.0, *range(10_000, 20_000, 1_000)]
                  for place, code in enumerate(register.districts()[:60])]  # fmt: skip
    yield Form("ASHE cells, xlsx", [*title, columns, *paid], lambda rows: xlsx("All", rows), ashe_claims, pay_says, 15)


def ods_claims(content: bytes) -> Claims:
    """Every row of the sheet whose third cell is a number, by its first."""
    try:
        sheet = workbook.read_sheet(content, "Deciles")
    except workbook.UnreadableWorkbook as error:
        raise UnreadablePayload(f"no sheet: {error}") from error
    found = {}
    for row in sheet[1:]:
        is_area = re.fullmatch(r"W01\d{6}", str(row[0]), re.ASCII)
        if is_area and len(row) > 2 and isinstance(row[2], (int, float)) and not isinstance(row[2], bool):
            found[str(row[0])] = (float(row[2]),)
    return found


def ashe_claims(content: bytes) -> Claims:
    parsed = ashe.figures(ashe.read_table(content), "Median", is_provisional=False)
    kept = believed(parsed, CATALOGUE.indicators["pay_annual_median"])
    wrong = list(complaints(parsed, kept, CATALOGUE.indicators["pay_annual_median"]))
    if wrong:
        raise AssertionError("; ".join(wrong))
    return {row.area_code: (row.value,) for row in kept.dropna(subset=["value"]).itertuples(index=False)}


def pay_says(row: list[object]) -> tuple[str, tuple[float | None, ...]]:
    return str(row[1]).strip(), (number(row[3]),)


def number(cell: object) -> float:
    """A cell as a person reads a number. Raises ValueError for anything else."""
    if isinstance(cell, bool) or cell is None:
        raise ValueError(f"{cell!r} is no number")
    if isinstance(cell, (int, float)):
        return float(cell)
    text = str(cell).strip().replace(",", "")
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text, re.ASCII):
        raise ValueError(f"{cell!r} is no number")
    return float(text)


def with_changed_cells(form: Form, rng: random.Random) -> tuple[Rows, Mutant]:
    """A few changes of cells or rows; the changed rows, and the workbook that says so."""
    rows = [list(row) for row in form.rows]
    changes = []
    for _ in range(rng.randint(1, form.most_changes)):
        change = rng.choice(CHANGES)
        change(rows, rng)
        changes.append(change.__name__)
    return rows, Mutant(form.write(rows), tuple(changes))


def _place(rows: Rows, rng: random.Random) -> tuple[int, int]:
    row = rng.randrange(len(rows))
    while not rows[row]:
        row = rng.randrange(len(rows))
    return row, rng.randrange(len(rows[row]))


def cell_replaced(rows: Rows, rng: random.Random) -> None:
    row, column = _place(rows, rng)
    rows[row][column] = rng.choice(CELLS)


def cell_nudged(rows: Rows, rng: random.Random) -> None:
    """A number becomes another that could as well be true: such a cell is that cell, and must come out as it stands."""
    row, column = _place(rows, rng)
    cell = rows[row][column]
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        rows[row][column] = cell + rng.choice((1, 2, 0.5))


def cell_of_another_row(rows: Rows, rng: random.Random) -> None:
    (row, column), (other, _) = _place(rows, rng), _place(rows, rng)
    if column < len(rows[other]):
        rows[row][column] = rows[other][column]


def cells_swapped(rows: Rows, rng: random.Random) -> None:
    row, one = _place(rows, rng)
    other = rng.randrange(len(rows[row]))
    rows[row][one], rows[row][other] = rows[row][other], rows[row][one]


def row_repeated(rows: Rows, rng: random.Random) -> None:
    rows.insert(rng.randrange(1, len(rows)), list(rng.choice(rows)))


def row_gone(rows: Rows, rng: random.Random) -> None:
    del rows[rng.randrange(len(rows))]


def row_inserted(rows: Rows, rng: random.Random) -> None:
    rows.insert(rng.randrange(len(rows) + 1), rng.choice([[""], ["Total", None, 5], ["a note"], [None] * 30, [1] * 30]))


def rows_swapped(rows: Rows, rng: random.Random) -> None:
    one, other = rng.randrange(1, len(rows)), rng.randrange(1, len(rows))
    rows[one], rows[other] = rows[other], rows[one]


CHANGES = (
    cell_replaced, cell_replaced, cell_replaced, cell_nudged, cell_nudged, cell_of_another_row, cells_swapped,
    row_repeated, row_gone, row_inserted, rows_swapped,
)  # fmt: skip


def judged(form: Form, rows: Rows, found: Claims) -> str | None:
    """What was read that no row of the sheet says; None where every figure stands in a row of its own."""
    said: dict[str, list[tuple[float | None, ...]]] = {}
    for row in rows:
        try:
            claim = form.row_says(row)
        except (ValueError, IndexError, ZeroDivisionError):
            continue
        said.setdefault(claim[0].strip(), []).append(claim[1])
    for key, numbers in found.items():
        if not any(_same(numbers, claim) for claim in said.get(key, [])):
            return f"{key} was read as {numbers}, the sheet says {said.get(key, 'nothing of it')}"
    return None


def _same(one: tuple[float | None, ...], other: tuple[float | None, ...]) -> bool:
    return all(
        a is not None and b is not None and abs(a - b) <= 1e-9 * max(1, abs(b)) for a, b in zip(one, other, strict=True)
    )


# --- legacy workbooks, in place ---------------------------------------------------------------------------------------

_NUMBER = b"\x03\x02\x0e\x00"  # a NUMBER record of BIFF8: row, column, format, then eight bytes of a double
_NUMBERS = (0.0, -1.0, 1.0, 1e308, -1e308, float("nan"), float("inf"), 12_345.0, 1e-300, 99_999.5)


def legacy_ashe() -> bytes | None:
    """The smallest of the publisher's own legacy workbooks of table 8, where one is at hand."""
    files = sorted((SHARED_DATA / "ashe").glob("*.xls"), key=lambda path: path.stat().st_size)
    return files[0].read_bytes() if files else None


def with_changed_numbers(content: bytes, rng: random.Random) -> Mutant:
    """Some numbers of a legacy workbook become others, in place."""
    places = [match.start() + 10 for match in re.finditer(re.escape(_NUMBER), content)]
    data, changed = bytearray(content), []
    for place in rng.sample(places, min(len(places), 30)):
        value = rng.choice(_NUMBERS)
        data[place : place + 8] = struct.pack("<d", value)
        changed.append(f"a cell made {value:g}")
    return Mutant(bytes(data), tuple(changed))
