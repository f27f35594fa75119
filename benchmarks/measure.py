"""What a benchmark returns."""

from __future__ import annotations

import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One figure with its unit and, where one is asked for, the least or the most it may be."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def falls_short(self) -> bool:
        too_small = self.at_least is not None and self.value < self.at_least
        return too_small or (self.at_most is not None and self.value > self.at_most)

    @property
    def verdict(self) -> str:
        if self.at_least is None and self.at_most is None:
            return ""
        bound = f"at least {self.at_least:,g}" if self.at_least is not None else f"at most {self.at_most:,g}"
        return f"{'SHORT OF' if self.falls_short else 'ok,'} {bound}"


def peak_megabytes() -> float:
    """The most memory this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
