"""The documents that are made by machine, whole or in part.

``README.md`` has a real profile and the list of tables; ``docs/data-dictionary.md`` is all made from the declaration
of the tables; in ``docs/`` a query is followed by its answer. ``python -m pipeline docs`` renews them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.catalogue import Indicator
from pipeline.marts.declaration import Column, Table, declared_tables

EXAMPLE_AREA = "Tower Hamlets"
EXAMPLE_LINES = 17
ANSWER_ROWS = 15

Cells = Sequence[object]
Ask = Callable[[str], tuple[list[str], list[tuple[object, ...]]]]

_ANSWERED = re.compile(r"```sql\n(?P<sql>.*?)```\n\n<!-- answer -->\n.*?<!-- end -->", re.DOTALL)
_DICTIONARY_HEAD = """# Data dictionary

Every table of `inclusive_growth.duckdb`, in the order of `pipeline/marts/tables.yaml`, from which this page is made by
`python -m pipeline docs`. The same words stand in the file as comments: `describe`, `duckdb_tables()` and
`duckdb_columns()` show them. A column that may not be null is enforced as such; the key is the primary key.
"""
_PER_INDICATOR = """For each of these indicators {count} columns follow, of the types {types}. They are null where the
district has no figure."""


def readme_with_blocks(readme: str, profile: str, tables: Mapping[str, Table]) -> str:
    """``readme`` with its generated blocks renewed; everything between the marks is replaced.

    ``profile`` is the output of ``python -m pipeline area`` for EXAMPLE_AREA, of which the head is shown.
    Raises ValueError when a mark is not there.
    """
    head = "\n".join(profile.splitlines()[:EXAMPLE_LINES])
    rows = [(f"`{name}`", table.row) for name, table in tables.items()]
    blocks = {
        "output of: [^>]*": f"```text\n{head}\n```",
        "tables": _markdown_table(("table", "one row is"), rows),
    }
    for mark, text in blocks.items():
        pattern = re.compile(rf"(<!-- {mark} -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)
        readme, count = pattern.subn(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", readme)  # type: ignore[misc]
        if not count:
            raise ValueError(f"README.md has no block that begins with <!-- {mark} --> and ends with <!-- end -->")
    return readme


def data_dictionary(indicators: Mapping[str, Indicator]) -> str:
    """Every published table and column as Markdown: type, unit, meaning, whether it may be null."""
    plain = declared_tables({})
    parts = [_DICTIONARY_HEAD]
    parts += [f"* [`{name}`](#{name}): one row is {table.row}" for name, table in plain.items()]
    for name, table in plain.items():
        key = ", ".join(f"`{column}`" for column in table.key)
        parts += [f"\n## {name}\n", table.comment, f"\nKey: {key}.\n"]
        parts.append(_markdown_table(_COLUMN_HEAD, [_column_cells(column) for column in table.columns]))
        repeated = {
            indicator.id: declared_tables({indicator.id: indicator})[name].columns[len(table.columns) :]
            for indicator in indicators.values()
        }
        if any(repeated.values()):
            parts.append(_repeated_columns(repeated, indicators))
    return "\n".join(parts) + "\n"


def with_answers(document: str, ask: Ask) -> str:
    """``document`` with the answer of every query that is followed by an answer block renewed.

    ``ask`` runs one statement on the published file and gives names and rows, of which ANSWER_ROWS are shown.
    """

    def renewed(match: re.Match[str]) -> str:
        names, rows = ask(match["sql"])
        table = _markdown_table(names, [[_cell(value) for value in row] for row in rows[:ANSWER_ROWS]])
        more = f"\n\n{len(rows) - ANSWER_ROWS} more rows." if len(rows) > ANSWER_ROWS else ""
        return f"```sql\n{match['sql']}```\n\n<!-- answer -->\n{table}{more}\n<!-- end -->"

    return _ANSWERED.sub(renewed, document)


def renew(path: Path, text: str) -> bool:
    """Write ``text`` to a file unless it says so already; say whether anything changed."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


_COLUMN_HEAD = ("column", "type", "unit", "may be null", "meaning")


def _column_cells(column: Column) -> Cells:
    values = f" One of: {', '.join(column.values)}." if column.values else ""
    is_required = column.is_key or column.is_required
    return f"`{column.name}`", column.type, column.unit or "", "no" if is_required else "yes", column.about + values


def _repeated_columns(repeated: Mapping[str, Sequence[Column]], indicators: Mapping[str, Indicator]) -> str:
    """The columns that repeat for every indicator: once in words, then their names indicator by indicator."""
    held = {name: columns for name, columns in repeated.items() if columns}
    first = next(iter(held.values()))
    types = " and ".join(column.type for column in first)
    rows = [
        (f"`{name}`", *(f"`{column.name}`" for column in columns), indicators[name].unit, indicators[name].title)
        for name, columns in held.items()
    ]
    head = ("indicator", *(["column"] * len(first)), "unit of the figure", "title")
    return f"\n{_PER_INDICATOR.format(count=len(first), types=types)}\n\n{_markdown_table(head, rows)}"


def _markdown_table(head: Cells, rows: Sequence[Cells]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in lines)


def _escaped(cell: object) -> str:
    return str(cell).replace("|", "\\|")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
