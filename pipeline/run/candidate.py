"""The new file while it is built beside the live one: figures first, and scores as soon as there are some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import publish, stopping
from pipeline.marts.build import Building
from pipeline.run.assemble import Assembled
from pipeline.run.context import RunContext
from pipeline.run.mart_inputs import Studies, figure_inputs, score_inputs, study_inputs
from pipeline.run.results import PartResult
from pipeline.scoring import ScoreTables


@dataclass(frozen=True)
class Candidate:
    """A file that may become the live one, and the build that is writing it."""

    path: Path
    building: Building


@contextmanager
def new_candidate(context: RunContext) -> Iterator[Candidate]:
    """Begin a new file beside the live one; where anything fails before it is published, it is gone.

    Raises OSError when the folder cannot be written.
    """
    live = context.settings.database
    live.parent.mkdir(parents=True, exist_ok=True)
    publish.remove_leftovers(live)
    path = publish.candidate_path(live)
    try:
        with stopping.closing("file", lambda _: publish.discard(path)), Building(path, context.tables) as building:
            yield Candidate(path, building)
    finally:
        publish.discard(path)


def write_figures(
    context: RunContext, candidate: Candidate, results: Sequence[PartResult], assembled: Assembled, digest: str
) -> None:
    """Write every table that needs no scores; ``digest`` is the fingerprint of the run's inputs.

    Raises duckdb.Error when a row breaks a declared key or type.
    """
    candidate.building.add(figure_inputs(context, results, assembled, digest))


def write_scores(candidate: Candidate, scores: Sequence[ScoreTables]) -> None:
    """Write every table that holds scores and no studies. Raises duckdb.Error as above."""
    candidate.building.add(score_inputs(scores))


def write_studies(candidate: Candidate, studies: Studies) -> dict[str, int]:
    """Write what is left, and close the file; return the row count of each table. Raises duckdb.Error as above."""
    candidate.building.add(study_inputs(studies))
    return candidate.building.finish()
