"""Audit of a framework as a whole: pillars against each other and against the other domains' inputs, weights, ends.

Limits on correlations follow the advice of the OECD/JRC Handbook (2008), step 4, that strongly correlated parts count one
thing twice; across domains a strong negative one means that one side holds the other with its sign turned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.catalogue.frameworks import Aggregate, Framework
from pipeline.scoring import audit
from pipeline.scoring.audit import Statistic
from pipeline.scoring.contributions import contributions
from pipeline.scoring.flavour import ENOUGH, FlavourRun
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.transform import AnyFloats, Floats
from pipeline.scoring.tree import Branch, Plan, evaluate

WITHIN_LIMIT, ACROSS_LIMIT = 0.8, 0.7  # of rank correlations, in size
HIGHER_FLOOR = 0.1  # of the range, tried in place of the floor of geometric means
WITHIN, ACROSS, WITH_INPUT = (
    "rank_correlation_within_domain",
    "rank_correlation_across_domains",
    "rank_correlation_with_input",
)
LIMITS = {WITHIN: WITHIN_LIMIT, ACROSS: ACROSS_LIMIT, WITH_INPUT: ACROSS_LIMIT}
_WITHOUT_NOTE = "above the limit, and the framework's audit notes do not say why: take one out, or add a note"


@dataclass(frozen=True)
class Member:
    """A pillar or one of its indicators: ``lineage`` holds the branches from the root's child down to it, by number."""

    id: str
    pillar: int
    lineage: tuple[int, ...]
    scores: Floats

    def domain(self, plan: Plan) -> int:
        """The branch at depth 1 above, or the root's own number for a pillar directly below the root."""
        top = self.lineage[0]
        return top if plan.branches[top].children else len(plan.branches) - 1


def whole_framework(run: FlavourRun, row: int, first_year: int) -> Iterator[Statistic]:
    """Statistics of one flavour: correlations, ends of the scale and means in the year ``row``, weights of every year."""
    yield from _correlations(run, row)
    yield from _ends(run, row)
    yield from _rank_moves(run, row)
    yield from _effective_weights(run, first_year)


def unneeded_notes(framework: Framework, found: Sequence[Statistic]) -> Iterator[Statistic]:
    """A row for each of the framework's notes whose pair is nowhere above its limit; ``value`` is the largest |r| seen."""
    for note in framework.audit.notes:
        sizes = [
            (abs(s.value), s.limit, s.districts)
            for s in found
            if s.name in LIMITS and {s.member, s.other} == set(note.pair)
        ]
        if any(size > limit for size, limit, _ in sizes):
            continue
        held = [(size, count) for size, _, count in sizes if not np.isnan(size)]
        value, count = max(held, default=(float("nan"), 0))
        said = (
            "the framework's audit notes explain a pair that is not above the limit, or not scored: take the note out"
        )
        yield Statistic(framework.tree.id, note.pair[0], note.pair[1], "unneeded_note", value, count, True, said)


def _members(run: FlavourRun, row: int) -> tuple[list[Member], list[Member]]:
    """The scored pillars, and the scored indicators of pillars that have more than one."""
    plan, district = run.plan, run.cube.is_district
    lineages = _lineages(plan)
    pillars, inputs = [], []
    for b, branch in enumerate(plan.branches):
        if branch.kind != "pillar":
            continue
        pillars.append(Member(branch.id, b, lineages[b], run.branch_scores[b, row, district]))
        leaves = [
            Member(plan.leaves[k].id, b, lineages[b], run.leaf_scores[run.kept[k], row, district])
            for k in branch.leaves
        ]
        held = [leaf for leaf in leaves if not np.isnan(leaf.scores).all()]
        inputs += held if len(held) + len(branch.children) > 1 else []
    return [pillar for pillar in pillars if not np.isnan(pillar.scores).all()], inputs


def _lineages(plan: Plan) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}

    def walk(b: int, above: tuple[int, ...]) -> None:
        found[b] = above
        for child in plan.branches[b].children:
            walk(child, (*above, child))

    walk(len(plan.branches) - 1, ())
    return found


def _correlations(run: FlavourRun, row: int) -> Iterator[Statistic]:
    pillars, inputs = _members(run, row)
    for n, one in enumerate(pillars):
        for other in pillars[n + 1 :]:
            if one.pillar not in other.lineage and other.pillar not in one.lineage:
                is_within = one.domain(run.plan) == other.domain(run.plan)
                yield _judged(run, one, other, WITHIN if is_within else ACROSS)
    for pillar in pillars:
        for indicator in inputs:
            if pillar.domain(run.plan) != indicator.domain(run.plan):
                yield _judged(run, pillar, indicator, WITH_INPUT)


def _judged(run: FlavourRun, one: Member, other: Member, name: str) -> Statistic:
    """A rank correlation with its limit: it fails above the limit, unless the framework's notes say why it may be."""
    value, count = audit.rank_correlation(one.scores, other.scores)
    limit = LIMITS[name]
    is_above = abs(value) > limit
    notes = {frozenset(note.pair): note.why for note in run.framework.audit.notes}
    why = notes.get(frozenset((one.id, other.id)))
    said = "" if not is_above else _WITHOUT_NOTE if why is None else f"above the limit; the framework says why: {why}"
    is_failure = is_above and why is None
    return Statistic(run.plan.root.id, one.id, other.id, name, value, count, is_above, said, limit, is_failure)


