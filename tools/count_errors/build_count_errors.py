"""The table of errors from counts that ships with the project.

One row is one measure, district and edition: ``standard_error`` in the unit of the figure, and the ``small_areas`` and
``people`` it rests on. Where the small areas' people are not held (Wales, Northern Ireland), the district's residents of
2020 are shared equally among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.catalogue import BaselineEntry, load_catalogue
from pipeline.errors import PipelineError
from pipeline.estimation.own_errors import concentration_error, gap_error
from pipeline.geography import load_register
from pipeline.publishers.deprivation.district_measures import FEWEST_SMALL_AREAS, SmallAreas
from pipeline.tidy.observations import UnreadablePayload
from tools.baseline.build_baseline import INDEX_READERS

SEED, DRAWS = 1, 1000
DIGITS = 3  # significant ones: more than 1000 draws can tell
ROUNDED_TO: Mapping[str, float] = {"wales_2019": 1.0}  # points, the step in which rates are published
MEASURES: Mapping[str, Callable[..., float]] = {"gap": gap_error, "concentration": concentration_error}


class CountErrorsError(PipelineError):
    """A file of small areas is missing or cannot be read; the message names it."""


def count_errors(folder: Path) -> pd.DataFrame:
    """One row a measure, district and edition, in the order of the catalogue. Raises CountErrorsError."""
    residents = load_register().areas.dropna(subset=["population_2020"]).set_index("area_code")["population_2020"]
    rows: list[dict[str, object]] = []
    for entry in load_catalogue().baseline:
        if entry.reader == "income_deprivation":
            rows += _rows(entry, _small_areas(folder, entry), residents)
    return pd.DataFrame(rows)


def _small_areas(folder: Path, entry: BaselineEntry) -> SmallAreas:
    try:
        return INDEX_READERS[entry.select["map"]](*((folder / name).read_bytes() for name in entry.files))
    except (OSError, UnreadablePayload) as error:
        raise CountErrorsError(f"{entry.indicator}, part {entry.part}: {error}") from error


def _rows(entry: BaselineEntry, areas: SmallAreas, residents: pd.Series) -> Iterator[dict[str, object]]:
    index, measure = entry.select["map"], entry.select["measure"]
    rng = np.random.default_rng(SEED)
    for code, group in areas.table.groupby("area_code"):
        if len(group) < FEWEST_SMALL_AREAS:
            continue
        people = group["population"].to_numpy()
        if (people == 1).all():  # equal weights
            people = np.full(len(people), float(residents[code]) / len(people))
        rates = group["income_rate"].to_numpy()
        error = MEASURES[measure](rng, rates, people, DRAWS, ROUNDED_TO.get(index, 0.0))
        yield {
            "indicator_id": entry.indicator,
            "part_id": entry.part,
            "year": int(areas.period[:4]),
            "area_code": code,
            "standard_error": f"{error:.{DIGITS}g}",
            "small_areas": len(group),
            "people": round(people.sum()),
        }


def write_count_errors(folder: Path, out: Path) -> int:
    """Write the table, and say how many rows it has. The same files give the same bytes."""
    table = count_errors(folder)
    table.to_csv(out, index=False, lineterminator="\n")
    return len(table)
