"""The whole chain once for each draw of the figures' errors, year by year, with frozen bases.

In each year all draws of a node are held as [2 x draws, areas], plain draws before posterior ones; a node is summarised,
folded into its parent and released. Only each series' errors over the longest window carry over between years.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from pipeline.scoring.bases import leaf_groups
from pipeline.scoring.cube import Cube
from pipeline.scoring.draws import Summary, exact_summary, normals, summarise
from pipeline.scoring.flavour import FlavourRun, score_leaf
from pipeline.scoring.labels import label_probabilities
from pipeline.scoring.positions import indicator_series
from pipeline.scoring.posterior_draws import Pull, plain_and_posterior, pull_of
from pipeline.scoring.rank_sets import RankSets, rank_sets_of_draws
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.transform import AnyFloats, Bools, Floats, Singles
from pipeline.scoring.tree import evaluate

THREADS = 2
RANK_SET_COVERAGE = 0.9
LARGE = 2**26  # bytes of one node's draws above which nodes are summarised one at a time

NodeKey = tuple[bool, int]  # (is a leaf, position in plan.leaves or plan.branches)
Submit = Callable[[Sequence[NodeKey], Callable[[], Summary]], None]


@dataclass(frozen=True)
class Variant:
    """How an indicator's position is measured: among all districts, within nations, or as the figure itself."""

    indicator: int
    within_nation: bool
    is_raw: bool


@dataclass(frozen=True)
class SimulationResult:
    """``summaries``: (year row, node) -> Summary; ``labels``: year row -> probabilities [4, areas]. ``rank_sets``: (year
    row, branch) -> confidence sets for the ranks of districts, of nodes with children in the latest year."""

    summaries: dict[tuple[int, NodeKey], Summary] = field(default_factory=dict)
    labels: dict[int, Floats] = field(default_factory=dict)
    rank_sets: dict[tuple[int, int], RankSets] = field(default_factory=dict)


class Series:
    """Drawn errors of positions, series by series: the part that stays with an area, and the part new each year.

    The last ``memory`` years are kept, in single precision [draws, areas] each. With one year only, a series is drawn
    on demand and not kept.
    """

    def __init__(self, cube: Cube, variants: Sequence[Variant], draws: int, seed: int, memory: int) -> None:
        self.cube, self.variants, self.draws, self.seed = cube, variants, draws, seed
        self.memory = memory
        self.is_kept = len(cube.years) > 1
        self._standing: dict[int, Singles] = {}
        self._held: dict[tuple[Variant, int], Singles | None] = {}

    def advance(self, row: int, pool: ThreadPoolExecutor) -> None:
        """Draw the year ``row`` of every series. What is drawn does not depend on which other years are."""
        if not self.is_kept:
            return
        drawn = pool.map(lambda variant: self._errors(variant, row), self.variants)
        for variant, errors in zip(self.variants, drawn, strict=True):
            self._held[variant, row] = errors
            self._held.pop((variant, row - self.memory), None)

    def errors(self, variant: Variant, row: int) -> Singles | None:
        """[draws, areas], 0 if missing; None if no figure of that year has an error, or before the first year."""
        if not self.is_kept and row == 0:
            return self._errors(variant, row)
        return self._held.get((variant, row))

    def _errors(self, variant: Variant, row: int) -> Singles | None:
        known = indicator_series(
            self.cube, variant.indicator, within_nation=variant.within_nation, is_raw=variant.is_raw
        ).errors
        size = np.nan_to_num(known.level[row]).astype(np.float32)
        if not size.any():
            return None
        share = known.new_share
        errors = self.normals(variant, "", int(self.cube.years[row]))
        if share < 1:
            errors *= np.float32(np.sqrt(share))
            errors += np.float32(np.sqrt(1 - share)) * self._standing_part(variant)
        errors *= size
        return errors

    def _standing_part(self, variant: Variant) -> Singles:
        if variant.indicator not in self._standing:
            self._standing[variant.indicator] = self.normals(variant, ":standing", 0)
        return self._standing[variant.indicator]

    def normals(self, variant: Variant, of: str, year: int) -> Singles:
        """Standard normal draws of one stream of a series: [draws, areas]."""
        name = self.cube.indicator_ids[variant.indicator] + of
        return normals(self.seed, name, year, 0, self.draws, len(self.cube.area_codes))


