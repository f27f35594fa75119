"""How much of a ranking depends on choices: every choice varied, alone and together (METHODOLOGY section 7).

Sampling and headline effects follow Saltelli et al. (2010), "Variance based sensitivity analysis of model output",
through SALib; effects on one area's rank use the same sample with Saltelli's and Jansen's estimators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.sensitivity import Choices, Outcome, Study
from pipeline.scoring.transform import Floats


@dataclass(frozen=True)
class Effects:
    """First-order and total effects. Headline: [factors], with 95% half-widths; ``area_*``: [factors, areas], NaN
    for areas that some sampled choices leave unscored. ``mean_shift``: average rank shift over the sample."""

    factors: tuple[str, ...]
    first: Floats
    first_half_width: Floats
    total: Floats
    total_half_width: Floats
    area_first: Floats
    area_total: Floats
    mean_shift: float
    evaluations: int
    undefined: int


def rank_shift(scores: Floats, reference: Floats) -> tuple[float, float, int]:
    """Mean and largest absolute rank shift, and the number of areas, among the areas scored in both. [areas]."""
    both = ~np.isnan(scores) & ~np.isnan(reference)
    if not both.any():
        return float("nan"), float("nan"), 0
    shift = np.abs(rank_rows(scores[both]) - rank_rows(reference[both]))
    return float(shift.mean()), float(shift.max()), int(both.sum())


def sobol_effects(study: Study, samples: int, seed: int) -> Effects:
    """Saltelli sampling of all factors at once; ``samples`` (a power of 2) x (factors + 2) evaluations.

    A combination that leaves no district scored has no shift; it counts as the mean of the others. Raises ValueError if
    ``samples`` is not a power of 2, for which Sobol's sequence is not balanced.
    """
    if samples < 2 or samples & (samples - 1):
        raise ValueError(f"samples must be a power of 2, such as 64 (given: {samples})")
    # SALib imports plotting libraries, which a plain scoring run should not have to wait for
    from SALib.analyze import sobol as analyse
    from SALib.sample import sobol as sampling

    names = tuple(study.factors)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    points = sampling.sample(problem, samples, calc_second_order=False, seed=seed)
    reference = study.outcome(Choices()).scores
    scores = np.array([study.outcome(study.choices(point)).scores for point in points])
    shifts = np.array([rank_shift(row, reference)[0] for row in scores])
    undefined = np.isnan(shifts)
    mean_shift = float(shifts[~undefined].mean()) if not undefined.all() else float("nan")
    shifts[undefined] = mean_shift
    found = analyse.analyze(problem, shifts, calc_second_order=False, seed=seed)
    first, total = _area_effects(scores, len(names))
    return Effects(
        factors=names,
        first=np.asarray(found["S1"]),
        first_half_width=np.asarray(found["S1_conf"]),
        total=np.asarray(found["ST"]),
        total_half_width=np.asarray(found["ST_conf"]),
        area_first=first,
        area_total=total,
        mean_shift=mean_shift,
        evaluations=len(points),
        undefined=int(undefined.sum()),
    )


def _area_effects(scores: Floats, factors: int) -> tuple[Floats, Floats]:
    """Effects on each area's own rank from SALib's row order (A, then A with one column of B each, then B).

    Ranks are among the areas that every combination scores; combinations that score none are ignored.
    """
    some = ~np.isnan(scores).all(axis=1)
    always = ~np.isnan(scores[some]).any(axis=0)
    areas = scores.shape[1]
    ranks: Floats = np.full(scores.shape, np.nan)
    ranks[np.ix_(some, always)] = rank_rows(scores[some][:, always])
    blocks = ranks.reshape(-1, factors + 2, areas)
    a, b, mixed = blocks[:, 0], blocks[:, -1], blocks[:, 1:-1]
    usable = some.reshape(-1, factors + 2).all(axis=1)
    a, b, mixed = a[usable], b[usable], mixed[usable]
    if not usable.any():
        nothing = np.full((factors, areas), np.nan)
        return nothing, nothing
    variance = np.concatenate([a, b]).var(axis=0)
    safe = np.where(variance > 0, variance, np.nan)
    centred = b - np.concatenate([a, b]).mean(axis=0)
    first = (centred[:, None] * (mixed - a[:, None])).mean(axis=0) / safe
    total = 0.5 * ((a[:, None] - mixed) ** 2).mean(axis=0) / safe
    return first, total


@dataclass(frozen=True)
class VariantResult:
    """One choice changed alone: its stated change, whether it took effect, and the effect on ranks."""

    factor: str
    option: str
    proof: str
    is_proven: bool
    mean_shift: float
    largest_shift: float
    compared: int
    newly_unranked: int


def variants(study: Study) -> list[VariantResult]:
    """Every option of every factor on its own, each with proof that it changed what it should."""
    results = []
    own = study.outcome(Choices())
    tried: set[Choices] = {Choices()}
    for factor, options in study.factors.items():
        for choices in options:
            value = choices.weights if factor == "weights" else getattr(choices, factor)
            is_own_method = factor == "normalisation" and value == study.framework.normalise.method
            is_repeat = factor in ("weights", "survey_error") and (choices.weights_draw > 0 or choices.survey_error > 1)
            if choices in tried or is_own_method or is_repeat:
                continue
            tried.add(choices)
            outcome = study.outcome(choices)
            proof, is_proven = prove(factor, choices, own, outcome)
            mean, largest, compared = rank_shift(outcome.scores, own.scores)
            option = str(study.framework.windows[choices.window].years) if factor == "window" else str(value)
            results.append(
                VariantResult(
                    factor=factor,
                    option=option,
                    proof=proof,
                    is_proven=is_proven,
                    mean_shift=mean,
                    largest_shift=largest,
                    compared=compared,
                    newly_unranked=int((np.isnan(outcome.scores) & ~np.isnan(own.scores)).sum()),
                )
            )
    return results


def prove(factor: str, choices: Choices, own: Outcome, outcome: Outcome) -> tuple[str, bool]:
    """How two outcomes differ, in words, in the aspect that ``factor`` names; and whether they do."""
    if factor == "left_out":
        gone = sorted(set(own.leaf_scores) - set(outcome.leaf_scores))
        return f"indicators gone: {', '.join(gone) or 'none'}", gone == [choices.left_out]
    if factor == "missing":
        return (
            f"least weights {own.least_weights} became {outcome.least_weights}",
            own.least_weights != outcome.least_weights,
        )
    if factor == "weights":
        moved = _changed(own.weights, outcome.weights)
        return f"{len(moved)} of {len(own.weights)} weights changed", bool(moved)
    if factor == "aggregation":
        moved = [node for node, how in outcome.aggregates.items() if own.aggregates.get(node) != how]
        return f"mean changed at: {', '.join(moved) or 'no node'}", bool(moved)
    what, before, after = ("scores", own.leaf_scores, outcome.leaf_scores)
    if factor != "normalisation":
        what, before, after = ("positions", own.positions, outcome.positions)
    shared = [name for name in before if name in after]
    moved = [name for name in shared if not np.array_equal(before[name], after[name], equal_nan=True)]
    others = sorted(set(before) ^ set(after))
    extra = f"; in one only: {', '.join(others)}" if others else ""
    return f"{what} changed for {len(moved)} of {len(shared)} indicators{extra}", bool(moved)


def _changed(before: Mapping[str, float], after: Mapping[str, float]) -> Sequence[str]:
    return [name for name, weight in after.items() if abs(before.get(name, weight) - weight) > 1e-9]
