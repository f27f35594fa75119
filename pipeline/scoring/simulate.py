"""The whole chain once for each draw of survey error, year by year, with frozen bases.

In each year all draws of a node are held as [draws, areas]; a node is summarised, folded into its parent and released.
Only each series' deviations over the longest window carry over between years.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from pipeline.scoring.cube import Cube
from pipeline.scoring.draws import Summary, exact_summary, next_errors, normals, summarise
from pipeline.scoring.flavour import FlavourRun, score_leaf
from pipeline.scoring.labels import label_probabilities
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.transform import AnyFloats, Bools, Floats, Singles
from pipeline.scoring.tree import evaluate

SMALLEST_SHARE = 0.01  # a drawn figure whose logarithm is taken stays above this share of the published one
THREADS = 2
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
    """``summaries``: (year row, node) -> Summary; ``labels``: year row -> probabilities [4, areas]."""

    summaries: dict[tuple[int, NodeKey], Summary] = field(default_factory=dict)
    labels: dict[int, Floats] = field(default_factory=dict)


class Series:
    """Deviations of drawn positions from the published ones: the effect of the draws, series by series.

    Years are drawn in order (``advance``) and the last ``memory`` kept, in single precision [draws, areas] each. With
    one year only, a series is drawn on demand and not kept.
    """

    def __init__(self, cube: Cube, variants: Sequence[Variant], draws: int, seed: int, rho: float, memory: int) -> None:
        self.cube, self.variants, self.draws, self.seed, self.rho = cube, variants, draws, seed, rho
        self.memory = memory
        self.is_kept = len(cube.years) > 1
        self._errors: dict[int, Singles] = {}
        self._held: dict[tuple[Variant, int], Singles | None] = {}

    def advance(self, row: int, pool: ThreadPoolExecutor, *, is_needed: bool = True) -> None:
        """Draw the year ``row`` of every series; for a year that is not needed, only the errors that later ones follow.

        Called for every row from 0, so that errors do not depend on which years are requested.
        """
        if not self.is_kept:
            return
        noisy = [k for k in {v.indicator for v in self.variants} if not np.isnan(self.cube.errors[k][: row + 1]).all()]
        self._errors.update(zip(noisy, pool.map(lambda k: self._next_errors(k, row), noisy), strict=True))
        if not is_needed:
            return
        drawn = pool.map(
            lambda variant: self._deviation(variant, row, self._errors.get(variant.indicator)), self.variants
        )
        for variant, deviation in zip(self.variants, drawn, strict=True):
            self._held[variant, row] = deviation
            self._held.pop((variant, row - self.memory), None)

    def deviation(self, variant: Variant, row: int) -> Singles | None:
        """[draws, areas], 0 if missing; None if no figure of that year has an error, or before the first year."""
        if not self.is_kept and row == 0:
            return self._deviation(variant, row, self._next_errors(variant.indicator, row))
        return self._held.get((variant, row))

    def _next_errors(self, k: int, row: int) -> Singles:
        year, areas = int(self.cube.years[row]), len(self.cube.area_codes)
        fresh = normals(self.seed, self.cube.indicator_ids[k], year, 0, self.draws, areas)
        return next_errors(self._errors.get(k), fresh, self.rho)

    def _deviation(self, variant: Variant, row: int, errors: Singles | None) -> Singles | None:
        scale = np.nan_to_num(self.cube.errors[variant.indicator, row])
        if errors is None or not scale.any():
            return None
        return position_deviation(self.cube, variant, row, scale * errors)


def position_deviation(cube: Cube, variant: Variant, row: int, noise: Floats) -> Singles:
    """How far positions of one year move when ``noise`` ([draws, areas], the figures' unit) is added to the figures.

    The median of the year moves with the draws but stays close to its published value. Noise on top of noise would
    shift it towards the longer tail in all draws alike, and every area with it to the other side.
    """
    k = variant.indicator
    values = cube.values[k, row]
    if variant.is_raw:
        return np.where(np.isnan(values), 0.0, noise).astype(np.float32)
    drawn = values + noise
    groups = [np.ones(len(values), dtype=bool)]
    if variant.within_nation:
        groups = [cube.nation == n for n in np.unique(cube.nation[cube.nation >= 0])]
    is_log = bool(cube.is_log[k])
    if is_log:
        np.maximum(drawn, SMALLEST_SHARE * values, out=drawn)
    medians = []
    for inside in groups:
        members = inside & cube.is_district & ~np.isnan(values)
        medians.append((np.median(values[members]), np.median(drawn[:, members], axis=1)) if members.any() else None)
    if is_log:
        np.log(drawn, out=drawn)
        values = np.log(values)
    out = np.zeros(drawn.shape, dtype=np.float32)
    for inside, pair in zip(groups, medians, strict=True):
        if pair is None:
            continue
        before, after = (np.log(pair[0]), np.log(pair[1])) if is_log else pair
        shift = after - before
        shift -= shift.mean()
        if inside.all():
            drawn -= values
            drawn -= shift[:, None]
            out = drawn.astype(np.float32)
        else:
            out[:, inside] = drawn[:, inside] - values[inside] - shift[:, None]
    return np.nan_to_num(out, copy=False)


def simulate(
    runs: Sequence[FlavourRun],
    is_placed: Bools,
    draws: int,
    seed: int,
    *,
    rho: float,
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
    worlds = [World(run, is_placed) for run in runs]
    variants = list(dict.fromkeys(variant for world in worlds for variant in world.variants()))
    memory = max((world.memory() for world in worlds), default=1)
    series = Series(cube, variants, draws, seed, rho, memory)
    results = [SimulationResult() for _ in runs]
    pending: list[tuple[SimulationResult, int, Sequence[NodeKey], Future[Summary]]] = []

    def collect(upto: int) -> None:
        for result, row, keys, future in pending[:upto]:
            result.summaries.update(dict.fromkeys(((row, key) for key in keys), future.result()))
        del pending[:upto]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for row in range(len(cube.years) if last_row is None else last_row + 1):
            series.advance(row, pool, is_needed=row > first_row - memory)
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
                    if draws * len(cube.area_codes) * 4 > LARGE:
                        collect(len(pending))

                world.draw_year(row, series, result, submit)
            collect(earlier)
        collect(len(pending))
    return results


class World:
    """One run with its inputs from the drawn series."""

    def __init__(self, run: FlavourRun, is_placed: Bools) -> None:
        self.run = run
        self.is_placed = is_placed
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
        """Drawn positions of one leaf and year: [draws, areas], or [areas] when nothing in it has an error."""
        return self._slope(leaf, row, series) if self.run.window is not None else self._level(leaf, row, series)

    def _slope(self, leaf: int, row: int, series: Series) -> AnyFloats:
        position: AnyFloats = self.run.positions.used[leaf, row]
        part = self.run.makings[leaf]
        if part is None:
            return position
        variant = self._variant(leaf, part.indicator)
        for step, source in enumerate(part.slopes.rows[row]):
            deviation = series.deviation(variant, int(source)) if source >= 0 else None
            if deviation is not None:
                weight = part.error_scale * part.slopes.weights[row, step]
                position = _add(position, deviation * weight.astype(np.float32))
        return position

    def _level(self, leaf: int, row: int, series: Series) -> AnyFloats:
        run = self.run
        position: AnyFloats = run.positions.used[leaf, row]
        name = run.all_leaves.leaves[leaf].id
        k = run.cube.index(name)
        if k is None:
            return position
        age = run.positions.age[leaf, row]
        for years in np.unique(age[age >= 0]):
            deviation = series.deviation(self._variant(leaf, k), row - int(years))
            if deviation is not None:
                here = age == years
                position = _add(position, deviation if here.all() else deviation * here.astype(np.float32))
        drift = np.nan_to_num(run.positions.volatility[leaf]) * np.sqrt(np.maximum(age, 0))
        if drift.any():
            year = int(run.cube.years[row])
            fresh = normals(series.seed, f"{name}:carried forward", year, 0, series.draws, position.shape[-1])
            position = _add(position, fresh * drift.astype(np.float32))
        return position

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
            if run.plan.branches[b].id in wanted:
                kept_scores[run.plan.branches[b].id] = values
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


def _add(position: AnyFloats, deviation: Singles) -> AnyFloats:
    """``position + deviation`` in single precision, written into ``deviation``'s memory, so the caller must not reuse it."""
    if position.ndim == 1:
        return position.astype(np.float32) + deviation
    position += deviation
    return position
