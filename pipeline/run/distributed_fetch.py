"""A run whose work is spread over processes, on one machine or several that share a disk.

A run holds an open HTTP client and must not travel. What travels is an `Order`: plain values from which each process
opens a run of its own, once. Two things stay as they are on one machine:

* No two processes ask the same publisher, since each keeps its own count of requests: parts are dealt out by publisher,
  and publishers that stand in for each other stay together.
* A key never travels: each process reads ``NOMIS_UID`` from its own environment.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pipeline.catalogue import Indicator, Part
from pipeline.errors import PipelineError
from pipeline.run.acquire import acquire_part
from pipeline.run.check_schedule import Question
from pipeline.run.code_digest import code_fingerprint
from pipeline.run.context import Run, open_run
from pipeline.run.options import Options, ScoreOptions
from pipeline.run.results import PartResult
from pipeline.run.runner import FETCH_THREADS
from pipeline.settings import settings_from_environment

PartName = tuple[str, str]  # indicator and part


class OtherCode(PipelineError):
    """A process that was to take part in a run has other code than the one that leads it; the message names both."""


@dataclass(frozen=True)
class Order:
    """What a process must know to take part in a run: no key, no connection.

    ``code`` is `code_fingerprint()`; ``skipped`` are the tables that this run does not ask about.
    """

    code: str
    data_dir: Path
    base_urls: tuple[tuple[str, str], ...]
    started_at: datetime
    options: Options
    scoring: ScoreOptions
    skipped: tuple[tuple[Question, datetime], ...]


def order_of(run: Run) -> Order:
    """The order for processes that are to help with a run; creates the data folder, which they must find."""
    run.settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Order(
        code=code_fingerprint(),
        data_dir=run.settings.data_dir,
        base_urls=tuple(sorted(run.settings.base_urls.items())),
        started_at=run.started_at,
        options=run.options,
        scoring=run.scoring,
        skipped=() if run.options.offline else tuple(run.schedule.skipped.items()),
    )


@lru_cache(maxsize=1)
def run_of(order: Order) -> Run:
    """This process's own run for an order, opened once and kept for the next piece of work.

    Raises OtherCode when this process has other code than the one that gave the order.
    """
    if order.code != code_fingerprint():
        raise OtherCode(
            f"this worker has other code ({code_fingerprint()[:12]}) than the run it was to help ({order.code[:12]}): "
            "bring every machine to the same commit and start its workers again"
        )
    settings = replace(settings_from_environment(), data_dir=order.data_dir, base_urls=dict(order.base_urls))
    if not settings.data_dir.is_dir():
        raise FileNotFoundError(
            2, "the run's data folder is not there on this machine: share it at the same path", str(order.data_dir)
        )
    return replace(
        open_run(settings),
        options=order.options,
        scoring=order.scoring,
        started_at=order.started_at,
        skipped=dict(order.skipped),
    )


def acquire_share(order: Order, names: Sequence[PartName]) -> list[PartResult]:
    """Get some parts in this process, several at a time. Raises OtherCode, and OSError as ``acquire_part`` does."""
    run, wanted = run_of(order), set(names)
    pairs = [(i, p) for i, p in run.inputs.parts if (i.id, p.id) in wanted]
    publishers = run.publishers
    with ThreadPoolExecutor(max_workers=FETCH_THREADS) as pool:
        return list(pool.map(lambda pair: acquire_part(run.inputs, run.stores, publishers, *pair), pairs))


def shares_of(pairs: Sequence[tuple[Indicator, Part]], pieces: int, *, offline: bool) -> list[list[PartName]]:
    """Parts dealt out for ``acquire_share``: by publisher, or in ``pieces`` where no publisher is asked (``offline``)."""
    if offline:
        dealt = [pairs[first::pieces] for first in range(pieces)]
        return [[(i.id, p.id) for i, p in share] for share in dealt if share]
    return _by_publisher(pairs)


def _by_publisher(pairs: Sequence[tuple[Indicator, Part]]) -> list[list[PartName]]:
    """One share for each set of sources that share no part with another; parts with no live source are one more."""
    together: list[set[str]] = []
    for _, part in pairs:
        linked: set[str] = {query.source for query in part.live}
        for other in [sources for sources in together if sources & linked]:
            together.remove(other)
            linked |= other
        together.append(linked)
    shares: dict[frozenset[str], list[PartName]] = {}
    for indicator, part in pairs:
        own: set[str] = {query.source for query in part.live}
        group = next((sources for sources in together if own & sources), set())
        shares.setdefault(frozenset(group), []).append((indicator.id, part.id))
    return sorted(shares.values(), key=len, reverse=True)


def default_pieces() -> int:
    """In how many pieces work is cut: twice the processors, so that nobody waits long for the slowest piece."""
    return 2 * (os.cpu_count() or 1)
