"""Modelled levels of one year made to agree with the published figures of regions and nations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.estimation.arrays import Bools, Floats
from pipeline.estimation.benchmarking import benchmark
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.series import Series

DONE = "agrees with its region and nation"
REGION_ONLY = "agrees with its region"
# Of a region's people, those in districts with a modelled figure; with fewer, the region's figure is not theirs.
LEAST_SHARE_OF_PEOPLE = 0.95


@dataclass(frozen=True)
class Agreed:
    """All [areas]. ``figures``: modelled figures that agree; ``target``: what those of the region add up to, else NaN;
    ``moved``: by what each was multiplied (ratio) or what was added to it (difference).

    ``status`` says why a figure does not agree. ``largest_gap``: between a region's or nation's weighted mean and the
    figure it should have, over all of them; None where none agrees.
    """

    figures: Floats
    target: Floats
    moved: Floats
    status: np.ndarray
    largest_gap: float | None


def agree(series: Series, modelled: Floats, year: int) -> Agreed:
    """Benchmark figures in the unit of publication, NaN where there is none: [areas].

    A nation counts where each of its regions agrees with a figure. Where regions do not add up to their nation, all of
    its regions move alike, so that the districts add up to the nation.
    """
    is_held = np.isfinite(modelled)
    obstacles = {region: _obstacle(series, is_held, region, year) for region in sorted(set(series.regions))}
    status = np.array([obstacles[region] for region in series.regions], dtype=object)
    is_fit = is_held & (status == "")
    figures, target = modelled.copy(), np.full(len(modelled), np.nan)
    if not is_fit.any():
        return Agreed(figures, target, target, status, None)
    nation_of = dict(zip(series.regions, series.nations, strict=True))
    agreeing = sorted(set(series.regions[is_fit]))
    nations = [name for name in sorted(set(series.nations[is_fit])) if _is_whole(series, is_fit, name, year)]
    try:
        found = benchmark(
            modelled[is_fit],
            series.people[is_fit],
            list(series.regions[is_fit]),
            {name: series.wider[name, year] for name in agreeing},
            nations={name: nation_of[name] for name in agreeing},
            national={name: series.wider[name, year] for name in nations} or None,
            adjustment=series.spec.adjustment,
        )
    except EstimationError as error:
        status[is_held] = f"not benchmarked: {error}"
        return Agreed(figures, target, target, status, None)
    figures[is_fit] = found.figures
    target[is_fit] = [found.regional[name] for name in series.regions[is_fit]]
    status[is_fit] = np.where(np.isin(series.nations[is_fit], nations), DONE, REGION_ONLY)
    moved = figures / modelled if series.spec.adjustment == "ratio" else figures - modelled
    return Agreed(figures, target, moved, status, _largest_gap(series, figures, target, is_fit, nations, year))


def _obstacle(series: Series, is_held: Bools, region: str, year: int) -> str:
    """Why the districts of a region cannot be made to agree with it; empty where they can."""
    is_here = series.regions == region
    if (region, year) not in series.wider:
        return "not benchmarked: its region has no published figure"
    if is_here.sum() == 1:
        return "not benchmarked: it is the only district of its region, whose figure would replace its own"
    people = series.people[is_here]
    if not np.isfinite(people).all() or people.sum() <= 0:
        return "not benchmarked: the people of its region's districts are not known"
    share = float(people[is_held[is_here]].sum() / people.sum())
    if share < LEAST_SHARE_OF_PEOPLE:
        return f"not benchmarked: districts with a modelled figure hold {share:.0%} of its region's people"
    return ""


def _is_whole(series: Series, is_fit: Bools, nation: str, year: int) -> bool:
    regions = set(series.regions[series.nations == nation])
    return (nation, year) in series.wider and regions <= set(series.regions[is_fit])


def _largest_gap(
    series: Series, figures: Floats, target: Floats, is_fit: Bools, nations: list[str], year: int
) -> float:
    gaps = []
    for names, labels in ((sorted(set(series.regions[is_fit])), series.regions), (nations, series.nations)):
        for name in names:
            is_here = is_fit & (labels == name)
            mean = np.average(figures[is_here], weights=series.people[is_here])
            wanted = target[is_here][0] if labels is series.regions else series.wider[name, year]
            gaps.append(abs(mean - wanted))
    return float(max(gaps))
