"""The figures the stand-in answers with: real ones, from ../shared/data where it is there, else from the baseline."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet

from pipeline.catalogue import load_catalogue
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.settings import BASELINE_DIR, PROJECT_ROOT

SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"

# ITL level 1 codes that the server's build maps to region and country codes, and the names it gives them.
ITL_AREAS: Mapping[str, tuple[str, str]] = {
    "TLB": ("E92000001", "England"),
    "TLC": ("E12000001", "North East"),
    "TLD": ("E12000002", "North West"),
    "TLE": ("E12000003", "Yorkshire and The Humber"),
    "TLF": ("E12000004", "East Midlands"),
    "TLG": ("E12000005", "West Midlands"),
    "TLH": ("E12000006", "East of England"),
    "TLI": ("E12000007", "London"),
    "TLJ": ("E12000008", "South East"),
    "TLK": ("E12000009", "South West"),
    "TLL": ("W92000004", "Wales"),
    "TLM": ("S92000003", "Scotland"),
    "TLN": ("N92000002", "Northern Ireland"),
}
MARK_OF_STATUS = {"ok": "", "not_available": "x", "unreliable": "u", "suppressed": "c"}


@dataclass(frozen=True)
class Cell:
    value: float | None
    lower: float | None = None
    upper: float | None = None
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """All cells of one ELS indicator by (area code, period), and how the server describes it."""

    cells: Mapping[tuple[str, str], Cell]
    names: Mapping[str, str]
    metadata: Mapping[str, Any]

    @property
    def has_intervals(self) -> bool:
        return bool(self.metadata["confidenceIntervals"])


@dataclass(frozen=True)
class NomisEdition:
    """The publisher's last-updated mark of a data set, and the code of the last period it holds."""

    last_updated: str
    until: str


class Figures:
    """ELS indicators by slug and ASHE annual percentiles by item, read when first asked for."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._parts = {
            query.slug: f"{indicator.id}{'' if part.id == 'main' else f'--{part.id}'}"
            for indicator in load_catalogue().collected
            for part in indicator.parts
            for query in part.live
            if isinstance(query, ElsQuery)
        }

    @property
    def has_source_files(self) -> bool:
        return (self.data_dir / "els").is_dir() and (self.data_dir / "els-api" / "metadata").is_dir()

    def metadata(self) -> list[dict[str, Any]]:
        """Every indicator's description, as recorded; for the baseline, the fields a client needs."""
        if self.has_source_files:
            return list(_recorded_metadata(self.data_dir).values())
        return [dict(self.table(slug).metadata) for slug in sorted(self._parts)]

    def recorded_metadata(self) -> bytes | None:
        """The recorded list of all indicators as sent, whose numbers are spelt as JavaScript spells them."""
        path = self.data_dir / "els-api" / "metadata" / "001_indicators.body"
        return path.read_bytes() if self.has_source_files else None

    def table(self, slug: str) -> Table:
        """Raises KeyError for a slug that has no figures here."""
        if self.has_source_files:
            return _table_from_source_file(self.data_dir, slug)
        return _table_from_baseline(slug, self._parts[slug])

    def nomis_edition(self, dataset_id: str) -> NomisEdition | None:
        """When Nomis last changed a data set and how far it goes, where that is not as recorded."""
        return None

    def behind(self, dataset_id: str) -> Figures:
        """The figures a Nomis data set is made of: these, or earlier ones that nothing in it has changed since."""
        return self

    def annual_pay(self, statistic: str) -> Mapping[tuple[str, str], Cell]:
        """Annual pay of residents by (area, year): ``p10`` … ``p90``, ``mean``, ``median``; from the shipped baseline."""
        return {(area, period[:4]): cell for (area, period), cell in _baseline_cells(f"pay_annual_{statistic}").items()}


@lru_cache(maxsize=4)
def _recorded_metadata(data_dir: Path) -> dict[str, dict[str, Any]]:
    recorded = json.loads((data_dir / "els-api" / "metadata" / "001_indicators.body").read_text(encoding="utf-8"))
    return {entry["slug"]: entry for entry in recorded}


@lru_cache(maxsize=64)
def _source_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=128)
def _table_from_source_file(data_dir: Path, slug: str) -> Table:
    described = _recorded_metadata(data_dir)[slug]
    path = data_dir / "els" / f"{described['dataset']}.csv"
    if not path.is_file():
        raise KeyError(slug)
    cells: dict[tuple[str, str], Cell] = {}
    names: dict[str, str] = {}
    mapped: dict[tuple[str, str], Cell] = {}
    for row in _source_rows(path):
        if row["indicator"] != described["code"]:
            continue
        cell = Cell(_number(row["observation"]), _number(row["lci_95"]), _number(row["uci_95"]), row["status"].strip())
        if row["areacd"] in ITL_AREAS:
            area, name = ITL_AREAS[row["areacd"]]
            mapped[area, row["period"]] = cell
            names.setdefault(area, name)
        else:
            cells[row["areacd"], row["period"]] = cell
            names[row["areacd"]] = row["areanm"]
    if not cells:
        raise KeyError(slug)
    return Table({**mapped, **cells}, names, described)


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


@lru_cache(maxsize=128)
def _table_from_baseline(slug: str, part: str) -> Table:
    cells = _baseline_cells(part)
    if not cells:
        raise KeyError(slug)
    periods = sorted({period for _, period in cells})
    metadata = {
        "label": slug.replace("-", " ").capitalize(),
        "slug": slug,
        "dataModified": "2026-01-12",
        "updated": "2025-10-23",
        "periodDomain": [periods[0], periods[-1]],
        "confidenceIntervals": any(cell.lower is not None for cell in cells.values()),
        "caveats": [],
    }
    return Table(cells, {area: area for area, _ in cells}, metadata)


@lru_cache(maxsize=128)
def _baseline_cells(part: str) -> dict[tuple[str, str], Cell]:
    path = BASELINE_DIR / f"{part}.parquet"
    if not path.is_file():
        return {}
    return {
        (row["area_code"], row["period"]): Cell(
            row["value"], row["lower"], row["upper"], MARK_OF_STATUS.get(row["status"], "")
        )
        for row in pyarrow.parquet.read_table(path).to_pylist()
    }


@cache
def figures_of(data_dir: Path) -> Figures:
    """The same object for the same folder, so that what is made of it is made once in a process."""
    return Figures(data_dir)
