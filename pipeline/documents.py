"""Documents that are generated, completely or in part.

``README.md`` has a real profile and the list of tables. The data dictionary is generated from the declaration of the
tables, ``docs/questions.md`` from ``docs/questions.yaml``. In ``docs/``, queries are followed by their answers.
``python -m pipeline docs`` updates them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.dictionary import markdown_table
from pipeline.marts.declaration import Table

EXAMPLE_AREA = "Tower Hamlets"
EXAMPLE_LINES = 27
ANSWER_ROWS = 15

Ask = Callable[[str], tuple[list[str], list[tuple[object, ...]]]]

_ANSWERED = re.compile(r"```sql\n(?P<sql>.*?)```\n\n<!-- answer -->\n.*?<!-- end -->", re.DOTALL)


def readme_with_blocks(readme: str, profile: str, tables: Mapping[str, Table]) -> str:
    """``readme`` with its generated blocks updated; everything between the marks is replaced.

    ``profile`` is the output of ``python -m pipeline area`` for EXAMPLE_AREA, of which the start is shown. Raises
    ValueError if a mark is missing.
    """
    head = "\n".join(profile.splitlines()[:EXAMPLE_LINES])
    rows = [(f"`{name}`", table.row) for name, table in tables.items()]
    blocks = {
        "output of: [^>]*": f"```text\n{head}\n```",
        "tables": markdown_table(("table", "one row is"), rows),
    }
    for mark, text in blocks.items():
        pattern = re.compile(rf"(<!-- {mark} -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)
        readme, count = pattern.subn(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", readme)  # type: ignore[misc]
        if not count:
            raise ValueError(f"README.md has no block that begins with <!-- {mark} --> and ends with <!-- end -->")
    return readme


def with_answers(document: str, ask: Ask) -> str:
    """``document`` with every answer block updated from the query before it.

    ``ask`` runs one statement on the published file and returns names and rows, of which ANSWER_ROWS are shown.
    """

    def renewed(match: re.Match[str]) -> str:
        names, rows = ask(match["sql"])
        table = markdown_table(names, [[_cell(value) for value in row] for row in rows[:ANSWER_ROWS]])
        more = f"\n\n{len(rows) - ANSWER_ROWS} more rows." if len(rows) > ANSWER_ROWS else ""
        return f"```sql\n{match['sql']}```\n\n<!-- answer -->\n{table}{more}\n<!-- end -->"

    return _ANSWERED.sub(renewed, document)


def renew(path: Path, text: str) -> bool:
    """Write ``text`` to a file unless that is already its content; return whether anything changed."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