def _ends(run: FlavourRun, row: int) -> Iterator[Statistic]:
    """By pillar: the share of its scored districts at or below the floor of means, and at the top of the scale."""
    settings = run.framework.normalise
    if settings.is_unbounded or settings.method == "rank":
        return
    low, high = settings.range
    for pillar in _members(run, row)[0]:
        held = pillar.scores[~np.isnan(pillar.scores)]
        shares = {"share_at_bottom": held <= max(low, run.floor), "share_at_top": held >= high - 1e-9}
        for name, is_there in shares.items():
            yield Statistic(pillar.id, None, None, name, float(is_there.mean()), held.size)


def _rank_moves(run: FlavourRun, row: int) -> Iterator[Statistic]:
    """How far districts move in rank with arithmetic instead of geometric means, and with a floor of a tenth."""
    settings = run.framework.normalise
    if settings.is_unbounded or settings.method == "rank" or not run.plan.root.children:
        return
    floor = HIGHER_FLOOR * (settings.range[1] - settings.range[0])
    arithmetic, geometric = (_ranks(run, row, mean, run.floor) for mean in ("arithmetic", "geometric"))
    moves = np.abs(arithmetic - geometric)
    higher = np.abs(_ranks(run, row, "geometric", floor) - geometric)
    root = run.plan.root.id
    for name, value in (
        ("rank_move_arithmetic_geometric_median", float(np.median(moves))),
        ("rank_move_arithmetic_geometric_largest", float(moves.max(initial=0))),
        ("rank_move_floor_of_a_tenth_largest", float(higher.max(initial=0))),
    ):
        yield Statistic(root, None, None, name, value, moves.size)


def _ranks(run: FlavourRun, row: int, mean: Aggregate, floor: float) -> Floats:
    """Ranks of the scored districts at the root with this mean at every node that has children: [districts]."""
    branches = tuple(replace(b, aggregate=mean) if b.children else b for b in run.plan.branches)
    held: dict[int, AnyFloats] = {}
    evaluate(
        Plan(run.plan.leaves, branches, run.plan.order),
        [shape.weights[:, row] for shape in run.structures],
        lambda k: np.nan_to_num(run.leaf_scores[run.kept[k], row]),
        floor,
        held.__setitem__,
        lambda _k, _values: None,
    )
    is_ranked = run.structures[-1].is_scored[row] & run.cube.is_district
    return np.asarray(rank_rows(np.asarray(held[len(branches) - 1], dtype=float)[is_ranked][None])[0])


def _effective_weights(run: FlavourRun, first_year: int) -> Iterator[Statistic]:
    """Each pillar's share of the index's variance over districts, and its mean weight, in every year with nearly all.

    The share is the covariance of the pillar's contribution with the index over the index's variance, both as the root
    adds them up (logarithms under a geometric mean). It is exact if all nodes above pillars use one kind of mean, and
    otherwise divided by the sum over pillars.
    """
    district = run.cube.is_district
    parts = [(name, scores[:, district], weight[:, district]) for name, scores, weight in _parts(run)]
    is_scored = run.structures[-1].is_scored[:, district]
    count = is_scored.sum(axis=1)
    low, high = run.framework.normalise.range
    for row in np.flatnonzero((count >= ENOUGH * count.max(initial=0)) & (count >= audit.FEWEST)):
        year = int(run.cube.years[row])
        if year < first_year:
            continue
        members = np.array([scores[row, is_scored[row]] for _, scores, _ in parts])
        weights = np.array([weight[row, is_scored[row]] for _, _, weight in parts])
        added = contributions(run.plan.root.aggregate, members, weights, (low + high) / 2, run.floor)
        shares = audit.variance_shares(added)
        root = run.plan.root.id
        for (name, _, _), share, weight in zip(parts, shares, weights.mean(axis=1), strict=True):
            if weight == 0:
                continue
            yield Statistic(root, name, None, "effective_weight", float(share), int(count[row]), year=year)
            yield Statistic(root, name, None, "mean_weight", float(weight), int(count[row]), year=year)


def _parts(run: FlavourRun) -> Iterator[tuple[str, Floats, Floats]]:
    """Pillars (and indicators beside other nodes) with their scores and weights in the index: [years, areas]."""
    plan = run.plan

    def walk(b: int, weight: Floats) -> Iterator[tuple[str, Floats, Floats]]:
        branch: Branch = plan.branches[b]
        if not branch.children:
            yield branch.id, run.branch_scores[b], weight
            return
        own = run.structures[b].weights
        for position, k in enumerate(branch.leaves):
            yield plan.leaves[k].id, run.leaf_scores[run.kept[k]], weight * own[position]
        for position, child in enumerate(branch.children, start=len(branch.leaves)):
            yield from walk(child, weight * own[position])

    yield from walk(len(plan.branches) - 1, np.ones(run.branch_scores.shape[1:]))
