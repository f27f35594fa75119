"""The new file while it is built beside the live one: figures first, and scores as soon as there are some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import publish, stopping
from pipeline.estimation.modelled import ModelTables
from pipeline.marts.build import Building
from pipeline.marts.declaration import Table
from pipeline.publishers.baseline.store import Baseline
from pipeline.run.assemble import Assembled
from pipeline.run.inputs import Inputs
from pipeline.run.mart_inputs import Making, Studies, estimate_inputs, figure_inputs, score_inputs, study_inputs
from pipeline.run.results import PartResult
from pipeline.scoring import ScoreTables


@dataclass(frozen=True)
class Candidate:
    """A file that may become the live one, and the build that is writing it."""

    path: Path
    building: Building


@contextmanager
def new_candidate(live: Path, tables: Mapping[str, Table]) -> Iterator[Candidate]:
    """Begin a new file beside the live one, with the declared tables; if anything fails before it is published, it is deleted.

    Raises OSError when the folder cannot be written.
    """
    live.parent.mkdir(parents=True, exist_ok=True)
    publish.remove_leftovers(live)
    path = publish.candidate_path(live)
    try:
        with stopping.closing("file", lambda _: publish.discard(path)), Building(path, tables) as building:
            yield Candidate(path, building)
    finally:
        publish.discard(path)


def write_figures(
    candidate: Candidate,
    inputs: Inputs,
    baseline: Baseline,
    results: Sequence[PartResult],
    assembled: Assembled,
    making: Making,
) -> None:
    """Write every table that needs no scores.

    Raises duckdb.Error when a row breaks a declared key or type.
    """
    candidate.building.add(figure_inputs(inputs, baseline, results, assembled, making))


def write_scores(candidate: Candidate, scores: Sequence[ScoreTables]) -> None:
    """Write every table that holds scores and no studies. Raises duckdb.Error as above."""
    candidate.building.add(score_inputs(scores))


def write_estimates(candidate: Candidate, estimates: ModelTables) -> None:
    """Write every table of modelled figures. Raises duckdb.Error as above."""
    candidate.building.add(estimate_inputs(estimates))


def write_studies(candidate: Candidate, studies: Studies) -> dict[str, int]:
    """Write what is left, and close the file; return the row count of each table. Raises duckdb.Error as above."""
    candidate.building.add(study_inputs(studies))
    return candidate.building.finish()
