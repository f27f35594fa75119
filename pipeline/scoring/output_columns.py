"""Columns of the output tables, made from arrays without one Python object a row. Part of the labelled edge (pandas)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from pandas.api.types import union_categoricals

from pipeline.catalogue.frameworks import Window
from pipeline.scoring.transform import Floats, Ints


def text(categories: Sequence[str], codes: Ints) -> pd.Categorical:
    """A text column as positions in a few texts, which takes a twentieth of the memory of strings; -1 is missing."""
    texts, first = np.unique(np.asarray(categories, dtype=object), return_inverse=True)
    positions = np.where(codes < 0, -1, first[np.maximum(codes, 0)]) if len(first) else np.full(len(codes), -1)
    return pd.Categorical.from_codes(positions, categories=pd.Index(texts, dtype="str"))


def same(value: str, rows: int) -> pd.Categorical:
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
    """Concatenated tables whose text columns stay positions; without any table, an empty one with ``columns``."""
    if not tables:
        return pd.DataFrame(columns=list(columns or ()))
    if len(tables) == 1:
        return tables[0].reset_index(drop=True)
    is_text = [
        name for name in tables[0] if any(isinstance(table[name].dtype, pd.CategoricalDtype) for table in tables)
    ]
    joined = pd.concat([table.drop(columns=is_text) for table in tables], ignore_index=True)
    texts = {
        str(name): union_categoricals([table[name].astype("category") for table in tables], sort_categories=True)
        for name in is_text
    }
    return joined.assign(**texts)[list(tables[0])]


def stack(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenated columns of several blocks of rows, before they become a frame."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
