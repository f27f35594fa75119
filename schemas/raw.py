"""Checks on arrival: the expected table, before any figure is read from it.

Every column is text here. A payload without a required column, or without rows, fails completely. Faults in single rows
are left to the parser, which sets those rows aside.
"""

from __future__ import annotations

from functools import cache

import pandas as pd
import pandera.pandas as pa


def _has_rows(table: pd.DataFrame) -> bool:
    return len(table) > 0


@cache
def arrival_table(columns: tuple[str, ...], patterns: tuple[str, ...] = ()) -> pa.DataFrameSchema:
    """A table with these columns of text, and at least one for each name pattern; publishers may add others.

    A schema, not a model: building pandera's models imports every installed data frame library, including Dask.
    """
    wanted = {name: pa.Column(str) for name in columns}
    wanted |= {pattern: pa.Column(str, regex=True) for pattern in patterns}
    return pa.DataFrameSchema(wanted, checks=pa.Check(_has_rows, error="has no rows"), strict=False)
