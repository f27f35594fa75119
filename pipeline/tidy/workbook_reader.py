"""Run as a program by ``pipeline.tidy.workbook_cells``: a workbook on standard input, its cells as JSON on standard output.

Arguments: the most bytes it may decompress to, the most bytes of memory, the most seconds of work, whether to keep
empty rows and columns before the first cell (1 or 0), and the sheet wanted ('' for all).
"""

from __future__ import annotations

import io
import json
import sys
import zipfile

from python_calamine import CalamineError, CalamineWorkbook


def main(most_unpacked: int, memory: int, seconds: int, keeps_empty: bool, wanted: str) -> None:
    _limit(memory, seconds)
    json.dump(answer(sys.stdin.buffer.read(), most_unpacked, keeps_empty, wanted), sys.stdout)


def answer(content: bytes, most_unpacked: int, keeps_empty: bool, wanted: str) -> dict[str, object]:
    """The cells as ``sheets`` by name, or the reason for failure as ``problem``."""
    try:
        _check_size(content, most_unpacked)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [wanted] if wanted else workbook.sheet_names
        sheets = {
            name: [
                [cell if isinstance(cell, str | int | float) else str(cell) for cell in row]
                for row in workbook.get_sheet_by_name(name).to_python(skip_empty_area=not keeps_empty)
            ]
            for name in names
        }
    except (CalamineError, zipfile.BadZipFile, ValueError, OSError) as error:
        return {"problem": str(error) or type(error).__name__}
    return {"sheets": sheets}


def _check_size(content: bytes, most_unpacked: int) -> None:
    """Raises ValueError for an archive that declares too large a content. A false declaration hits the memory limit."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > most_unpacked:
            raise ValueError(f"it would decompress to {unpacked:,} bytes, more than the {most_unpacked:,} allowed")


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit and the size check remain
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1", sys.argv[5])
