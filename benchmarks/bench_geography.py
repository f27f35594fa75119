"""Ten million rows of 2021 re-expressed on today's map, as categorical and as plain text columns, each in a process of its own."""

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
INDICATORS = 2_000
YEARS = range(2005, 2020)
FORMS = ("categorical", "text")


def large_table(form: str, districts: list[str]) -> pd.DataFrame:
    """Counts of many indicators and years by district; ``text`` columns are made one by one, to hold little at once."""
    row = np.arange(ROWS, dtype=np.int32)
    series = row // len(districts)
    columns = {
        "area_code": (row % len(districts), districts),
        "indicator_id": (series // len(YEARS) % INDICATORS, indicator_ids()),
        "period": (series % len(YEARS), [f"{year}-01-01/P1Y" for year in YEARS]),
    }
    made = {}
    for name, (codes, texts) in columns.items():
        column = pd.Series(pd.Categorical.from_codes(codes.astype(np.int16), texts))
        made[name] = column if form == "categorical" else column.astype("str")
    return pd.DataFrame({**made, "value": np.random.default_rng(1).uniform(0, 1000, ROWS)}, copy=False)


def indicator_ids() -> list[str]:
    return [f"people_{number}" for number in range(INDICATORS)]


def reexpression(form: str) -> list[Measure]:
    register = load_register()
    register.plan()
    table = large_table(form, register.districts(VINTAGE))
    kinds = dict.fromkeys(indicator_ids(), "count")
    start = time.perf_counter()
    result = reexpress(table, kinds, register)
    taken = time.perf_counter() - start
    lost = abs(result.observations["value"].sum() / table["value"].sum() - 1)
    name = f"10 million rows re-expressed, {form} columns"
    return [
        Measure(name, taken, "s", at_most=5),
        Measure(f"{name}, peak memory with the table itself", peak_megabytes(), "MB", at_most=2000),
        Measure(f"{name}, share of the sum lost", lost, "", at_most=1e-9),
    ]


def main() -> list[Measure]:
    found = []
    for form in FORMS:
        command = [sys.executable, "-m", "benchmarks.bench_geography", form]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        found += [Measure(**fields) for fields in json.loads(printed)]
    return found


if __name__ == "__main__":
    print(json.dumps([measure.__dict__ for measure in reexpression(sys.argv[1])]))
