"""The errors from counts that ship with the project: of figures computed from small areas, by district and edition.

``python -m tools.count_errors`` writes the table from the publishers' small areas.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from pipeline.catalogue.yaml_entries import CatalogueError

COUNT_ERRORS = Path(__file__).resolve().parent / "count_errors.csv"


def load_count_errors(path: Path = COUNT_ERRORS) -> Mapping[str, Mapping[tuple[str, int], float]]:
    """Standard errors in the unit of the figure: indicator -> (district, year of the edition) -> error.

    Raises CatalogueError for a repeated row or an error that is none.
    """
    found: dict[str, dict[tuple[str, int], float]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            own = found.setdefault(row["indicator_id"], {})
            key, error = (row["area_code"], int(row["year"])), float(row["standard_error"])
            if key in own or not 0 <= error < 100:
                raise CatalogueError(
                    f"{path.name}: {row['indicator_id']}, {row['area_code']}, {row['year']}: expected one row with an "
                    f"error from 0 to 100, found {row['standard_error']}; write it anew with python -m tools.count_errors"
                )
            own[key] = error
    return found
