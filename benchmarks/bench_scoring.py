"""What the scoring room promises on speed and memory: ``python -m benchmarks scoring``.

Synthetic figures of the real size. Each case runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.measure import Measure, peak_megabytes
from pipeline.catalogue.frameworks import Framework, load_framework, parse_framework
from pipeline.scoring import IndicatorSpec, rank_set_table, score_framework, score_table, sensitivity_tables

DIFFERENCES = ("rate", "poverty", "unemployment", "deprivation")
WITH_ERRORS = ("pay_", "employment_rate", "unemployment")


def default_inputs() -> tuple[Framework, pd.DataFrame, pd.DataFrame, dict[str, IndicatorSpec]]:
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


def two_level(areas: int, indicators: int, pillars: int) -> tuple[pd.DataFrame, Framework]:
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


def default_point() -> list[Measure]:
    """The default framework, every year, level and change, without draws."""
    arguments = default_inputs()
    best = min(seconds(lambda: score_framework(*arguments)) for _ in range(3))
    return [Measure("default framework, point estimates", best, "s")]


def default_draws() -> list[Measure]:
    """The default framework, every year, level and change, 2,000 draws."""
    arguments = default_inputs()
    taken = seconds(lambda: score_framework(*arguments, draws=2000))
    return [
        Measure("default framework, 2,000 draws", taken, "s", at_most=20),
        Measure("default framework, 2,000 draws, peak memory", peak_megabytes(), "MB", at_most=1500),
    ]


# What COINr 1.1.14 (R) takes a replication by the figure we were given; R and its packages are not run here.
COINR_STATED_MILLISECONDS = 50.0


def replication() -> list[Measure]:
    """One replication of a 361 x 20 two-level index, with the ranks and intervals of all its 25 nodes.

    Beside it, the same replication as an analyst would write it in pandas, measured in the same process.
    """
    values, framework = two_level(361, 20, 4)
    draws = 2000
    score_table(values, framework, draws=100)
    without = seconds(lambda: score_table(values, framework, draws=0))
    with_draws = min(seconds(lambda: score_table(values, framework, draws=draws)) for _ in range(3))
    each = (with_draws - without) / draws * 1000
    plain_draws = 50
    plain = min(seconds(lambda: plain_replications(values, 4, plain_draws)) for _ in range(3)) / plain_draws * 1000
    name = "one replication of a 361 x 20 index, with ranks"
    return [
        Measure(name, each, "ms", at_most=0.5),
        Measure(f"{name}: a plain pandas loop, here and now", plain, "ms"),
        Measure(f"{name}: times faster than the plain pandas loop", plain / each, "x"),
        Measure(
            f"{name}: times faster than the {COINR_STATED_MILLISECONDS:g} ms stated for COINr (stated, not run here)",
            COINR_STATED_MILLISECONDS / each,
            "x",
            at_least=100,
        ),
    ]


def plain_replications(values: pd.DataFrame, pillars: int, draws: int) -> pd.DataFrame:
    """The same index draw by draw with pandas alone: disturb, standardise robustly, average, rank every node."""
    table = values.pivot(index="area_code", columns="indicator_id", values="value")
    errors = values.pivot(index="area_code", columns="indicator_id", values="standard_error")
    middle = table.median()
    spread = 1.4826 * (table - middle).abs().median()
    rng = np.random.default_rng(1)
    ranks = []
    for _ in range(draws):
        drawn = table + rng.normal(size=table.shape) * errors
        scores = (50 + 50 * (drawn - middle) / spread / 3).clip(0, 100)
        nodes = pd.DataFrame({f"p{n}": scores.iloc[:, n::pillars].mean(axis=1) for n in range(pillars)})
        index = np.exp(np.log(nodes.clip(lower=1)).mean(axis=1))
        ranks.append(pd.concat([scores, nodes, index.rename("index")], axis=1).rank(method="min", ascending=False))
    return pd.concat(ranks).groupby(level=0).quantile([0.05, 0.95])


def large() -> list[Measure]:
    """10,000 areas x 40 indicators x 1,000 draws."""
    values, framework = two_level(10_000, 40, 8)
    taken = seconds(lambda: score_table(values, framework, draws=1000))
    return [
        Measure("10,000 areas x 40 indicators x 1,000 draws", taken, "s"),
        Measure("10,000 areas x 40 indicators x 1,000 draws, peak memory", peak_megabytes(), "MB", at_most=4000),
    ]


def studies() -> list[Measure]:
    """What a thorough run adds: rank confidence sets and the sensitivity analysis."""
    arguments = default_inputs()
    return [
        Measure(
            "rank confidence sets of all indicators with errors",
            seconds(lambda: rank_set_table([arguments[0]], *arguments[1:])),
            "s",
        ),
        Measure("sensitivity analysis, 64 samples", seconds(lambda: sensitivity_tables(*arguments)), "s"),
    ]


CASES = {case.__name__: case for case in (default_point, default_draws, replication, large, studies)}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> list[Measure]:
    """Every case in a process of its own."""
    found = []
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.bench_scoring", name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        found += [Measure(**fields) for fields in json.loads(printed)]
    return found


if __name__ == "__main__":
    print(json.dumps([measure.__dict__ for measure in CASES[sys.argv[1]]()]))
