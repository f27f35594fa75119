"""A helper for reading tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a small table as named tuples, without the index. Typed as Any: columns are known only at run time."""
    return frame.itertuples(index=False)
