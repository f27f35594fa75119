"""Read editions of a series as Explore Local Statistics held them over the years, all on today's map.

Their columns changed: figures stand under ``Value``, then ``Observation``, then ``observation``; periods are years, then
dates with a length. Files are named ``<series>_<day>_<version>.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.errors import PipelineError
from pipeline.estimation.error_process import Floats
from pipeline.geography import Register, reexpress
from pipeline.scoring.revisions import distinct_editions

# Beginning of a file's name -> indicator, and the words its column ``indicator`` begins with.
SERIES = {
    "gva": ("gva_per_hour", "Gross value added per hour worked"),
    "gdhi": ("gdhi_per_head", "Gross disposable household income"),
}
NO_FIGURE = ("", "na")
NOT_SCORED = ("E09000001", "E06000053")  # City of London and Isles of Scilly


class EditionsError(PipelineError):
    """A folder of editions cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Editions:
    """The distinct editions of one indicator. ``values``: [editions, years, districts], oldest edition first."""

    indicator_id: str
    days: tuple[date, ...]
    years: tuple[int, ...]
    values: Floats


def read_editions(folder: Path, prefix: str, catalogue: Catalogue, register: Register) -> Editions:
    """The editions of one of ``SERIES``, without those that only repeat or correct the one before.

    Raises EditionsError for a folder without any, or a file that does not read.
    """
    indicator_id, words = SERIES[prefix]
    paths = sorted(folder.glob(f"{prefix}_*.csv"))
    if not paths:
        raise EditionsError(f"{folder} has no file {prefix}_*.csv: give the folder of editions")
    kind = catalogue.indicators[indicator_id].kind
    tables = []
    for path in paths:
        table = _read(path, words).assign(indicator_id=indicator_id)
        today = reexpress(table, {indicator_id: kind}, register).observations
        is_wanted = today["area_code"].isin(register.districts()) & ~today["area_code"].isin(NOT_SCORED)
        found = today[is_wanted & today["value"].notna()]
        tables.append(found.assign(year=found["period"].str[:4].astype(int), day=_day(path)))
    kept = distinct_editions(tables)
    years = range(min(t["year"].min() for t in kept), max(t["year"].max() for t in kept) + 1)
    codes = sorted(set().union(*(t["area_code"] for t in kept)))
    values = [
        t.pivot(index="year", columns="area_code", values="value").reindex(index=years, columns=codes).to_numpy()
        for t in kept
    ]
    days = tuple(t["day"].iloc[0] for t in kept)
    return Editions(indicator_id, days, tuple(years), np.array(values))


def _day(path: Path) -> date:
    try:
        return date.fromisoformat(path.stem.split("_")[1])
    except (IndexError, ValueError) as error:
        raise EditionsError(f"{path.name}: expected a name like gva_2024-07-15_c8e06795.csv") from error


def _read(path: Path, words: str) -> pd.DataFrame:
    """``area_code, period, value`` of one file."""
    table = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False).rename(columns=str.casefold)
    table = table.rename(columns={"value": "observation"})
    missing = {"areacd", "indicator", "period", "observation"} - set(table.columns)
    if missing:
        raise EditionsError(f"{path.name}: column {', '.join(sorted(missing))} is missing")
    table = table[table["indicator"].str.startswith(words)]
    text = table["observation"].str.replace(",", "")
    try:
        value = pd.to_numeric(text.mask(text.isin(NO_FIGURE)))
    except ValueError as error:
        raise EditionsError(f"{path.name}: a figure is no number: {error}") from error
    return pd.DataFrame(
        {
            "area_code": table["areacd"],
            "period": table["period"].str[:4] + "-01-01/P1Y",
            "value": value.astype(float),
        }
    )
