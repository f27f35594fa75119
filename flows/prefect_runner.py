"""Runs each step of a refresh as a Prefect task, so that Prefect records every step and every part as its own run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from flows.runners import chosen_runner
from flows.task_values import as_is
from pipeline.catalogue import Indicator, Part
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run
from pipeline.run.distributed_fetch import Order, PartName, default_pieces, order_of, shares_of
from pipeline.run.inputs import Inputs
from pipeline.run.publishers import Publishers
from pipeline.run.results import PartResult
from pipeline.run.runner import OnPart
from pipeline.run.stores import Stores

P = ParamSpec("P")
T = TypeVar("T")

# What people read in Prefect's record, where a step's own name is not enough.
TITLES = {
    "nothing_new": "check for updates",
    "acquire_part": "fetch",
    "assemble": "re-express on today's map",
    "estimate": "model survey figures",
    "study": "study the frameworks",
    "write_figures": "build the marts of figures",
    "write_estimates": "build the marts of modelled figures",
    "write_scores": "build the marts of scores",
    "write_studies": "build the marts of studies",
    "check_and_publish": "compare and publish",
    "keep_release": "keep the release",
}
# The HTTP client already retries what may pass by itself, and a source's failure is a result, not an exception. Only
# the disk is left to retry.
RETRIED = {"acquire_part": 2}


@cache
def _task_of(step: Callable[..., Any]) -> Task[..., Any]:
    retries = RETRIED.get(step.__name__, 0)
    title = TITLES.get(step.__name__, step.__name__.replace("_", " "))
    made = task(name=title, retries=retries, retry_delay_seconds=1, cache_policy=NO_CACHE, persist_result=False)
    return made(step)


class PrefectRunner:
    """Runs the steps of `pipeline.run.refresh.refresh` as tasks of the flow that is running."""

    def fetch_all(self, run: Run, on_part: OnPart | None) -> list[PartResult]:
        """One task for each part that a publisher is asked for, and one for all that come from what is held.

        Where tasks run in other processes they are dealt out by publisher instead (see `pipeline.run.distributed_fetch`).
        """
        parts, is_offline = run.inputs.parts, run.options.offline
        if chosen_runner().crosses_processes:
            order = order_of(run)
            return _fetch_in_shares(order, shares_of(parts, default_pieces(), offline=is_offline), on_part)
        places = run.inputs, run.stores, run.publishers
        contacts = [] if is_offline else first_contacts(parts)
        results = _ended([_submit_part(*places, *pair) for pair in contacts], on_part)
        away = sources_away(results)
        rest = [pair for pair in parts if pair not in contacts]
        held = [(i, p) for i, p in rest if is_offline or all(query.source in away for query in p.live)]
        asked = [_submit_part(*places, *pair) for pair in rest if pair not in held]
        results += _announced(self.run(read_held_parts, *places, held), on_part) if held else []
        return results + _ended(asked, on_part)

    def run(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """A task for the step; where draws are spread over processes, they are the tasks of the step ``score``.

        A task that hands out tasks would send along what it was given itself, all figures among them.
        """
        if step.__name__ == "score" and chosen_runner().crosses_processes:
            return _score_elsewhere(step, *arguments)
        of = next((value for value in arguments if isinstance(value, str)), None)
        named = _task_of(step)
        if of is not None:
            named = named.with_options(task_run_name=f"{named.name} {of}")
        return cast(T, named(*map(as_is, arguments), **options))

    def start(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
        """A task beside the others.

        Another process cannot write a file that is open in this one: where tasks cross processes, it is written at once.
        """
        if chosen_runner().crosses_processes:
            done = self.run(step, *arguments, **options)
            return lambda: done
        return cast(Callable[[], T], _task_of(step).submit(*map(as_is, arguments), **options).result)


def read_held_parts(
    inputs: Inputs, stores: Stores, publishers: Publishers | None, pairs: Iterable[tuple[Indicator, Part]]
) -> list[PartResult]:
    """Get parts one after the other: those that need no publisher, or whose publishers are known to be away."""
    return [acquire_part(inputs, stores, publishers, *pair) for pair in pairs]


def first_contacts(pairs: Iterable[tuple[Indicator, Part]]) -> list[tuple[Indicator, Part]]:
    """The first part of each source that is asked for one: getting these shows which hosts can be reached."""
    firsts: dict[str, tuple[Indicator, Part]] = {}
    for indicator, part in pairs:
        if part.live:
            firsts.setdefault(part.live[0].source, (indicator, part))
    return list(firsts.values())


def sources_away(results: list[PartResult]) -> set[str]:
    """The sources that some part found to be out of reach; the client will not try them again in this run."""
    return {a.source_id for result in results for a in result.attempts if a.outcome == "unreachable"}


def _submit_part(
    inputs: Inputs, stores: Stores, publishers: Publishers | None, indicator: Indicator, part: Part
) -> PrefectFuture[PartResult]:
    named = _task_of(acquire_part).with_options(task_run_name=f"fetch {indicator.id} ({part.id})")
    return named.submit(*map(as_is, (inputs, stores, publishers, indicator, part)))


def _fetch_in_shares(order: Order, shares: list[list[PartName]], on_part: OnPart | None) -> list[PartResult]:
    from flows.distributed_tasks import Opaque, acquire_in_share

    asked = [acquire_in_share.submit(Opaque(order, names)) for names in shares]
    return _announced([result for share in _all_ended(asked) for result in share], on_part)


def _score_elsewhere(step: Callable[..., T], *arguments: Any) -> T:
    from flows.distributed_tasks import submit_draws
    from pipeline.scoring.pieces import simulate_in_pieces

    return step(*arguments, simulate_in_pieces(submit_draws, default_pieces()))


def _ended(futures: list[PrefectFuture[PartResult]], on_part: OnPart | None) -> list[PartResult]:
    return _announced(_all_ended(futures), on_part)


def _all_ended(futures: list[PrefectFuture[T]]) -> list[T]:
    """Wait for all, and raise what failed only once all have ended."""
    ended = [future.result(raise_on_failure=False) for future in futures]
    failures = [result for result in ended if isinstance(result, BaseException)]
    if failures:
        failures[0].add_note(f"{len(failures)} of {len(futures)} parts ended this way or another")
        raise failures[0]
    return [result for result in ended if not isinstance(result, BaseException)]


def _announced(results: list[PartResult], on_part: OnPart | None) -> list[PartResult]:
    if on_part is not None:
        for result in results:
            on_part(result)
    return results
