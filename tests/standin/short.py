"""The catalogue with its longest answers cut short, for tests that fetch everything over HTTP and look at the whole."""

from __future__ import annotations

from dataclasses import replace

from pipeline.catalogue import Catalogue, Indicator, Part, Query, load_catalogue
from pipeline.publishers.nomis.query import NomisQuery

FROM_YEAR = 2023


def short_catalogue(catalogue: Catalogue | None = None) -> Catalogue:
    """Every indicator and every query, but percentiles of pay and months of claimants from FROM_YEAR on only."""
    catalogue = catalogue or load_catalogue()
    return replace(catalogue, indicators={name: _short(entry) for name, entry in catalogue.indicators.items()})


def _short(indicator: Indicator) -> Indicator:
    parts = [part.model_copy(update={"live": tuple(map(_query, part.live))}) for part in indicator.parts]
    return indicator.model_copy(update={"parts": tuple[Part, ...](parts)})


def _query(query: Query) -> Query:
    is_long = isinstance(query, NomisQuery) and query.dataset in ("NM_30_1", "NM_99_1", "NM_162_1")
    if not isinstance(query, NomisQuery) or not is_long:
        return query
    return query.model_copy(update={"dates": query.dates.model_copy(update={"from_year": FROM_YEAR})})
