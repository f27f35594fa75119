"""Publishers whose figures change from night to night, and a ledger of what each of them really gave.

What stands in the published file is judged by the ledger, which knows of each answer whether a fault was in it.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline.catalogue import Catalogue
from pipeline.catalogue.model import Query
from pipeline.publishers.nomis.query import NomisCode, NomisQuery
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.tidy.observations import parse_period
from tests.standin import nomis_datasets
from tests.standin.exchange import Reply, Request
from tests.standin.faults import TABLE_FAULTS, Faults
from tests.standin.figures import Cell, Figures, NomisEdition, Table
from tests.standin.nomis_datasets import Dataset

# A folder that is not there: the figures are then those shipped with the project, the same in every clone.
NO_FILES = Path("no files of the publishers")
Series = str  # "ELS gross-median-weekly-pay", "NM_17_5 45", "NM_30_1"
Cells = Mapping[tuple[str, str], float]  # (area code, first day of the period) to value, of districts with a figure
DISTRICTS = ("E06", "E07", "E08", "E09", "W06", "S12", "N09")
# Changes in an answer's bytes that leave its figures what they are.
HARMLESS = ("extra_column", "duplicate_rows")
# The tables of Explore Local Statistics from which the stand-in makes a data set.
FED_BY = {
    "employment-rate": "NM_17_5",
    "economic-inactivity-rate": "NM_17_5",
    "level-3-or-above-qualifications": "NM_17_5",
    "no-qualifications-great-britain": "NM_17_5",
    "modelled-unemployment": "NM_127_1",
    "claimant-count": "NM_162_1",
}


class Edition(Figures):
    """All figures as they stand on one night; never changed once made."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        nomis: Mapping[str, NomisEdition],
        before: Edition | None,
        changed: str | None,
    ) -> None:
        """``changed`` is the Nomis data set in which this edition differs from the one ``before``, if any."""
        super().__init__(NO_FILES)
        self._tables, self._nomis = tables, nomis
        since = dict.fromkeys(nomis_datasets.DATASETS, self) if before is None else before._since
        self._since: Mapping[str, Edition] = since if changed is None else {**since, changed: self}
        self._cells: dict[Series, Cells] = {}

    def table(self, slug: str) -> Table:
        return self._tables[slug] if slug in self._tables else super().table(slug)

    def behind(self, dataset_id: str) -> Figures:
        return self._since[dataset_id]

    def nomis_edition(self, dataset_id: str) -> NomisEdition | None:
        return self._nomis.get(dataset_id)

    def cells(self, query: Query) -> Cells:
        """The districts' figures that a query asks for."""
        series = series_of(query)
        if series not in self._cells:
            found = self._els_cells(query) if isinstance(query, ElsQuery) else self._nomis_cells(query)
            self._cells[series] = {(area, day): value for area, day, value in found if area.startswith(DISTRICTS)}
        return self._cells[series]

    def _els_cells(self, query: ElsQuery) -> Iterator[tuple[str, str, float]]:
        for (area, period), cell in self.table(query.slug).cells.items():
            if cell.value is not None:
                yield area, parse_period(period).start.isoformat(), cell.value

    def _nomis_cells(self, query: Query) -> Iterator[tuple[str, str, float]]:
        assert isinstance(query, NomisQuery)
        dataset = nomis_datasets.dataset(query.dataset, self)
        assert dataset is not None
        chosen = [_code(dataset, name, option) for name, option in query.dimensions.items()]
        areas = [code for code in self.table("claimant-count").names if code.startswith(DISTRICTS)]
        for code in dataset.dates:
            year, _, month = code.partition("-")
            months = [f"{number:02d}" for number in query.dates.months or ()]
            if int(year) < query.dates.from_year or (month and months and month not in months):
                continue
            is_month = query.dataset == "NM_162_1"
            for area in areas:
                value = dataset.cell(area, code, chosen).value
                if value is not None and not area.startswith("N09"):
                    yield area, f"{year}-{month if is_month else '01'}-01", value


