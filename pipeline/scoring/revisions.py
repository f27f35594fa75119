"""Standard errors from revisions, for figures published without any (METHODOLOGY section 6). Labelled edge (pandas).

The difference between successive editions shows how provisional the figures are. It does not show errors common to
every edition, so such an error is a lower bound. New figures are revised more than old ones. So the spread is taken by
a figure's age in the earlier edition, over all areas in both editions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.scoring.transform import Floats, relative_position

FEWEST = 30  # areas with a figure in both editions that the spread at an age needs
LEAST_REVISED = 0.05  # of the shared figures; an edition that revises fewer, and has no later year, is a correction


def distinct_editions(editions: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The editions, oldest first, without those that only repeat or correct the one before.

    Each: ``area_code, period, year, value``. An edition counts if it has a later year than the one before, or revises
    at least ``LEAST_REVISED`` of the shared figures. Otherwise it replaces the one before.
    """
    kept: list[pd.DataFrame] = []
    for edition in editions:
        if kept and not _is_another(kept[-1], edition):
            kept[-1] = edition
        else:
            kept.append(edition)
    return kept


def _is_another(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    if after["year"].max() > before["year"].max():
        return True
    both = _in_both(before, after)
    return bool(len(both)) and float((both["value"] != both["value_after"]).mean()) >= LEAST_REVISED


def _in_both(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    key = ["area_code", "period"]
    columns = [*key, "year", "value"]
    held = before.loc[before["value"].notna(), columns]
    return held.merge(after.loc[after["value"].notna(), [*key, "value"]], on=key, suffixes=("", "_after"))


def revision_spread(editions: Sequence[pd.DataFrame], is_log: bool) -> Floats:
    """Root mean square of the revisions of relative positions between editions, by age: [ages], age 0 first.

    ``editions``: the result of ``distinct_editions``, for districts only. In logarithms with ``is_log``, else in the
    figures' unit. A move common to all areas in a year changes no position and is left out. An age with too few areas
    takes the spread of the next younger one. Empty if there is no evidence: fewer than two editions, or no revision at
    all.
    """
    squares: dict[int, list[float]] = {}
    for before, after in pairwise(editions):
        newest = int(before["year"].max())
        both = _in_both(before, after)
        for year in both["year"].unique().tolist():
            rows = both[both["year"] == year]
            if len(rows) >= FEWEST:
                members = np.ones(len(rows), dtype=bool)
                now, then = (
                    relative_position(rows[name].to_numpy(float), is_log, members) for name in ("value_after", "value")
                )
                squares.setdefault(newest - year, []).append(float(((now - then) ** 2).mean()))
    if not squares or not any(value > 0 for values in squares.values() for value in values):
        return np.empty(0)
    spread = np.full(max(squares) + 1, np.nan)
    for age, values in squares.items():
        spread[age] = np.sqrt(np.mean(values))
    filled = pd.Series(spread).ffill().bfill()
    return filled.to_numpy()


def with_revision_errors(observations: pd.DataFrame, spread: Floats, is_log: bool) -> pd.DataFrame:
    """The observations, with ``standard_error`` from the spread of revisions if they have a value and no error.

    ``observations``: ``year, value, standard_error`` and any others; ages are counted from their newest year. Figures
    older than any seen revised take the spread of the oldest.
    """
    if not spread.size or observations.empty:
        return observations
    age = (observations["year"].max() - observations["year"]).to_numpy()
    error = spread[np.minimum(age, len(spread) - 1)]
    if is_log:
        error = error * observations["value"].to_numpy(float)
    own = observations["standard_error"]
    wanted = own.isna() & observations["value"].notna()
    return observations.assign(standard_error=own.mask(wanted, error))
