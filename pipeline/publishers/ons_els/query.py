"""What can be asked of Explore Local Statistics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.publishers.query import Query


class ElsQuery(Query):
    """An indicator of the ONS Explore Local Statistics API, by its slug.

    With ``unreliable_without_interval`` a figure without an interval is unreliable. The service's own files say so in a
    note that its API drops; only where every figure without an interval has the note, and no other, is this declared.
    """

    source: Literal["ons_els"]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    # How an answer is read, not what is asked: a snapshot taken before is still an answer to the query.
    unreliable_without_interval: bool = Field(default=False, exclude=True)

    @property
    def table(self) -> str:
        return self.slug


QUERY = ElsQuery
