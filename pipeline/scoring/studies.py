"""Sensitivity and rank confidence sets of a framework as tables. Part of the labelled edge (pandas)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring.cube import Cube
from pipeline.scoring.effects import Effects, VariantResult, sobol_effects, variants
from pipeline.scoring.error_model import PUBLISHED
from pipeline.scoring.flavour import flavour_runs, study_row
from pipeline.scoring.inputs import Areas, IndicatorSpec, read_areas, read_cube
from pipeline.scoring.positions import indicator_series
from pipeline.scoring.rank_sets import DRAWS, both_rank_sets
from pipeline.scoring.sensitivity import Study
from pipeline.scoring.transform import Floats

RANK_SET_COLUMNS = (
    "area_code",
    "framework_id",
    "indicator_id",
    "year",
    "coverage",
    "rank",
    "rank_count",
    "rank_lower",
    "rank_upper",
    "rank_lower_simultaneous",
    "rank_upper_simultaneous",
)


@dataclass(frozen=True)
class SensitivityTables:
    """``effect``: first-order and total effects of each factor; ``area_effect``: on each area's own rank;
    ``variant``: every choice changed alone, with its proof."""

    effect: pd.DataFrame
    area_effect: pd.DataFrame
    variant: pd.DataFrame


def sensitivity_tables(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    first_year: int = 2009,
    samples: int = 64,
    seed: int = 1,
) -> SensitivityTables:
    """Effects of every choice on ranks at the root, for level and change, in the latest year with nearly all districts.

    ``samples`` is a power of 2; ``samples x (factors + 2)`` combinations are scored for each flavour.
    """
    register = read_areas(areas)
    cube, _ = read_cube(framework, figures, register, indicators)
    effects, area_effects, varied = [], [], []
    for run in [run for run in flavour_runs(framework, cube, first_year=first_year) if run.plan.branches][:2]:
        row = study_row(run)
        if row is None:
            continue
        head = {"framework_id": framework.id, "flavour": run.flavour, "year": int(cube.years[row])}
        study = Study(framework, cube, run.flavour == "change", row, seed=seed, first_year=first_year)
        found = sobol_effects(study, samples, seed)
        effects.append(_effect_table(head, found))
        area_effects.append(_area_effect_table(head, found, register))
        varied.append(_variant_table(head, variants(study)))
    return SensitivityTables(*(pd.concat(tables, ignore_index=True) for tables in (effects, area_effects, varied)))


def _effect_table(head: Mapping[str, object], found: Effects) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **head,
            "factor": list(found.factors),
            "first_order": found.first,
            "first_order_half_width": found.first_half_width,
            "total_effect": found.total,
            "total_effect_half_width": found.total_half_width,
            "mean_area_total_effect": [_mean(row) for row in found.area_total],
            "mean_rank_shift": found.mean_shift,
            "evaluations": found.evaluations,
        }
    )


def _mean(values: Floats) -> float:
    held = values[~np.isnan(values)]
    return float(held.mean()) if held.size else float("nan")


def _area_effect_table(head: Mapping[str, object], found: Effects, areas: Areas) -> pd.DataFrame:
    factor, area = np.nonzero(~np.isnan(found.area_total))
    return pd.DataFrame(
        {
            "area_code": np.array(areas.codes, dtype=object)[area],
            **head,
            "factor": np.array(found.factors, dtype=object)[factor],
            "first_order": found.area_first[factor, area],
            "total_effect": found.area_total[factor, area],
        }
    ).astype({"area_code": "str", "factor": "str"})


def _variant_table(head: Mapping[str, object], results: list[VariantResult]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **head,
            "factor": [item.factor for item in results],
            "option": [item.option for item in results],
            "proof": [item.proof for item in results],
            "is_proven": [item.is_proven for item in results],
            "mean_rank_shift": [item.mean_shift for item in results],
            "largest_rank_shift": [item.largest_shift for item in results],
            "districts_compared": [item.compared for item in results],
            "districts_no_longer_ranked": [item.newly_unranked for item in results],
        }
    )


def rank_set_table(
    frameworks: Sequence[Framework],
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    coverage: float = 0.9,
    draws: int = DRAWS,
    seed: int = 1,
) -> pd.DataFrame:
    """RANK_SET_COLUMNS: confidence sets for the rank of every scored district on each indicator with published errors.

    For the latest year in which half of the scored districts have a figure with a published standard error; marginal and
    simultaneous sets of the given coverage. An indicator in several frameworks is calculated once.
    """
    register = read_areas(areas)
    made: dict[str, pd.DataFrame | None] = {}
    tables = []
    for framework in frameworks:
        cube, _ = read_cube(framework, figures, register, indicators)
        for k, name in enumerate(cube.indicator_ids):
            if name not in made:
                made[name] = _rank_sets_of(cube, k, coverage, draws, seed)
            table = made[name]
            if table is not None:
                tables.append(table.assign(framework_id=framework.id))
    if not tables:
        return pd.DataFrame(columns=list(RANK_SET_COLUMNS))
    return pd.concat(tables, ignore_index=True)[list(RANK_SET_COLUMNS)]


def _rank_sets_of(cube: Cube, k: int, coverage: float, draws: int, seed: int) -> pd.DataFrame | None:
    """The sets of one indicator, in its latest year with enough errors; None if there is no such year."""
    series = indicator_series(cube, k, within_nation=False)
    both = ~np.isnan(series.position) & (series.errors.kind == PUBLISHED) & cube.is_district
    rows = np.flatnonzero(both.sum(axis=1) * 2 >= max(1, cube.is_district.sum()))
    if not rows.size:
        return None
    row = rows[-1]
    held = both[row]
    estimate, error = cube.polarity[k] * series.position[row, held], series.errors.level[row, held]
    alone, together = both_rank_sets(estimate, error, coverage, draws=draws, seed=seed)
    table = pd.DataFrame(
        {
            "area_code": np.array(cube.area_codes, dtype=object)[held],
            "indicator_id": cube.indicator_ids[k],
            "year": np.int32(cube.years[row]),
            "coverage": coverage,
            "rank": alone.rank.astype("int32"),
            "rank_count": np.int32(held.sum()),
            "rank_lower": alone.lower.astype("int32"),
            "rank_upper": alone.upper.astype("int32"),
        }
    ).astype({"area_code": "str", "indicator_id": "str"})
    if together is not None:
        table["rank_lower_simultaneous"] = together.lower.astype("int32")
        table["rank_upper_simultaneous"] = together.upper.astype("int32")
    return table
