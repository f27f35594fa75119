"""The errors from revisions that ship with the project: by how much figures and slopes were still revised, by age.

``python -m tools.revisions`` writes the table from editions of the publisher's series.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue.yaml_entries import CatalogueError

REVISION_ERRORS = Path(__file__).resolve().parent / "revision_errors.csv"


@dataclass(frozen=True)
class RevisionErrors:
    """Of one indicator's figures (``window_years`` None) or slopes: standard errors by age in years, age 0 first.

    In logarithms of the position relative to the typical district; a slope's, for each year.
    """

    by_age: tuple[float, ...]
    first_edition: str
    newest_edition: str


def load_revision_errors(path: Path = REVISION_ERRORS) -> Mapping[tuple[str, int | None], RevisionErrors]:
    """The table by indicator and window. Raises CatalogueError for a row out of order or an error that is none."""
    found: dict[tuple[str, int | None], RevisionErrors] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["indicator_id"], int(row["window_years"]) if row["window_years"] else None)
            earlier = found[key].by_age if key in found else ()
            error = float(row["standard_error"])
            if int(row["age_years"]) != len(earlier) or not 0 <= error < 1:
                raise CatalogueError(
                    f"{path.name}: {row['indicator_id']}, age {row['age_years']}: expected age {len(earlier)} and an "
                    f"error from 0 to 1, found {row['standard_error']}; write it anew with python -m tools.revisions"
                )
            found[key] = RevisionErrors((*earlier, error), row["first_edition"], row["newest_edition"])
    return found
