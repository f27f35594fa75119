"""What a run says of its sources, in sentences: for the summary on the screen and for the run report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipeline.catalogue import Indicator, Part
from pipeline.run.check_schedule import CheckSchedule, Question
from pipeline.run.context import Run
from pipeline.run.overdue_releases import overdue_today
from pipeline.run.results import PartResult

if TYPE_CHECKING:  # it takes DuckDB
    from pipeline.run.published_before import PublishedBefore

MOST_NAMED = 5


@dataclass(frozen=True)
class Notes:
    """When a run began, what its figures rest on, and how publishers were asked.

    ``asked`` has a sentence for each source of which some tables were left out; ``requests`` are counted by source.
    """

    started_at: datetime
    from_release: list[str] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    requests: Mapping[str, int] = field(default_factory=dict)


def notes_of(run: Run, results: Sequence[PartResult], *, has_failed: bool = False) -> Notes:
    """The notes of a run; one that failed does not say which tables it left out."""
    options, inputs = run.options, run.inputs
    is_of_release = any(result.tier == "release" for result in results)
    is_asked_in_turn = not (has_failed or options.offline or options.force)
    return Notes(
        run.started_at,
        from_release_words(run.stores.published_before if is_of_release else None, results),
        overdue_today(inputs.calendar, inputs.parts, results, run.started_at.date()),
        asked_words(inputs.parts, run.schedule) if is_asked_in_turn else [],
        {} if options.offline else dict(sorted(run.client.requests.items())),
    )


def from_release_words(before: PublishedBefore | None, results: Iterable[PartResult]) -> list[str]:
    """One sentence on the parts whose figures are those of the newest release; none where there is none."""
    names = [result.name for result in results if result.tier == "release"]
    if before is None or not names:
        return []
    some = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    parts = "1 part" if len(names) == 1 else f"{len(names)} parts"
    sentence = (
        f"the figures of {parts} are taken from release {before.version} ({some}): the answers they came from are no longer "
        "held in data/raw, and what is held is older; the next run that reaches their publishers will fetch them again"
    )
    return [sentence]


def asked_words(parts: Iterable[tuple[Indicator, Part]], schedule: CheckSchedule) -> list[str]:
    """One sentence for each source of which some tables were not asked about today, and when they were last."""
    tables: dict[str, set[str]] = {}
    for _, part in parts:
        for query in part.live:
            tables.setdefault(query.source, set()).add(Question.of(query).table)
    left_out: dict[str, list[datetime]] = {}
    for question, moment in schedule.skipped.items():
        left_out.setdefault(question.source_id, []).append(moment)
    return [
        f"{source_id} about {len(tables[source_id]) - len(moments)} of {len(tables[source_id])} tables, about the others "
        f"{_span(min(moments).date(), max(moments).date())}"
        for source_id, moments in sorted(left_out.items())
    ]


def _span(first: date, last: date) -> str:
    return f"on {first}" if first == last else f"between {first} and {last}"
