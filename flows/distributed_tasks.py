"""Tasks that run in other processes, and how what they need travels there.

Prefect looks for futures in everything a task is given, and Dask for tasks, both through tuples, lists and dataclasses:
slow for data frames, and Dask gives a quoted value back as a bare tuple. `Opaque` hides them from both.
"""

from __future__ import annotations

from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from pipeline.run.distributed_fetch import acquire_share
from pipeline.run.results import PartResult
from pipeline.scoring.pieces import Drawn, draw_years
from pipeline.scoring.simulate import SimulationResult


class Opaque:
    """The arguments of a function, sealed."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


@task(name="acquire a share", retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE, persist_result=False)
def acquire_in_share(sealed: Opaque) -> list[PartResult]:
    """`pipeline.run.distributed_fetch.acquire_share` of an order and the names of parts."""
    return acquire_share(*sealed.arguments)


@task(name="draw survey errors", retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE, persist_result=False)
def draw(sealed: Opaque) -> list[SimulationResult]:
    """`pipeline.scoring.pieces.draw_years` of its arguments."""
    return draw_years(*sealed.arguments)


def submit_draws(*arguments: Any) -> Drawn:
    """Hand a piece of the draws to another process."""
    return cast(Drawn, draw.submit(Opaque(*arguments)))
