"""What runs the steps of a refresh: plain calls here; Prefect's tasks are in `flows.prefect_runner`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

from pipeline.catalogue import Indicator, Part
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run
from pipeline.run.results import PartResult

T = TypeVar("T")
P = ParamSpec("P")
OnPart = Callable[[PartResult], None]

# Requests to one host are spaced by the client; more threads than this only wait for their turn.
FETCH_THREADS = 8


class Runner(Protocol):
    """Runs steps. Every step is a plain function; what it returns and raises comes back as it is."""

    def fetch_all(self, run: Run, on_part: OnPart | None) -> list[PartResult]:
        """Get every part, several at a time, in any order; ``on_part`` is called with each as it arrives."""
        ...

    def run(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Run one step to its end."""
        ...

    def start(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
        """Start a step beside those that follow; what comes back waits for it, and raises what it raised."""
        ...


class Inline:
    """Runs each step in this process: parts in FETCH_THREADS threads, what is written beside the next step in one more."""

    def __init__(self, beside: ThreadPoolExecutor) -> None:
        self._beside = beside

    def fetch_all(self, run: Run, on_part: OnPart | None) -> list[PartResult]:
        publishers = run.publishers

        def get(pair: tuple[Indicator, Part]) -> PartResult:
            result = acquire_part(run.inputs, run.stores, publishers, *pair)
            if on_part is not None:
                on_part(result)
            return result

        with ThreadPoolExecutor(max_workers=FETCH_THREADS) as pool:
            return list(pool.map(get, run.inputs.parts))

    def run(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        return step(*arguments, **options)

    def start(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
        return self._beside.submit(step, *arguments, **options).result


@contextmanager
def inline() -> Iterator[Inline]:
    """A runner of this process, for one refresh."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        yield Inline(beside)
