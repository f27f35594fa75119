"""The figures shipped with the project, as a publisher of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pipeline.publishers.protocol import Columns, Districts, Publisher
from pipeline.publishers.query import Query

if TYPE_CHECKING:
    from pipeline.http.payload import Payload
    from pipeline.tidy.observations import Parsed

SOURCE_ID = "baseline"


class Baseline(Publisher[Query]):
    source_ids = (SOURCE_ID,)
    columns: ClassVar = {SOURCE_ID: Columns(names=("area_code", "period", "status"))}

    def parse(self, query: Query | None, payload: Payload, districts: Districts) -> Parsed:
        from pipeline.publishers.baseline import parse

        return parse.parse(payload.content)

    def edition(self, payload: Payload, title: str) -> str:
        return payload.edition or "shipped baseline"  # as the manifest gives it


PUBLISHER = Baseline()
