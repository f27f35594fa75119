"""The queries of every publisher, from each folder with a ``query.py``. There is no other list of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from operator import or_
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipeline.publishers.query import Query

ROOM = "pipeline.publishers"
_FOLDERS = tuple(entry.name for entry in iter_modules([str(Path(__file__).parent)]) if entry.ispkg)


def folders_with(module: str) -> Iterator[str]:
    """The publishers' folders with a module of this name, in alphabetical order."""
    return (folder for folder in _FOLDERS if find_spec(f"{ROOM}.{folder}.{module}") is not None)


QUERIES: tuple[type[Query], ...] = tuple(
    import_module(f"{ROOM}.{folder}.query").QUERY for folder in folders_with("query")
)

# A query to any publisher, identified by its ``source``.
if TYPE_CHECKING:
    AnyQuery = Query
else:
    AnyQuery = Annotated[reduce(or_, QUERIES), Field(discriminator="source")]
