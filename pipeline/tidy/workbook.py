"""Workbooks from outside (.xls, .xlsx, .ods) to plain cells, read in a process of their own.

A workbook of a few kilobytes can name a cell so far out that its sheet fills gigabytes, an archive can unpack without
end, and the reader of legacy ``.xls`` files ends the process on some damaged ones. Nothing of that can be caught where it
happens, so the reading is done by a child (``workbook_reader``) with a limit of memory and time, which sends back
nothing but text, numbers and truth values.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# The largest workbooks read, SIMD 2020's indicators and ASHE's table 8, unpack to some 20 MB and take 0.4 s.
MOST_UNPACKED_BYTES = 300_000_000
MOST_MEMORY_BYTES = 1_500_000_000
MOST_SECONDS = 60
_READER = Path(__file__).with_name("workbook_reader.py")

Cell = str | int | float | bool
Sheet = list[list[Cell]]


class UnreadableWorkbook(ValueError):
    """The bytes are no workbook, have no such sheet, or cannot be read within bounds; the message says which."""


def read_sheet(content: bytes, name: str, *, keeps_empty: bool = False) -> Sheet:
    """The rows of one sheet, all of one length; an empty cell is ''.

    With ``keeps_empty`` rows and columns before the first cell are there too. Raises UnreadableWorkbook.
    """
    return _read(content, name, keeps_empty)[name]


def read_sheets(content: bytes) -> dict[str, Sheet]:
    """The rows of every sheet by its name, in the workbook's order. Raises UnreadableWorkbook."""
    return _read(content, "", False)


def _read(content: bytes, wanted: str, keeps_empty: bool) -> dict[str, Sheet]:
    limits = (str(MOST_UNPACKED_BYTES), str(MOST_MEMORY_BYTES), str(MOST_SECONDS))
    # -I: neither the environment nor the working folder has a say in what the child imports.
    command = [sys.executable, "-I", str(_READER), *limits, str(int(keeps_empty)), wanted]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, a file of this project, numbers and a sheet's name
            command, input=content, capture_output=True, timeout=2 * MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreadableWorkbook(f"reading it took more than {2 * MOST_SECONDS} seconds") from None
    try:
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        answer = None
    if answer is None:
        raise UnreadableWorkbook(
            f"it is damaged, or takes more than {MOST_MEMORY_BYTES // 1_000_000:,} MB of memory or {MOST_SECONDS} "
            f"seconds to read (its reader ended with {done.returncode})"
        )
    if "problem" in answer:
        raise UnreadableWorkbook(str(answer["problem"]))
    sheets: dict[str, Sheet] = answer["sheets"]
    return sheets
