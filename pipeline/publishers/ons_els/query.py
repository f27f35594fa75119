"""Queries to Explore Local Statistics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.publishers.query import Query


class ElsQuery(Query):
    """An indicator of the ONS Explore Local Statistics API, by its slug.

    With ``unreliable_without_interval`` a figure without an interval is unreliable. The service's own files say so in a
    note that its API drops. This is declared only if the figures with the note are exactly those without an interval.
    """

    source: Literal["ons_els"]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    # This is about reading the answer, not about the request, so an older snapshot still answers the query.
    unreliable_without_interval: bool = Field(default=False, exclude=True)

    @property
    def table(self) -> str:
        return self.slug


QUERY = ElsQuery
