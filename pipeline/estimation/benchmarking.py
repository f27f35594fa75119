"""Modelled figures made to agree with published figures of wider areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.estimation.arrays import Bools, Floats
from pipeline.estimation.errors import EstimationError

Adjustment = Literal["ratio", "difference"]


@dataclass(frozen=True)
class Benchmarked:
    """``figures``: [areas]; ``regional``: the figure of each region that they add up to.

    ``is_only_one``: [areas], the area is its region's only one, so that its figure is the region's and no longer the
    model's.
    """

    figures: Floats
    regional: dict[str, float]
    is_only_one: Bools


def benchmark(
    modelled: Floats,
    weights: Floats,
    regions: Sequence[str],
    regional: Mapping[str, float],
    *,
    nations: Mapping[str, str] | None = None,
    national: Mapping[str, float] | None = None,
    adjustment: Adjustment = "ratio",
) -> Benchmarked:
    """Adjust figures so that their weighted means are those of regions and nations, to about 1e-12 of their size.

    ``modelled``, ``weights`` (such as population): [areas]; ``regions``: [areas], the region of each; ``regional``: the
    published figure of every region; ``nations``: the nation of every region; ``national``: published figures of
    nations. Where a nation's figure is given, the figures of its regions are first adjusted to it in the same way, so
    that both hold; without one they stand as given. ``ratio`` multiplies all areas of a region by one number, for
    money; ``difference`` adds one number to each, for percentages. Method: ratio and difference benchmarking (Rao and
    Molina 2015, section 6.4), in two stages. Raises EstimationError for a missing figure or weight, a weight below 0,
    regions or nations that do not match, and a ratio that would be 0, negative or infinite.
    """
    wrong = np.flatnonzero(~(np.isfinite(modelled) & np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise EstimationError(
            f"area {wrong[0] + 1}: benchmarking needs a figure, and a weight of 0 or more "
            f"(given: {modelled[wrong[0]]:g}, {weights[wrong[0]]:g})"
        )
    names, region = np.unique(np.asarray(regions, dtype=str), return_inverse=True)
    targets = _figures_of(names, regional, "region")
    region_weights = np.bincount(region, weights=weights, minlength=len(names))
    if national is not None:
        nation_names, nation = _nations_of(names, nations or {})
        known = np.array([name in national for name in nation_names])
        nation_targets = _figures_of(nation_names[known], national, "nation")
        is_inside = known[nation]
        place = (np.cumsum(known) - 1)[nation[is_inside]]
        targets[is_inside] = _adjusted(
            targets[is_inside], region_weights[is_inside], place, nation_targets, nation_names[known], adjustment
        )
    return Benchmarked(
        figures=_adjusted(modelled, weights, region, targets, names, adjustment),
        regional=dict(zip(names.tolist(), targets.tolist(), strict=True)),
        is_only_one=np.bincount(region)[region] == 1,
    )


def _figures_of(names: np.ndarray, figures: Mapping[str, float], kind: str) -> Floats:
    for name in sorted(set(figures) - set(names.tolist())):
        raise EstimationError(f"{kind} {name} has a figure to agree with, but no area lies in it")
    for name in names:
        if name not in figures or not np.isfinite(figures[name]):
            raise EstimationError(f"{kind} {name} has no figure to agree with")
    return np.array([figures[name] for name in names], dtype=float)


def _nations_of(names: np.ndarray, nations: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    for name in names:
        if name not in nations:
            raise EstimationError(f"region {name} is in no nation")
    found, place = np.unique(np.array([nations[name] for name in names], dtype=str), return_inverse=True)
    return found, place


def _adjusted(
    figures: Floats, weights: Floats, group: np.ndarray, targets: Floats, names: np.ndarray, adjustment: Adjustment
) -> Floats:
    """Figures whose weighted means by ``group``, [figures], are ``targets``, [groups]."""
    totals = np.bincount(group, weights=weights, minlength=len(targets))
    for k in np.flatnonzero(totals <= 0):
        raise EstimationError(f"{names[k]}: the weights of its areas are 0")
    means = np.bincount(group, weights=weights * figures, minlength=len(targets)) / totals
    if adjustment == "difference":
        return figures + (targets - means)[group]
    for k in np.flatnonzero(~(targets * means > 0)):
        raise EstimationError(
            f"{names[k]}: a figure of {targets[k]:g} cannot be reached from a modelled mean of {means[k]:g} by a ratio; "
            "benchmark by difference"
        )
    return figures * (targets / means)[group]
