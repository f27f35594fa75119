"""The data dictionary in Markdown and HTML, generated from the declaration of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from pipeline.catalogue import Indicator
from pipeline.marts.declaration import Column, Table, tables_as_declared

Cells = Sequence[object]

_HEAD = """# Data dictionary

This page describes every table and view of `inclusive_growth.duckdb`, in the order of `pipeline/marts/tables.yaml`.
`python -m pipeline docs` makes it from that file. The database holds the same text: as comments, which `duckdb_tables()`,
`duckdb_views()` and `duckdb_columns()` show, and as rows of `meta_dictionary`. The key of a table is its primary key, and
a column that may not be null is declared so. "Leads to" names the table whose key a column holds. A check before
publishing follows these keys from table to table; the tests do the same for views, whose keys are valid too.
[data-dictionary.html](data-dictionary.html) lists every column of the wide table separately.
"""
_PER_INDICATOR = """For each indicator of the profile, {count} columns follow. They are null if the district has no figure.
The columns are present whichever source answered."""
_COLUMN_HEAD = ("column", "type", "unit", "may be null", "meaning")
_HTML_HEAD = ("Column", "Type", "Unit", "Key", "May be null", "Meaning")
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; padding: .3rem 0; }
th, td { border-bottom: 1px solid #c8c8c8; padding: .3rem .6rem; text-align: left; vertical-align: top; }
tbody th { font: .9rem/1.5 ui-monospace, monospace; }
"""


def markdown_dictionary(indicators: Mapping[str, Indicator]) -> str:
    """Every published table, view and column as Markdown: type, unit, meaning, whether it may be null."""
    plain = tables_as_declared()
    parts = [_HEAD]
    parts += [f"* [`{name}`](#{name}): {_one_row_is(table)}" for name, table in plain.items()]
    for name, table in plain.items():
        key = ", ".join(f"`{column}`" for column in table.key)
        parts += [f"\n## {name}\n", f"{'A view. ' if table.is_view else ''}{table.comment}", f"\nKey: {key}.\n"]
        parts.append(markdown_table(_COLUMN_HEAD, [_column_cells(column) for column in table.columns]))
        if table.per_indicator:
            parts.append(_repeated_columns(table, indicators))
    return "\n".join(parts) + "\n"


def html_dictionary(rows: Iterable[Mapping[str, Any]]) -> str:
    """The dictionary as one self-contained HTML page.

    ``rows`` are those of ``meta_dictionary`` in order: from a published file, or from ``dictionary_rows`` of
    ``pipeline.marts.build``. A row without ``column_name`` starts a table or view.
    """
    tables = [list(group) for _, group in groupby(rows, key=lambda row: row["table_name"])]
    links = "\n".join(
        f'<li><a href="#{escape(of[0]["table_name"])}">{escape(of[0]["table_name"])}</a></li>' for of in tables
    )
    body = "\n".join(_html_table(head, columns) for head, *columns in tables)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Data dictionary: inclusive growth in UK local areas</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        "<h1>Data dictionary</h1>\n<p>Every table and view of <code>inclusive_growth.duckdb</code>, with each column's "
        "type, unit and meaning. The file holds the same text as comments and in <code>meta_dictionary</code>.</p>\n"
        f'<nav aria-label="Tables">\n<ul>\n{links}\n</ul>\n</nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def markdown_table(head: Cells, rows: Sequence[Cells]) -> str:
    """A table in Markdown, with bars in cells escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _one_row_is(table: Table) -> str:
    return f"{'(view) ' if table.is_view else ''}one row is {table.row}"


def _column_cells(column: Column) -> Cells:
    is_required = column.is_key or column.is_required
    return f"`{column.name}`", column.type, column.unit or "", "no" if is_required else "yes", column.meaning


def _repeated_columns(table: Table, indicators: Mapping[str, Indicator]) -> str:
    """The columns repeated for every indicator: their pattern once, then the indicators that have them."""
    patterns = [
        (f"`{column.name}`", column.type, column.unit or "", column.meaning.replace("{title}: ", ""))
        for column in table.per_indicator
    ]
    shown = [
        (f"`{item.id}`", f"`{item.column_name}`", item.unit, item.title)
        for item in indicators.values()
        if item.in_profile
    ]
    words = _PER_INDICATOR.format(count=len(patterns))
    names = markdown_table(("column", "type", "unit", "meaning"), patterns)
    listed = markdown_table(("indicator", "column of its figure", "unit", "title"), shown)
    return f"\n{words}\n\n{names}\n\n{listed}"


def _html_table(head: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> str:
    name, kind = escape(head["table_name"]), " (view)" if head["type"] == "view" else ""
    titles = "".join(f'<th scope="col">{title}</th>' for title in _HTML_HEAD)
    lines = "\n".join(_html_row(column) for column in columns)
    return (
        f'<h2 id="{name}">{name}{kind}</h2>\n<table>\n<caption>{escape(head["meaning"])}</caption>\n'
        f"<thead><tr>{titles}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>"
    )


def _html_row(column: Mapping[str, Any]) -> str:
    cells = (
        column["type"],
        column["unit"] or "",
        "key" if column["is_key"] else "",
        "yes" if column["may_be_null"] else "no",
        column["meaning"],
    )
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(column["column_name"])}</th>{rest}</tr>'
