"""The parts of README.md that are generated: a real profile and the list of tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.marts.declaration import Table

EXAMPLE_AREA = "Tower Hamlets"
EXAMPLE_LINES = 13


def with_blocks(readme: str, profile: str, tables: Mapping[str, Table]) -> str:
    """``readme`` with its generated blocks renewed; everything between the marks is replaced.

    ``profile`` is the output of ``python -m pipeline area`` for EXAMPLE_AREA, of which the head is shown.
    """
    head = "\n".join(profile.splitlines()[:EXAMPLE_LINES])
    rows = [f"| `{name}` | {table.row} |" for name, table in tables.items()]
    blocks = {
        "output of: [^>]*": f"```text\n{head}\n```",
        "tables": "\n".join(["| table | one row is |", "|---|---|", *rows]),
    }
    for mark, text in blocks.items():
        pattern = re.compile(rf"(<!-- {mark} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        readme = pattern.sub(lambda match, text=text: match[1] + text + match[2], readme)  # type: ignore[misc]
    return readme


def renew(path: Path, profile: str, tables: Mapping[str, Table]) -> bool:
    """Renew the generated blocks of a file; say whether anything changed."""
    before = path.read_text(encoding="utf-8")
    after = with_blocks(before, profile, tables)
    path.write_text(after, encoding="utf-8")
    return after != before
