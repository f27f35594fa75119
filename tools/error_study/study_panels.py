"""The series the study looks at, as positions against the typical district."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.catalogue import load_catalogue
from pipeline.estimation.error_process import Floats
from pipeline.geography import load_register, reexpress
from pipeline.scoring.transform import relative_error, relative_position
from pipeline.settings import BASELINE_DIR
from tools.revisions.held_editions import NOT_SCORED

Z95 = 2 * 1.96  # standard errors in a published 95% interval


@dataclass(frozen=True)
class Panel:
    """``value``, ``position``, ``error`` (of the position; NaN where none is published): [years, districts].

    ``people``: [districts], residents of 2020.
    """

    years: tuple[int, ...]
    codes: tuple[str, ...]
    value: Floats
    position: Floats
    error: Floats
    people: Floats


def shipped_panel(indicator_id: str) -> Panel:
    """All parts of an indicator among the figures shipped with the project."""
    parts = [pd.read_parquet(path) for path in sorted(BASELINE_DIR.glob(f"{indicator_id}.parquet"))]
    parts += [pd.read_parquet(path) for path in sorted(BASELINE_DIR.glob(f"{indicator_id}--*.parquet"))]
    table = pd.concat(parts).dropna(subset="value")
    indicator = load_catalogue().indicators[indicator_id]
    table = table.assign(standard_error=(table["upper"] - table["lower"]) / Z95)
    return panel(table, indicator_id, indicator.kind, is_log=indicator.transform == "log_ratio")


def old_child_poverty(path: Path) -> Panel:
    """Child poverty by the method before 2026, ten years of it."""
    table = pd.read_csv(path, encoding="utf-8-sig")
    table = table.rename(columns={"AREACD": "area_code", "Period": "period", "Observation": "value"})
    table = table[["area_code", "period", "value"]].dropna().assign(standard_error=np.nan)
    period = table["period"].str[:4] + "-04-01/P1Y"
    return panel(table.assign(period=period), "child_poverty_bhc", "rate", is_log=False)


def panel(table: pd.DataFrame, indicator_id: str, kind: str, *, is_log: bool) -> Panel:
    """The scored districts of today of ``area_code, period, value, standard_error``; each year by the number it begins with."""
    register = load_register()
    districts = sorted(set(register.districts()) - set(NOT_SCORED))
    columns = ["area_code", "period", "value", "standard_error"]
    table = reexpress(table[columns].assign(indicator_id=indicator_id), {indicator_id: kind}, register).observations
    table = table[table["area_code"].isin(districts)].assign(year=lambda t: t["period"].str[:4].astype(int))
    years = range(table["year"].min(), table["year"].max() + 1)
    codes = sorted(table["area_code"].unique())
    wide = table.drop_duplicates(["area_code", "year"], keep="last").set_index(["year", "area_code"])
    value, error = (
        wide[name].unstack().reindex(index=years, columns=codes).to_numpy(dtype=float)
        for name in ("value", "standard_error")
    )
    everyone = np.ones(len(codes), dtype=bool)
    return Panel(
        years=tuple(years),
        codes=tuple(codes),
        value=value,
        position=relative_position(value, is_log, everyone),
        error=relative_error(value, error, is_log),
        people=register.areas.set_index("area_code")["population_2020"].reindex(codes).to_numpy(dtype=float),
    )
