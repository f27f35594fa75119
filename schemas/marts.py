"""Checks before publishing: every table of the file against its declaration. A failure stops the publication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd
import pandera.pandas as pa

from pipeline.numerals import rounded


class DeclaredColumn(Protocol):
    """The properties of a declared column that this module needs (see ``pipeline/marts/tables.yaml``)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def is_key(self) -> bool: ...
    @property
    def is_required(self) -> bool: ...
    @property
    def values(self) -> Sequence[str] | None: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...


def has_rule(column: DeclaredColumn) -> bool:
    """Whether the declaration goes beyond what DuckDB itself enforces (types, NOT NULL, keys)."""
    return column.values is not None or column.minimum is not None or column.maximum is not None


def table_schema(name: str, columns: Sequence[DeclaredColumn]) -> pa.DataFrameSchema:
    """The pandera schema of one published table: allowed values and ranges of the columns with such a rule.

    DuckDB enforces types, missing cells and unique keys while the table is filled.
    """
    return pa.DataFrameSchema(
        name=name, columns={column.name: _column(column) for column in columns if has_rule(column)}
    )


def _column(column: DeclaredColumn) -> pa.Column:
    checks = []
    if column.values is not None:
        checks.append(pa.Check.isin(list(column.values), error=f"is none of {', '.join(column.values)}"))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error=f"is below {rounded(column.minimum)}"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error=f"is above {rounded(column.maximum)}"))
    return pa.Column(checks=checks, nullable=True)


def problems(table: pd.DataFrame, name: str, columns: Sequence[DeclaredColumn], *, most: int = 5) -> list[str]:
    """The faults of one table, at most ``most`` sentences, each naming column, check, number of rows and one example."""
    try:
        table_schema(name, columns).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        grouped = cases.groupby(["column", "check"], dropna=False, sort=False)
        sentences = [
            f"{name}.{column}: {check} in {len(rows)} rows, for example {rows['failure_case'].iloc[0]!r}"
            for (column, check), rows in grouped
        ]
        rest = len(sentences) - most
        return sentences[:most] + ([f"{name}: {rest} more kinds of failure"] if rest > 0 else [])
    return []
