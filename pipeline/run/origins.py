"""Which entry of the catalogue, and which query of it, a result came from."""

from __future__ import annotations

from pipeline.catalogue import Catalogue, Indicator, Part, Query
from pipeline.raw import SnapshotKey
from pipeline.run.results import PartResult


def snapshot_key(indicator: Indicator, part: Part, query: Query) -> SnapshotKey:
    """Under which name what a query brings for a part is kept in the raw store."""
    return SnapshotKey(query.source, indicator.id, part.id, query.model_dump(mode="json"))


def part_of(catalogue: Catalogue, result: PartResult) -> tuple[Indicator, Part]:
    """The indicator and the part that a result is of."""
    indicator = catalogue.indicators[result.indicator_id]
    return indicator, next(part for part in indicator.parts if part.id == result.part_id)


def origin(catalogue: Catalogue, result: PartResult) -> tuple[Indicator, Part, Query]:
    """The indicator, its part and the query that a publisher's figures came from."""
    indicator, part = part_of(catalogue, result)
    return indicator, part, next(query for query in part.live if query.source == result.source_id)
