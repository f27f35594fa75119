"""A whole refresh: look for news, and where there is any, make the file anew. The Prefect flow calls the same steps as tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipeline.catalogue import Indicator, Part
from pipeline.run.acquire import acquire_part
from pipeline.run.context import RunContext
from pipeline.run.news import nothing_new
from pipeline.run.results import Outcome, PartResult, Timings

__all__ = [
    "FETCH_THREADS",
    "Outcome",
    "acquire_all",
    "acquire_some",
    "first_contacts",
    "hold_contradictions",
    "refresh",
    "sources_away",
]

# Requests to one host are spaced by the client; more threads than this only wait for their turn.
FETCH_THREADS = 8


def refresh(
    context: RunContext,
    *,
    force: bool = False,
    on_part: Callable[[PartResult], None] | None = None,
    timings: Timings | None = None,
) -> Outcome:
    """Get everything, and publish a new file if anything differs from the one that is live.

    ``force`` rebuilds even where nothing differs; ``on_part`` is told of each part as it arrives; ``timings`` is filled
    as the run goes on, so that whoever handed it in knows how far a run got that failed.
    Raises CandidateRefused when a check before publishing fails and OSError when a folder cannot be written.
    """
    timings = timings or Timings()
    stands = None if force else nothing_new(context, timings)
    if stands is not None:
        return stands
    from pipeline.run.rebuild import rebuild  # with pandas and all else that reads, scores and builds

    with timings.step("fetch, check and tidy"):
        results = acquire_all(context, on_part)
    return rebuild(context, results, timings, force=force)


def acquire_some(context: RunContext, pairs: Sequence[tuple[Indicator, Part]]) -> list[PartResult]:
    """Get some parts one after the other: for parts that need no publisher, or whose publishers are known to be away."""
    return [acquire_part(context, *pair) for pair in pairs]


def first_contacts(context: RunContext) -> list[tuple[Indicator, Part]]:
    """The first part of each source that is asked for one: getting these shows which hosts can be reached."""
    firsts: dict[str, tuple[Indicator, Part]] = {}
    if not context.offline:
        for indicator, part in context.parts:
            if part.live:
                firsts.setdefault(part.live[0].source, (indicator, part))
    return list(firsts.values())


def sources_away(results: Iterable[PartResult]) -> set[str]:
    """The sources that some part found to be out of reach; the client will not try them again in this run."""
    return {a.source_id for result in results for a in result.attempts if a.outcome == "unreachable"}


def acquire_all(context: RunContext, on_part: Callable[[PartResult], None] | None = None) -> list[PartResult]:
    """Get every part, several at a time; the results come in the order of the catalogue."""

    def get(pair: tuple[Indicator, Part]) -> PartResult:
        result = acquire_part(context, *pair)
        if on_part is not None:
            on_part(result)
        return result

    with ThreadPoolExecutor(max_workers=FETCH_THREADS) as pool:
        results = list(pool.map(get, context.parts))
    return hold_contradictions(context, results)


def hold_contradictions(context: RunContext, results: Sequence[PartResult]) -> list[PartResult]:
    """All parts of a run, once their new answers were held against each other: see `pipeline.run.sisters`."""
    from pipeline.run import sisters  # with pandas, which a run that finds nothing new does without

    return sisters.hold_contradictions(context, results)
