"""Read the data set as it was on a day or in a version, as if that were the live file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.releases.finding import history, live_version, named, version_meant
from pipeline.releases.release_folder import ReleaseStore


@contextmanager
def database_as_of(store: ReleaseStore, live: Path, as_of: str | None) -> Iterator[Path]:
    """The path of a file with the data set as it was: the live file, or a temporary one that is deleted afterwards.

    ``as_of`` is a version (1.3.0), a day (2026-11-01, whatever was live when it ended, UTC), or None for the live file.
    Raises ReleaseProblem if nothing was live then, or the release is no longer kept or is damaged.
    """
    if as_of is None or _is_live(store, live, as_of):
        yield live
        return
    release = named(store.kept(), live, as_of, store.problems())
    with tempfile.TemporaryDirectory(prefix="inclusive-growth-") as folder:
        path = Path(folder) / live.name
        store.rebuild(release, path)
        yield path


def _is_live(store: ReleaseStore, live: Path, as_of: str) -> bool:
    known = history(live) | {release.version: release.released_at for release in store.kept()}
    return version_meant(as_of, known) == live_version(live)
