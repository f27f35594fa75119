"""Read external workbooks (.xls, .xlsx, .ods) into plain cells, in a separate process.

A workbook of a few kilobytes can name a cell so far out that its sheet fills gigabytes. An archive can decompress
without end, and the reader of legacy ``.xls`` files crashes on some damaged ones. None of this can be caught
in-process. So a child process (``workbook_reader``) with limits on memory and time does the reading, and returns only
text, numbers and booleans.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# The largest workbooks, SIMD 2020's indicators and ASHE's table 8, decompress to some 20 MB and take 0.4 s.
MOST_UNPACKED_BYTES = 300_000_000
MOST_MEMORY_BYTES = 1_500_000_000
MOST_SECONDS = 60
_READER = Path(__file__).with_name("workbook_reader.py")

Cell = str | int | float | bool
Sheet = list[list[Cell]]


class UnreadableWorkbook(ValueError):
    """The bytes are not a workbook, lack the sheet, or cannot be read within the limits; the message says which."""


def read_sheet(content: bytes, name: str, *, keeps_empty: bool = False) -> Sheet:
    """The rows of one sheet, all of equal length; an empty cell is ''.

    With ``keeps_empty``, rows and columns before the first cell are included. Raises UnreadableWorkbook.
    """
    return _read(content, name, keeps_empty)[name]


def read_sheets(content: bytes) -> dict[str, Sheet]:
    """The rows of every sheet by name, in the workbook's order. Raises UnreadableWorkbook."""
    return _read(content, "", False)


def _read(content: bytes, wanted: str, keeps_empty: bool) -> dict[str, Sheet]:
    limits = (str(MOST_UNPACKED_BYTES), str(MOST_MEMORY_BYTES), str(MOST_SECONDS))
    # -I: neither the environment nor the working folder affects the child's imports.
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
            f"seconds to read (its reader exited with {done.returncode})"
        )
    if "problem" in answer:
        raise UnreadableWorkbook(str(answer["problem"]))
    sheets: dict[str, Sheet] = answer["sheets"]
    return sheets