def simulate(
    runs: Sequence[FlavourRun],
    is_placed: Bools,
    draws: int,
    seed: int,
    *,
    first_row: int = 0,
    last_row: int | None = None,
    threads: int = THREADS,
) -> list[SimulationResult]:
    """Draw every run of one framework together, so that one draw is one possible world for all of them.

    ``runs`` share one cube. Results are for year rows from ``first_row`` to ``last_row`` (default: all), and do not
    depend on ``threads``. Memory: about ``draws x areas x 4 bytes`` for each series with errors and year of the longest
    window.
    """
    cube = runs[0].cube
    worlds = [World(run, is_placed, first_row) for run in runs]
    variants = list(dict.fromkeys(variant for world in worlds for variant in world.variants()))
    memory = max((world.memory() for world in worlds), default=1)
    series = Series(cube, variants, draws, seed, memory)
    results = [SimulationResult() for _ in runs]
    pending: list[tuple[SimulationResult, int, Sequence[NodeKey], Future[Summary]]] = []

    def collect(upto: int) -> None:
        for result, row, keys, future in pending[:upto]:
            result.summaries.update(dict.fromkeys(((row, key) for key in keys), future.result()))
        del pending[:upto]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for row in range(max(0, first_row - memory + 1), len(cube.years) if last_row is None else last_row + 1):
            series.advance(row, pool)
            if row < first_row:
                continue
            earlier = len(pending)
            for world, result in zip(worlds, results, strict=True):

                def submit(
                    keys: Sequence[NodeKey],
                    work: Callable[[], Summary],
                    result: SimulationResult = result,
                    row: int = row,
                ) -> None:
                    pending.append((result, row, keys, pool.submit(work)))
                    if 2 * draws * len(cube.area_codes) * 4 > LARGE:
                        collect(len(pending))

                world.draw_year(row, series, result, submit)
            collect(earlier)
        collect(len(pending))
    return results


