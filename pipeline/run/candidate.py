"""The new file while it is built beside the live one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import publish, stopping
from pipeline.marts.build import OF_DISTRICTS, Building, Design
from pipeline.marts.declaration import Table


@dataclass(frozen=True)
class Candidate:
    """A file that may become the live one, and the build that is writing it."""

    path: Path
    building: Building


@contextmanager
def new_candidate(live: Path, tables: Mapping[str, Table], design: Design = OF_DISTRICTS) -> Iterator[Candidate]:
    """Begin a new file beside the live one, with the declared tables; if anything fails before it is published, it is deleted.

    Raises OSError when the folder cannot be written.
    """
    live.parent.mkdir(parents=True, exist_ok=True)
    publish.remove_leftovers(live)
    path = publish.candidate_path(live)
    try:
        with stopping.closing("file", lambda _: publish.discard(path)), Building(path, tables, design) as building:
            yield Candidate(path, building)
    finally:
        publish.discard(path)
