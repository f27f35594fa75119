"""Read a Parquet file of the figures shipped with the project (``data/raw/baseline``)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tidy.observations import PARSED_COLUMNS, STATUSES, Parsed, UnreadablePayload
from pipeline.tidy.rows import first_reason, is_held, periods_are_iso, split

SCHEMA = pa.schema(
    [
        pa.field("area_code", pa.string(), nullable=False),
        pa.field("indicator_id", pa.string(), nullable=False),
        pa.field("period", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("lower", pa.float64()),
        pa.field("upper", pa.float64()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("edition", pa.string(), nullable=False),
    ]
)


def parse(content: bytes) -> Parsed:
    """The figures of one shipped file; ``source_row`` is the 1-based row of the Parquet table.

    Raises UnreadablePayload if the bytes are not Parquet or the columns or types do not match SCHEMA.
    """
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadablePayload(f"expected a Parquet file; it cannot be read: {error}") from error
    if not table.schema.equals(SCHEMA):
        wanted = ", ".join(f"{field.name} {field.type}" for field in SCHEMA)
        given = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise UnreadablePayload(f"expected the columns {wanted}; the file has {given}: build the baseline again")
    frame = table.select(["area_code", "period", "value", "lower", "upper", "status"]).to_pandas()
    frame = frame.astype({"area_code": "str", "period": "str", "status": "str"}).assign(
        source_row=np.arange(1, len(frame) + 1)
    )
    has_value = frame["value"].notna()
    findings = (
        (~is_held(frame["area_code"]), "the area code is of no known level"),
        (~periods_are_iso(frame["period"]), "the period is not an ISO 8601 period"),
        (~frame["status"].isin(STATUSES), "the status is not one of the project's"),
        (~has_value & frame["status"].isin(["ok", "rounded", "provisional", "estimated"]), "the value is missing"),
        (
            has_value & frame["status"].isin(["suppressed", "not_available"]),
            "there is a value although its status says there is none",
        ),
    )
    if not any(condition.any() for condition, _ in findings) and not frame.duplicated(["area_code", "period"]).any():
        nothing = pd.DataFrame(columns=["source_row", "area_code", "period", "reason", "raw_line"])
        return Parsed(figures=frame[list(PARSED_COLUMNS)], set_aside=nothing, rows_read=len(frame))
    reasons = first_reason(frame.index, *findings)
    return split(frame.assign(raw_line=_as_lines(frame)), reasons)


def _as_lines(frame: pd.DataFrame) -> pd.Series:
    cells = frame[["area_code", "period", "value", "lower", "upper", "status"]].astype("str").fillna("")
    return cells.iloc[:, 0].str.cat(cells.iloc[:, 1:], sep=",")
