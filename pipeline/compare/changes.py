"""Additions, removals and other changes: tables, columns, keys, areas, indicators and periods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from pipeline.compare.compared_files import NEW, OLD, Contents

_Key = TypeVar("_Key")

# Changes that can break a query written for the old file.
_BREAKING = {("table", "gone"), ("column", "gone"), ("column", "retyped"), ("key", "changed")}


@dataclass(frozen=True)
class Change:
    """One addition, removal or change. ``row_count``: its rows or figures, if that is meaningful."""

    subject: str
    change: str
    subject_id: str
    words: str
    row_count: int | None = None

    @property
    def is_breaking(self) -> bool:
        return (self.subject, self.change) in _BREAKING


def shape_changes(old: Contents, new: Contents) -> list[Change]:
    """Tables and columns (of views too) that appeared, disappeared or changed type, and keys that changed."""
    found = []
    for table in sorted(old.columns.keys() | new.columns.keys()):
        if table not in new.columns:
            found.append(Change("table", "gone", table, f"table {table} is gone"))
        elif table not in old.columns:
            found.append(Change("table", "appeared", table, f"table {table} appeared"))
        else:
            found += _column_changes(table, old, new)
    return found


def _column_changes(table: str, old: Contents, new: Contents) -> Iterator[Change]:
    before, after = old.columns[table], new.columns[table]
    for column in sorted(before.keys() | after.keys()):
        name = f"{table}.{column}"
        if column not in after:
            yield Change("column", "gone", name, f"column {name} is gone")
        elif column not in before:
            yield Change("column", "appeared", name, f"column {name} appeared")
        elif before[column] != after[column]:
            yield Change("column", "retyped", name, f"column {name} was {before[column]} and is {after[column]}")
    if table in old.keys and old.keys[table] != new.keys.get(table):
        was, now = (", ".join(keys.get(table, ())) or "none" for keys in (old.keys, new.keys))
        if set(old.keys[table]) != set(new.keys.get(table, ())):
            yield Change("key", "changed", table, f"the key of {table} was {was} and is {now}")


_AREAS = """
select area_code::varchar, area_name from {alias}.dim_area order by 1
"""
_INDICATORS = """
select figure.indicator_id::varchar, any_value(indicator.title), count(*)
from {alias}.fct_observation as figure
inner join {alias}.dim_indicator as indicator on indicator.indicator_id::varchar = figure.indicator_id::varchar
group by 1 order by 1
"""
_PERIODS = """
select indicator_id::varchar, period, any_value(year), count(*)
from {alias}.fct_observation
where value is not null
group by 1, 2 order by 1, 2
"""


def area_changes(connection: duckdb.DuckDBPyConnection) -> list[Change]:
    """Areas in only one of the two files."""
    old, new = (dict(connection.execute(_AREAS.format(alias=alias)).fetchall()) for alias in (OLD, NEW))
    return [
        *(Change("area", "appeared", code, f"area {new[code]} ({code}) appeared") for code in _only(new, old)),
        *(Change("area", "gone", code, f"area {old[code]} ({code}) is gone") for code in _only(old, new)),
    ]


def indicator_and_period_changes(connection: duckdb.DuckDBPyConnection) -> list[Change]:
    """Indicators with figures in only one of the files, and, for the others, periods with figures in only one."""
    old, new = (
        {name: (title, rows) for name, title, rows in connection.execute(_INDICATORS.format(alias=alias)).fetchall()}
        for alias in (OLD, NEW)
    )
    found = [_indicator(name, *new[name], "appeared") for name in _only(new, old)]
    found += [_indicator(name, *old[name], "gone") for name in _only(old, new)]
    periods_old, periods_new = (
        {(name, period): (year, rows) for name, period, year, rows in connection.execute(sql).fetchall()}
        for sql in (_PERIODS.format(alias=OLD), _PERIODS.format(alias=NEW))
    )
    both = old.keys() & new.keys()
    for change, these, others in (("appeared", periods_new, periods_old), ("gone", periods_old, periods_new)):
        for name, period in _only(these, others):
            if name in both:
                year, rows = these[name, period]
                verb = "has a new period" if change == "appeared" else "has lost the period"
                words = f"{new[name][0]} {verb}, {year} ({period}), with {rows:,} figures"
                found.append(Change("period", change, f"{name} {period}", words, rows))
    return found


def _indicator(name: str, title: str, rows: int, change: str) -> Change:
    verb = "appeared" if change == "appeared" else "is gone"
    return Change("indicator", change, name, f"indicator {title} ({name}) {verb}, with {rows:,} figures", rows)


def _only(these: Iterable[_Key], others: Iterable[_Key]) -> list[_Key]:
    held = set(others)
    return [name for name in these if name not in held]
