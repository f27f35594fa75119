"""What the project knows before anything is fetched."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue import Catalogue, Indicator, Part
from pipeline.catalogue.release_calendar import Calendar

if TYPE_CHECKING:  # both take pandas or DuckDB, which a run that finds nothing new does without
    from pipeline.geography import Register
    from pipeline.marts.declaration import Table

_one_register = threading.Lock()


@dataclass(frozen=True)
class Inputs:
    """The catalogue and the release calendar; the register of areas and the declared tables, loaded at first need.

    ``facts`` is a folder with the register's tables, to use instead of the project's own.
    """

    catalogue: Catalogue
    calendar: Calendar
    facts: Path | None = None

    @cached_property
    def register(self) -> Register:
        """The one register of areas, whichever thread wants it first."""
        from pipeline.geography import load_register

        with _one_register:
            made: Register | None = self.__dict__.get("register")
            return made or (load_register() if self.facts is None else load_register(self.facts))

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The declared tables. Raises CatalogueError when the declaration is wrong."""
        from pipeline.marts.declaration import declared_tables

        return declared_tables(self.catalogue.indicators)

    @property
    def parts(self) -> list[tuple[Indicator, Part]]:
        """Every part to get, in the order of the catalogue."""
        return [(indicator, part) for indicator in self.catalogue.collected for part in indicator.parts]
