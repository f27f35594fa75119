"""Audit, sensitivity and rank confidence sets of a framework as tables. Part of the labelled edge (pandas)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring import audit
from pipeline.scoring.cube import Cube
from pipeline.scoring.effects import Effects, VariantResult, sobol_effects, variants
from pipeline.scoring.inputs import Areas, IndicatorSpec, read_areas, read_cube
from pipeline.scoring.positions import indicator_series
from pipeline.scoring.rank_sets import rank_confidence_sets
from pipeline.scoring.run import FlavourRun, run_flavour
from pipeline.scoring.sensitivity import RHOS, Study
from pipeline.scoring.simulate import simulate
from pipeline.scoring.transform import Floats

AUDIT_COLUMNS = (
    "framework_id",
    "flavour",
    "window_years",
    "year",
    "node_id",
    "member_id",
    "other_id",
    "statistic",
    "value",
    "districts",
    "is_flagged",
    "note",
)
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
TOO_ALIKE, AT_ODDS = 0.92, -0.3  # correlations beyond which members duplicate, or work against, each other
ENOUGH = 0.9  # of the districts of the best year, for a year to be studied


@dataclass(frozen=True)
class SensitivityTables:
    """``effect``: first-order and total effects of each factor; ``area_effect``: on each area's own rank;
    ``variant``: every choice changed alone, with its proof; ``rho``: interval widths by correlation of errors."""

    effect: pd.DataFrame
    area_effect: pd.DataFrame
    variant: pd.DataFrame
    rho: pd.DataFrame


def _runs(framework: Framework, cube: Cube, first_year: int) -> list[FlavourRun]:
    runs = [run_flavour(framework, cube, "level", first_year=first_year)]
    if framework.normalise.method != "goalposts":
        runs += [run_flavour(framework, cube, "change", w, first_year=first_year) for w in framework.windows]
    return [run for run in runs if run.plan.branches]


def study_row(run: FlavourRun) -> int | None:
    """The year to study: the latest in which nearly all districts are scored, mostly on figures of their own year."""
    scored = (~np.isnan(run.branch_scores[-1]) & run.cube.is_district).sum(axis=1)
    age = run.positions.age[list(run.kept)][:, :, run.cube.is_district]
    held = np.maximum((age >= 0).sum(axis=(0, 2)), 1)
    is_fresh = (age == 0).sum(axis=(0, 2)) / held >= 0.5
    rows = np.flatnonzero((scored >= ENOUGH * scored.max()) & (scored > 0) & is_fresh)
    return int(rows[-1]) if rows.size else None


def audit_table(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    first_year: int = 2009,
) -> pd.DataFrame:
    """AUDIT_COLUMNS: one row a statistic, for every flavour and window, in the latest year with nearly all districts.

    Of each indicator: coverage, mean, sd, skew, kurtosis, correlation ratio with the root (its importance) beside
    its nominal weight. Of each node: correlations of its members, principal components, Cronbach's alpha.
    ``is_flagged`` marks what a reader should know, ``note`` says it.
    """
    cube, _ = read_cube(framework, figures, read_areas(areas), indicators)
    rows: list[tuple[object, ...]] = []
    for run in _runs(framework, cube, first_year):
        row = study_row(run)
        if row is not None:
            head = (framework.id, run.flavour, run.window.years if run.window else None, int(cube.years[row]))
            rows += [(*head, *statistic) for statistic in _statistics(run, row)]
    table = pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))
    return table.astype({"window_years": "Int32", "year": "int32", "districts": "int32"})


Statistic = tuple[str, str | None, str | None, str, float, int, bool, str]


def _statistics(run: FlavourRun, row: int) -> Iterator[Statistic]:
    district = run.cube.is_district
    for n, k in enumerate(run.kept):
        leaf = run.plan.leaves[n].id
        if np.isnan(run.positions.used[k, row, district]).all():
            continue
        shape = audit.shape(run.positions.used[k, row, district])
        treat = "skewed and heavy-tailed: a few districts stretch the scale" if shape.needs_treatment else ""
        for name in ("coverage", "mean", "sd", "skew", "kurtosis"):
            flag = bool(treat) and name in ("skew", "kurtosis")
            yield leaf, None, None, name, getattr(shape, name), shape.count, flag, treat if flag else ""
    for b, branch in enumerate(run.plan.branches):
        ids = [run.plan.leaves[k].id for k in branch.leaves] + [run.plan.branches[c].id for c in branch.children]
        members = [run.leaf_scores[run.kept[k], row] for k in branch.leaves]
        members += [run.branch_scores[c, row] for c in branch.children]
        table = np.array(members).T[district]
        held = np.flatnonzero(~np.isnan(table).all(axis=0))
        if held.size > 1:
            yield from _multivariate(branch.id, [ids[h] for h in held], table[:, held])
        weights = run.structures[b].weights[:, row][:, district]
        if branch is run.plan.root:
            yield from _importance(run, row)
        yield branch.id, None, None, "coverage", float((weights.sum(axis=0) > 0).mean()), int(district.sum()), False, ""


def _multivariate(node: str, ids: list[str], table: Floats) -> Iterator[Statistic]:
    count = int(audit.complete_rows(table).sum())
    correlation = audit.correlations(table)
    for i in range(len(ids)):
        for j in range(i + 1, len(ids)):
            value = float(correlation[i, j])
            note = (
                "nearly the same information twice"
                if value > TOO_ALIKE
                else "pull against each other"
                if value < AT_ODDS
                else ""
            )
            yield node, ids[i], ids[j], "correlation", value, count, bool(note), note
    values = audit.eigenvalues(correlation)
    loadings = audit.first_component(correlation)
    for n, value in enumerate(values, start=1):
        yield node, None, None, f"eigenvalue_{n}", float(value), count, False, ""
    yield node, None, None, "first_component_share", float(values[0] / len(ids)), count, False, ""
    for name, loading in zip(ids, loadings, strict=True):
        yield node, name, None, "first_component_weight", float(loading), count, False, ""
    yield node, None, None, "cronbach_alpha", audit.cronbach_alpha(correlation), count, False, ""


def _importance(run: FlavourRun, row: int) -> Iterator[Statistic]:
    """Of every indicator in the root: nominal weight (as the tree multiplies out) and correlation ratio."""
    district = run.cube.is_district
    nominal = nominal_weights(run, row)
    names = [leaf.id for n, leaf in enumerate(run.plan.leaves) if nominal[n] > 0]
    table = np.array([run.leaf_scores[run.kept[n], row] for n in range(len(run.plan.leaves)) if nominal[n] > 0]).T[
        district
    ]
    ratios, shares = audit.importance_shares(table, run.branch_scores[-1, row, district])
    root = run.plan.root.id
    count = int((~np.isnan(run.branch_scores[-1, row]) & district).sum())
    for n, name in enumerate(names):
        weight = float(nominal[nominal > 0][n])
        dominant = bool(shares[n] > audit.DOMINANCE_LIMIT)
        yield root, name, None, "nominal_weight", weight, count, False, ""
        yield root, name, None, "correlation_ratio", float(ratios[n]), count, False, ""
        yield (
            root,
            name,
            None,
            "importance_share",
            float(shares[n]),
            count,
            dominant,
            "dominates the index" if dominant else "",
        )


def nominal_weights(run: FlavourRun, row: int) -> Floats:
    """Weight of each leaf in the root where everything any district has that year is present: [leaves], summing to 1."""
    share = np.zeros(len(run.plan.leaves))

    def spread(b: int, part: float) -> None:
        branch = run.plan.branches[b]
        has = [not np.isnan(run.leaf_scores[run.kept[k], row]).all() for k in branch.leaves]
        has += [bool(run.structures[c].is_scored[row].any()) for c in branch.children]
        weights = [run.plan.leaves[k].reference.weight for k in branch.leaves]
        weights += [run.plan.branches[c].weight for c in branch.children]
        total = sum(w for w, present in zip(weights, has, strict=True) if present)
        for position, (weight, present) in enumerate(zip(weights, has, strict=True)):
            if not present:
                continue
            if position < len(branch.leaves):
                share[branch.leaves[position]] += part * weight / total
            else:
                spread(branch.children[position - len(branch.leaves)], part * weight / total)

    spread(len(run.plan.branches) - 1, 1.0)
    return share


def sensitivity_tables(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    first_year: int = 2009,
    samples: int = 64,
    draws: int = 500,
    seed: int = 1,
) -> SensitivityTables:
    """Effects of every choice on ranks at the root, for level and change, in the latest year with nearly all districts.

    ``samples`` is a power of 2; ``samples x (factors + 2)`` combinations are scored for each flavour.
    """
    register = read_areas(areas)
    cube, _ = read_cube(framework, figures, register, indicators)
    effects, area_effects, varied, widths = [], [], [], []
    for run in _runs(framework, cube, first_year)[:2]:
        row = study_row(run)
        if row is None:
            continue
        head = {"framework_id": framework.id, "flavour": run.flavour, "year": int(cube.years[row])}
        study = Study(framework, cube, run.flavour == "change", row, seed=seed, first_year=first_year)
        found = sobol_effects(study, samples, seed)
        effects.append(_effect_table(head, found))
        area_effects.append(_area_effect_table(head, found, register))
        varied.append(_variant_table(head, variants(study)))
        widths.append(_rho_table(head, study, row, register, draws, seed, first_year))
    return SensitivityTables(
        *(pd.concat(tables, ignore_index=True) for tables in (effects, area_effects, varied, widths))
    )


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


def _rho_table(
    head: Mapping[str, object], study: Study, row: int, areas: Areas, draws: int, seed: int, first_year: int
) -> pd.DataFrame:
    """Median width of 90% intervals at the root, and indicators gated, for each correlation of errors over time."""
    rows = []
    for rho in RHOS:
        span = study.framework.windows[0] if study.is_change else None
        flavour = "change" if study.is_change else "level"
        run = run_flavour(study.framework, study.cube, flavour, span, rho=rho, first_year=first_year)  # type: ignore[arg-type]
        result = simulate([run], areas.is_placed, draws, seed, rho=rho, first_row=row, last_row=row)[0]
        summary = result.summaries[row, (False, len(run.plan.branches) - 1)]
        rows.append(
            {
                **head,
                "rho": rho,
                "median_score_width": float(np.nanmedian((summary.upper - summary.lower)[areas.is_district])),
                "median_rank_width": float(np.nanmedian(summary.rank_upper - summary.rank_lower)),
                "indicators_displayed_not_scored": ", ".join(
                    run.all_leaves.leaves[gate.leaf].id for gate in run.gates if not gate.is_scored
                ),
                "draws": draws,
            }
        )
    return pd.DataFrame(rows)


def rank_set_table(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    coverage: float = 0.9,
    seed: int = 1,
) -> pd.DataFrame:
    """RANK_SET_COLUMNS: confidence sets for the rank of every scored district on each indicator with errors.

    The latest year in which half of the scored districts have a figure with a standard error; marginal and
    simultaneous sets of the given coverage.
    """
    register = read_areas(areas)
    cube, _ = read_cube(framework, figures, register, indicators)
    codes = np.array(register.codes, dtype=object)
    tables = []
    for k, name in enumerate(cube.indicator_ids):
        series = indicator_series(cube, k, within_nation=False)
        both = ~np.isnan(series.position) & ~np.isnan(series.error) & cube.is_district
        rows = np.flatnonzero(both.sum(axis=1) * 2 >= max(1, cube.is_district.sum()))
        if not rows.size:
            continue
        row = rows[-1]
        held = both[row]
        estimate, error = cube.polarity[k] * series.position[row, held], series.error[row, held]
        alone = rank_confidence_sets(estimate, error, coverage, simultaneous=False, seed=seed)
        together = rank_confidence_sets(estimate, error, coverage, simultaneous=True, seed=seed)
        tables.append(
            pd.DataFrame(
                {
                    "area_code": codes[held],
                    "framework_id": framework.id,
                    "indicator_id": name,
                    "year": np.int32(cube.years[row]),
                    "coverage": coverage,
                    "rank": alone.rank.astype("int32"),
                    "rank_count": np.int32(held.sum()),
                    "rank_lower": alone.lower.astype("int32"),
                    "rank_upper": alone.upper.astype("int32"),
                    "rank_lower_simultaneous": together.lower.astype("int32"),
                    "rank_upper_simultaneous": together.upper.astype("int32"),
                },
                columns=list(RANK_SET_COLUMNS),
            ).astype({"area_code": "str"})
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(RANK_SET_COLUMNS))
