"""Where things lie."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.raw import RawStore
from pipeline.run.run_state import RunState, read_run_state
from pipeline.settings import Settings

if TYPE_CHECKING:  # it takes DuckDB, which a run that finds nothing new does without
    from pipeline.run.published_before import PublishedBefore

_one_reading = threading.Lock()


@dataclass(frozen=True)
class Stores:
    """The folders of ``settings``: publishers' answers, shipped figures, and what was published and known before.

    ``run_state`` and ``published_before`` are read once, when first wanted: a run may change both files later.
    """

    settings: Settings
    raw: RawStore
    baseline: Baseline

    @cached_property
    def run_state(self) -> RunState | None:
        """What the last run knew, as it stood when this one began."""
        return read_run_state(self.settings.marts_dir)

    @cached_property
    def published_before(self) -> PublishedBefore | None:
        """The newest release as it stood when first read, whichever thread reads it first."""
        from pipeline.run.published_before import read_published_before

        with _one_reading:
            made: PublishedBefore | None = self.__dict__.get("published_before")
            return made or read_published_before(self.settings)
