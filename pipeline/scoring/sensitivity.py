"""One year of one flavour scored under any combination of choices (METHODOLOGY section 7).

The choices are normalisation, weights, aggregation, one indicator left out, the missing rule, the figures' errors and,
for change, the window. ``effects.py`` uses this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.catalogue.frameworks import Aggregate, Flavour, Framework, Method, Missing, Normalise
from pipeline.scoring.aggregate import smallest_factor
from pipeline.scoring.audit import correlations, first_component
from pipeline.scoring.bases import fit_bases
from pipeline.scoring.cube import Cube
from pipeline.scoring.flavour import FlavourRun, run_flavour, score_leaf
from pipeline.scoring.simulate import Series, World
from pipeline.scoring.transform import AnyFloats, Floats
from pipeline.scoring.tree import Plan, compile_plan, evaluate, reweigh, structure

REALISATIONS = 32  # drawn sets of survey errors that a study chooses from
DIRICHLET_DRAWS = 32
CONCENTRATION = 20.0  # of Dirichlet weights: a member of four has weights of about 0.25 give or take 0.09
METHODS: tuple[Method, ...] = ("robust_z", "z", "min_max", "percentile")
AGGREGATES: tuple[Aggregate, ...] = ("arithmetic", "geometric")
MISSING: Mapping[str, tuple[float, float]] = {"strict": (2 / 3, 2 / 3), "lenient": (1 / 4, 1 / 3)}
NOTHING = "none"


@dataclass(frozen=True)
class Choices:
    """One way of scoring. The defaults are the framework's own."""

    normalisation: str = "as given"
    weights: str = "as given"
    weights_draw: int = 0
    aggregation: str = "as given"
    left_out: str = NOTHING
    missing: str = "as given"
    survey_error: int = 0  # 0: the published figures; n: the n-th drawn set of true values
    window: int = 0  # position in the framework's windows


@dataclass(frozen=True)
class Outcome:
    """Scores of the root ([areas], NaN not ranked) and the settings actually used, as proof that a choice was applied."""

    scores: Floats
    leaf_scores: Mapping[str, AnyFloats]
    weights: Mapping[str, float]
    aggregates: Mapping[str, str]
    least_weights: tuple[float, float]
    positions: Mapping[str, AnyFloats]


