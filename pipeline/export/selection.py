"""What is exported: which tables, which of their rows, and the description of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.errors import PipelineError
from pipeline.marts.declaration import Column, Reference, Table

TITLE = "Inclusive growth in UK local areas"
DESCRIPTION = (
    "Pay, employment, deprivation, productivity, income and the cost of living in every local authority district of the "
    "UK and its wider areas, with scores of growth and of how widely it is shared, and their uncertainty."
)
LICENCE_NAME = "OGL-UK-3.0"
LICENCE_TITLE = "Open Government Licence v3.0"
LICENCE_URL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
ATTRIBUTION = "Contains public sector information licensed under the Open Government Licence v3.0."

_COLUMNS = """
select table_name, column_name, case when data_type like 'ENUM(%' then 'ENUM' else data_type end, comment
from duckdb_columns()
where not internal
order by table_name, column_index
"""
_SOURCES = """
select publisher, citation_url
from dim_indicator
where observation_count > 0
group by publisher, citation_url
order by publisher, citation_url
"""
_AREA = """
select area_code::varchar, area_name, replace(level, '_', ' ')
from dim_area
where area_code = $name or lower($name) in (lower(area_name), lower(area_name || ' ' || replace(level, '_', ' ')))
order by area_code
"""
_DISTRICTS = """
select area_code::varchar
from dim_area
where level = 'district'
    and $code in (area_code, region_code, nation_code, county_code, combined_authority_code)
union
select area_code::varchar from bridge_area_group where group_id = $code
order by 1
"""


class ExportProblem(PipelineError):
    """The requested export is impossible; the message says why and what is possible."""


@dataclass(frozen=True)
class Place:
    """An area to export alone, with the districts on its ground (itself, if it is one), by code."""

    code: str
    name: str
    districts: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.code, *self.districts)))

    @property
    def file_name(self) -> str:
        """Its name for use in a file name: lower-case letters, digits and underscores."""
        words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in self.name.lower())
        return "_".join(words.split())


@dataclass(frozen=True)
class Choice:
    """Tables with their columns in the file, the place to restrict them to (None: all), and facts for the metadata.

    ``sources``: publishers with the page to cite. ``released_at`` is when the file was built (UTC). ``blanks``: text
    columns, by table and name, that are never missing but may be empty; a CSV file cannot distinguish the two.
    """

    tables: Mapping[str, Table]
    place: Place | None
    version: str
    released_at: datetime
    sources: Sequence[tuple[str, str]]
    blanks: frozenset[tuple[str, str]] = frozenset()

    def is_never_blank(self, table: Table, column: Column) -> bool:
        """Whether no cell of a column is empty in a CSV file."""
        return not column.may_be_missing and (table.id, column.name) not in self.blanks

    @property
    def about(self) -> str:
        return f"{TITLE}: {self.place.name}" if self.place else TITLE

    def is_whole(self, table: Table) -> bool:
        """Whether all rows of a table are exported: for one place, only tables without areas are."""
        return self.place is None or not any(column.name == "area_code" for column in table.columns)

    def references(self, table: Table) -> list[Reference]:
        """The foreign keys of a table that can be followed within the export.

        Without multi-column keys of which a part may be missing: Frictionless reports them as broken.
        """
        whole = {name: other for name, other in self.tables.items() if self.is_whole(other)}
        columns = {column.name: column for column in table.columns}
        return [
            reference
            for reference in table.references(whole)
            if columns.keys() >= set(reference.columns)
            and (len(reference.columns) == 1 or not columns[reference.columns[-1]].may_be_missing)
        ]

    def select(self, table: Table) -> str:
        """The rows of one table, in file order."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        sql = f'select {columns} from "{table.id}"'
        if self.place is None or self.is_whole(table):
            return sql
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in self.place.codes)
        return f"{sql} where area_code::varchar in ({codes})"


def choose(
    connection: duckdb.DuckDBPyConnection,
    declared: Mapping[str, Table],
    *,
    names: Sequence[str] = (),
    place: str | None = None,
) -> Choice:
    """Look up what to export: ``names`` of tables or views (none: every table), one place by name or code.

    Columns come in file order and are described by the declaration. A column that only the file has, because another
    version made it, is described by its comment. Raises ExportProblem for a missing table or place.
    """
    held: dict[str, list[tuple[str, str, str | None]]] = {}
    for table, column, kind, comment in connection.execute(_COLUMNS).fetchall():
        held.setdefault(table, []).append((column, kind, comment))
    unknown = [name for name in names if name not in held]
    if unknown:
        raise ExportProblem(f"there is no table {', '.join(unknown)}; there are {', '.join(sorted(held))}")
    views = {
        name for (name,) in connection.execute("select view_name from duckdb_views() where not internal").fetchall()
    }
    wanted = list(names) or [name for name in held if name not in views]
    tables = {name: _as_held(name, held[name], declared.get(name)) for name in wanted}
    version, released_at = _release(connection, held)
    return Choice(
        tables=tables,
        place=_place(connection, place) if place else None,
        version=version,
        released_at=released_at,
        sources=connection.execute(_SOURCES).fetchall(),
        blanks=frozenset(blank for table in tables.values() for blank in _blanks(connection, table)),
    )


def _blanks(connection: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str, str]]:
    texts = [
        column.name
        for column in table.columns
        if column.type == "VARCHAR" and column.values is None and (column.is_key or column.is_required)
    ]
    if not texts:
        return []
    tests = ", ".join(f"""coalesce(bool_or("{name}" = ''), false)""" for name in texts)
    [found] = connection.execute(f'select {tests} from "{table.id}"').fetchall()
    return [(table.id, name) for name, is_blank in zip(texts, found, strict=True) if is_blank]


def _as_held(name: str, columns: Sequence[tuple[str, str, str | None]], declared: Table | None) -> Table:
    known = {column.name: column for column in declared.columns} if declared else {}
    described = tuple(
        known.get(column)
        or Column.model_validate({"name": column, "type": kind, "about": comment or f"The column {column}."})
        for column, kind, comment in columns
    )
    if declared is not None:
        return declared.model_copy(update={"columns": described})
    return Table(id=name, row="one row of this table.", columns=described)


def _release(connection: duckdb.DuckDBPyConnection, held: Mapping[str, object]) -> tuple[str, datetime]:
    if "meta_release" in held:
        found = connection.execute(
            "select release_version, released_at from meta_release "
            "order by string_split(release_version, '.')::integer[] desc limit 1"
        ).fetchall()
        if found:
            return str(found[0][0]), found[0][1]
    [(built_at,)] = connection.execute("select built_at from meta_run").fetchall()
    return "0.0.0", built_at


def _place(connection: duckdb.DuckDBPyConnection, name: str) -> Place:
    found = connection.execute(_AREA, {"name": name}).fetchall()
    if len(found) != 1:
        if not found:
            raise ExportProblem(f"no area is called {name!r}; `python -m pipeline areas` lists today's districts")
        names = " or ".join(f'"{area} {level}" ({code})' for code, area, level in found)
        raise ExportProblem(f"{name!r} is the name of more than one area; say {names}")
    code, area_name, _ = found[0]
    districts = connection.execute(_DISTRICTS, {"code": code}).fetchall()
    return Place(code, area_name, tuple(district for (district,) in districts))
