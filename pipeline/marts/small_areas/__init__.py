"""The file of one series of small areas: its declared tables, its SQL, its checks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipeline.catalogue.yaml_entries import load_entries
from pipeline.marts.build import Design
from pipeline.marts.declaration import Table

FOLDER = Path(__file__).parent
CHECKS_FOLDER = FOLDER / "checks"
# A unique index over millions of rows would take longer than the rest of the build; a check proves the key instead.
OF_SMALL_AREAS = Design(
    FOLDER / "sql",
    {"area": "select area_code from input_area order by 1"},
    frozenset({"area"}),
    without_index=frozenset({"fct_small_area"}),
    flushes_once=False,
)


@cache
def small_area_tables() -> Mapping[str, Table]:
    """The declared tables of a file of small areas, by name. Raises CatalogueError for a bad declaration."""
    return {table.id: table for table in load_entries(FOLDER / "tables.yaml", Table)}
