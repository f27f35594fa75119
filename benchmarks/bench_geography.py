"""Ten million rows of 2021 re-expressed on today's map, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from benchmarks.measure import Measure, peak_megabytes
from pipeline.geography import load_register, reexpress

ROWS = 10_000_000
VINTAGE = 2021


def reexpression() -> list[Measure]:
    register = load_register()
    districts = register.districts(VINTAGE)
    each = ROWS // len(districts) + 1
    table = pd.DataFrame(
        {
            "area_code": pd.Categorical.from_codes(np.tile(np.arange(len(districts)), each)[:ROWS], districts),
            "indicator_id": pd.Categorical(["people"]).take(np.zeros(ROWS, dtype=int)),
            "period": pd.Categorical.from_codes(
                np.repeat(np.arange(each), len(districts))[:ROWS],
                [
                    f"{day}/P1M"
                    for day in pd.date_range("0001-01-01", periods=each, freq="MS", unit="s").strftime("%Y-%m-%d")
                ],
            ),
            "value": np.random.default_rng(1).uniform(0, 1000, ROWS),
        }
    )
    start = time.perf_counter()
    result = reexpress(table, {"people": "count"}, register)
    taken = time.perf_counter() - start
    lost = abs(result.observations["value"].sum() / table["value"].sum() - 1)
    return [
        Measure("10 million rows re-expressed", taken, "s", at_most=5),
        Measure("10 million rows re-expressed, peak memory", peak_megabytes(), "MB", at_most=2000),
        Measure("10 million rows re-expressed, share of the sum lost", lost, "", at_most=1e-9),
    ]


def main() -> list[Measure]:
    command = [sys.executable, "-m", "benchmarks.bench_geography"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return [Measure(**fields) for fields in json.loads(printed)]


if __name__ == "__main__":
    print(json.dumps([measure.__dict__ for measure in reexpression()]))
