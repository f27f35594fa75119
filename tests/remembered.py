"""A run remembered as it would be once its file is published, without making the file."""

from __future__ import annotations

from pipeline.run.context import Run
from pipeline.run.freshness import asked_at
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.rebuild import remember
from pipeline.run.results import Outcome


def remembered(run: Run, outcome: Outcome) -> Outcome:
    """Note what ``outcome`` was made of, for the next run."""
    inputs, stores, results = run.inputs, run.stores, outcome.results
    before = stores.run_state.looked_at if stores.run_state else {}
    looked_at = asked_at(inputs.parts, results, run.started_at, before)
    return remember(stores, outcome, fingerprint(inputs.catalogue, stores, run.scoring, results), looked_at)
