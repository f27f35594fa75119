"""Columns of the output tables, made from arrays without a Python object a row. Part of the labelled edge (pandas)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeline.catalogue.frameworks import Window
from pipeline.scoring.transform import Floats, Ints


def text(categories: Sequence[str], codes: Ints) -> ExtensionArray:
    """Strings from a few texts and their positions; -1 is missing."""
    return pd.array(np.asarray(categories, dtype=object), dtype="str").take(codes, allow_fill=True)


def same(value: str, rows: int) -> ExtensionArray:
    """One string in every row."""
    return text([value], np.zeros(rows, dtype=np.int64))


def whole(values: Floats, dtype: str = "int32") -> ExtensionArray:
    """Whole numbers with NaN as missing: pandas ``Int32`` (or ``Int64``)."""
    missing = np.isnan(values)
    return pd.arrays.IntegerArray(np.where(missing, 0, values).astype(dtype), missing)


def window_column(window: Window | None, rows: int) -> ExtensionArray:
    """``window_years``: the window of the change flavour, null for the level."""
    return whole(np.full(rows, window.years if window else np.nan))


def concat(tables: Sequence[pd.DataFrame], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Tables under each other; without any, an empty one with ``columns``."""
    if not tables:
        return pd.DataFrame(columns=list(columns or ()))
    return pd.concat(tables, ignore_index=True)


def stack(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Columns of several blocks of rows under each other, before any of them becomes a frame."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
