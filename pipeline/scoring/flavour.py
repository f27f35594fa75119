"""One flavour of one framework, from positions to scores of every node: point estimates for all years at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Flavour, Framework, Window
from pipeline.scoring.aggregate import smallest_factor
from pipeline.scoring.bases import ORDER_METHODS, Base, fit_bases, leaf_groups, leaf_polarity
from pipeline.scoring.cube import Cube, choose_candidates
from pipeline.scoring.normalise import position_scores
from pipeline.scoring.positions import (
    Positions,
    SlopePart,
    change_positions,
    deciding_reliability,
    level_positions,
    reliability,
)
from pipeline.scoring.transform import AnyFloats, Bools, Floats, Ints
from pipeline.scoring.tree import Plan, Structure, compile_plan, evaluate, structure

ENOUGH = 0.9  # share of the best year's districts that a year needs to be studied


@dataclass(frozen=True)
class GateDecision:
    """Whether a leaf is scored: ``reliability`` is NaN if no error is known. ``yearly``: [years]."""

    leaf: int
    reliability: float
    yearly: Floats
    is_scored: bool
    has_figures: bool
    reason: str


@dataclass(frozen=True)
class FlavourRun:
    """Everything about one flavour (and window) of a framework.

    ``all_leaves`` is the plan with every indicator, ``plan`` the one that is scored. ``kept`` gives each leaf of
    ``plan`` its position in ``all_leaves``, which indexes ``positions`` and ``leaf_scores``. ``leaf_scores``: [all
    leaves, years, areas]; ``branch_scores``: [branches, years, areas]; NaN: not scored.
    """

    framework: Framework
    cube: Cube
    flavour: Flavour
    window: Window | None
    chosen: Mapping[str, str]
    all_leaves: Plan
    plan: Plan
    kept: tuple[int, ...]
    positions: Positions
    makings: list[SlopePart | None]
    is_raw: bool
    bases: tuple[Base, ...]
    gates: tuple[GateDecision, ...]
    structures: list[Structure]
    leaf_scores: Floats
    branch_scores: Floats

    @property
    def floor(self) -> float:
        return smallest_factor(self.framework.normalise)


def run_flavour(
    framework: Framework,
    cube: Cube,
    flavour: Flavour,
    window: Window | None = None,
    *,
    first_year: int | None = None,
    is_relative: bool = True,
) -> FlavourRun:
    """Score one flavour; ``window`` applies to change. ``first_year`` is the first year that a gate considers.

    With ``is_relative`` False figures are used as given, without the transform of METHODOLOGY section 2.
    """
    is_raw = not is_relative or framework.normalise.method == "goalposts"
    chosen = choose_candidates(framework, cube)
    everything = compile_plan(framework, flavour, chosen)
    makings: list[SlopePart | None] = []
    if flavour == "level" or window is None:
        positions = level_positions(framework, cube, everything.leaves, is_raw=is_raw)
    else:
        positions, makings = change_positions(framework, cube, everything.leaves, window)
    years = framework.change_base_years if makings else None
    bases = fit_bases(framework, cube, everything, positions, centre=None if is_raw else 0.0, years=years)
    gates = decide_gates(framework, cube, everything, positions, bases, first_year)
    dropped = frozenset(everything.leaves[g.leaf].id for g in gates if not g.is_scored)
    plan = compile_plan(framework, flavour, chosen, dropped)
    position_of = {leaf.id: k for k, leaf in enumerate(everything.leaves)}
    kept = tuple(position_of[leaf.id] for leaf in plan.leaves)
    scores = np.full(positions.used.shape, np.nan)
    for k in kept:
        scores[k] = score_leaf(framework, cube, everything, bases, k, positions.used[k], positions.basis[k])
    present = ~np.isnan(scores[list(kept)])
    structures = structure(plan, present, framework.missing, cube.nation, cube.is_district)
    branch_scores = np.full((len(plan.branches), *scores.shape[1:]), np.nan)
    if plan.branches:

        def keep(b: int, values: AnyFloats) -> None:
            branch_scores[b] = np.where(structures[b].is_scored, values, np.nan)

        evaluate(
            plan,
            [s.weights for s in structures],
            lambda k: np.nan_to_num(scores[kept[k]]),
            smallest_factor(framework.normalise),
            keep,
            lambda _k, _values: None,
        )
    return FlavourRun(
        framework, cube, flavour, window, chosen, everything, plan, kept, positions, makings, is_raw, tuple(bases),
        tuple(gates), structures, scores, branch_scores,
    )  # fmt: skip


def flavour_runs(framework: Framework, cube: Cube, *, first_year: int) -> list[FlavourRun]:
    """The level, and the change over each of the framework's windows, without flavours that have no node."""
    runs = [run_flavour(framework, cube, "level", first_year=first_year)]
    if framework.normalise.method != "goalposts":  # goalposts are in an indicator's unit, a slope is not
        runs += [run_flavour(framework, cube, "change", window, first_year=first_year) for window in framework.windows]
    return [run for run in runs if run.all_leaves.branches]


