"""The labelled edge of the scoring room: pandas frames in, pandas frames out. Everything between is numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring.audit_statistics import audit_of
from pipeline.scoring.change_table import change_table
from pipeline.scoring.composite_ranks import COMPOSITE_RANK_COLUMNS, composite_rank_table
from pipeline.scoring.contributions import contributions
from pipeline.scoring.draws import Summary
from pipeline.scoring.error_model import FROM_VINTAGES, KINDS, MODELLED, PUBLISHED
from pipeline.scoring.flavour import FlavourRun, flavour_runs, has_known_error
from pipeline.scoring.gate_table import base_table, gate_table
from pipeline.scoring.inputs import Areas, IndicatorSpec, ScoringInputError, read_areas, read_cube
from pipeline.scoring.labels import LABELS, NOT_CLEAR, printed_label
from pipeline.scoring.output_columns import concat, same, stack, text, whole, window_column
from pipeline.scoring.pieces import Simulate
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.reasons import not_scored_table
from pipeline.scoring.simulate import SimulationResult, simulate
from pipeline.scoring.transform import Bools, Floats

BAND_SHARE = 1 / 3  # a rank interval wider than this share of the field is shown as a band instead of one rank
SCORE_COLUMNS = (
    "area_code",
    "framework_id",
    "flavour",
    "year",
    "window_years",
    "node_id",
    "node_kind",
    "depth",
    "score",
    "score_lower",
    "score_upper",
    "rank",
    "rank_count",
    "rank_lower",
    "rank_upper",
    "is_ranked",
    "is_band",
    "is_carried_forward",
    "weight_present",
    "weight_with_error",
    "weight_published",
    "weight_from_vintages",
    "weight_modelled",
    "error_kind",
    "probability_top_fifth",
    "probability_bottom_fifth",
    "probability_above_typical",
)
CONTRIBUTION_COLUMNS = (
    "area_code",
    "framework_id",
    "flavour",
    "year",
    "window_years",
    "node_id",
    "member_id",
    "aggregate",
    "member_score",
    "weight",
    "contribution",
)
LABEL_COLUMNS = (
    "area_code",
    "framework_id",
    "window_years",
    "year",
    "label",
    "probability",
    "most_probable_label",
    "probability_growing_and_sharing",
    "probability_growing_not_sharing",
    "probability_sharing_not_growing",
    "probability_neither",
)


@dataclass(frozen=True)
class ScoreTables:
    """The results of one framework for the given areas. Each table is sorted and has unique keys.

    ``score``: SCORE_COLUMNS, a row for each area, flavour, window, year and node that is scored.
    ``not_scored``: ``area_code, framework_id, flavour, window_years, year, node_id, reason``.
    ``gate``: reliability of every indicator by flavour, window and year, and whether it is scored.
    ``base``: the frozen base of every indicator. ``contribution``: what each member adds to its node.
    ``change``: CHANGE_COLUMNS, every indicator's slopes and 1, 5 and 10-year differences with 90% intervals.
    ``label``: LABEL_COLUMNS, one row an area, window and year with known errors; the window is null for the level (no
    rows without draws).
    ``audit``: AUDIT_COLUMNS, statistics of indicators and nodes in the latest year with nearly all districts.
    ``composite_rank``: COMPOSITE_RANK_COLUMNS, confidence sets for ranks in the latest year (no rows without draws).
    """

    score: pd.DataFrame
    not_scored: pd.DataFrame
    gate: pd.DataFrame
    base: pd.DataFrame
    contribution: pd.DataFrame
    change: pd.DataFrame
    label: pd.DataFrame
    audit: pd.DataFrame
    composite_rank: pd.DataFrame


def score_framework(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
    *,
    first_year: int = 2009,
    draws: int = 0,
    seed: int = 1,
    simulate_runs: Simulate = simulate,
) -> ScoreTables:
    """Score every flavour, window, year and node of a framework.

    ``figures``: ``area_code, indicator_id, year, value, standard_error, status``, one row a figure, districts and wider
    areas mixed. ``areas``: ``area_code, level, nation_code, is_scored``. ``indicators`` describes every indicator with
    figures. Only scored districts make medians, spreads and ranks. Wider areas are placed on the same scale, and
    districts that are not scored are listed in ``not_scored``.

    With ``draws`` (2,000 is usual) the figures' errors are drawn through the whole chain. With ``draws`` 0 the interval and probability columns are null. ``simulate_runs``
    does the drawing, here or in other processes (`pipeline.scoring.pieces`).

    Raises ScoringInputError for figures that cannot be scored; the framework was checked on loading.
    """
    if framework.base_year is None:
        raise ScoringInputError(f"framework {framework.id} has no base_year, which scoring over years needs")
    register = read_areas(areas)
    cube, unknown = read_cube(framework, figures, register, indicators)
    runs = flavour_runs(framework, cube, first_year=first_year)
    drawn: Sequence[SimulationResult | None] = [None] * len(runs)
    if draws and runs:
        first_row = max(0, cube.year_row(first_year))
        drawn = simulate_runs(runs, register.is_placed, draws, seed, first_row=first_row)
    pairs = list(zip(runs, drawn, strict=True))
    scores = [_score_table(run, result, register, first_year) for run, result in pairs]
    return ScoreTables(
        score=concat([table for table in scores if len(table)], SCORE_COLUMNS),
        not_scored=not_scored_table(runs, register, unknown, first_year),
        gate=concat([gate_table(run, first_year) for run in runs]),
        base=concat([base_table(run, register) for run in runs]),
        contribution=concat(
            [table for run in runs if len(table := _contribution_table(run, register, first_year))],
            CONTRIBUTION_COLUMNS,
        ),
        change=change_table(runs, register, first_year),
        label=concat([_label_table(run, result) for run, result in pairs if result and result.labels], LABEL_COLUMNS),
        audit=audit_of(runs, first_year),
        composite_rank=concat(
            [table for run, result in pairs if result and len(table := composite_rank_table(run, result))],
            COMPOSITE_RANK_COLUMNS,
        ),
    )


@dataclass(frozen=True)
class NodeBlock:
    """All scored nodes of a run, root first then leaves: arrays [nodes, years, areas].

    ``weight_by_kind``: [kinds, nodes, years, areas], the share of the weight whose error is of each of KINDS but none.
    """

    ids: list[str]
    kinds: list[str]
    depths: list[int]
    scores: Floats
    weight_present: Floats
    weight_by_kind: Floats
    is_carried: Bools


def node_block(run: FlavourRun) -> NodeBlock:
    """Scores, weights and carried-forward marks of every node of a run, in printing order."""
    leaf_scores = run.leaf_scores[list(run.kept)]
    leaf_age = run.positions.age[list(run.kept)]
    leaf_kind = run.positions.kind[list(run.kept)]
    kinds_known = np.arange(1, len(KINDS))[:, None, None]
    carried: list[Bools] = []
    errors: list[Floats] = []
    for branch, shape in zip(run.plan.branches, run.structures, strict=True):
        old = [leaf_age[k] > 0 for k in branch.leaves] + [carried[b] for b in branch.children]
        known = [(leaf_kind[k] == kinds_known).astype(float) for k in branch.leaves]
        known += [errors[b] for b in branch.children]
        counts = shape.weights > 0
        carried.append(np.asarray((np.array(old) & counts).any(axis=0)))
        errors.append((np.array(known) * shape.weights[:, None]).sum(axis=0))
    ids, kinds, depths, scores, present, by_kind, is_carried = [], [], [], [], [], [], []
    for is_leaf, n in run.plan.order:
        if is_leaf:
            leaf = run.plan.leaves[n]
            ids.append(leaf.id)
            kinds.append("indicator")
            depths.append(leaf.depth)
            scores.append(leaf_scores[n])
            present.append((~np.isnan(leaf_scores[n])).astype(float))
            by_kind.append((leaf_kind[n] == kinds_known).astype(float))
            is_carried.append(leaf_age[n] > 0)
        else:
            branch = run.plan.branches[n]
            ids.append(branch.id)
            kinds.append(branch.kind)
            depths.append(branch.depth)
            scores.append(run.branch_scores[n])
            present.append(run.structures[n].weight_present)
            by_kind.append(errors[n])
            is_carried.append(carried[n])
    weight_by_kind = np.swapaxes(np.array(by_kind), 0, 1)
    return NodeBlock(ids, kinds, depths, np.array(scores), np.array(present), weight_by_kind, np.array(is_carried))


def _years(run: FlavourRun, first_year: int) -> slice:
    return slice(max(0, run.cube.year_row(first_year)), None)


def _score_table(run: FlavourRun, drawn: SimulationResult | None, areas: Areas, first_year: int) -> pd.DataFrame:
    if not run.plan.branches:
        return pd.DataFrame(columns=list(SCORE_COLUMNS))
    kept = _years(run, first_year)
    block = node_block(run)
    scores = np.where(areas.is_placed, block.scores, np.nan)[:, kept]
    ranks = np.full(scores.shape, np.nan)
    ranks[..., areas.is_district] = rank_rows(scores[..., areas.is_district])
    rank_count = (~np.isnan(ranks)).sum(axis=2)
    years = run.cube.years[kept]
    node, year, area = np.nonzero(~np.isnan(scores))
    rank = ranks[node, year, area]
    is_ranked = ~np.isnan(rank)
    rows = len(node)
    spread = {name: values[node, year, area] for name, values in _spreads(run, drawn, kept).items()}
    weights = block.weight_by_kind[:, :, kept][:, node, year, area]
    is_indicator = np.array(block.kinds)[node] == "indicator"
    kind = np.where(weights.any(axis=0), 1 + weights.argmax(axis=0), 0)
    is_band = spread["rank_upper"] - spread["rank_lower"] > rank_count[node, year] * BAND_SHARE
    return pd.DataFrame(
        {
            "area_code": text(run.cube.area_codes, area),
            "framework_id": same(run.framework.id, rows),
            "flavour": same(run.flavour, rows),
            "year": years[year].astype("int32"),
            "window_years": window_column(run.window, rows),
            "node_id": text(block.ids, node),
            "node_kind": text(block.kinds, node),
            "depth": np.array(block.depths, dtype="int32")[node],
            "score": scores[node, year, area],
            "score_lower": spread["lower"],
            "score_upper": spread["upper"],
            "rank": whole(rank),
            "rank_count": whole(np.where(is_ranked, rank_count[node, year], np.nan)),
            "rank_lower": whole(spread["rank_lower"]),
            "rank_upper": whole(spread["rank_upper"]),
            "is_ranked": is_ranked,
            "is_band": pd.arrays.BooleanArray(is_band, np.isnan(spread["rank_lower"])),
            "is_carried_forward": block.is_carried[:, kept][node, year, area],
            "weight_present": block.weight_present[:, kept][node, year, area],
            "weight_with_error": weights.sum(axis=0),
            "weight_published": weights[PUBLISHED - 1],
            "weight_from_vintages": weights[FROM_VINTAGES - 1],
            "weight_modelled": weights[MODELLED - 1],
            "error_kind": text(KINDS, np.where(is_indicator, kind, -1)),
            "probability_top_fifth": spread["top_fifth"],
            "probability_bottom_fifth": spread["bottom_fifth"],
            "probability_above_typical": spread["above_middle"],
        },
        columns=list(SCORE_COLUMNS),
    )


def _spreads(run: FlavourRun, drawn: SimulationResult | None, kept: slice) -> dict[str, Floats]:
    """Each field of the draws' summaries as [nodes, years, areas], nodes in printing order.

    A score without any known error behind it has no interval (null), rather than one of zero width.
    """
    names = list(Summary.__annotations__)
    years = range(len(run.cube.years))[kept]
    shape = (len(run.plan.order), len(years), len(run.cube.area_codes))
    out = {name: np.full(shape, np.nan) for name in names}
    if drawn is None:
        return out
    known_by_node = has_known_error(run)
    for n, key in enumerate(run.plan.order):
        for t, row in enumerate(years):
            summary = drawn.summaries.get((row, key))
            if summary is None:
                continue
            known = known_by_node[key][row]
            for name in names:
                out[name][n, t] = np.where(known, getattr(summary, name), np.nan)
    return out


def _label_table(run: FlavourRun, drawn: SimulationResult) -> pd.DataFrame:
    """Labels of the areas whose growth and sharing both use a figure with a known error; the others have no probability."""
    labels = run.framework.labels
    if labels is None or not drawn.labels:
        return pd.DataFrame(columns=list(LABEL_COLUMNS))
    rows = sorted(drawn.labels)
    probabilities = np.stack([drawn.labels[row] for row in rows], axis=1)  # [labels, years, areas]
    known = has_known_error(run)
    is_known = np.ones(probabilities.shape[1:], dtype=bool)
    for b, branch in enumerate(run.plan.branches):
        if branch.id in (labels.growth, labels.sharing):
            is_known &= known[False, b][rows]
    year, area = np.nonzero(~np.isnan(probabilities[0]) & is_known)
    held = probabilities[:, year, area]
    printed, highest = printed_label(held, labels.min_probability)
    return pd.DataFrame(
        {
            "area_code": text(run.cube.area_codes, area),
            "framework_id": same(run.framework.id, len(area)),
            "window_years": window_column(run.window, len(area)),
            "year": run.cube.years[rows][year].astype("int32"),
            "label": text([*LABELS, NOT_CLEAR], np.where(printed < 0, len(LABELS), printed)),
            "probability": highest,
            "most_probable_label": text(LABELS, held.argmax(axis=0)),
            "probability_growing_and_sharing": held[0],
            "probability_growing_not_sharing": held[1],
            "probability_sharing_not_growing": held[2],
            "probability_neither": held[3],
        }
    )


def _contribution_table(run: FlavourRun, areas: Areas, first_year: int) -> pd.DataFrame:
    """One row a scored area, year, node and member: the member's score, its weight there, its contribution."""
    kept = _years(run, first_year)
    years = run.cube.years[kept]
    low, high = run.framework.normalise.range
    middle = (low + high) / 2
    leaf_scores = run.leaf_scores[list(run.kept)]
    leaf_ids = [leaf.id for leaf in run.plan.leaves]
    names = leaf_ids + [branch.id for branch in run.plan.branches]
    parts = []
    for b, branch in enumerate(run.plan.branches):
        ids = np.array([*branch.leaves, *(len(leaf_ids) + c for c in branch.children)])
        members = np.concatenate([leaf_scores[list(branch.leaves)], run.branch_scores[list(branch.children)]])[:, kept]
        weights = run.structures[b].weights[:, kept]
        part = contributions(branch.aggregate, members, weights, middle, run.floor)
        at = np.nonzero((weights > 0) & areas.is_placed)
        columns = {"area": at[2], "year": years[at[1]], "member": ids[at[0]], "node": np.full(len(at[0]), b)}
        parts.append(columns | {"score": members[at], "weight": weights[at], "contribution": part[at]})
    if not parts:
        return pd.DataFrame(columns=list(CONTRIBUTION_COLUMNS))
    held = stack(parts)
    rows = len(held["area"])
    means = [branch.aggregate for branch in run.plan.branches]
    return pd.DataFrame(
        {
            "area_code": text(run.cube.area_codes, held["area"]),
            "framework_id": same(run.framework.id, rows),
            "flavour": same(run.flavour, rows),
            "year": held["year"].astype("int32"),
            "window_years": window_column(run.window, rows),
            "node_id": text(names[len(leaf_ids) :], held["node"]),
            "member_id": text(names, held["member"]),
            "aggregate": text(means, held["node"]),
            "member_score": held["score"],
            "weight": held["weight"],
            "contribution": held["contribution"],
        },
        columns=list(CONTRIBUTION_COLUMNS),
    )
