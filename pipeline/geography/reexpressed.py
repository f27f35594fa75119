"""What comes of re-expression: the figures on the map, the rows set aside, and the ledger of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.geography.area_codes import Reading
from pipeline.geography.area_errors import (
    LedgerError,
)
from pipeline.geography.encoding import Codes, as_text, encode, floats, merged, without_repeats
from pipeline.geography.figure_table import NUMBERS, RULES, STATUS_ORDER, Figures, Ints
from pipeline.geography.names import NO_CODE
from pipeline.numerals import rounded


@dataclass(frozen=True)
class Ledger:
    """What became of the input rows; ``rows_out`` counts the output (a merge makes one row of several)."""

    rows_in: int
    rows_used: int
    rows_set_aside: int
    rows_collapsed: int
    rows_out_of_scope: int
    rows_out: int

    def check(self) -> None:
        """Raise LedgerError if a row is unaccounted for."""
        accounted = self.rows_used + self.rows_set_aside + self.rows_collapsed + self.rows_out_of_scope
        if accounted != self.rows_in:
            raise LedgerError(f"{self.rows_in} rows went into re-expression, {accounted} are accounted for: {self}")


@dataclass(frozen=True)
class Reexpressed:
    """``observations``: the given columns, with ``geography_rule`` and ``source_area_codes`` (joined by ``+``), both
    categorical: as text they would take more memory than everything else.

    ``set_aside``: rows as given, with ``reason``, a sentence that names the row. Rows collapsed into an equal one, and
    rows out of scope, are only counted, in ``ledger``.
    """

    observations: pd.DataFrame
    set_aside: pd.DataFrame
    ledger: Ledger


@dataclass(frozen=True)
class Keys:
    """The three keys of a table as small integers, with their texts."""

    area: Codes
    areas: list[str]
    series_period: Codes
    kind_of: npt.NDArray[np.str_]
    last_day_of: Ints
    has_period: npt.NDArray[np.bool_]


def figures_on_map(
    observations: pd.DataFrame,
    passed: Ints,
    figures: Figures,
    made: Mapping[str, Ints],
    keys: Keys,
    reading: Reading,
) -> pd.DataFrame:
    positions = np.concatenate([*made.values(), np.empty(0, np.int64)])
    areas = sorted({node for node in reading.node if node is not None} | set(made))
    number = {area: i for i, area in enumerate(areas)}
    area_of_made = np.repeat([number[area] for area in made] or [0], [len(p) for p in made.values()] or [0])
    order = np.argsort(figures["row"][positions], kind="stable")
    positions, area_of_made = positions[order], area_of_made[order]
    rows, patched = merged(passed, figures["row"][positions])

    texts = areas + figures.sources
    narrow = np.int16 if len(texts) <= np.iinfo(np.int16).max else np.int32
    area = np.array([number.get(node or "", -1) for node in reading.node] + [-1], narrow)[keys.area[rows]]
    area[patched] = area_of_made
    rule = np.zeros(len(rows), np.int8)
    rule[patched] = figures["rule"][positions]
    source = area.copy()
    source[patched] = figures["source"][positions] + len(areas)

    unmoved = len(rows) == len(observations) and bool((rows == np.arange(len(rows))).all())
    is_categorical = isinstance(observations["area_code"].dtype, pd.CategoricalDtype)
    columns: dict[str, Any] = {}
    for name, column in observations.items():
        if name == "area_code":
            columns[name] = as_text(area, areas, is_categorical)
        elif name in NUMBERS and len(patched):
            numbers = floats(column)[rows]
            numbers[patched] = figures[str(name)][positions]
            columns[str(name)] = numbers
        elif name == "status" and len(patched):
            columns[name] = _patched_status(column, rows, patched, figures["status"][positions])
        elif not unmoved:
            columns[str(name)] = column.array.take(rows)
    columns["geography_rule"] = as_text(rule, list(RULES), is_categorical=True)
    columns["source_area_codes"] = as_text(*without_repeats(source, texts), is_categorical=True)
    if unmoved:  # shares untouched columns with the given table until either is written to
        return observations.reset_index(drop=True).assign(**columns)
    return pd.DataFrame(columns, copy=False)


def _patched_status(column: pd.Series, rows: Ints, patched: Ints, status: npt.NDArray[np.int8]) -> Any:
    codes, texts = encode(column)
    all_texts = sorted(set(texts) | {STATUS_ORDER[code] for code in np.unique(status)})
    number = {text: i for i, text in enumerate(all_texts)}
    renumbered = np.array([number[text] for text in texts] + [-1], np.int8)[codes[rows]]
    renumbered[patched] = np.array([number.get(text, -1) for text in STATUS_ORDER], np.int8)[status]
    return as_text(renumbered, all_texts, isinstance(column.dtype, pd.CategoricalDtype))


def rows_set_aside_with_reasons(
    observations: pd.DataFrame,
    rows: Ints,
    figures: Figures,
    roots: Ints,
    raw: Ints,
    keys: Keys,
    reading: Reading,
) -> pd.DataFrame:
    aside = observations.iloc[rows].reset_index(drop=True)
    worked = np.full(len(observations) if len(rows) else 0, -1, np.int64)
    if len(rows):
        worked[figures["row"][raw]] = roots
    root = worked[rows]
    reason_at, kept = np.zeros(len(rows), np.int64), np.full(len(rows), np.nan)
    reason_at[root >= 0] = figures["reason"][root[root >= 0]]
    kept[root >= 0] = figures["kept_value"][root[root >= 0]]
    numbers = aside["source_row"].tolist() if "source_row" in aside else rows.tolist()
    given = floats(aside["value"]).tolist()
    reasons = []
    for i, area in enumerate(keys.area[rows].tolist()):
        text = NO_CODE if area < 0 else reading.refusal[area]
        if text is None and root[i] < 0:
            text = reading.earlier[area][1] if keys.has_period[rows[i]] else "no period is given"
        if text is None:
            text = figures.reasons[reason_at[i]]
            if "{given}" in text:
                text = text.format(given=rounded(given[i], 10), kept=rounded(kept[i], 10))
        reasons.append(f"row {numbers[i]}: {text}")
    return aside.assign(reason=pd.Series(reasons, dtype="str", index=aside.index))
