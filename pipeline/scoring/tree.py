"""A framework's tree as flat lists for array work, for one flavour; and what is scored, given the figures present.

Which weights count depends only on which figures exist, never on their values. So this is worked out once
(``structure``) and reused for every draw (``evaluate``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Aggregate, Flavour, Framework, IndicatorReference, Missing, Node
from pipeline.scoring.aggregate import combine
from pipeline.scoring.transform import AnyFloats, Bools, Floats, Ints

WEIGHT_TOLERANCE = 1e-9  # so that two thirds meet a rule of 0.6666667


@dataclass(frozen=True)
class Leaf:
    """An indicator at its position in the tree. ``id`` is the one chosen from ``reference.candidates``."""

    id: str
    reference: IndicatorReference
    depth: int


@dataclass(frozen=True)
class Branch:
    """A node with its members: positions in ``Plan.leaves`` and in ``Plan.branches``."""

    id: str
    title: str
    kind: str
    depth: int
    aggregate: Aggregate
    weight: float
    is_optional: bool
    leaves: tuple[int, ...]
    children: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """``branches`` hold children before their parents, the root last; ``order`` is root first, for printing."""

    leaves: tuple[Leaf, ...]
    branches: tuple[Branch, ...]
    order: tuple[tuple[bool, int], ...]

    @property
    def root(self) -> Branch:
        return self.branches[-1]


def compile_plan(
    framework: Framework, flavour: Flavour, chosen: Mapping[str, str], dropped: frozenset[str] = frozenset()
) -> Plan:
    """Flatten the tree for one flavour.

    ``chosen`` maps the first candidate of a reference to the indicator used for it. Indicators in ``dropped`` (gated,
    or without spread) are left out, as are nodes left empty. What is decided for all areas alike is not missing data,
    so it does not count in any denominator.
    """
    leaves: list[Leaf] = []
    branches: list[Branch] = []

    def add(node: Node, depth: int) -> tuple[int, list[tuple[bool, int]]] | None:
        if flavour not in node.flavours:
            return None
        below: list[tuple[bool, int]] = []
        own: list[int] = []
        for reference in node.indicators:
            name = chosen.get(reference.candidates[0], reference.candidates[0])
            if name not in dropped:
                own.append(len(leaves))
                below.append((True, len(leaves)))
                leaves.append(Leaf(name, reference, depth + 1))
        children: list[int] = []
        for child in node.children:
            added = add(child, depth + 1)
            if added is not None:
                children.append(added[0])
                below.extend(added[1])
        if not own and not children:
            return None
        kind = "index" if depth == 0 else "pillar" if node.indicators else "domain" if depth == 1 else "node"
        position = len(branches)
        branches.append(
            Branch(
                node.id, node.title or node.id, kind, depth, node.aggregate, node.weight, node.optional,
                tuple(own), tuple(children),
            )
        )  # fmt: skip
        return position, [(False, position), *below]

    added = add(framework.tree, 0)
    if added is None:
        return Plan((), (), ())
    return Plan(tuple(leaves), tuple(branches), tuple(added[1]))


@dataclass(frozen=True)
class Structure:
    """What counts in one branch. All arrays [years, areas], ``weights`` [members, years, areas] summing to 1.

    Members are the leaves, then the children. ``present_count`` and ``member_count`` give their numbers.
    """

    weights: Floats
    is_scored: Bools
    weight_present: Floats
    weight_needed: Floats
    present_count: Floats
    member_count: Floats


def held_by_districts(is_there: Bools, nation: Ints, is_district: Bools) -> Bools:
    """Where some scored district of an area's nation has it: [years, areas] -> [years, areas].

    Wider areas decide nothing for districts: a nation may publish for itself what it does not publish for its
    districts. Every district is in a nation. Areas that span nations (``nation`` -1) are grouped together.
    """
    out = np.zeros(is_there.shape, dtype=bool)
    for n in np.unique(nation):
        inside = nation == n
        asked = inside & is_district if n >= 0 else inside
        out[:, inside] = np.asarray(is_there[:, asked].any(axis=1))[:, None]
    return out


def structure(plan: Plan, is_present: Bools, missing: Missing, nation: Ints, is_district: Bools) -> list[Structure]:
    """Apply the missing rules. ``is_present``: [leaves, years, areas]; one Structure a branch, in the plan's order.

    A node needs ``min_weight_in_pillar`` of the weight of its own indicators and ``min_weight_in_domain`` of the weight
    of its children. An optional child is not a member for an area in a year if neither the area nor any district of its
    ``nation`` ([areas]) has it then: some statistics are published by one nation only.
    """
    done: list[Structure] = []
    years, areas = is_present.shape[1:]
    for branch in plan.branches:
        leaf_weights = np.array([plan.leaves[k].reference.weight for k in branch.leaves])
        child_weights = np.array([plan.branches[b].weight for b in branch.children])
        scale = max(leaf_weights.max(initial=0.0), child_weights.max(initial=0.0)) or 1.0
        present = np.array(
            [is_present[k] for k in branch.leaves] + [done[b].is_scored for b in branch.children], dtype=bool
        ).reshape(-1, years, areas)
        counted = np.ones(present.shape, dtype=bool)
        for offset, b in enumerate(branch.children, start=len(branch.leaves)):
            if plan.branches[b].is_optional:
                counted[offset] = present[offset] | held_by_districts(present[offset], nation, is_district)
        raw = np.concatenate([leaf_weights, child_weights]) / scale
        member_weight = raw[:, None, None] * counted
        weighted = raw[:, None, None] * present
        is_leaf = np.arange(len(raw)) < len(branch.leaves)
        is_scored: Bools = np.asarray(present.any(axis=0))
        needed = np.zeros((years, areas))
        share = np.zeros((years, areas))
        for group, least in ((is_leaf, missing.min_weight_in_pillar), (~is_leaf, missing.min_weight_in_domain)):
            total = member_weight[group].sum(axis=0)
            if not group.any():
                continue
            part = np.divide(weighted[group].sum(axis=0), total, out=np.zeros((years, areas)), where=total > 0)
            is_scored = is_scored & ((part >= least - WEIGHT_TOLERANCE) | (total == 0))
            needed = np.maximum(needed, least)
        everything = member_weight.sum(axis=0)
        held = weighted.sum(axis=0)
        share = np.divide(held, everything, out=np.zeros((years, areas)), where=everything > 0)
        weights = np.divide(weighted, held, out=np.zeros(weighted.shape), where=is_scored & (held > 0))
        done.append(
            Structure(
                weights=weights,
                is_scored=is_scored,
                weight_present=share,
                weight_needed=needed,
                present_count=present.sum(axis=0).astype(float),
                member_count=counted.sum(axis=0).astype(float),
            )
        )
    return done


def reweigh(plan: Plan, structures: Sequence[Structure], is_present: Bools) -> list[Floats]:
    """Weights of another ``plan`` of the same shape, for what ``structures`` scores.

    One [members, years, areas] array a branch. So changing weights never changes who has a score.
    """
    weights = []
    for branch, own in zip(plan.branches, structures, strict=True):
        raw = [plan.leaves[k].reference.weight for k in branch.leaves] + [
            plan.branches[b].weight for b in branch.children
        ]
        present = np.array([is_present[k] for k in branch.leaves] + [structures[b].is_scored for b in branch.children])
        weighted = np.array(raw)[:, None, None] * present
        held = weighted.sum(axis=0)
        weights.append(np.divide(weighted, held, out=np.zeros(weighted.shape), where=own.is_scored & (held > 0)))
    return weights


def evaluate(
    plan: Plan,
    weights: Sequence[Floats],
    leaf_scores: Callable[[int], AnyFloats],
    floor: float,
    on_branch: Callable[[int, AnyFloats], None],
    on_leaf: Callable[[int, AnyFloats], None],
    bounds: tuple[float, float] | None = None,
) -> None:
    """Score every branch, children first, with few arrays in memory: each is handed over and then folded in.

    ``weights``: one [members, (years,) areas] array a branch. ``leaf_scores(k)`` gives [areas], [years, areas] or
    [draws, areas], finite everywhere (a filler where missing). Leading axes broadcast, so anything without error stays
    a single row. Traversal is depth first, so at most one array for each level of the tree is alive. ``bounds``: see
    ``combine``.
    """

    def score(b: int) -> AnyFloats:
        branch = plan.branches[b]

        def members() -> Sequence[Callable[[], AnyFloats]]:
            return [lambda k=k: leaf(k) for k in branch.leaves] + [lambda c=c: score(c) for c in branch.children]

        result = combine(branch.aggregate, members(), weights[b], floor, bounds)
        on_branch(b, result)
        return result

    def leaf(k: int) -> AnyFloats:
        values = leaf_scores(k)
        on_leaf(k, values)
        return values

    score(len(plan.branches) - 1)
