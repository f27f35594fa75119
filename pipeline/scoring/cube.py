"""The figures of a framework as one labelled block of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring.error_model import ErrorSource, SeriesErrors
from pipeline.scoring.transform import Bools, Floats, Ints


@dataclass(frozen=True)
class Series:
    """One indicator's relative positions over all years, [years, areas], and their errors.

    ``basis``: the number of the series' basis, from 0; positions on different bases do not compare over time.
    """

    position: Floats
    errors: SeriesErrors
    basis: Ints


@dataclass(frozen=True)
class Cube:
    """Figures of all indicators in a framework.

    ``values`` and ``errors`` (standard errors as published, or from counts; NaN if there is none): [indicators, years,
    areas], in each indicator's own unit. ``years`` has no gaps. ``is_district``: [areas], the scored districts, which alone make
    medians, spreads and ranks. ``nation``: [areas], a number for each nation, -1 for none. ``breaks``: for each
    indicator, the years after which it has a new basis (empty: none has). ``error_sources``: where each indicator's errors
    come from (empty: only from publishers). ``population``: [areas], NaN where unknown. ``series`` caches positions
    by indicator, whether they are within nations, and whether figures are used as given.
    """

    indicator_ids: tuple[str, ...]
    years: Ints
    area_codes: tuple[str, ...]
    values: Floats
    errors: Floats
    is_log: Bools
    polarity: Ints
    is_district: Bools
    nation: Ints
    breaks: tuple[tuple[int, ...], ...] = ()
    error_sources: tuple[ErrorSource, ...] = ()
    population: Floats | None = None
    series: dict[tuple[int, bool, bool], Series] = field(default_factory=dict, repr=False, compare=False)

    def index(self, indicator_id: str) -> int | None:
        """Position of an indicator, or None if it is not in the cube."""
        return self.indicator_ids.index(indicator_id) if indicator_id in self.indicator_ids else None

    def year_row(self, year: int) -> int:
        """Row of a year; it may be outside the rows held."""
        return int(year - self.years[0])


def choose_candidates(framework: Framework, cube: Cube) -> Mapping[str, str]:
    """The candidate that each ``first_of`` uses, keyed by the first candidate.

    It is the first that half of the scored districts have in some year, else the first with any figure, else the first
    named. The choice holds for all areas and years, so that all are compared on the same measure.
    """
    present = (~np.isnan(cube.values)) & cube.is_district
    most = present.sum(axis=2).max(axis=1, initial=0)
    half = cube.is_district.sum() / 2

    def choose(candidates: tuple[str, ...]) -> str:
        held = [(name, most[k]) for name in candidates if (k := cube.index(name)) is not None]
        for name, count in held:
            if count >= half and count:
                return name
        return next((name for name, count in held if count), candidates[0])

    return {ref.candidates[0]: choose(ref.candidates) for node, _, _ in framework.nodes() for ref in node.indicators}
