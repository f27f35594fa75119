"""Where the releases of the data set are kept."""

from __future__ import annotations

from pipeline.releases import ReleaseStore
from pipeline.settings import Settings


def release_store(settings: Settings) -> ReleaseStore:
    """The releases that are kept beside the live file."""
    return ReleaseStore(settings.database, settings.keep_releases)
