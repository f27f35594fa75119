"""The tasks of a refresh that has news: parts are fetched in parallel, then put together, scored, built and published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from flows.parcels import Parcel, acquire_in_share, draw
from flows.runners import chosen_runner
from flows.whole import whole
from pipeline.catalogue import Indicator, Part
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS
from pipeline.run import candidate as candidates
from pipeline.run import rebuild as steps
from pipeline.run.acquire import acquire_part
from pipeline.run.assemble import Assembled
from pipeline.run.assemble import assemble as assemble_parts
from pipeline.run.context import RunContext
from pipeline.run.counts import counts_of
from pipeline.run.made_of import fingerprint
from pipeline.run.refresh import acquire_some, first_contacts, hold_contradictions, sources_away
from pipeline.run.release import keep_release as keep_published_release
from pipeline.run.results import Outcome, PartResult, Timings
from pipeline.run.spread import default_pieces, order_of, shares_of
from pipeline.scoring import ScoreTables
from pipeline.scoring.pieces import Drawn, simulate_in_pieces

T = TypeVar("T")
OnPart = Callable[[PartResult], None]

# The HTTP client already retries what a publisher may mend by itself, and a source's failure is a result,
# not an exception. What is left to retry is the disk.
acquire = task(name="acquire", retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE, persist_result=False)(
    acquire_part
)
acquire_held = task(name="acquire what is held", cache_policy=NO_CACHE, persist_result=False)(acquire_some)
assemble = task(name="assemble", cache_policy=NO_CACHE, persist_result=False)(assemble_parts)
score = task(name="score", cache_policy=NO_CACHE, persist_result=False)(steps.score)
study = task(name="study the frameworks", cache_policy=NO_CACHE, persist_result=False)(steps.study)
write_figures = task(name="build the marts of figures", cache_policy=NO_CACHE, persist_result=False)(
    candidates.write_figures
)
write_scores = task(name="build the marts of scores", cache_policy=NO_CACHE, persist_result=False)(
    candidates.write_scores
)
write_studies = task(name="build the marts of studies", cache_policy=NO_CACHE, persist_result=False)(
    candidates.write_studies
)
check_and_publish = task(name="compare, check and publish", cache_policy=NO_CACHE, persist_result=False)(
    steps.check_and_publish
)
keep_release = task(name="keep the release", cache_policy=NO_CACHE, persist_result=False)(keep_published_release)


def rebuild_as_tasks(
    context: RunContext, timings: Timings, *, force: bool = False, on_part: OnPart | None = None
) -> Outcome:
    """The fetching of `pipeline.run.refresh.refresh` and the steps of `pipeline.run.rebuild.rebuild`, each as a task."""
    with timings.step("fetch, check and tidy"):
        results = _acquire_all(context, on_part)
    if not force and steps.is_published(context, results):
        return steps.still_published(context, results, timings)
    before = counts_of(context.settings.database)
    with timings.step("put together on today's map"):
        assembled: Assembled = assemble(whole(context), whole(results))
    with candidates.new_candidate(context) as candidate:
        digest = fingerprint(context, results)
        figures = _beside(write_figures, context, candidate, results, assembled, digest)
        with timings.step("score"):
            scores = [_score(context, assembled, framework_id) for framework_id in DEFAULT_FRAMEWORKS]
        scored = _beside(write_scores, candidate, scores)
        with timings.step("study the frameworks"):
            studies = study(whole(context), whole(assembled))
        with timings.step("build the marts"):
            figures()
            scored()
            counts = write_studies(whole(candidate), whole(studies))
        with timings.step("compare, check and publish"):
            release = check_and_publish(whole(context), candidate.path, whole(results))
    with timings.step("keep the release"):
        problem = keep_release(whole(context))
    outcome = Outcome(True, tuple(results), counts, timings, release, problem, assembled.account, counts_before=before)
    return steps.remember(context, outcome)


def _acquire_all(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    """Get every part: a task each where a publisher answers, one task together for all that comes from what is held.

    Where tasks run in other processes they are dealt out by publisher instead (see `pipeline.run.spread`).
    """
    place = {(i.id, p.id): position for position, (i, p) in enumerate(context.parts)}
    results = _acquire_spread(context, on_part) if chosen_runner().crosses_processes else _acquire(context, on_part)
    ordered = sorted(results, key=lambda result: place[result.indicator_id, result.part_id])
    return hold_contradictions(context, ordered)


def _acquire_spread(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    order = order_of(context)
    shares = [acquire_in_share.submit(Parcel(order, names)) for names in shares_of(context, default_pieces())]
    return _told([result for share in _all_ended(shares) for result in share], on_part)


def _acquire(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    contacts = first_contacts(context)
    results = _ended([_submit_part(context, *pair) for pair in contacts], on_part)
    away = sources_away(results)
    rest = [pair for pair in context.parts if pair not in contacts]
    held = [(i, p) for i, p in rest if context.offline or all(query.source in away for query in p.live)]
    asked = [_submit_part(context, *pair) for pair in rest if pair not in held]
    results += _told(acquire_held(whole(context), whole(held)), on_part) if held else []
    return results + _ended(asked, on_part)


def _ended(futures: list[PrefectFuture[PartResult]], on_part: OnPart | None) -> list[PartResult]:
    return _told(_all_ended(futures), on_part)


def _all_ended(futures: list[PrefectFuture[T]]) -> list[T]:
    """Wait for all, and raise what failed only once all have ended."""
    ended = [future.result(raise_on_failure=False) for future in futures]
    failures = [result for result in ended if isinstance(result, BaseException)]
    if failures:
        failures[0].add_note(f"{len(failures)} of {len(futures)} parts ended this way or another")
        raise failures[0]
    return [result for result in ended if not isinstance(result, BaseException)]


def _told(results: list[PartResult], on_part: OnPart | None) -> list[PartResult]:
    if on_part is not None:
        for result in results:
            on_part(result)
    return results


def _submit_part(context: RunContext, indicator: Indicator, part: Part) -> PrefectFuture[PartResult]:
    named = acquire.with_options(task_run_name=f"acquire {indicator.id} ({part.id})")
    return named.submit(whole(context), whole(indicator), whole(part))


def _beside(work: Task[..., None], *given: object) -> Callable[[], None]:
    """Write tables while the next are made; return what waits for it and raises what went wrong.

    A file that is open in this process cannot be written from another: where tasks cross processes it is written at once.
    """
    as_they_are = [whole(value) for value in given]
    if chosen_runner().crosses_processes:
        work(*as_they_are)
        return lambda: None
    return cast(Callable[[], None], work.submit(*as_they_are).result)


def _score(context: RunContext, assembled: Assembled, framework_id: str) -> ScoreTables:
    """One framework after the other: each already keeps two cores busy, or every process that draws.

    Where draws are spread they are the tasks. A task that hands out tasks would send along what it was itself given, and
    a run's context cannot travel.
    """
    if chosen_runner().crosses_processes and context.draws:
        return steps.score(context, assembled, framework_id, simulate_in_pieces(_submit_draws, default_pieces()))
    named = score.with_options(task_run_name=f"score {framework_id}")
    return named(whole(context), whole(assembled), framework_id)


def _submit_draws(*arguments: Any) -> Drawn:
    return cast(Drawn, draw.submit(Parcel(*arguments)))
