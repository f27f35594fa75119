"""Makes the tables of docs/studies/bases.md from the shipped figures: ``python -m tools.bases_study --into PAGE``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.catalogue.frameworks import Framework, load_framework
from pipeline.run.assemble import assemble
from pipeline.run.context import Run, open_run
from pipeline.run.mart_inputs import area_rows
from pipeline.run.refresh import acquire_all
from pipeline.scoring import indicator_specs
from pipeline.scoring.bases import Base, leaf_polarity
from pipeline.scoring.cube import Cube
from pipeline.scoring.flavour import FlavourRun, run_flavour
from pipeline.scoring.inputs import Areas, read_areas, read_cube
from pipeline.scoring.transform import MAD_TO_SD
from tools.error_study.study_tables import markdown, with_tables

FRAMEWORK = "shared_growth"
FIRST_YEAR = 2009
YEARS = (2019, 2023, 2025)
FEWEST = 100  # districts with a slope, below which no spread is shown


def shipped_cube(framework: Framework, run: Run) -> tuple[Cube, Areas]:
    """The shipped figures on today's map, as a refresh without the network scores them."""
    yearly = assemble(run.inputs, run.stores, acquire_all(run)).yearly
    areas = read_areas(area_rows(run.inputs.register)[["area_code", "level", "nation_code", "is_scored"]])
    return read_cube(framework, yearly, areas, indicator_specs(run.inputs.catalogue.indicators))[0], areas


def drift_rows(one_year: FlavourRun, pooled: FlavourRun) -> Iterator[list[str]]:
    """How wide slopes are spread in each year, in spreads of the base."""
    window = pooled.window.years if pooled.window else 0
    for k in pooled.kept:
        cells = [pooled.all_leaves.leaves[k].id, str(window)]
        for run in (one_year, pooled):
            latest = [base for base in run.bases if base.leaf == k][-1]
            for year in YEARS:
                slopes = run.positions.own[k][run.cube.year_row(year), run.cube.is_district]
                held = slopes[~np.isnan(slopes)]
                wide = MAD_TO_SD * float(np.median(np.abs(held - np.median(held)))) if held.size >= FEWEST else np.nan
                cells.append("-" if np.isnan(wide) else f"{wide / latest.spread:.2f}")
        yield cells


def moved_rows(one_year: FlavourRun, pooled: FlavourRun) -> Iterator[list[str]]:
    """How far scores of districts moved from one base to the other."""
    window = pooled.window.years if pooled.window else 0
    for b, branch in enumerate(pooled.plan.branches):
        for year in (2023, 2025):
            row = pooled.cube.year_row(year)
            old, new = (run.branch_scores[b, row, run.cube.is_district] for run in (one_year, pooled))
            both = ~np.isnan(old) & ~np.isnan(new)
            if not both.any():
                continue
            moved = np.abs(new - old)[both]
            crossed = int(((new > 50) != (old > 50))[both].sum())
            yield [
                branch.id,
                str(window),
                str(year),
                str(both.sum()),
                f"{np.median(moved):.1f}",
                f"{moved.max():.1f}",
                str(crossed),
                f"{np.corrcoef(old[both], new[both])[0, 1]:.3f}",
            ]


def nation_rows(level: FlavourRun, areas: Areas) -> Iterator[list[str]]:
    """The spread of each nation's districts, its own and the one used, and what scores range over with each."""
    for base in level.bases:
        if base.nation < 0 or not base.districts:
            continue
        own = MAD_TO_SD * base.mad
        ranges = [_range(level, base, spread) for spread in (own, base.spread)]
        name = level.all_leaves.leaves[base.leaf].id
        digits = 1 if own > 0.5 else 3
        yield [
            name,
            areas.nation_codes[base.nation],
            str(base.year),
            str(base.districts),
            f"{own:.{digits}f}",
            f"{base.spread:.{digits}f}",
            *ranges,
        ]


def _range(level: FlavourRun, base: Base, spread: float) -> str:
    inside = (level.cube.nation == base.nation) & level.cube.is_district
    position = level.positions.own[base.leaf][level.cube.year_row(base.year or 0), inside]
    z = leaf_polarity(level.cube, level.all_leaves, base.leaf) * position[~np.isnan(position)] / spread
    scores = 50 + 50 * np.clip(z, -3, 3) / 3
    return f"{scores.min():.0f} to {scores.max():.0f}"


def study(run: Run) -> dict[str, str]:
    """Every table of the page, by name, from the figures that an offline ``run`` holds."""
    framework = load_framework(FRAMEWORK)
    cube, areas = shipped_cube(framework, run)
    alone = framework.model_copy(update={"change_base_years": None})
    drift: list[list[str]] = []
    moved: list[list[str]] = []
    for window in framework.windows:
        runs = [run_flavour(way, cube, "change", window, first_year=FIRST_YEAR) for way in (alone, framework)]
        drift += drift_rows(*runs)
        moved += moved_rows(*runs)
    level = run_flavour(framework, cube, "level", first_year=FIRST_YEAR)
    spreads = [f"{base}, {year}" for base in ("base 2019", "pooled") for year in YEARS]
    return {
        "drift": markdown(["indicator", "window", *spreads], drift),
        "moved": markdown(
            ["score", "window", "year", "districts", "median move", "largest", "crossed 50", "correlation"], moved
        ),
        "nations": markdown(
            [
                "indicator", "nation", "year", "districts", "own spread", "spread used", "scores with own", "with used",
            ],
            list(nation_rows(level, areas)),
        ),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, required=True, help="the page whose tables are made anew")
    page: Path = parser.parse_args().into
    page.write_text(
        with_tables(page.read_text(encoding="utf-8"), study(open_run(offline=True, draws=0))), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