class Study:
    """One year of one flavour of a framework, to be scored under any choices."""

    def __init__(
        self, framework: Framework, cube: Cube, is_change: bool, row: int, *, seed: int, first_year: int
    ) -> None:
        self.framework, self.cube, self.row, self.seed = framework, cube, row, seed
        self.is_change, self.first_year = is_change, first_year
        self._runs: dict[int, FlavourRun] = {}
        self._drawn: dict[int, dict[str, AnyFloats]] = {}
        self._plans: dict[tuple[int, str], Plan] = {}
        self._scored: dict[tuple[str, str, int, int], AnyFloats] = {}

    def run(self, window: int) -> FlavourRun:
        """The ordinary run over one window (which does not affect a level)."""
        key = window if self.is_change else 0
        if key not in self._runs:
            span = self.framework.windows[key] if self.is_change else None
            flavour: Flavour = "change" if self.is_change else "level"
            self._runs[key] = run_flavour(self.framework, self.cube, flavour, span, first_year=self.first_year)
        return self._runs[key]

    @property
    def leaves(self) -> list[str]:
        """Indicators that can be left out: those with figures that are scored under the framework's own choices."""
        run = self.run(0)
        held = np.asarray((~np.isnan(run.leaf_scores[:, self.row, self.cube.is_district])).any(axis=1))
        return [run.plan.leaves[n].id for n, k in enumerate(run.kept) if held[k]]

    def position(self, leaf: str, choices: Choices) -> AnyFloats:
        """Positions of one leaf, under the chosen set of survey errors."""
        run = self.run(choices.window)
        k = [item.id for item in run.all_leaves.leaves].index(leaf)
        if choices.survey_error == 0:
            return run.positions.used[k, self.row]
        drawn = self._realisations(choices.window)[leaf]
        return drawn[choices.survey_error - 1] if drawn.ndim == 2 else drawn

    def _realisations(self, window: int) -> dict[str, AnyFloats]:
        """Posterior draws of each leaf's positions: [realisations, areas], or [areas] without an error."""
        if window not in self._drawn:
            run = self.run(window)
            world = World(run, np.ones(len(self.cube.area_codes), dtype=bool), self.row)
            memory = world.memory()
            series = Series(self.cube, world.variants(), REALISATIONS, self.seed, memory)
            with ThreadPoolExecutor(max_workers=1) as pool:
                for row in range(max(0, self.row - memory + 1), self.row + 1):
                    series.advance(row, pool)
            drawn = {run.all_leaves.leaves[k].id: world.leaf_position(k, self.row, series) for k in run.kept}
            self._drawn[window] = {
                name: values[REALISATIONS:] if values.ndim == 2 else values for name, values in drawn.items()
            }
        return self._drawn[window]

    @cached_property
    def _weight_sets(self) -> dict[tuple[str, int], dict[str, float]]:
        """Weights of every node and leaf by id, for principal components and each Dirichlet draw."""
        run = self.run(0)
        rng = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([self.seed, 7])))
        sets: dict[tuple[str, int], dict[str, float]] = {("principal components", 0): {}}
        sets.update({("dirichlet", n): {} for n in range(DIRICHLET_DRAWS)})
        for branch in run.plan.branches:
            ids = [run.plan.leaves[k].id for k in branch.leaves] + [run.plan.branches[b].id for b in branch.children]
            nominal = np.array(
                [run.plan.leaves[k].reference.weight for k in branch.leaves]
                + [run.plan.branches[b].weight for b in branch.children]
            )
            members = [run.leaf_scores[run.kept[k], self.row] for k in branch.leaves]
            members += [run.branch_scores[b, self.row] for b in branch.children]
            table = np.array(members).T[self.cube.is_district]
            held = ~np.isnan(table).all(axis=0)
            loadings = np.full(len(ids), np.nan)
            if held.sum() > 1:
                loadings[held] = first_component(correlations(table[:, held]))
            scale = nominal.sum()
            pca = np.where(np.isnan(loadings), nominal, loadings * scale)
            sets["principal components", 0].update(zip(ids, pca, strict=True))
            for n in range(DIRICHLET_DRAWS):
                drawn = rng.dirichlet(CONCENTRATION * nominal / scale) * scale if len(ids) > 1 else nominal
                sets["dirichlet", n].update(zip(ids, np.maximum(drawn, 1e-9), strict=True))
        return sets

    def _plans_of(self, choices: Choices) -> tuple[Plan, Plan]:
        """The plan as given, which decides who is scored, and the plan with the chosen weights and means."""
        run = self.run(choices.window)
        key = (choices.window, choices.left_out)
        if key not in self._plans:
            gated = {run.all_leaves.leaves[g.leaf].id for g in run.gates if not g.is_scored}
            dropped = frozenset(gated | {choices.left_out})
            self._plans[key] = compile_plan(self.framework, run.flavour, run.chosen, dropped)
        plan = self._plans[key]
        chosen = self._weight_sets.get((choices.weights, choices.weights_draw))
        leaves, branches = plan.leaves, plan.branches
        if chosen is not None:
            leaves = tuple(
                replace(
                    leaf,
                    reference=leaf.reference.model_copy(update={"weight": chosen.get(leaf.id, leaf.reference.weight)}),
                )
                for leaf in leaves
            )
            branches = tuple(replace(branch, weight=chosen.get(branch.id, branch.weight)) for branch in branches)
        if choices.aggregation != "as given":
            branches = tuple(
                replace(branch, aggregate=choices.aggregation) if branch.children else branch  # type: ignore[arg-type]
                for branch in branches
            )
        return plan, Plan(leaves, branches, plan.order)

    def _settings(self, choices: Choices) -> Normalise:
        if choices.normalisation == "as given":
            return self.framework.normalise
        method: Method = choices.normalisation  # type: ignore[assignment]
        return Normalise(method=method, clip=3.0 if method in ("robust_z", "z") else None)

    def _leaf_score(self, leaf: str, choices: Choices) -> AnyFloats:
        key = (leaf, choices.normalisation, choices.window, choices.survey_error)
        if key not in self._scored:
            run = self.run(choices.window)
            settings = self._settings(choices)
            framework = self.framework.model_copy(update={"normalise": settings})
            k = [item.id for item in run.all_leaves.leaves].index(leaf)
            one = Plan((run.all_leaves.leaves[k],), (), ())
            position = self.position(leaf, choices)
            own = replace(run.positions, own=run.positions.own[[k]], basis=run.positions.basis[[k]])
            bases = fit_bases(
                framework,
                self.cube,
                one,
                own,
                centre=None if run.is_raw else 0.0,
                years=framework.change_base_years if run.flavour == "change" else None,
            )
            self._scored[key] = score_leaf(
                framework, self.cube, one, bases, 0, position, run.positions.basis[k, self.row]
            )
        return self._scored[key]

    def outcome(self, choices: Choices) -> Outcome:
        """Score the year under ``choices``."""
        given, plan = self._plans_of(choices)
        settings = self._settings(choices)
        missing = self.framework.missing
        if choices.missing in MISSING:
            pillar, domain = MISSING[choices.missing]
            missing = Missing(
                min_weight_in_pillar=pillar,
                min_weight_in_domain=domain,
                carry_forward_years=missing.carry_forward_years,
            )
        scores = {leaf.id: self._leaf_score(leaf.id, choices) for leaf in plan.leaves}
        filled = [np.nan_to_num(scores[leaf.id]) for leaf in plan.leaves]
        present = np.array([~np.isnan(scores[leaf.id]) for leaf in plan.leaves])[:, None, :]
        structures = structure(given, present, missing, self.cube.nation, self.cube.is_district)
        held: dict[int, AnyFloats] = {}
        evaluate(
            plan,
            [weights[:, 0] for weights in reweigh(plan, structures, present)],
            filled.__getitem__,
            smallest_factor(settings),
            held.__setitem__,
            lambda _k, _values: None,
        )
        root = len(plan.branches) - 1
        ranked = structures[root].is_scored[0] & self.cube.is_district
        return Outcome(
            scores=np.where(ranked, held[root], np.nan).astype(float),
            leaf_scores=scores,
            weights={leaf.id: leaf.reference.weight for leaf in plan.leaves}
            | {branch.id: branch.weight for branch in plan.branches},
            aggregates={branch.id: branch.aggregate for branch in plan.branches},
            least_weights=(missing.min_weight_in_pillar, missing.min_weight_in_domain),
            positions={leaf.id: self.position(leaf.id, choices) for leaf in plan.leaves},
        )

    @cached_property
    def _mean(self) -> str:
        """The mean used by all nodes with children, or '' if they differ."""
        used = {branch.aggregate for branch in self.run(0).plan.branches if branch.children}
        return used.pop() if len(used) == 1 else ""

    @cached_property
    def factors(self) -> dict[str, list[Choices]]:
        """Every factor with its options, each as choices that differ from the framework's own in that factor only."""
        own = Choices()
        draws = [replace(own, weights="dirichlet", weights_draw=n) for n in range(DIRICHLET_DRAWS)]
        factors = {
            "normalisation": [replace(own, normalisation=m) for m in METHODS],
            "weights": [own] * (DIRICHLET_DRAWS // 2)
            + [replace(own, weights="principal components")] * (DIRICHLET_DRAWS // 2)
            + draws,
            "aggregation": [own, *(replace(own, aggregation=how) for how in AGGREGATES if how != self._mean)],
            "left_out": [own, *(replace(own, left_out=leaf) for leaf in self.leaves)],
            "missing": [own, *(replace(own, missing=rule) for rule in MISSING)],
            "survey_error": [replace(own, survey_error=n) for n in range(REALISATIONS + 1)],
        }
        if self.is_change and len(self.framework.windows) > 1:
            factors["window"] = [replace(own, window=n) for n in range(len(self.framework.windows))]
        return factors

    def choices(self, shares: Floats) -> Choices:
        """The choices for a point of the unit cube: one number a factor, in the order of ``factors``."""
        changed: dict[str, object] = {}
        for (name, options), share in zip(self.factors.items(), shares, strict=True):
            option = options[min(int(share * len(options)), len(options) - 1)]
            fields = ("weights", "weights_draw") if name == "weights" else (name,)
            changed.update({field: getattr(option, field) for field in fields})
        return replace(Choices(), **changed)  # type: ignore[arg-type]
