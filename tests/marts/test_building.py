"""A file is built from lots of inputs that come in any order, and its first failure is the one that is told."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipeline.marts.build import Building, Design
from pipeline.marts.declaration import Column, Table

LOTS = {
    "area": pa.table({"area_code": ["E1", "E2"]}),
    "estimate": pa.table({"area_code": ["E1"], "value": [1.5]}),
    "score": pa.table({"area_code": ["E1", "E2"], "score": [40.0, 60.0]}),
}
SQL = {
    "20_dim_area": "select area_code from input_area",
    "30_mart_estimate": "select area_code, value from input_estimate inner join dim_area using (area_code)",
    "31_mart_score": "select area_code, score from input_score",
    "40_meta_empty": "select 1 as one",
    "41_meta_dictionary": "select table_name from input_dictionary where table_name = 'mart_score' and column_name = ''",
}


def table(name: str, **columns: str) -> Table:
    return Table(
        id=name,
        row="one row of a test.",
        columns=tuple(
            Column(name=column, type=kind, is_key=column in ("area_code", "one", "table_name"), about="Of a test.")
            for column, kind in columns.items()
        ),
    )


TABLES = {
    item.id: item
    for item in (
        table("dim_area", area_code="VARCHAR"),
        table("mart_estimate", area_code="VARCHAR", value="DOUBLE"),
        table("mart_score", area_code="VARCHAR", score="DOUBLE"),
        table("meta_empty", one="INTEGER"),
        table("meta_dictionary", table_name="VARCHAR"),
    )
}


@pytest.fixture
def design(tmp_path: Path) -> Design:
    folder = tmp_path / "sql"
    folder.mkdir()
    for name, sql in SQL.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    return Design(folder, {"area": "select area_code from input_area order by 1"}, frozenset({"area"}))


@pytest.mark.parametrize("order", permutations(LOTS), ids="-".join)
def test_lots_may_come_in_any_order(design: Design, tmp_path: Path, order: tuple[str, ...]) -> None:
    with Building(tmp_path / "new.duckdb", TABLES, design) as building:
        for name in order:
            building.add({name: LOTS[name]})
        counts = building.finish()
    assert counts == {"dim_area": 2, "mart_estimate": 1, "mart_score": 2, "meta_empty": 1, "meta_dictionary": 1}


def test_after_a_failure_every_later_lot_tells_the_first_one(design: Design, tmp_path: Path) -> None:
    doubled = pa.table({"area_code": ["E1", "E1"], "score": [1.0, 2.0]})
    with Building(tmp_path / "new.duckdb", TABLES, design) as building:
        building.add({"area": LOTS["area"]})
        with pytest.raises(duckdb.ConstraintException, match="uplicate"):
            building.add({"score": doubled})
        with pytest.raises(duckdb.ConstraintException, match="uplicate"):
            building.add({"estimate": LOTS["estimate"]})
