"""What the publishers behind the stand-in give: the figure of each area of today's map, by the catalogue's queries."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.model import Query
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.run.context import Run
from pipeline.tidy.observations import parse_period
from tests.standin import nomis, nomis_datasets
from tests.standin.figures import Figures

Cell = tuple[str, str, str]  # indicator, area, first day of the period
# Districts whose edge moved and code changed in 2025, while their publishers still use the code before.
NEW_CODES = {"E08000016": "E08000038", "E08000019": "E08000039"}
TYPES = {"counties": "TYPE423", "combined_authorities": "TYPE419"}


def published_figures(context: Run, figures: Figures) -> dict[Cell, float]:
    """Every figure that the first live query of each part gives for an area in force, parts in the catalogue's order.

    A part speaks for its own nations' districts. Monthly indicators are left out, so that a year has one period.
    """
    in_force = set(context.inputs.register.in_force())
    districts = set(context.inputs.register.districts())
    found: dict[Cell, float] = {}
    for indicator, part in context.inputs.parts:
        if indicator.frequency == "monthly" or not part.live:
            continue
        nations = indicator.nations_of(part.id)
        cells = dict(_cells(part.live[0], figures))
        for (area, start), value in cells.items():
            code = area if (NEW_CODES.get(area, area), start) in cells else NEW_CODES.get(area, area)
            if code in in_force and (code not in districts or code[0] in nations):
                found.setdefault((indicator.id, code, start), value)
    return found


def _cells(query: Query, figures: Figures) -> Iterator[tuple[tuple[str, str], float]]:
    match query:
        case ElsQuery():
            for (area, period), cell in figures.table(query.slug).cells.items():
                if cell.value is not None:
                    yield (area, parse_period(period).start.isoformat()), cell.value
        case NomisQuery():
            yield from _nomis_cells(query, figures)


def _nomis_cells(query: NomisQuery, figures: Figures) -> Iterator[tuple[tuple[str, str], float]]:
    dataset = nomis_datasets.dataset(query.dataset, figures)
    assert dataset is not None
    options = [
        next(code for code, name in dataset.dimensions[dimension].items() if option.is_named(name))
        for dimension, option in query.dimensions.items()
    ]
    prefixes = {prefix for kind in query.geography for prefix in nomis.OF_TYPE[TYPES.get(kind, kind)]}
    names = figures.table("claimant-count").names
    areas = [code for code in names if code[:3] in prefixes and (dataset.gives_northern_ireland or code[:3] != "N09")]
    months = {f"{month:02d}" for month in query.dates.months or ()}
    for date in dataset.dates:
        year, _, month = date.partition("-")
        is_wanted = query.dates.from_year <= int(year) <= (query.dates.to_year or 9999)
        if is_wanted and (not months or not month or month in months):
            for area in areas:
                value = dataset.cell(area, date, options).value
                if value is not None:
                    yield (area, f"{year}-01-01"), value
