"""A whole refresh, step by step, whoever runs the steps: this process, Prefect's threads, or Prefect with Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext

from pipeline.run.context import Run
from pipeline.run.freshness import nothing_new
from pipeline.run.inputs import Inputs
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.runner import OnPart, Runner, inline
from pipeline.run.stores import Stores

__all__ = ["Outcome", "acquire_all", "refresh"]


def refresh(
    run: Run,
    *,
    force: bool = False,
    on_part: OnPart | None = None,
    on_results: Callable[[list[PartResult]], None] | None = None,
    timings: Timings | None = None,
    runner: Runner | None = None,
) -> Outcome:
    """Check for updates; where there are any, fetch and validate all parts, and publish a file made of them.

    ``force`` rebuilds even where nothing differs. ``on_part`` is called with each part as it arrives, ``on_results``
    with all parts once they have been compared with each other. ``timings`` is filled step by step, so that the caller
    knows how far a failed run got. ``runner`` runs the steps, by default in this process.
    Raises CandidateRefused when a check before publishing fails and OSError when a folder cannot be written.
    """
    timings = timings or Timings()
    with inline() if runner is None else nullcontext(runner) as runs:
        unchanged = None if force else runs.run(nothing_new, run, timings)
        if unchanged is not None:
            return unchanged
        with timings.step("fetch and validate"):
            results = _in_order(run.inputs, run.stores, runs.fetch_all(run, on_part))
            if on_results is not None:
                on_results(results)
        from pipeline.run.rebuild import rebuild  # with pandas and all else that scores and builds

        return rebuild(run, results, timings, runs, force=force)


def acquire_all(run: Run, on_part: OnPart | None = None) -> list[PartResult]:
    """Get every part in this process; the results come in the order of the catalogue."""
    with inline() as runs:
        return _in_order(run.inputs, run.stores, runs.fetch_all(run, on_part))


def _in_order(inputs: Inputs, stores: Stores, results: Iterable[PartResult]) -> list[PartResult]:
    """The parts in the catalogue's order, once their new answers have been compared with each other."""
    from pipeline.run.sisters import hold_contradictions  # with pandas, which a run that finds nothing new does without

    place = {(i.id, p.id): position for position, (i, p) in enumerate(inputs.parts)}
    ordered = sorted(results, key=lambda result: place[result.indicator_id, result.part_id])
    return hold_contradictions(inputs, stores, ordered)
