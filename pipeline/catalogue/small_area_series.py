"""Series of small areas: the fields of `small_areas.yaml`, and its loader.

Each is published in its own file, beside the file of the districts, since it has a hundred times the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, model_validator

from pipeline.catalogue.load import CATALOGUE_DIR
from pipeline.catalogue.model import Bounds, Entry, Identifier, PeriodLength, Sentence
from pipeline.catalogue.yaml_entries import load_entries
from pipeline.publishers.nomis.query import NomisQuery


class AreaCount(Entry):
    """How many small areas the latest period should have: fewer than ``min`` fails the answer, more than ``max`` warns."""

    min: int = Field(ge=1)
    max: int = Field(ge=1)

    @model_validator(mode="after")
    def ordered(self) -> AreaCount:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class SmallAreaSeries(Entry):
    """One series by small area and month, as an economist would describe it.

    ``area_prefixes`` are the first three characters of the codes of its areas; ``map_year`` is the census year of its
    small areas. Codes of other areas in the same answer are out of scope.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=5, max_length=90)]
    description: Sentence
    unit: str
    publisher: str
    licence: str = "OGL-UK-3.0"
    citation_url: HttpUrl
    map_year: int = Field(ge=2001, le=2100)
    area_prefixes: tuple[Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")], ...]
    areas: AreaCount
    bounds: Bounds
    period_lengths: tuple[PeriodLength, ...] = ("P1M",)
    caveats: tuple[Sentence, ...] = ()
    query: NomisQuery

    @property
    def lengths_of_periods(self) -> tuple[PeriodLength, ...]:
        """The permitted lengths of a figure's period, as ISO 8601 durations."""
        return self.period_lengths


def load_small_areas(folder: Path = CATALOGUE_DIR) -> Mapping[str, SmallAreaSeries]:
    """Every series of ``small_areas.yaml`` by id, in file order. Raises CatalogueError for a bad entry."""
    return {series.id: series for series in load_entries(folder / "small_areas.yaml", SmallAreaSeries)}
