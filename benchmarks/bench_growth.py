"""How cost grows: with areas, periods, indicators and draws, each alone, from today's size to a hundred times as much.

Every curve is processor time (user and system) against size, since that is what a busy machine disturbs least. What a run
costs at next to no size is its fixed overhead; a line through the logarithms of size and of the time above that overhead
gives the exponent: 1 is linear.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_scoring import two_level
from benchmarks.made import store_small_areas
from benchmarks.timing import time_call
from pipeline.catalogue.small_area_series import AreaCount, SmallAreaSeries, load_small_areas
from pipeline.run.context import open_run
from pipeline.run.publish_small_areas import publish_small_areas
from pipeline.scoring import score_table
from pipeline.settings import Settings

AREAS = (361, 1_140, 3_610, 11_400, 35_000)
MONTHS = (20, 43, 93, 200)
INDICATORS = (15, 33, 70, 150)
DRAWS = (100, 464, 2_150, 10_000)
LONG_RUN_SECONDS = 2.0  # a run as long as this is made once; shorter ones are made three times


@dataclass(frozen=True)
class Curve:
    """Seconds by size (``cpu_seconds`` of processor time, ``seconds`` by the clock), processor time at next to no size, and
    the exponent with its standard error. ``overhead_at`` says which size is next to none.
    """

    id: str
    title: str
    along: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    overhead_at: int
    overhead_seconds: float
    exponent: float
    exponent_error: float


def curve(id_: str, title: str, along: str, sizes: Sequence[int], least: int, run: Callable[[int], Any]) -> Curve:
    """Measure one curve; ``run(size)`` makes the input and returns the work to time."""
    found = [_median(run(size)) for size in (least, *sizes)]
    overhead, points = found[0], found[1:]
    exponent, error = fitted(sizes, [cpu for _, cpu in points], overhead[1])
    return Curve(
        id_,
        title,
        along,
        tuple(sizes),
        tuple(wall for wall, _ in points),
        tuple(cpu for _, cpu in points),
        least,
        overhead[1],
        exponent,
        error,
    )


def fitted(sizes: Sequence[int], seconds: Sequence[float], overhead: float) -> tuple[float, float]:
    """The slope of log time above the overhead on log size by least squares, and its standard error.

    A point that is not a tenth above the overhead says nothing of how cost grows and is left out; with fewer than three
    points left the slope is that of all times as they are.
    """
    kept = [(n, t - overhead) for n, t in zip(sizes, seconds, strict=True) if t > 1.1 * overhead]
    if len(kept) < 3:
        kept = list(zip(sizes, seconds, strict=True))
    x, y = np.log([n for n, _ in kept]), np.log([t for _, t in kept])
    design = np.column_stack([x, np.ones(len(x))])
    (slope, constant), *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = float(np.sum((y - slope * x - constant) ** 2))
    spread = float(np.sum((x - x.mean()) ** 2))
    return float(slope), math.sqrt(residual / (len(x) - 2) / spread)


def _median(work: Callable[[], object]) -> tuple[float, float]:
    first = time_call(work)
    again = [] if first.wall > LONG_RUN_SECONDS else [time_call(work) for _ in range(2)]
    runs = sorted([first, *again], key=lambda sample: sample.wall)
    middle = runs[len(runs) // 2]
    return middle.wall, middle.cpu


def scoring(areas: int, indicators: int, draws: int) -> Callable[[], object]:
    values, framework = two_level(areas, indicators, 3)
    return lambda: score_table(values, framework, draws=draws)


def raw_to_mart(folder: Path, areas: int, months: int) -> Callable[[], object]:
    """The path of small areas, from a payload in the raw store to a published file of its own."""
    known = load_small_areas()["claimants_by_small_area"]
    series: SmallAreaSeries = known.model_copy(update={"areas": AreaCount(min=1, max=10**6)})
    context = open_run(Settings(folder / f"{areas}-{months}"), offline=True)
    store_small_areas(context.settings.raw_dir, series, areas, months)
    places = context.inputs, context.stores.raw, context.settings.marts_dir
    return lambda: publish_small_areas(series, *places, None, force=True)


def curves(folder: Path, quick: bool) -> list[Curve]:
    """All curves; a quick look leaves out the largest size of each."""
    last = -1 if quick else None
    small = scoring(50, 15, 10)
    small()  # the first run pays for what is loaded once
    raw_to_mart(folder, 50, 2)()
    return [
        curve(
            "score-areas",
            "Scores with 100 draws, 15 indicators",
            "areas",
            AREAS[:last],
            10,
            lambda n: scoring(n, 15, 100),
        ),
        curve(
            "score-indicators",
            "Scores with 100 draws, 361 areas",
            "indicators",
            INDICATORS[:last],
            3,
            lambda n: scoring(361, n, 100),
        ),
        curve(
            "score-draws",
            "Scores of 361 areas, 15 indicators",
            "draws",
            DRAWS[:last],
            2,
            lambda n: scoring(361, 15, n),
        ),
        curve(
            "raw-to-mart-areas",
            "Raw to mart, 20 months",
            "areas",
            AREAS[:last],
            10,
            lambda n: raw_to_mart(folder, n, 20),
        ),
        curve(
            "raw-to-mart-periods",
            "Raw to mart, 3,610 areas",
            "months",
            MONTHS[:last],
            1,
            lambda n: raw_to_mart(folder, 3_610, n),
        ),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps([asdict(each) for each in curves(Path(temporary), "--quick" in sys.argv)]))
