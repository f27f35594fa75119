"""Read source files of ONS Explore Local Statistics as observations, for tests only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ELS_FILES = (
    "business-demography",
    "children-in-relative-poverty",
    "claimant-count",
    "employment-rate",
    "employment-rate-ni",
    "gross-disposable-household-income-per-head",
    "gross-median-weekly-pay",
    "gross-value-added",
    "healthy-life-expectancy",
    "housing-affordability-ratio",
    "modelled-unemployment",
    "qualifications-level-3-or-above",
    "qualifications-level-3-or-above-ni",
    "qualifications-none-gb",
)


def read_els(path: Path) -> pd.DataFrame:
    """The rows of one file; a row's number is its line in the file."""
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    numbers = {name: pd.to_numeric(raw[name], errors="coerce") for name in ("observation", "lci_95", "uci_95")}
    marks = {"": "ok", "x": "not_available", "u": "unreliable", "c": "suppressed", "z": "not_available"}
    return pd.DataFrame(
        {
            "area_code": raw["areacd"],
            "indicator_id": raw["indicator"],
            "period": raw["period"],
            "value": numbers["observation"],
            "lower": numbers["lci_95"],
            "upper": numbers["uci_95"],
            "standard_error": (numbers["uci_95"] - numbers["lci_95"]) / 3.92,
            "status": raw["status"].map(marks) if "status" in raw else "ok",
            "source_row": range(2, len(raw) + 2),
        }
    )