class World:
    """One run with its inputs from the drawn series."""

    def __init__(self, run: FlavourRun, is_placed: Bools, first_row: int) -> None:
        self.run = run
        self.first_row = first_row
        self._pulls: dict[int, Pull] = {}
        self.is_placed = is_placed
        scored = np.flatnonzero((~np.isnan(run.branch_scores[-1:]) & is_placed).any(axis=(0, 2)))
        self.latest_row = int(scored[-1]) if scored.size else -1  # the latest year with a score of the whole framework
        low, high = run.framework.normalise.range
        self.middle = (low + high) / 2
        settings = run.framework.normalise
        self.bounds = None if settings.is_unbounded or settings.method == "rank" else (low, high)
        # an arithmetic pillar of one indicator equals that indicator, so one summary serves both
        self.only_leaf = {
            b: branch.leaves[0]
            for b, branch in enumerate(run.plan.branches)
            if len(branch.leaves) == 1 and not branch.children and branch.aggregate == "arithmetic"
        }

    def _variant(self, leaf: int, indicator: int) -> Variant:
        within = self.run.all_leaves.leaves[leaf].reference.standardise_within == "nation"
        return Variant(indicator, within, self.run.is_raw)

    def variants(self) -> list[Variant]:
        """The series that this run uses (of scored leaves only)."""
        found = []
        for leaf in self.run.kept:
            k = self.run.cube.index(self.run.all_leaves.leaves[leaf].id)
            found += [self._variant(leaf, k)] if k is not None else []
        return found

    def memory(self) -> int:
        """How many years of deviations must be held."""
        if self.run.window is not None:
            return self.run.window.years
        return int(self.run.positions.age[list(self.run.kept)].max(initial=0)) + 1

    def leaf_position(self, leaf: int, row: int, series: Series) -> AnyFloats:
        """Drawn positions of one leaf and year: [2 x draws, areas], or [areas] when nothing in it has an error."""
        run = self.run
        point = run.positions.used[leaf, row]
        errors = self._slope_errors(leaf, row, series) if run.window else self._level_errors(leaf, row, series)
        if errors is None:
            return point
        groups = list(leaf_groups(run.cube, run.all_leaves, leaf).values())
        pull = self._pull(leaf, groups)
        here = Pull(pull.weight[row - self.first_row], pull.shift[row - self.first_row])
        return plain_and_posterior(point, errors, here, () if run.is_raw else groups, run.cube.is_district)

    def _pull(self, leaf: int, groups: Sequence[Bools]) -> Pull:
        if leaf not in self._pulls:
            used, error = (
                values[leaf, self.first_row :] for values in (self.run.positions.used, self.run.positions.error)
            )
            self._pulls[leaf] = pull_of(used, error, groups, self.run.cube.is_district)
        return self._pulls[leaf]

    def _slope_errors(self, leaf: int, row: int, series: Series) -> Singles | None:
        part = self.run.makings[leaf]
        if part is None or self.run.window is None:
            return None
        variant = self._variant(leaf, part.indicator)
        total: Singles | None = None
        if part.is_direct:
            size = np.nan_to_num(np.sqrt(part.errors.variance[row]))
            if size.any():
                of = f":slope over {self.run.window.years} years"
                total = _sum(total, series.normals(variant, of, int(self.run.cube.years[row])), size)
            return total
        for step, source in enumerate(part.slopes.rows[row]):
            errors = series.errors(variant, int(source)) if source >= 0 else None
            if errors is not None:
                total = _sum(total, errors, part.slopes.weights[row, step])
        return total

    def _level_errors(self, leaf: int, row: int, series: Series) -> Singles | None:
        run = self.run
        name = run.all_leaves.leaves[leaf].id
        k = run.cube.index(name)
        if k is None:
            return None
        variant = self._variant(leaf, k)
        total: Singles | None = None
        age = run.positions.age[leaf, row]
        for years in np.unique(age[age >= 0]):
            errors = series.errors(variant, row - int(years))
            if errors is not None:
                total = _sum(total, errors, (age == years).astype(float))
        drift = np.nan_to_num(run.positions.volatility[leaf]) * np.sqrt(np.maximum(age, 0))
        if drift.any():
            fresh = series.normals(variant, ":carried forward", int(run.cube.years[row]))
            total = _sum(total, fresh, drift)
        return total

    def draw_year(self, row: int, series: Series, result: SimulationResult, submit: Submit) -> None:
        """Score every node of one year in every draw, and hand the draws over to be summarised."""
        run = self.run
        if not run.plan.branches:
            return
        labels = run.framework.labels
        wanted = {labels.growth, labels.sharing} if labels is not None else set()
        kept_scores: dict[str, AnyFloats] = {}

        def leaf_scores(k: int) -> AnyFloats:
            position = self.leaf_position(run.kept[k], row, series)
            basis = run.positions.basis[run.kept[k], row]
            scores = score_leaf(run.framework, run.cube, run.all_leaves, run.bases, run.kept[k], position, basis)
            return np.nan_to_num(scores.astype(np.float32, copy=False), copy=False)

        def on_leaf(k: int, values: AnyFloats) -> None:
            if k not in self.only_leaf.values():
                self._summarise([(True, k)], run.leaf_scores[run.kept[k], row], values, submit)

        def on_branch(b: int, values: AnyFloats) -> None:
            if row == self.latest_row and run.plan.branches[b].children and values.ndim == 2:
                plain = values[: len(values) // 2].astype(np.float32, copy=False)
                points = np.where(run.cube.is_district, run.branch_scores[b, row], np.nan)
                result.rank_sets[row, b] = rank_sets_of_draws(points, plain, RANK_SET_COVERAGE)
            if run.plan.branches[b].id in wanted:
                kept_scores[run.plan.branches[b].id] = values[len(values) // 2 :] if values.ndim == 2 else values
            keys = [(False, b)] + ([(True, self.only_leaf[b])] if b in self.only_leaf else [])
            self._summarise(keys, run.branch_scores[b, row], values, submit)

        weights = [shape.weights[:, row] for shape in run.structures]
        evaluate(run.plan, weights, leaf_scores, run.floor, on_branch, on_leaf, self.bounds)
        if labels is not None and len(kept_scores) == len(wanted) == 2:
            probabilities = label_probabilities(kept_scores[labels.growth], kept_scores[labels.sharing], self.middle)
            both = self.is_placed.copy()
            for b, branch in enumerate(run.plan.branches):
                if branch.id in wanted:
                    both &= run.structures[b].is_scored[row]
            result.labels[row] = np.where(both, probabilities, np.nan)

    def _summarise(self, keys: Sequence[NodeKey], point: Floats, values: AnyFloats, submit: Submit) -> None:
        is_scored = self.is_placed & ~np.isnan(point)
        is_district = self.run.cube.is_district
        if values.ndim == 2:
            drawn = values.astype(np.float32, copy=False)
            submit(keys, lambda: summarise(drawn, point, is_scored, is_district, self.middle, self.bounds))
            return
        ranks = rank_rows(np.where(is_scored & is_district, point, np.nan))
        submit(keys, lambda: exact_summary(point, is_scored, ranks, self.middle))


def _sum(total: Singles | None, errors: Singles, weight: Floats) -> Singles:
    """``total + errors * weight``, ``weight``: [areas]; written into the memory of ``total``."""
    part = errors * weight.astype(np.float32)
    if total is None:
        return part
    total += part
    return total