def series_of(query: Query) -> Series:
    """What a query asks for, by a name that a request can be told by."""
    if isinstance(query, ElsQuery):
        return f"ELS {query.slug}"
    assert isinstance(query, NomisQuery)
    return f"{query.dataset} {_option(query)}"


def _option(query: NomisQuery) -> str:
    """What tells the indicators of one data set apart; those asked for together share an answer, not figures."""
    return ", ".join(option.name for option in query.dimensions.values())


def _code(dataset: Dataset, dimension: str, option: NomisCode) -> str:
    """The code of an option, by its name where the catalogue has none."""
    if option.code is not None:
        return str(option.code)
    return next(code for code, name in dataset.dimensions[dimension].items() if name.strip() == option.name)


class World:
    """Publishers that release, revise and re-upload; ``edition`` is what they hold now."""

    def __init__(self, months_until: str) -> None:
        self._tables: dict[str, Table] = {}
        self._nomis = {"NM_162_1": NomisEdition("2026-11-10 07:00:00", months_until)}
        self.edition = Edition({}, dict(self._nomis), None, None)

    def release(self, slug: str, night: date) -> str:
        """The period after the newest comes, in which each district moves as it did into the newest.

        One factor for all would be a copy of the year before, which the gates hold.
        """
        cells = dict(self._table(slug).cells)
        before, newest = sorted({period for _, period in cells})[-2:]
        following = re.sub(r"\d{4}", lambda year: str(int(year[0]) + 1), newest, count=1)
        for (area, period), cell in list(cells.items()):
            if period == newest:
                earlier = cells[area, before].value if (area, before) in cells else None
                move = cell.value / earlier if cell.value and earlier else 1.013
                value = None if cell.value is None else round(cell.value * move, 6)
                cells[area, following] = Cell(value, mark=cell.mark)
        self._set(slug, cells, night)
        return f"{slug}: the year {following[:4]}"

    def release_month(self, month: str, night: date) -> str:
        self._nomis["NM_162_1"] = NomisEdition(f"{night} 07:00:00", month)
        self._renew("NM_162_1")
        return f"claimants by month: {month}"

    def revise(self, slug: str, night: date, rng: random.Random) -> str:
        """Some of the newest figures of a table become others, a little."""
        cells = dict(self._table(slug).cells)
        newest = max(period for (area, period), cell in cells.items() if area.startswith(DISTRICTS) and cell.value)
        keys = sorted(k for k, cell in cells.items() if k[1] == newest and k[0].startswith("E0") and cell.value)
        for key in rng.sample(keys, rng.randint(1, 9)):
            value = cells[key].value
            assert value is not None
            cells[key] = replace(cells[key], value=round(value * rng.choice((0.985, 0.99, 1.01, 1.015)), 6))
        self._set(slug, cells, night)
        return f"{slug}: figures revised"

    def multiply(self, slug: str, factor: float, night: date) -> str:
        """The whole table in another unit, unannounced."""

        def scaled(number: float | None) -> float | None:
            return None if number is None else number * factor

        cells = {
            key: replace(cell, value=scaled(cell.value), lower=scaled(cell.lower), upper=scaled(cell.upper))
            for key, cell in self._table(slug).cells.items()
        }
        self._set(slug, cells, night)
        return f"{slug}: all figures times {factor:g}"

    def upload_again(self, slug: str, night: date) -> str:
        self._set(slug, self._table(slug).cells, night)
        return f"{slug}: uploaded again"

    def merge(self, slug: str, parts: tuple[str, ...], code: str, name: str, night: date) -> str:
        """A table speaks of a new district, at every period, and of its parts no more."""
        table = self._table(slug)
        cells = {key: cell for key, cell in table.cells.items() if key[0] not in parts}
        for area, period in table.cells:
            if area == parts[0]:
                values = [table.cells[part, period].value for part in parts if (part, period) in table.cells]
                known = [value for value in values if value is not None]
                cells[code, period] = Cell(round(sum(known) / len(known), 6) if known else None)
        self._set(slug, cells, night, {**table.names, code: name})
        return f"{slug}: now of {name}"

    def _table(self, slug: str) -> Table:
        return self.edition.table(slug)

    def _set(
        self, slug: str, cells: Mapping[tuple[str, str], Cell], night: date, names: Mapping[str, str] | None = None
    ) -> None:
        table = self._table(slug)
        periods = sorted({period for _, period in cells})
        described = {"dataModified": night.isoformat(), "periodDomain": [periods[0], periods[-1]]}
        described = {**table.metadata, **described}
        self._tables[slug] = replace(table, cells=cells, names=names or table.names, metadata=described)
        dataset = FED_BY.get(slug)
        if dataset is not None:
            before = self._nomis.get(dataset)
            self._nomis[dataset] = NomisEdition(f"{night} 09:30:00", before.until if before else "9999")
        self._renew(dataset)

    def _renew(self, dataset: str | None) -> None:
        self.edition = Edition(dict(self._tables), dict(self._nomis), self.edition, dataset)


