"""Ten million rows of 2021 re-expressed on today's map, beside a pandas merge with a sum, as categorical and as text columns."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.case import Case, work
from benchmarks.measure import Limit
from pipeline.geography import load_register, reexpress

ROWS, ROWS_QUICK = 10_000_000, 500_000
VINTAGE = 2021
INDICATORS = 2_000
YEARS = range(2005, 2020)
LARGEST_SHARE_LOST = 1e-9


def large_table(form: str, districts: list[str], rows: int) -> pd.DataFrame:
    """Counts of many indicators and years by district; ``text`` columns are made one by one, to hold little at once."""
    row = np.arange(rows, dtype=np.int32)
    series = row // len(districts)
    columns = {
        "area_code": (row % len(districts), districts),
        "indicator_id": (series // len(YEARS) % INDICATORS, indicator_ids()),
        "period": (series % len(YEARS), [f"{year}-01-01/P1Y" for year in YEARS]),
    }
    made = {}
    for name, (codes, texts) in columns.items():
        column = pd.Series(pd.Categorical.from_codes(codes.astype(np.int16), pd.Index(texts)))
        made[name] = column if form == "categorical" else column.astype("str")
    return pd.DataFrame({**made, "value": np.random.default_rng(1).uniform(0, 1000, rows)}, copy=False)


def indicator_ids() -> list[str]:
    return [f"people_{number}" for number in range(INDICATORS)]


def prepare(form: str) -> Any:
    def make(quick: bool) -> dict[str, Any]:
        register = load_register()
        register.plan()
        districts = register.districts(VINTAGE)
        today = pd.DataFrame(
            [(code, now) for code in districts for now in register.current_codes(code)], columns=["area_code", "now"]
        )
        table = large_table(form, districts, ROWS_QUICK if quick else ROWS)
        return {"register": register, "table": table, "today": today, "form": form}

    return make


def reexpressed(given: dict[str, Any]) -> None:
    kinds = dict.fromkeys(indicator_ids(), "count")
    result = reexpress(given["table"], kinds, given["register"])
    lost = abs(result.observations["value"].sum() / given["table"]["value"].sum() - 1)
    if lost > LARGEST_SHARE_LOST:
        raise AssertionError(f"re-expression lost a share of {lost:g} of the sum")


def merged(given: dict[str, Any]) -> None:
    """As an analyst would: the list of old and new codes joined on, then summed by new code, indicator and period."""
    joined = given["table"].merge(given["today"], on="area_code")
    joined.groupby(["now", "indicator_id", "period"], observed=True, sort=False)["value"].sum()


def case(form: str, repeats: int) -> Case:
    return Case(
        id=f"reexpression-{form}",
        title=f"10 million rows re-expressed on today's map, {form} columns",
        prepare=prepare(form),
        ours=reexpressed,
        peer=merged,
        peer_title="pandas merge and sum, without splits, errors, ledger or marks of how each figure was made",
        limits=(Limit(at_most=5), Limit(at_most=2000, of="peak")),
        repeats=repeats,
        note="The sum over all rows is kept to within a billionth, or the run fails.",
    )


CASES = (case("categorical", 3), case("text", 1))

if __name__ == "__main__":
    work("geography", CASES, sys.argv[1:])
