"""A data folder of the benchmarks' own, with a file published in it from the figures shipped with the project."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.measure import Sample
from benchmarks.timing import run_command

PYTHON = sys.executable


@dataclass(frozen=True)
class Workshop:
    """One folder for a run of benchmarks; nothing is written into the project's own data."""

    folder: Path
    quick: bool

    @property
    def environment(self) -> Mapping[str, str]:
        return {"IG_DATA_DIR": str(self.folder)}

    def pipeline(self, *words: str) -> Sample:
        """One run of ``python -m pipeline`` on this folder."""
        return run_command([PYTHON, "-m", "pipeline", *words], self.environment)

    @cached_property
    def database(self) -> Path:
        """The published file, made at first need by an offline refresh."""
        self.pipeline("refresh", "--offline")
        return self.folder / "marts" / "inclusive_growth.duckdb"


@contextmanager
def workshop(*, quick: bool) -> Iterator[Workshop]:
    """A workshop that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        yield Workshop(Path(folder), quick)