@dataclass(frozen=True)
class Delivered:
    """What a series' last undisturbed answer held. ``form`` names what was harmlessly otherwise in its bytes."""

    cells: Cells
    form: str = ""


class Ledger:
    """Each answer of a night, judged: whole, harmlessly changed, or faulty."""

    def __init__(self, catalogue: Catalogue, faults: Faults, edition: Edition) -> None:
        self.queries = {
            series_of(part.live[0]): part.live[0]
            for indicator in catalogue.collected
            for part in indicator.parts
            if part.live
        }
        self.faults = faults
        self._any_edition = edition  # to look up codes, which never change
        self.met: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._last: dict[Series, dict[str, str]] = defaultdict(dict)  # of each address, how its last answer was

    def new_night(self) -> None:
        with self._lock:
            self._last.clear()
            self.met.clear()

    def note(self, request: Request, undisturbed: Reply, sent: Reply) -> None:
        """Taken by the stand-in as its ``on_answer``."""
        if sent != undisturbed:
            with self._lock:
                self.met.update(name for name in self.faults.names() if self.faults.is_on(name, request))
        if sent.status == 302:
            return  # what it leads to is another request
        judged = _judged(undisturbed, sent)
        with self._lock:
            for series in self._asked_for(request):
                # One address of ELS is tried after the other until one answers; those of Nomis are pages of one answer.
                self._last[series]["" if series.startswith("ELS") else request.target] = judged

    def _asked_for(self, request: Request) -> Iterator[Series]:
        if match := re.search(r"/data/([^/.]+)\.csv$", request.path):
            yield f"ELS {match[1]}"
        elif request.path.endswith("/data.csv"):
            yield f"ELS {dict(request.query).get('indicator')}"
        elif match := re.search(r"/dataset/(nm_\d+_\d+)\.data\.csv$", request.path, re.IGNORECASE):
            asked = {name.lower(): value.split(",") for name, value in request.query}
            for series, query in self.queries.items():
                if isinstance(query, NomisQuery) and query.dataset == match[1].upper():
                    dataset = nomis_datasets.dataset(query.dataset, self._any_edition)
                    assert dataset is not None
                    wanted = {name: _code(dataset, name, option) for name, option in query.dimensions.items()}
                    if all(code in asked.get(name.lower(), ()) for name, code in wanted.items()):
                        yield series

    def faulty(self) -> list[Series]:
        """Series of which some answer was still faulty when it was last asked for tonight."""
        return sorted(series for series, last in self._last.items() if "faulty" in last.values())

    def asked(self) -> int:
        return sum(len(last) for last in self._last.values())

    def delivered(self, edition: Edition) -> dict[Series, Delivered]:
        """The series that came whole tonight."""
        return {
            series: Delivered(edition.cells(self.queries[series]), max(last.values()))
            for series, last in self._last.items()
            if last and "faulty" not in last.values() and series in self.queries
        }


def _judged(undisturbed: Reply, sent: Reply) -> str:
    if sent == undisturbed:
        return ""
    if replace(sent, body=b"") == replace(undisturbed, body=b""):
        for name in HARMLESS:
            if sent.body == TABLE_FAULTS[name](undisturbed.body):
                return name
    return "faulty"
