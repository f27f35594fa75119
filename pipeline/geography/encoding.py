"""Table columns as numbers and back: text as small integers, and lists of rows merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

# Any width of integer: categorical codes are as narrow as their number of categories allows.
Codes = npt.NDArray[Any]
TEXT: Any = pd.StringDtype("pyarrow", na_value=np.nan)


def encode(column: pd.Series) -> tuple[Codes, list[str]]:
    """Small integers for a text column (-1: missing), and their texts."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), [str(text) for text in column.cat.categories]
    if not isinstance(column.dtype, pd.StringDtype):
        codes, texts = pd.factorize(column)
        return np.asarray(codes, np.int32), [str(text) for text in texts]
    array = pa.array(column.array)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    encoded = array.dictionary_encode()
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return indices, encoded.dictionary.to_pylist()


def as_text(codes: Codes, texts: list[str], is_categorical: bool) -> Any:
    """Texts by number (-1: missing), as a categorical or as text."""
    if is_categorical:
        return pd.Categorical.from_codes(codes, categories=pd.Index(texts))
    return TEXT.__from_arrow__(pa.array(texts, pa.large_string()).take(pa.array(codes, mask=codes < 0)))


def without_repeats(codes: Codes, texts: list[str]) -> tuple[Codes, list[str]]:
    """The same texts by position, each held once (a categorical may not hold one twice), without unused ones."""
    used = np.zeros(len(texts), bool)
    used[codes] = True
    kept = sorted({text for text, is_used in zip(texts, used, strict=True) if is_used})
    number = {text: i for i, text in enumerate(kept)}
    return np.array([number.get(text, 0) for text in texts] or [0], codes.dtype)[codes], kept


def floats(column: pd.Series) -> npt.NDArray[np.float64]:
    """A number column with NaN for missing; a view if it already is one, so not to be written to."""
    return column.to_numpy() if column.dtype == np.float64 else column.to_numpy(dtype=float, na_value=np.nan)


def merged(passed: Codes, made: Codes) -> tuple[Codes, Codes]:
    """Two sorted lists of rows merged, and the positions of the second's rows in the result."""
    patched = np.searchsorted(passed, made) + np.arange(len(made))
    is_made = np.zeros(len(passed) + len(made), bool)
    is_made[patched] = True
    rows = np.empty(len(is_made), passed.dtype)
    rows[patched] = made
    rows[~is_made] = passed
    return rows, patched
