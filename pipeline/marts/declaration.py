"""The declaration of the published tables and views: what a row is, and each column's type, unit, meaning and key.

It is the source of SQL keys and comments, the pandera checks before publishing, and the data dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.catalogue import Indicator
from pipeline.catalogue.yaml_entries import load_entries

ColumnType = Literal["VARCHAR", "DOUBLE", "INTEGER", "BIGINT", "BOOLEAN", "DATE", "TIMESTAMP", "ENUM"]
Sentence = Annotated[str, Field(min_length=10)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Entry):
    """One column. ``is_key`` columns together identify a row and are never null.

    ``refers_to`` names a table whose last key column this one holds, unless it is null. The table's other key columns
    appear beside it under their own names.
    """

    name: str
    type: ColumnType
    about: Sentence
    unit: str | None = None
    is_key: bool = False
    is_required: bool = False
    refers_to: str | None = None
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None

    @property
    def may_be_missing(self) -> bool:
        return not (self.is_key or self.is_required)

    @property
    def meaning(self) -> str:
        """The meaning of the column, with its possible values if they are few, and the table it refers to."""
        values = f" One of: {', '.join(self.values)}." if self.values else ""
        return self.about + values + (f" Leads to {self.refers_to}." if self.refers_to else "")

    @property
    def comment(self) -> str:
        """The column's comment in the file: its meaning and its unit."""
        return self.meaning + (f" Unit: {self.unit}." if self.unit else "")


@dataclass(frozen=True)
class Reference:
    """A foreign key: in every row without missing values in them, ``columns`` hold a key of ``table``."""

    columns: tuple[str, ...]
    table: str
    key: tuple[str, ...]


class Table(_Entry):
    """One table or view. ``row`` completes the sentence "one row is …". A view's key holds, but nothing enforces it.

    ``per_indicator`` columns are repeated for every indicator that is ``in_profile``, with ``{indicator}``,
    ``{column}`` (the indicator's id and unit), ``{title}`` and ``{unit}`` filled in.
    """

    id: str
    kind: Literal["table", "view"] = "table"
    row: Sentence
    about: str = ""
    key_order: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    per_indicator: tuple[Column, ...] = ()

    @model_validator(mode="after")
    def key_order_is_the_key(self) -> Table:
        key = {column.name for column in self.columns if column.is_key}
        if self.key_order and set(self.key_order) != key:
            raise ValueError(f"key_order must hold the key columns {', '.join(sorted(key))}")
        return self

    @property
    def is_view(self) -> bool:
        return self.kind == "view"

    @property
    def key(self) -> tuple[str, ...]:
        return self.key_order or tuple(column.name for column in self.columns if column.is_key)

    def references(self, tables: Mapping[str, Table]) -> list[Reference]:
        """The foreign keys of the table to those of ``tables``."""
        return [
            Reference((*target.key[:-1], column.name), target.id, target.key)
            for column in self.columns
            if column.refers_to and (target := tables.get(column.refers_to))
        ]

    @property
    def comment(self) -> str:
        return f"One row is {self.row} {self.about}".strip()

    def expanded(self, indicators: Iterable[Indicator]) -> Table:
        """The table with its per-indicator columns expanded."""
        if not self.per_indicator:
            return self
        extra = tuple(
            column.model_copy(
                update={
                    "name": _fill(column.name, indicator),
                    "about": _fill(column.about, indicator),
                    "unit": _fill(column.unit, indicator) if column.unit else None,
                }
            )
            for indicator in indicators
            if indicator.in_profile
            for column in self.per_indicator
        )
        return self.model_copy(update={"columns": self.columns + extra, "per_indicator": ()})


def _fill(text: str, indicator: Indicator) -> str:
    return text.format(indicator=indicator.id, column=indicator.column_name, title=indicator.title, unit=indicator.unit)


@cache
def _declared() -> tuple[Table, ...]:
    return tuple(load_entries(Path(__file__).with_name("tables.yaml"), Table))


def declared_tables(indicators: Mapping[str, Indicator]) -> dict[str, Table]:
    """Every published table by name, per-indicator columns expanded. Raises CatalogueError for a bad declaration."""
    return {table.id: table.expanded(indicators.values()) for table in _declared()}


def tables_as_declared() -> dict[str, Table]:
    """Every published table by name, per-indicator columns as patterns. Raises CatalogueError for a bad declaration."""
    return {table.id: table for table in _declared()}
