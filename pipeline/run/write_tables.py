"""Write a run's tables into the new file: figures first, scores as soon as there are some, and studies last."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.estimation.modelled import ModelTables
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.run.assemble import Assembled
from pipeline.run.candidate import Candidate
from pipeline.run.inputs import Inputs
from pipeline.run.mart_inputs import Making, Studies, estimate_inputs, figure_inputs, score_inputs, study_inputs
from pipeline.run.results import PartResult
from pipeline.scoring import ScoreTables


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
