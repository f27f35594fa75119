"""Finds publishers: every folder with a ``publisher.py`` is one. Its code is loaded only when needed."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from pipeline.publishers.protocol import Publisher
from pipeline.publishers.queries import ROOM, folders_with
from pipeline.publishers.query import Query


@cache
def publishers() -> tuple[Publisher[Any], ...]:
    """Every publisher, in folder order."""
    return tuple(import_module(f"{ROOM}.{folder}.publisher").PUBLISHER for folder in folders_with("publisher"))


@cache
def publisher_of_source(source_id: str) -> Publisher[Any]:
    """The publisher responsible for a source of ``sources.yaml``, or for the shipped baseline. Raises KeyError."""
    for publisher in publishers():
        if source_id in publisher.source_ids:
            return publisher
    raise KeyError(f"no folder of pipeline/publishers handles source '{source_id}'")


def publisher_of(query: Query) -> Publisher[Any]:
    """The publisher responsible for a query."""
    return publisher_of_source(query.source)
