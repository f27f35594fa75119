"""One area of the register."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Area:
    """One area code: its official name, its level, the days it was in force and the areas it lies in.

    ``end_date`` is the last day in force, None while it still is. ``region_code`` of an area in
    Scotland, Wales or Northern Ireland is the nation's code: they have no regions of England's kind.
    """

    code: str
    name: str
    level: str
    start_date: pd.Timestamp
    end_date: pd.Timestamp | None
    nation_code: str | None
    region_code: str | None
    county_code: str | None

    @property
    def is_current(self) -> bool:
        return self.end_date is None
