"""Statistical audit of a framework as a table: how its indicators and nodes relate. Part of the labelled edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring import audit
from pipeline.scoring.audit import Statistic
from pipeline.scoring.flavour import FlavourRun, flavour_runs, study_row
from pipeline.scoring.framework_audit import unneeded_notes, whole_framework
from pipeline.scoring.inputs import IndicatorSpec, read_areas, read_cube
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
    "limit",
    "is_failure",
)
TOO_ALIKE, AT_ODDS = 0.92, -0.3  # correlations beyond which members duplicate, or work against, each other


def audit_table(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    first_year: int = 2009,
) -> pd.DataFrame:
    """The audit of a framework on some figures: see ``audit_of``. Arguments as for ``score_framework``."""
    cube, _ = read_cube(framework, figures, read_areas(areas), indicators)
    return audit_of(flavour_runs(framework, cube, first_year=first_year), first_year)


def audit_of(runs: Sequence[FlavourRun], first_year: int) -> pd.DataFrame:
    """AUDIT_COLUMNS: one row a statistic, for every flavour and window, in the latest year with nearly all districts.

    For each indicator: coverage, mean, sd, skew, kurtosis, and the correlation ratio with the root (its importance)
    beside its nominal weight. For each node: correlations of its members, principal components, Cronbach's alpha. For
    the whole: see ``framework_audit``. ``is_flagged`` marks what readers should know, and ``is_failure`` what fails the
    framework; ``note`` states it. Effective weights are given for every year from ``first_year``.
    """
    rows: list[tuple[object, ...]] = []
    found: list[Statistic] = []
    heads: list[tuple[object, ...]] = []
    for run in runs:
        row = study_row(run) if run.plan.branches else None
        if row is None:
            continue
        head = (run.framework.id, run.flavour, run.window.years if run.window else None)
        heads.append((*head, int(run.cube.years[row])))
        of_run = [*_statistics(run, row), *whole_framework(run, row, first_year)]
        rows += [(*head, s.year or heads[-1][-1], *s[:-1]) for s in of_run]
        found += of_run
    if heads:
        rows += [(*heads[0], *s[:-1]) for s in unneeded_notes(runs[0].framework, found)]
    table = pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))
    return table.astype({"window_years": "Int32", "year": "int32", "districts": "int32"})


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
            yield Statistic(leaf, None, None, name, getattr(shape, name), shape.count, flag, treat if flag else "")
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
        coverage = float((weights.sum(axis=0) > 0).mean())
        yield Statistic(branch.id, None, None, "coverage", coverage, int(district.sum()))


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
            yield Statistic(node, ids[i], ids[j], "correlation", value, count, bool(note), note)
    values = audit.eigenvalues(correlation)
    loadings = audit.first_component(correlation)
    for n, value in enumerate(values, start=1):
        yield Statistic(node, None, None, f"eigenvalue_{n}", float(value), count)
    yield Statistic(node, None, None, "first_component_share", float(values[0] / len(ids)), count)
    for name, loading in zip(ids, loadings, strict=True):
        yield Statistic(node, name, None, "first_component_weight", float(loading), count)
    yield Statistic(node, None, None, "cronbach_alpha", audit.cronbach_alpha(correlation), count)


def _importance(run: FlavourRun, row: int) -> Iterator[Statistic]:
    """For every indicator in the root: nominal weight (multiplied down the tree) and correlation ratio."""
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
        yield Statistic(root, name, None, "nominal_weight", weight, count)
        yield Statistic(root, name, None, "correlation_ratio", float(ratios[n]), count)
        note = "dominates the index" if dominant else ""
        yield Statistic(root, name, None, "importance_share", float(shares[n]), count, dominant, note)


def nominal_weights(run: FlavourRun, row: int) -> Floats:
    """Each leaf's weight in the root, given everything that any district has that year: [leaves], summing to 1."""
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
