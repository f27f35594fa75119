"""Where the time of each main path goes: its own steps, and the functions of this project in which it is spent.

By sampling: every few milliseconds a thread looks where all others are and what processor time the kernel has counted for
each since (so this needs Linux). So work in thread pools is seen as well, waiting is nobody's, and the figures are those
of a run as it is. A function's share includes the libraries it calls, and not this project's functions that it calls; what
DuckDB does in threads of its own is not seen, only its part in the thread that asks.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from pipeline.settings import PROJECT_ROOT, Settings

MOST_FUNCTIONS = 8
LEAST_SHARE = 0.02
SECONDS_BETWEEN_LOOKS = 0.005
_CODE = (str(PROJECT_ROOT / "pipeline"), str(PROJECT_ROOT / "schemas"))


@dataclass(frozen=True)
class Profile:
    """One path: its seconds by the clock and of processor time, by step where it has steps, and by function the share of
    what was sampled."""

    id: str
    title: str
    seconds: float
    cpu_seconds: float
    steps: Mapping[str, float] = field(default_factory=dict)
    functions: tuple[tuple[str, float], ...] = ()


class Sampler(threading.Thread):
    """Sums, for each function of this project, the processor time of threads that were last seen in it, in seconds."""

    def __init__(self) -> None:
        super().__init__(name="sampler", daemon=True)
        self.seen: dict[str, float] = defaultdict(float)
        self._ended = threading.Event()
        self._used: dict[int, int] = {}

    def run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            frames = sys._current_frames()
            for thread in threading.enumerate():
                if thread is not self and thread.ident in frames and thread.native_id is not None:
                    self.seen[_function(frames[thread.ident])] += self._since_last_look(thread.native_id)

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def _since_last_look(self, native_id: int) -> float:
        """Seconds of processor time of one thread since it was last looked at; 0 for one that has ended meanwhile."""
        try:
            used = int(Path(f"/proc/self/task/{native_id}/schedstat").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        before = self._used.get(native_id, used)
        self._used[native_id] = used
        return (used - before) / 1e9


def _function(frame: FrameType | None) -> str:
    """The innermost function of this project that a thread is in, by module and name."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_CODE):
            path = Path(frame.f_code.co_filename).relative_to(PROJECT_ROOT).as_posix()
            return f"{path} {frame.f_code.co_qualname}"
        frame = frame.f_back
    return "outside the project's code"


def profiled(id_: str, title: str, work: Callable[[], Mapping[str, float] | None]) -> Profile:
    """Run ``work`` once while it is sampled; it returns seconds by step, or None."""
    sampler = Sampler()
    began, cpu = time.perf_counter(), time.process_time()
    sampler.start()
    steps = work() or {}
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    sampler.stop()
    return Profile(id_, title, seconds, cpu_seconds, steps, _largest(sampler.seen))


def _largest(seen: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    total = sum(seen.values())
    largest = sorted(seen.items(), key=lambda item: -item[1])[:MOST_FUNCTIONS]
    return tuple((words, seconds / total) for words, seconds in largest if seconds / total >= LEAST_SHARE)


def rebuild(folder: Path) -> Callable[[], Mapping[str, float]]:
    from pipeline.run.context import open_run
    from pipeline.run.refresh import refresh

    def work() -> Mapping[str, float]:
        context = open_run(Settings(folder), offline=True)
        return refresh(context, force=True).timings.seconds

    return work


def nothing_new(folder: Path) -> Callable[[], Mapping[str, float]]:
    from pipeline.run.context import open_run
    from pipeline.run.refresh import refresh

    def work() -> Mapping[str, float]:
        context = open_run(Settings(folder), offline=True)
        return refresh(context).timings.seconds

    return work


def scoring(draws: int) -> Callable[[], None]:
    from benchmarks.bench_scoring import default_inputs
    from pipeline.scoring import score_framework

    arguments = default_inputs()

    def work() -> None:
        score_framework(*arguments, draws=draws)

    return work


def site(folder: Path) -> Callable[[], None]:
    from pipeline.report.site import build_site

    methodology = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")

    def work() -> None:
        build_site(Settings(folder).database, folder / "report", methodology=methodology)

    return work


def small_areas(folder: Path, months: int) -> Callable[[], Mapping[str, float]]:
    from benchmarks.made import store_small_areas
    from pipeline.catalogue.small_area_series import load_small_areas
    from pipeline.run.context import open_run
    from pipeline.run.publish_small_areas import publish_small_areas

    series = load_small_areas()["claimants_by_small_area"]
    context = open_run(Settings(folder), offline=True)
    store_small_areas(context.settings.raw_dir, series, 35_000, months)
    places = context.inputs, context.stores.raw, context.settings.marts_dir
    return lambda: publish_small_areas(series, *places, None, force=True).timings.seconds


def profiles(folder: Path, *, quick: bool) -> list[Profile]:
    """Every main path, the rebuild first, since the others read what it published."""
    draws = 200 if quick else 2000
    found = [
        profiled("rebuild", "Offline rebuild", rebuild(folder)),
        profiled("nothing-new", "Refresh with nothing new, offline", nothing_new(folder)),
        profiled("scoring", f"Scoring the default framework, {draws:,} draws", scoring(draws)),
    ]
    if not quick:
        found.append(profiled("site", "Report site", site(folder)))
        found.append(profiled("small-areas", "35,000 small areas x 20 months", small_areas(folder, 20)))
    return found


def main(arguments: list[str]) -> Any:
    with tempfile.TemporaryDirectory() as temporary:
        return [asdict(profile) for profile in profiles(Path(temporary), quick="--quick" in arguments)]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
