"""What a benchmark returns: figures with their spread, the peer's beside them, and the limits the project set itself."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Of = Literal["value", "peak", "ratio"]


@dataclass(frozen=True)
class Sample:
    """One run: seconds by the clock, and of processor time (user and system, all threads and child processes)."""

    wall: float
    cpu: float
    peak_megabytes: float | None = None


@dataclass(frozen=True)
class Limit:
    """What is asked of a figure: of its ``value``, of its ``peak`` memory in MB, or of ``ratio``, how many times as fast
    as the peer."""

    at_most: float | None = None
    at_least: float | None = None
    of: Of = "value"

    @property
    def words(self) -> str:
        bound = f"at least {self.at_least:,g}" if self.at_least is not None else f"at most {self.at_most:,g}"
        return bound + {"value": "", "peak": " MB", "ratio": " times as fast"}[self.of]

    def is_met(self, found: float) -> bool:
        return (self.at_least is None or found >= self.at_least) and (self.at_most is None or found <= self.at_most)


@dataclass(frozen=True)
class Side:
    """One side of a measurement: the median of its runs in ``unit`` of the figure, the lowest and highest, the median of
    its processor seconds, and the most memory a process of its own held."""

    title: str
    value: float
    lowest: float
    highest: float
    cpu_seconds: float | None = None
    peak_megabytes: float | None = None


@dataclass(frozen=True)
class Figure:
    """One line of the results.

    ``ratio`` is how many times as fast as its peer it was, the median of pairs measured one after the other.
    ``command`` makes this figure again.
    """

    id: str
    title: str
    unit: str
    command: str
    runs: int
    here: Side
    peer: Side | None = None
    ratio: float | None = None
    ratio_lowest: float | None = None
    ratio_highest: float | None = None
    limits: tuple[Limit, ...] = ()
    note: str = ""

    def found(self, limit: Limit) -> float | None:
        """The number a limit is about; None where it was not measured."""
        return {"value": self.here.value, "peak": self.here.peak_megabytes, "ratio": self.ratio}[limit.of]

    @property
    def not_met(self) -> list[Limit]:
        return [limit for limit in self.limits if (x := self.found(limit)) is not None and not limit.is_met(x)]

    @property
    def verdict(self) -> str:
        """Every limit that was measured, with ``met`` or ``NOT met``."""
        words = [
            f"{limit.words}: {'NOT met' if limit in self.not_met else 'met'}"
            for limit in self.limits
            if self.found(limit) is not None
        ]
        return "; ".join(words)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for results.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Figure:
        """The figure that ``as_json`` gave."""
        sides = {name: Side(**data[name]) if data[name] else None for name in ("here", "peer")}
        return cls(**{**data, **sides, "limits": tuple(Limit(**limit) for limit in data["limits"])})


def single(title: str, value: float) -> Side:
    """A figure that was looked up or counted once, such as the size of a file."""
    return Side(title, value, value, value)


def side(title: str, samples: Sequence[Sample], *, of_seconds: Any = None, peak: float | None = None) -> Side:
    """The median and spread of runs; ``of_seconds`` turns seconds by the clock into the figure's unit."""
    values = [of_seconds(sample.wall) if of_seconds else sample.wall for sample in samples]
    peaks = [sample.peak_megabytes for sample in samples if sample.peak_megabytes is not None]
    return Side(
        title=title,
        value=statistics.median(values),
        lowest=min(values),
        highest=max(values),
        cpu_seconds=statistics.median(sample.cpu for sample in samples),
        peak_megabytes=peak if peak is not None else max(peaks, default=None),
    )


def ratios(here: Sequence[Sample], peer: Sequence[Sample], share: float = 1.0) -> tuple[float, float, float]:
    """How many times as fast as the peer: (median, lowest, highest) of pairs run one after the other.

    ``share`` is how much more work a run of ours does than one of the peer's.
    """
    each = [share * theirs.wall / ours.wall for ours, theirs in zip(here, peer, strict=True)]
    return statistics.median(each), min(each), max(each)
