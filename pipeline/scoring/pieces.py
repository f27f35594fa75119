"""Draw survey errors in chunks of years, so that other processes or machines can share the work.

A year's draws depend only on the seed, the series and the earlier years (see `pipeline.scoring.draws`). So the chunks
together equal a single calculation, to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from pipeline.scoring.flavour import FlavourRun
from pipeline.scoring.simulate import SimulationResult, simulate
from pipeline.scoring.transform import Bools


class Drawn(Protocol):
    """A chunk being drawn elsewhere; ``result`` waits for it."""

    def result(self) -> list[SimulationResult]: ...


# Submits the arguments of ``draw_years`` and returns the pending chunk.
Submit = Callable[[Sequence[FlavourRun], Bools, int, int, int, int], Drawn]


class Simulate(Protocol):
    """`pipeline.scoring.simulate.simulate`, or a replacement that runs elsewhere."""

    def __call__(
        self,
        runs: Sequence[FlavourRun],
        is_placed: Bools,
        draws: int,
        seed: int,
        *,
        first_row: int = 0,
    ) -> list[SimulationResult]: ...


def draw_years(
    runs: Sequence[FlavourRun], is_placed: Bools, draws: int, seed: int, first_row: int, last_row: int
) -> list[SimulationResult]:
    """The draws of year rows ``first_row`` to ``last_row`` of every run: one chunk."""
    return simulate(runs, is_placed, draws, seed, first_row=first_row, last_row=last_row)


def simulate_in_pieces(submit: Submit, pieces: int) -> Simulate:
    """A ``simulate`` that sends at most ``pieces`` spans of years to ``submit`` and joins the results."""

    def simulated(
        runs: Sequence[FlavourRun], is_placed: Bools, draws: int, seed: int, *, first_row: int = 0
    ) -> list[SimulationResult]:
        rows = np.arange(first_row, len(runs[0].cube.years))
        spans = [span for span in np.array_split(rows, pieces) if span.size]
        drawn = [submit(runs, is_placed, draws, seed, int(span[0]), int(span[-1])) for span in spans]
        together = [SimulationResult() for _ in runs]
        for piece in drawn:
            for whole, part in zip(together, piece.result(), strict=True):
                whole.summaries.update(part.summaries)
                whole.labels.update(part.labels)
                whole.rank_sets.update(part.rank_sets)
        return together

    return simulated