def study_row(run: FlavourRun) -> int | None:
    """The year to study: the latest in which nearly all districts are scored, mostly on that year's own figures."""
    scored = (~np.isnan(run.branch_scores[-1]) & run.cube.is_district).sum(axis=1)
    age = run.positions.age[list(run.kept)][:, :, run.cube.is_district]
    held = np.maximum((age >= 0).sum(axis=(0, 2)), 1)
    is_fresh = (age == 0).sum(axis=(0, 2)) / held >= 0.5
    rows = np.flatnonzero((scored >= ENOUGH * scored.max()) & (scored > 0) & is_fresh)
    return int(rows[-1]) if rows.size else None


def score_leaf(
    framework: Framework, cube: Cube, plan: Plan, bases: Sequence[Base], leaf: int, position: AnyFloats, basis: Ints
) -> AnyFloats:
    """Scores of one leaf's positions ([..., areas]) on its frozen base; NaN if missing or without spread.

    ``basis``: the number of the series' basis, [years, areas], or [areas] for positions of one year.
    """
    polarity = leaf_polarity(cube, plan, leaf)
    groups = leaf_groups(cube, plan, leaf)
    own = [base for base in bases if base.leaf == leaf]
    if framework.normalise.method not in ORDER_METHODS and len(own) == 1 and own[0].nation < 0:
        return own[0].scale.apply(position)
    scores = np.full(position.shape, np.nan, dtype=position.dtype)
    for nation, inside in groups.items():
        if framework.normalise.method in ORDER_METHODS:
            members = cube.is_district[inside]
            scores[..., inside] = position_scores(framework.normalise, position[..., inside], polarity, members)
            continue
        for base in own:
            if base.nation == nation:
                on_it = basis[..., inside] == base.basis
                scores[..., inside] = np.where(on_it, base.scale.apply(position[..., inside]), scores[..., inside])
    return scores


def decide_gates(
    framework: Framework,
    cube: Cube,
    plan: Plan,
    positions: Positions,
    bases: list[Base],
    first_year: int | None,
) -> list[GateDecision]:
    """Which leaves are scored: those with figures, spread, and (if errors are known) enough reliability."""
    start = 0 if first_year is None else max(0, cube.year_row(first_year))
    decisions = []
    for leaf in range(len(plan.leaves)):
        yearly = reliability(positions.own[leaf], positions.own_error[leaf], cube.is_district)
        deciding = deciding_reliability(yearly[start:])
        least = framework.gate.min_reliability if framework.gate else -np.inf
        has_figures = bool((~np.isnan(positions.own[leaf]) & cube.is_district).any())
        spread = any(base.scale.has_spread for base in bases if base.leaf == leaf)
        reason = ""
        if has_figures and not spread:
            reason = "no spread among districts in the base year, so nothing to measure distance with"
        elif deciding < least:
            reason = f"reliability {deciding:.2f} is below the {least:.2f} needed"
        decisions.append(GateDecision(leaf, deciding, yearly, not reason, has_figures, reason))
    return decisions


def has_known_error(run: FlavourRun) -> dict[tuple[bool, int], Bools]:
    """For each node (is a leaf, position in the plan), where its score uses a figure with a known error.

    Arrays [years, areas]. An error of any kind is known, also one of 0. If a figure without one is carried forward it
    stays unknown, since the series' drift is added to an unknown error.
    """
    known = {(True, n): run.positions.has_known_error[k] for n, k in enumerate(run.kept)}
    for b, (branch, shape) in enumerate(zip(run.plan.branches, run.structures, strict=True)):
        members = [known[True, k] for k in branch.leaves] + [known[False, c] for c in branch.children]
        known[False, b] = np.asarray((np.array(members) & (shape.weights > 0)).any(axis=0))
    return known
