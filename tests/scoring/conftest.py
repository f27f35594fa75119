"""Figures for the scoring tests: synthetic ones with everything awkward in them, and the published examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.scoring import IndicatorSpec
from pipeline.settings import PROJECT_ROOT

SHARED = PROJECT_ROOT.parent / "shared" / "data"

# A framework with every feature: three kinds of mean, unequal weights, a mixed node, a nested node, an optional
# pillar, nations, pillars of one flavour only, a gated indicator.
FRAMEWORK: dict[str, Any] = {
    "id": "synthetic",
    "base_year": 2015,
    "change_base_years": [2013, 2017],
    "normalise": {"method": "robust_z", "clip": 3},
    "missing": {"min_weight_in_pillar": 0.5, "min_weight_in_domain": 0.6, "carry_forward_years": 2},
    "gate": {"min_reliability": 0.5},
    "windows": [{"years": 10, "min_points": 5}, {"years": 5, "min_points": 4}],
    "labels": {"growth": "growth", "sharing": "sharing"},
    "tree": {
        "id": "index",
        "aggregate": "geometric",
        "children": [
            {
                "id": "growth",
                "aggregate": "geometric",
                "weight": 2,
                "children": [
                    {"id": "productivity", "indicators": ["output"]},
                    {"id": "wages", "indicators": [{"id": "pay", "weight": 3}, "income"]},
                    {"id": "late", "optional": True, "indicators": ["starts_late"]},
                ],
            },
            {
                "id": "sharing",
                "aggregate": "harmonic",
                "indicators": ["claimants"],
                "children": [
                    {"id": "work", "indicators": ["employment", "noisy", "unemployment"]},
                    {
                        "id": "place",
                        "flavours": ["level"],
                        "optional": True,
                        "indicators": [{"id": "gap", "standardise_within": "nation", "carry_forward_years": 5}],
                    },
                    {"id": "time", "flavours": ["change"], "indicators": ["hours"]},
                ],
            },
        ],
    },
}
SPECS = {
    "output": IndicatorSpec(1, "log_ratio"),
    "pay": IndicatorSpec(1, "log_ratio"),
    "income": IndicatorSpec(1, "log_ratio"),
    "starts_late": IndicatorSpec(1, "difference"),
    "claimants": IndicatorSpec(-1, "difference"),
    "employment": IndicatorSpec(1, "difference"),
    "noisy": IndicatorSpec(1, "difference"),
    "unemployment": IndicatorSpec(-1, "difference"),
    "gap": IndicatorSpec(-1, "difference"),
    "hours": IndicatorSpec(-1, "difference"),
}
WITH_ERRORS = {"pay": 0.03, "employment": 1.0, "noisy": 6.0, "unemployment": 0.4}


def synthetic_figures(seed: int = 1, districts: int = 24, years: tuple[int, int] = (2004, 2020)) -> pd.DataFrame:
    """Figures for ``districts`` districts in two nations and three wider areas, with gaps, in no order."""
    rng = np.random.default_rng(seed)
    codes = [f"E{n:03d}" for n in range(districts // 2)] + [f"W{n:03d}" for n in range(districts - districts // 2)]
    codes += ["R001", "R002", "N001"]
    rows = []
    for indicator, spec in SPECS.items():
        level = rng.normal(0, 1, len(codes))
        trend = rng.normal(0, 0.06, len(codes))
        start = 2013 if indicator == "starts_late" else years[0]
        step = 4 if indicator == "gap" else 1
        for year in range(start, years[1] + 1, step):
            z = level + trend * (year - 2012) + rng.normal(0, 0.15, len(codes))
            values = 20 * np.exp(0.2 * z) if spec.transform == "log_ratio" else 30 + 3 * z
            for code, value in zip(codes, values, strict=True):
                if rng.random() < 0.08 or (code in ("E001", "R002") and indicator == "output"):
                    continue
                error = np.nan
                if indicator in WITH_ERRORS and code != "E002":
                    size = WITH_ERRORS[indicator] * (value if spec.transform == "log_ratio" else 1.0)
                    error = size * rng.uniform(0.5, 1.5)
                rows.append((code, indicator, year, value, error, "ok"))
    columns = ["area_code", "indicator_id", "year", "value", "standard_error", "status"]
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=seed).reset_index(drop=True)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its text columns as text, whichever way they are stored."""
    return table.astype({name: "str" for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)})


def areas_of(figures: pd.DataFrame, extra: tuple[str, ...] = ()) -> pd.DataFrame:
    codes = sorted({*figures["area_code"], *extra})
    is_district = [code[0] in "EW" for code in codes]
    return pd.DataFrame(
        {
            "area_code": codes,
            "level": ["district" if d else "region" for d in is_district],
            "nation_code": [code[0] if d else "E" for code, d in zip(codes, is_district, strict=True)],
            "is_scored": is_district,
        }
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real figures beside the project; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real figures (../shared/data) are not here")
    return SHARED
