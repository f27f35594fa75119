"""Measures what the scoring room promises on speed and memory: ``python tests/scoring/bench_scoring.py [name ...]``.

Each case runs in a process of its own, so that its peak memory is its own. Synthetic figures of the real size.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline.catalogue.frameworks import load_framework, parse_framework
from pipeline.scoring import (
    IndicatorSpec,
    audit_table,
    rank_set_table,
    rank_table,
    score_framework,
    score_table,
    sensitivity_tables,
)

DIFFERENCES = ("rate", "poverty", "unemployment", "deprivation")
WITH_ERRORS = ("pay_", "employment_rate", "unemployment")


def default_inputs() -> tuple[object, pd.DataFrame, pd.DataFrame, dict[str, IndicatorSpec]]:
    """361 districts and 60 wider areas, every indicator of the default framework, 2004 to 2025, with the real gaps."""
    rng = np.random.default_rng(1)
    framework = load_framework("shared_growth")
    codes = [f"E{n:08d}" for n in range(361)] + [f"R{n:08d}" for n in range(60)]
    frames, specs = [], {}
    for name in framework.indicator_ids():
        if name in {item.id for item in framework.awaited}:
            continue
        is_difference = any(word in name for word in DIFFERENCES)
        specs[name] = IndicatorSpec(1, "difference" if is_difference else "log_ratio")
        last = {"gva_per_hour": 2023, "gdhi_per_head": 2023, "employment_rate": 2023}.get(name, 2025)
        years = np.array([2019, 2025]) if "deprivation" in name else np.arange(2004, last + 1)
        z = rng.normal(0, 1, len(codes)) + rng.normal(0, 0.15, (len(years), len(codes)))
        values = 50 + 5 * z if is_difference else 20 * np.exp(0.2 * z)
        has_error = any(word in name for word in WITH_ERRORS)
        errors = np.full(values.shape, 0.8) if has_error else np.full(values.shape, np.nan)
        frame = pd.DataFrame({"area_code": np.tile(codes, len(years)), "year": np.repeat(years, len(codes))})
        frames.append(frame.assign(indicator_id=name, value=values.ravel(), standard_error=errors.ravel(), status="ok"))
    areas = pd.DataFrame({"area_code": codes, "level": ["district"] * 361 + ["region"] * 60, "nation_code": "E"})
    return framework, pd.concat(frames, ignore_index=True), areas.assign(is_scored=areas["level"] == "district"), specs


def two_level(areas: int, indicators: int, pillars: int) -> tuple[pd.DataFrame, object]:
    """A table with errors and an index of ``pillars`` pillars."""
    rng = np.random.default_rng(1)
    names = [f"i{n:02d}" for n in range(indicators)]
    values = pd.DataFrame(
        {
            "area_code": np.tile([f"A{n:05d}" for n in range(areas)], indicators),
            "indicator_id": np.repeat(names, areas),
            "value": rng.normal(50, 10, areas * indicators),
            "standard_error": 2.0,
        }
    )
    children = [{"id": f"p{n}", "indicators": names[n::pillars]} for n in range(pillars)]
    tree = {"id": "index", "aggregate": "geometric", "children": children}
    return values, parse_framework({"id": "bench", "normalise": {"method": "robust_z"}, "tree": tree})


def default_point() -> None:
    """Default framework, every year, level and change, point estimates: at most 0.5 s."""
    arguments = default_inputs()
    timed("default framework, point estimates", lambda: score_framework(*arguments), repeat=3)


def default_draws() -> None:
    """Default framework, every year, level and change, 2,000 draws: at most 20 s and 1.5 GB."""
    arguments = default_inputs()
    timed("default framework, 2,000 draws", lambda: score_framework(*arguments, draws=2000))


def replication() -> None:
    """One replication of a 361 x 20 two-level index: at most 0.5 ms (COINr 1.1.14 takes about 50 ms)."""
    values, framework = two_level(361, 20, 4)
    draws = 2000
    score_table(values, framework, draws=100)
    without = clock(lambda: score_table(values, framework, draws=0))
    taken = clock(lambda: score_table(values, framework, draws=draws))
    print(
        f"361 x 20, one replication, all 25 nodes with ranks and intervals: {(taken - without) / draws * 1000:.3f} ms"
    )
    one = clock(lambda: replicate(values, framework, draws))
    print(f"361 x 20, one replication, scores of all nodes alone: {one / draws * 1000:.3f} ms")


def replicate(values: pd.DataFrame, framework: object, draws: int) -> None:
    """Draw, normalise and aggregate ``draws`` times, without summarising: what a peer's replication does."""
    from pipeline.scoring import simulate as room
    from pipeline.scoring.tables import _run

    run = _run(values, framework)  # type: ignore[arg-type]
    world = room.World(run, np.ones(361, dtype=bool))
    series = room.Series(run.cube, world.variants(), draws, 1, 0.0, 1)
    world.draw_year(0, series, room.SimulationResult(), lambda _keys, _work: None)


def large() -> None:
    """10,000 areas x 40 indicators x 1,000 draws: under 4 GB."""
    values, framework = two_level(10_000, 40, 8)
    timed("10,000 x 40 x 1,000 draws", lambda: score_table(values, framework, draws=1000))


def studies() -> None:
    """Audit, sensitivity and rank sets of the default framework."""
    arguments = default_inputs()
    timed("audit", lambda: audit_table(*arguments))
    timed("sensitivity, 64 samples", lambda: sensitivity_tables(*arguments))
    timed("rank sets of all indicators with errors", lambda: rank_set_table(*arguments))
    rng = np.random.default_rng(1)
    codes = [f"A{n}" for n in range(361)]
    one = pd.DataFrame({"area_code": codes, "estimate": rng.normal(0, 5, 361), "standard_error": 1.0})
    timed("rank table, 361 areas, simultaneous", lambda: rank_table(one, 0.95, True))


CASES = {case.__name__: case for case in (default_point, default_draws, replication, large, studies)}


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(title: str, work: Callable[[], object], repeat: int = 1) -> None:
    best = min(clock(work) for _ in range(repeat))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{title}: {best:.2f} s, peak {peak:.2f} GB", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        CASES[sys.argv[1]]()
    else:
        for name in CASES:
            subprocess.run([sys.executable, __file__, name], check=True)
