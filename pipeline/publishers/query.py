"""The base classes of catalogue entries and publishers' queries."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Entry(BaseModel):
    """An entry of a YAML file. Unknown fields are refused, so that a misspelling cannot slip through."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(Entry):
    """A query to one publisher; ``source`` is the id of its entry in ``sources.yaml``.

    ``table`` is the publisher's own name for the table: queries to one table are released together.
    """

    source: str

    @property
    def table(self) -> str:
        raise NotImplementedError
