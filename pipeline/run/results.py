"""What a run holds of each part and what it came to as a whole; plain values, so that a quiet night needs no tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from pipeline.http.payload import Description

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.compare import Stamp
    from pipeline.gates import Finding

Tier = Literal["live", "snapshot", "release", "baseline", "none"]
AttemptOutcome = Literal[
    "used", "unchanged", "not due", "unreachable", "failed", "rejected", "corrupt", "not held", "not asked"
]


@dataclass(frozen=True)
class Attempt:
    """One way that was tried to get a part, and how it ended, in a sentence.

    ``traceback`` is that of an error nobody foresaw, empty for all others.
    """

    source_id: str
    tier: Tier
    outcome: AttemptOutcome
    sentence: str
    traceback: str = ""


@dataclass(frozen=True)
class Account:
    """A payload that was accepted, in numbers: what a run says of it where its figures are not needed again.

    ``first_year``, ``last_year`` and ``latest_period_end`` are of figures with a value; None where there is none.
    """

    edition: str
    payload_sha256: str
    rows_read: int
    rows_set_aside: int
    district_count: int
    first_year: int | None
    last_year: int | None
    latest_period_end: date | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """A payload that passed: its observations, its rows set aside, and the current districts it speaks of.

    ``observations`` has OBSERVATION_COLUMNS; ``quarantine`` has QUARANTINE_COLUMNS. Rows read = rows in
    ``observations`` + rows in ``quarantine`` + ``out_of_scope``. ``area_names`` is what the publisher calls each code.
    """

    observations: pd.DataFrame
    quarantine: pd.DataFrame
    districts: frozenset[str]
    rows_read: int
    edition: str
    payload_sha256: str
    warnings: tuple[str, ...] = ()
    out_of_scope: int = 0
    area_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The same in numbers."""
        import pandas as pd

        with_value = self.observations[self.observations["value"].notna()]
        years, has_figures = with_value["year"], len(with_value) > 0
        return Account(
            edition=self.edition,
            payload_sha256=self.payload_sha256,
            rows_read=self.rows_read,
            rows_set_aside=len(self.quarantine),
            district_count=len(self.districts),
            first_year=int(years.min()) if has_figures else None,
            last_year=int(years.max()) if has_figures else None,
            latest_period_end=pd.Timestamp(with_value["period_end"].max()).date() if has_figures else None,
            warnings=self.warnings,
        )


@dataclass(frozen=True)
class PartResult:
    """What a run holds of one part: its figures and rows set aside, where they came from, and what was tried.

    ``tier`` is ``none`` when nothing gave usable figures; ``account`` is then None. ``accepted`` holds the figures, and
    is None too in a run that found nothing new, which reads no figures.
    ``retrieved_at`` is when the bytes were fetched, or for the baseline when the publisher released them.
    An ``is_optional`` part may be without figures.
    """

    indicator_id: str
    part_id: str
    tier: Tier
    source_id: str
    accepted: Accepted | None
    account: Account | None = None
    payload_sha256: str = ""
    url: str = ""
    edition: str = ""
    publisher_updated: str | None = None
    retrieved_at: datetime | None = None
    description: Description | None = None
    is_optional: bool = False
    attempts: tuple[Attempt, ...] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """The indicator's id, with the part's where it has several."""
        return part_name(self.indicator_id, self.part_id)

    @property
    def observations(self) -> pd.DataFrame | None:
        return None if self.accepted is None else self.accepted.observations

    @property
    def failures(self) -> list[str]:
        """What went wrong on the way, apart from hosts that could not be reached (reported once a host)."""
        wrong = {"failed", "rejected", "corrupt"}
        return [attempt.sentence for attempt in self.attempts if attempt.outcome in wrong]

    def age_in_days(self, now: datetime) -> int | None:
        """Whole days since the bytes were fetched (live, snapshot) or the publisher released them (baseline)."""
        if self.retrieved_at is None:
            return None
        return max((now.astimezone(UTC).date() - self.retrieved_at.date()).days, 0)


def part_name(indicator_id: str, part_id: str) -> str:
    """How a part is called for people."""
    return indicator_id if part_id == "main" else f"{indicator_id} ({part_id})"


@dataclass
class Timings:
    """Seconds spent in each step of the run, in the order in which the steps began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Counts:
    """Rows of a published file: of each table, and the figures of each indicator; empty where there is no such file."""

    tables: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a refresh came to. ``is_new`` is False where nothing differed from the file already published.

    ``row_counts`` are those of the tables of a file that was made, empty where none was; ``counts`` are of the published
    file as it is now, ``counts_before`` as it was before the run.
    ``release`` is the release that was published, if one was; ``keeping_problem`` why it could not be kept for later.
    ``account`` says where every row read went: see ``Assembled``; ``set_aside`` how many rows for which reason.
    ``findings`` are what the quality gates found in the file that was made.
    """

    is_new: bool
    results: tuple[PartResult, ...]
    row_counts: dict[str, int]
    timings: Timings
    release: Stamp | None = None
    keeping_problem: str | None = None
    account: Mapping[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    counts_before: Counts = field(default_factory=Counts)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def missing(self) -> list[PartResult]:
        """Parts without any figures that should have some."""
        return [result for result in self.results if result.tier == "none" and not result.is_optional]

    @property
    def awaited(self) -> list[PartResult]:
        """Optional parts no source has given figures for yet."""
        return [result for result in self.results if result.tier == "none" and result.is_optional]

    @property
    def failures(self) -> list[str]:
        return [sentence for result in self.results for sentence in result.failures]
