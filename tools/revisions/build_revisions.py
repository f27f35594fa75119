"""The table of errors from revisions that ships with the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from pipeline.catalogue import load_catalogue
from pipeline.estimation.revisions import cumulated_revisions
from pipeline.geography import load_register
from tools.revisions.held_editions import SERIES, Editions, read_editions

WINDOWS: tuple[int | None, ...] = (None, 10, 5)  # years of a slope; None: the figure itself
DECIMALS = 6


def revision_errors(folder: Path) -> pd.DataFrame:
    """One row an indicator, measure and age; see the columns in ``docs/studies/errors.md``. Raises EditionsError."""
    catalogue, register = load_catalogue(), load_register()
    rows = []
    for prefix in SERIES:
        rows += list(_rows(read_editions(folder, prefix, catalogue, register)))
    return pd.DataFrame(rows)


def _rows(editions: Editions) -> Iterator[dict[str, object]]:
    for window in WINDOWS:
        found = cumulated_revisions(editions.values, is_log=True, window=window)
        for age, error in enumerate(found.standard_error):
            yield {
                "indicator_id": editions.indicator_id,
                "measure": "level" if window is None else "slope",
                "window_years": window or "",
                "age_years": age,
                "standard_error": f"{error:.{DECIMALS}f}",
                "older_editions": int(found.editions[age]),
                "districts": int(found.areas[age]),
                "source_id": "ons_els",
                "first_edition": editions.days[0].isoformat(),
                "newest_edition": editions.days[-1].isoformat(),
            }


def write_revision_errors(folder: Path, out: Path) -> int:
    """Write the table, and say how many rows it has. The same editions give the same bytes."""
    table = revision_errors(folder)
    table.to_csv(out, index=False, lineterminator="\n")
    return len(table)
