"""A shipped Parquet file becomes figures, or is refused."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.publishers.baseline.parse import SCHEMA, parse
from pipeline.tidy.observations import PARSED_COLUMNS, UnreadablePayload
from tools.baseline.build_baseline import parquet_bytes

MISSING = float("nan")


def shipped(*rows: tuple[str, str, float, str]) -> bytes:
    frame = pd.DataFrame(rows, columns=["area_code", "period", "value", "status"]).assign(lower=MISSING, upper=MISSING)
    return parquet_bytes(frame, "gva_per_hour", "test edition")


def test_figures_come_back_as_they_were_written() -> None:
    parsed = parse(
        shipped(
            ("E09000030", "2023-01-01/P1Y", 58.700000000000003, "ok"),
            ("E09000001", "2025-04-30", MISSING, "suppressed"),
        )
    )
    assert tuple(parsed.figures.columns) == PARSED_COLUMNS
    assert parsed.figures["area_code"].tolist() == ["E09000001", "E09000030"]
    assert parsed.figures["source_row"].tolist() == [1, 2]
    assert parsed.figures["value"].tolist()[1] == 58.700000000000003
    assert (parsed.rows_read, parsed.out_of_scope, len(parsed.set_aside)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (("E99", "2023-01-01/P1Y", 1.0, "ok"), "no known level"),
        (("E09000030", "2023", 1.0, "ok"), "not an ISO 8601 period"),
        (("E09000030", "2023-01-01/P1Y", 1.0, "fine"), "status is not one"),
        (("E09000030", "2023-01-01/P1Y", MISSING, "provisional"), "the value is missing"),
        (("E09000030", "2023-01-01/P1Y", 0.0, "suppressed"), "there is a value although"),
    ],
)
def test_a_row_that_cannot_be_right_is_set_aside(bad: tuple[str, str, float, str], reason: str) -> None:
    parsed = parse(shipped(("E09000001", "2023-01-01/P1Y", 1.0, "ok"), bad))
    assert len(parsed.figures) == 1
    assert reason in parsed.set_aside.loc[0, "reason"]
    assert bad[0] in parsed.set_aside.loc[0, "raw_line"]
    assert parsed.rows_read == 2


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_bytes_that_are_not_parquet_or_have_other_columns_are_refused() -> None:
    whole = shipped(("E09000030", "2023-01-01/P1Y", 1.0, "ok"))
    table = pq.read_table(pa.BufferReader(whole))
    for content in (
        b"",
        b"<html>",
        whole[:-20],
        _written(table.drop_columns(["status"])),
        _written(table.set_column(3, "value", table["value"].cast(pa.float32()))),
        _written(table.rename_columns(["areacd", *SCHEMA.names[1:]])),
    ):
        with pytest.raises(UnreadablePayload):
            parse(content)
