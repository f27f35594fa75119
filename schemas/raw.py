"""On arrival: the table a publisher promises, before anything reads a figure from it.

Every column is text here. A payload without a required column, or without a single row, fails as a
whole; what is wrong with one row is the parser's business, which sets that row aside.
"""

from __future__ import annotations

from functools import cache

import pandas as pd
import pandera.pandas as pa


def _has_rows(table: pd.DataFrame) -> bool:
    return len(table) > 0


@cache
def arrival_table(columns: tuple[str, ...], patterns: tuple[str, ...] = ()) -> pa.DataFrameSchema:
    """A table with these columns of text, and one or more for each pattern of a name; publishers may add others.

    A schema, not a model: building pandera's models imports every data frame library that is installed, Dask among them.
    """
    wanted = {name: pa.Column(str) for name in columns}
    wanted |= {pattern: pa.Column(str, regex=True) for pattern in patterns}
    return pa.DataFrameSchema(wanted, checks=pa.Check(_has_rows, error="has no rows"), strict=False)
