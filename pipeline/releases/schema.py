"""The structure of a DuckDB file as SQL that recreates it: types, tables with their keys, views, comments."""

from __future__ import annotations

import duckdb

_ENUMS = "select type_name, labels from duckdb_types() where not internal and logical_type = 'ENUM' order by type_name"
_TABLES = "select table_name, sql, comment from duckdb_tables() where not internal order by table_oid"
_VIEWS = "select view_name, sql, comment from duckdb_views() where not internal order by view_oid"
_COLUMNS = """
select table_name, column_name, comment
from duckdb_columns()
where not internal and comment is not null
order by table_name, column_index
"""


def schema_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """The statements that recreate the empty structure of the file that ``connection`` has open."""
    enums = connection.execute(_ENUMS).fetchall()
    tables = connection.execute(_TABLES).fetchall()
    views = connection.execute(_VIEWS).fetchall()
    statements = [f"CREATE TYPE {_name(name)} AS {_enum(labels)}" for name, labels in enums]
    for _, sql, _ in tables:
        # DuckDB writes an enum out in full at every column; here its name replaces it
        statement = sql.rstrip("; \n")
        for name, labels in enums:
            statement = statement.replace(_enum(labels), _name(name))
        statements.append(statement)
    statements += [sql.rstrip("; \n") for _, sql, _ in views]
    for kind, found in (("TABLE", tables), ("VIEW", views)):
        statements += [f"COMMENT ON {kind} {_name(name)} IS {_text(words)}" for name, _, words in found if words]
    statements += [
        f"COMMENT ON COLUMN {_name(table)}.{_name(column)} IS {_text(words)}"
        for table, column, words in connection.execute(_COLUMNS).fetchall()
    ]
    return ";\n".join(statements) + ";\n"


def _enum(labels: list[str]) -> str:
    return f"ENUM({', '.join(map(_text, labels))})"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
