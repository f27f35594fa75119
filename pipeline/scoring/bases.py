"""The frozen base of each leaf: the positions of districts that its scale is fitted on (METHODOLOGY section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Framework
from pipeline.estimation.posterior import shrink
from pipeline.scoring.cube import Cube
from pipeline.scoring.normalise import MIDDLE_AND_SPREAD, Scale, fit_scale, median_and_mad, spread_of
from pipeline.scoring.positions import Positions
from pipeline.scoring.transform import Bools, Floats
from pipeline.scoring.tree import Leaf, Plan

ORDER_METHODS = ("rank", "percentile")
# Variance of the logarithm of a normal sample's spread, times its size: of 1.4826 x MAD, and of the standard deviation.
# Rousseeuw & Croux (1993), Alternatives to the Median Absolute Deviation, JASA 88, table 2: MAD is 37% as efficient.
LOG_SPREAD_VARIANCE = {"robust_z": 0.5 / 0.3675, "z": 0.5}


@dataclass(frozen=True)
class Base:
    """The frozen base of one leaf in one group of areas (``nation`` -1: all areas together), on one basis of the series.

    ``year`` to ``last_year``: its first and last year; the same year unless years are pooled; None without figures.
    ``districts``: how many have a figure in it. ``spread``: what the scale measures with, where the method has one (NaN).
    """

    leaf: int
    nation: int
    basis: int
    year: int | None
    last_year: int | None
    median: float
    mad: float
    spread: float
    districts: int
    scale: Scale


@dataclass(frozen=True)
class _Values:
    """The values of a base before its scale is fitted, one a district and year."""

    nation: int
    basis: int
    rows: tuple[int, ...]
    values: Floats
    districts: int


def leaf_polarity(cube: Cube, plan: Plan, leaf: int) -> int:
    """The framework's polarity, else the catalogue's; 1 for an indicator without figures."""
    reference = plan.leaves[leaf].reference
    if reference.polarity is not None:
        return reference.polarity
    k = cube.index(plan.leaves[leaf].id)
    return int(cube.polarity[k]) if k is not None else 1


def leaf_groups(cube: Cube, plan: Plan, leaf: int) -> dict[int, Bools]:
    """The areas measured together: all of them (-1), or each nation separately."""
    if plan.leaves[leaf].reference.standardise_within is None:
        return {-1: np.ones(len(cube.area_codes), dtype=bool)}
    return {int(n): cube.nation == n for n in np.unique(cube.nation[cube.nation >= 0])}


def fit_bases(
    framework: Framework,
    cube: Cube,
    plan: Plan,
    positions: Positions,
    *,
    centre: float | None,
    years: tuple[int, int] | None = None,
) -> list[Base]:
    """The frozen base of every leaf and group.

    ``centre`` is the position that gets the middle score: 0 for relative levels and slopes, which are already measured
    from the typical district, None for the base's own median. ``years``: the first and last year whose positions are
    pooled, those with at least half as many districts as the leaf's best year. Without them, or if none of them has
    enough, the base is one year: the framework's base year if it has that many, else the first later year that has,
    else the latest earlier one. A series that continues on another basis after a break has a base of its own there,
    found in the same way among its years.
    """
    bases = []
    for leaf in range(len(plan.leaves)):
        held = [
            _values(framework, cube, positions, leaf, nation, inside, basis, years)
            for nation, inside in leaf_groups(cube, plan, leaf).items()
            for basis in _bases_in_force(positions, leaf, inside)
        ]
        polarity = leaf_polarity(cube, plan, leaf)
        for own, spread in zip(held, _spreads(framework, held), strict=True):
            scale = _scale(framework, plan.leaves[leaf], own.values, polarity, centre, spread)
            first, last = (int(cube.years[row]) for row in (own.rows[0], own.rows[-1])) if own.rows else (None, None)
            bases.append(
                Base(
                    leaf, own.nation, own.basis, first, last, *median_and_mad(own.values), spread, own.districts, scale
                )
            )  # fmt: skip
    return bases


def _bases_in_force(positions: Positions, leaf: int, inside: Bools) -> list[int]:
    return [int(basis) for basis in np.unique(positions.basis[leaf][:, inside].max(axis=1, initial=0))]


def _values(
    framework: Framework,
    cube: Cube,
    positions: Positions,
    leaf: int,
    nation: int,
    inside: Bools,
    basis: int,
    years: tuple[int, int] | None,
) -> _Values:
    own = positions.own[leaf][:, inside & cube.is_district]
    in_force = positions.basis[leaf][:, inside].max(axis=1, initial=0)  # the same for all areas of a group
    counts = np.where(in_force == basis, (~np.isnan(own)).sum(axis=1), 0)
    rows = _base_rows(counts, cube.years, framework.base_year or int(cube.years[-1]), years)
    values = own[list(rows)]
    is_held = ~np.isnan(values)
    return _Values(nation, basis, rows, values[is_held], int(is_held.any(axis=0).sum()))


def _base_rows(
    counts: np.ndarray, held_years: np.ndarray, wanted: int, years: tuple[int, int] | None
) -> tuple[int, ...]:
    most = int(counts.max(initial=0))
    if most == 0:
        return ()
    enough = np.flatnonzero(counts * 2 >= most)
    if years is not None:
        pooled = enough[(held_years[enough] >= years[0]) & (held_years[enough] <= years[1])]
        if pooled.size:
            return tuple(int(row) for row in pooled)
    later = enough[held_years[enough] >= wanted]
    return (int(later[0]) if later.size else int(enough[-1]),)


def _spreads(framework: Framework, held: list[_Values]) -> list[float]:
    """The spread of each base; those of nations are shrunk to what nations' spreads have in common.

    The logarithm of a spread in n districts has a variance of about c / n (LOG_SPREAD_VARIANCE), so eleven districts say
    less of their nation's spread than 294 do. With fewer than five bases the spreads stay as they are (``shrink``).
    """
    method = framework.normalise.method
    if method not in MIDDLE_AND_SPREAD:
        return [float("nan")] * len(held)
    spreads = np.array([spread_of(framework.normalise, own.values) for own in held])
    if all(own.nation < 0 for own in held):
        return [float(spread) for spread in spreads]
    counts = np.array([max(own.districts, 1) for own in held])
    is_known = spreads > 0
    logs = np.where(is_known, np.log(np.where(is_known, spreads, 1.0)), np.nan)
    shrunk = shrink(logs, np.where(is_known, np.sqrt(LOG_SPREAD_VARIANCE[method] / counts), np.nan)).value
    return [float(value) for value in np.where(is_known, np.exp(shrunk), spreads)]


def _scale(
    framework: Framework, leaf: Leaf, values: Floats, polarity: int, centre: float | None, spread: float
) -> Scale:
    if framework.normalise.method in ORDER_METHODS:
        differs = values.size > 1 and values.min() < values.max()
        return Scale(0.0, 1.0 if differs else float("nan"), *framework.normalise.range)
    goalposts = leaf.reference.goalposts
    return fit_scale(framework.normalise, values, polarity, centre=centre, spread=spread, goalposts=goalposts)
