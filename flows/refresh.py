"""The main job as a Prefect flow: parts are fetched in parallel, and each step is a task with its own record.

``make refresh`` runs it, as ``python -m flows.refresh``. The same steps without Prefect:
``python -m pipeline refresh``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

_BEFORE_PREFECT = time.perf_counter()

from prefect import Flow, flow, task  # noqa: E402 - timed, so that Prefect's start can be told apart from the work
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.futures import PrefectFuture  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402
from prefect.utilities.annotations import quote  # noqa: E402

_PREFECT_IMPORTED = time.perf_counter()

from flows.parcels import Parcel, acquire_in_share, draw  # noqa: E402
from flows.runners import chosen_runner  # noqa: E402
from pipeline.catalogue import Indicator, Part  # noqa: E402
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS  # noqa: E402
from pipeline.run import refresh as steps  # noqa: E402
from pipeline.run.acquire import PartResult, acquire_part  # noqa: E402
from pipeline.run.assemble import Assembled  # noqa: E402
from pipeline.run.assemble import assemble as assemble_parts  # noqa: E402
from pipeline.run.context import RunContext  # noqa: E402
from pipeline.run.inputs import Made  # noqa: E402
from pipeline.run.job import JobOptions, run_job  # noqa: E402
from pipeline.run.release import keep_release as keep_published_release  # noqa: E402
from pipeline.run.spread import default_pieces, order_of, shares_of  # noqa: E402
from pipeline.scoring import ScoreTables  # noqa: E402
from pipeline.scoring.pieces import Drawn, simulate_in_pieces  # noqa: E402
from pipeline.settings import SettingsError  # noqa: E402
from pipeline.verbs.common import EXIT_FAILED, VerbError  # noqa: E402
from pipeline.verbs.refresh import ABOUT, add_options  # noqa: E402

T = TypeVar("T")
OnPart = Callable[[PartResult], None]

# The HTTP client already retries what a publisher may mend by itself, and a source's failure is a result,
# not an exception. What is left to retry is the disk.
acquire = task(name="acquire", retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE, persist_result=False)(
    acquire_part
)
acquire_held = task(name="acquire what is held", cache_policy=NO_CACHE, persist_result=False)(steps.acquire_some)
assemble = task(name="assemble", cache_policy=NO_CACHE, persist_result=False)(assemble_parts)
score = task(name="score", cache_policy=NO_CACHE, persist_result=False)(steps.score)
study = task(name="study the frameworks", cache_policy=NO_CACHE, persist_result=False)(steps.study)
build_candidate = task(name="build the marts", cache_policy=NO_CACHE, persist_result=False)(steps.build_candidate)
check_and_publish = task(name="compare, check and publish", cache_policy=NO_CACHE, persist_result=False)(
    steps.check_and_publish
)
keep_release = task(name="keep the release", cache_policy=NO_CACHE, persist_result=False)(keep_published_release)


@flow(name="refresh", task_runner=ThreadPoolTaskRunner(max_workers=steps.FETCH_THREADS))  # type: ignore[arg-type]
def refresh(
    force: bool = False,
    offline: bool = False,
    strict: bool = False,
    draws: int | None = None,
    thorough: bool = False,
    called_at: float | None = None,
) -> int:
    """Get every indicator, score, build, check and publish; return the exit code of ``pipeline.cli``.

    ``called_at`` is the caller's ``time.perf_counter()``, from which Prefect's own start is measured.
    Raises VerbError for an expected failure, so that the flow run ends as Failed with its sentence.
    """
    started = None
    if called_at is not None:
        started = _PREFECT_IMPORTED - _BEFORE_PREFECT + time.perf_counter() - called_at
    return run_job(_as_tasks, JobOptions(force, offline, strict, draws, thorough), prefect_seconds=started)


def refresh_flow() -> Flow[..., int]:
    """The flow on the task runner that ``IG_TASK_RUNNER`` asks for. Raises SettingsError when there is none such."""
    return refresh.with_options(task_runner=chosen_runner().task_runner())


def _whole(value: T) -> T:
    """Pass a value as it is: without this, Prefect walks through every data frame in search of futures."""
    return cast(T, quote(value))


def _as_tasks(context: RunContext, *, force: bool = False, on_part: OnPart | None = None) -> steps.Outcome:
    """The steps of `pipeline.run.refresh.refresh`, each submitted as a task."""
    timings = steps.Timings()
    with timings.step("fetch, check and tidy"):
        results = _acquire_all(context, on_part)
    if not force and steps.is_published(context, results):
        return steps.Outcome(False, tuple(results), {}, timings, keeping_problem=keep_published_release(context))
    with timings.step("put together on today's map"):
        assembled: Assembled = assemble(_whole(context), _whole(results))
    with timings.step("score"):
        scores = [_score(context, assembled, framework_id) for framework_id in DEFAULT_FRAMEWORKS]
    with timings.step("study the frameworks"):
        studies = study(_whole(context), _whole(assembled))
    with timings.step("build the marts"):
        made = Made(assembled, tuple(scores), studies)
        candidate, counts = build_candidate(_whole(context), _whole(results), _whole(made))
    with timings.step("compare, check and publish"):
        release = check_and_publish(_whole(context), candidate, _whole(results))
    with timings.step("keep the release"):
        problem = keep_release(_whole(context))
    return steps.Outcome(True, tuple(results), counts, timings, release, problem, assembled.account)


def _acquire_all(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    """Get every part: a task each where a publisher answers, one task together for all that comes from what is held.

    Where tasks run in other processes they are dealt out by publisher instead (see `pipeline.run.spread`).
    """
    place = {(i.id, p.id): position for position, (i, p) in enumerate(steps.parts_of(context))}
    results = _acquire_spread(context, on_part) if chosen_runner().crosses_processes else _acquire(context, on_part)
    return sorted(results, key=lambda result: place[result.indicator_id, result.part_id])


def _acquire_spread(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    order = order_of(context)
    shares = [acquire_in_share.submit(Parcel(order, names)) for names in shares_of(context, default_pieces())]
    return _told([result for share in _all_ended(shares) for result in share], on_part)


def _acquire(context: RunContext, on_part: OnPart | None) -> list[PartResult]:
    contacts = steps.first_contacts(context)
    results = _ended([_submit_part(context, *pair) for pair in contacts], on_part)
    away = steps.sources_away(results)
    rest = [pair for pair in steps.parts_of(context) if pair not in contacts]
    held = [(i, p) for i, p in rest if context.offline or all(query.source in away for query in p.live)]
    asked = [_submit_part(context, *pair) for pair in rest if pair not in held]
    results += _told(acquire_held(_whole(context), _whole(held)), on_part) if held else []
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
    return named.submit(_whole(context), _whole(indicator), _whole(part))


def _score(context: RunContext, assembled: Assembled, framework_id: str) -> ScoreTables:
    """One framework after the other: each already keeps two cores busy, or every process that draws.

    Where draws are spread they are the tasks. A task that hands out tasks would send along what it was itself given, and
    a run's context cannot travel.
    """
    if chosen_runner().crosses_processes and context.draws:
        return steps.score(context, assembled, framework_id, simulate_in_pieces(_submit_draws, default_pieces()))
    named = score.with_options(task_run_name=f"score {framework_id}")
    return named(_whole(context), _whole(assembled), framework_id)


def _submit_draws(*arguments: Any) -> Drawn:
    return cast(Drawn, draw.submit(Parcel(*arguments)))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``make refresh``: the options of ``python -m pipeline refresh``."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.refresh", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    arguments = parser.parse_args(argv)
    try:
        return refresh_flow()(
            force=arguments.force,
            offline=arguments.offline,
            strict=arguments.strict,
            draws=arguments.draws,
            thorough=arguments.thorough,
            called_at=time.perf_counter(),
        )
    except VerbError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
