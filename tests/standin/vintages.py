"""Editions of Explore Local Statistics as they stood in the past, for the stand-in to answer with."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.standin.figures import Cell, Figures, Table, figures_of

# The start of a file's name in ../shared/data/els-vintages: the slug of its series, and the project's indicator.
SERIES: Mapping[str, tuple[str, str]] = {
    "gdhi": ("gross-disposable-household-income-per-head", "gdhi_per_head"),
    "gva": ("gross-value-added-per-hour-worked", "gva_per_hour"),
    "mun": ("modelled-unemployment", "unemployment_rate_modelled"),
    "pay": ("gross-median-weekly-pay", "pay_median_weekly"),
    "pov": ("children-in-relative-poverty-before-housing", "child_poverty_bhc"),
}
_OTHER_SERIES = ("per filled job", "after housing costs")


@dataclass(frozen=True)
class Vintage:
    """One file: its series, and the day on which ONS's repository held it."""

    path: Path

    @property
    def series(self) -> str:
        return self.path.name.split("_")[0]

    @property
    def day(self) -> str:
        return self.path.name.split("_")[1]


def vintages_of(data_dir: Path, series: str) -> list[Vintage]:
    """The editions of a series that are at hand, the oldest first."""
    return sorted(map(Vintage, (data_dir / "els-vintages").glob(f"{series}_*.csv")), key=lambda vintage: vintage.day)


class OneVintage(Figures):
    """Today's figures, but of one series those of an earlier edition.

    With ``is_dated`` its description has that edition's day and periods too, as when a whole cache is rolled back;
    without, only the figures are older, as when their cache alone is.
    """

    def __init__(self, data_dir: Path, vintage: Vintage, *, is_dated: bool) -> None:
        super().__init__(data_dir)
        self._today, self._vintage, self._is_dated = figures_of(data_dir), vintage, is_dated
        self._slug = SERIES[vintage.series][0]

    def table(self, slug: str) -> Table:
        if slug != self._slug:
            return self._today.table(slug)
        cells, names = read_vintage(self._vintage.path)
        today = self._today.table(slug)
        return Table(cells, names, self._described(today.metadata, cells))

    def metadata(self) -> list[dict[str, Any]]:
        return [
            dict(self.table(self._slug).metadata) if entry["slug"] == self._slug else entry
            for entry in self._today.metadata()
        ]

    def recorded_metadata(self) -> None:
        return None

    def behind(self, dataset_id: str) -> Figures:
        return self._today

    def _described(self, described: Mapping[str, Any], cells: Mapping[tuple[str, str], Cell]) -> dict[str, Any]:
        if not self._is_dated:
            return dict(described)
        periods = sorted({period for _, period in cells})
        domain = [periods[0], periods[-1]]
        return {**described, "dataModified": self._vintage.day, "updated": self._vintage.day, "periodDomain": domain}


@cache
def read_vintage(path: Path) -> tuple[dict[tuple[str, str], Cell], dict[str, str]]:
    """Cells by area and period, and names, from any of the layouts ELS's repository has had."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{name.lower(): text for name, text in row.items()} for row in csv.DictReader(file)]
    cells: dict[tuple[str, str], Cell] = {}
    names: dict[str, str] = {}
    for row in rows:
        if not any(words in row["indicator"] for words in _OTHER_SERIES):
            value, lower, upper = (
                _number(row, *given)
                for given in (
                    ("observation", "value"),
                    ("lci_95", "lower confidence interval (95%)"),
                    ("uci_95", "upper confidence interval (95%)"),
                )
            )
            mark = row.get("status", row.get("observation status", ""))
            cells[row["areacd"], iso_period(row["period"])] = Cell(value, lower, upper, mark)
            names[row["areacd"]] = row["areanm"]
    return cells, names


def iso_period(text: str) -> str:
    """The period of an older layout as today's: ``1997``, ``2014-2015`` (from April), ``2008-04`` (pay of a day in April)."""
    if re.fullmatch(r"\d{4}", text):
        return f"{text}-01-01/P1Y"
    if re.fullmatch(r"\d{4}-\d{4}", text):
        return f"{text[:4]}-04-01/P1Y"
    return f"{text}-15" if re.fullmatch(r"\d{4}-\d{2}", text) else text


def _number(row: Mapping[str, str], *names: str) -> float | None:
    texts: Sequence[str] = [row[name].strip() for name in names if name in row]
    return float(texts[0]) if texts and texts[0] not in ("", "na") else None
