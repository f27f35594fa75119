"""Positions of every leaf of a plan: where areas stand (level) or where they are heading (change)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Framework, Window
from pipeline.scoring.cube import Cube, Series
from pipeline.scoring.transform import (
    MAD_TO_SD,
    Bools,
    Floats,
    Ints,
    Slopes,
    basis_in_force,
    expected_scatter_variance,
    latest_available,
    nanmedian_rows,
    relative_error,
    relative_position,
    slope_error_variance,
    slopes,
    take_rows,
    yearly_volatility,
)
from pipeline.scoring.tree import Leaf


@dataclass(frozen=True)
class Positions:
    """Positions of the leaves of one plan. Arrays [leaves, years, areas]; NaN is missing.

    ``own``: from the year's own figure only, and ``own_error`` its error for reliability. ``used``: the scored
    position, carried forward if need be. ``error``: its standard error in draws (NaN: none known). ``published_error``:
    whether its figure came with an error. ``age``: years since the figure (-1: none). ``basis``: the number of the
    series' basis in the year, from 0. ``volatility``: [leaves, areas], standard deviation of a year's drift (level).
    ``error_scale``: [leaves], the factor that reduces published errors to what the series' own scatter allows (change;
    1 elsewhere).
    """

    own: Floats
    own_error: Floats
    used: Floats
    error: Floats
    has_published_error: Bools
    age: Ints
    basis: Ints
    volatility: Floats
    error_scale: Floats


def indicator_series(cube: Cube, k: int, *, within_nation: bool, is_raw: bool = False) -> Series:
    """Relative position and its standard error for indicator ``k``; the figures themselves with ``is_raw``."""
    breaks = cube.breaks[k] if cube.breaks else ()
    groups = cube.nation if within_nation else None
    basis = basis_in_force(~np.isnan(cube.values[k]), cube.years, breaks, cube.is_district, groups)
    if is_raw:
        return Series(cube.values[k], cube.errors[k], basis)
    key = (k, within_nation)
    if key not in cube.series:
        values, is_log = cube.values[k], bool(cube.is_log[k])
        position = relative_position(values, is_log, cube.is_district, groups)
        error = np.where(np.isnan(position), np.nan, relative_error(values, cube.errors[k], is_log))
        cube.series[key] = Series(position, error, basis)
    return cube.series[key]


def level_positions(framework: Framework, cube: Cube, leaves: Sequence[Leaf], rho: float, *, is_raw: bool) -> Positions:
    """Each area's position each year, carried forward at most ``carry_forward_years`` with a larger error.

    With ``is_raw`` positions are the figures themselves (goalposts, and tables used as given).
    """
    parts = []
    for leaf in leaves:
        k = cube.index(leaf.id)
        if k is None:
            parts.append(_nothing(cube))
            continue
        within_nation = leaf.reference.standardise_within == "nation"
        series = indicator_series(cube, k, within_nation=within_nation, is_raw=is_raw)
        own_years = leaf.reference.carry_forward_years
        carry = framework.missing.carry_forward_years if own_years is None else own_years
        rows = latest_available(~np.isnan(series.position), carry, series.basis)
        age = np.where(rows >= 0, np.arange(len(cube.years))[:, None] - rows, -1)
        published = take_rows(series.error, rows)
        unit = _units(series.position, cube, within_nation)
        volatility = unit * yearly_volatility(series.position / unit, series.error / unit, cube.is_district, rho)
        drift = np.nan_to_num(volatility) ** 2 * np.maximum(age, 0)
        grown = np.sqrt(np.nan_to_num(published) ** 2 + drift)
        parts.append(
            Positions(
                own=series.position,
                own_error=series.error,
                used=take_rows(series.position, rows),
                error=np.where(np.isnan(published) & (drift == 0), np.nan, grown),
                has_published_error=~np.isnan(published),
                age=age,
                basis=series.basis,
                volatility=volatility,
                error_scale=np.array(1.0),
            )
        )
    return _stack(parts, cube)


@dataclass(frozen=True)
class SlopePart:
    """The slope of a leaf: of which indicator, and how much of its published error counts.

    ``basis``: [years, areas], see Positions. ``published``: [years, areas], the slope's error variance from published
    errors. ``believable``: the share of it that the scatter allows.
    """

    indicator: int
    slopes: Slopes
    basis: Ints
    published: Floats
    believable: float

    @property
    def error_scale(self) -> float:
        """The factor that reduces drawn deviations."""
        return float(np.sqrt(self.believable))


def change_positions(
    framework: Framework, cube: Cube, leaves: Sequence[Leaf], window: Window, rho: float
) -> tuple[Positions, list[SlopePart | None]]:
    """The slope of each leaf over the window ending in each year, per year of time; None for a leaf without figures."""
    parts: list[Positions] = []
    makings: list[SlopePart | None] = []
    for leaf in leaves:
        k = cube.index(leaf.id)
        making = None if k is None else _slope_part(framework, cube, leaf, window, k, rho)
        parts.append(_nothing(cube) if making is None else _slope_positions(cube, making))
        makings.append(making)
    return _stack(parts, cube), makings


def _slope_part(framework: Framework, cube: Cube, leaf: Leaf, window: Window, k: int, rho: float) -> SlopePart:
    series = indicator_series(cube, k, within_nation=leaf.reference.standardise_within == "nation")
    own_years = leaf.reference.carry_forward_years
    carry = framework.missing.carry_forward_years if own_years is None else own_years
    fit = slopes(series.position, window.years, window.min_points, carry, series.basis)
    published = slope_error_variance(series.error, fit.weights, rho)
    expected = expected_scatter_variance(series.error, fit, rho)
    believable = believable_share(
        np.where(np.isnan(published), np.nan, expected), fit.scatter_variance, cube.is_district
    )
    return SlopePart(k, fit, series.basis, published, believable)


def _slope_positions(cube: Cube, part: SlopePart) -> Positions:
    slope = part.slopes.slope
    share = reliability_shares(part.believable, part.published, part.slopes.scatter_variance, cube.is_district)
    has_error = ~np.isnan(part.published) & ~np.isnan(slope)
    return Positions(
        own=slope,
        own_error=np.where(has_error, np.sqrt(share[:, None] * part.published), np.nan),
        used=slope,
        error=np.where(has_error, np.sqrt(part.believable * part.published), np.nan),
        has_published_error=has_error,
        age=part.slopes.age,
        basis=part.basis,
        volatility=np.full(slope.shape[1], np.nan),
        error_scale=np.array(part.error_scale),
    )


def believable_share(expected: Floats, scatter: Floats, members: Bools) -> float:
    """Share of the published error variance that the series' own scatter about its trend allows, at most 1.

    ``expected`` is the scatter that the published errors would produce (NaN if none is published). Observed scatter
    includes real movement and error, so error alone cannot be larger: published ASHE errors (6.5%) exceed the scatter
    of districts about their trend (3.6%).
    """
    both = members & ~np.isnan(expected) & ~np.isnan(scatter)
    total = float(expected[both].sum())
    return min(1.0, float(scatter[both].sum()) / total) if total > 0 else 1.0


def reliability_shares(believable: float, published: Floats, scatter: Floats, members: Bools) -> Floats:
    """Share of the published error variance of a change that its reliability counts, each year: [years].

    Published errors count in full if the scatter allows them (employment). If it does not (pay), they are known to be
    too large, and the error implied by the scatter is used instead. For a slope this is the regression's error, which
    gives median weekly pay 2013 to 2025 a reliability of 0.78.
    """
    if believable >= 1:
        return np.ones(len(published))
    return np.array([believable_share(published[row], scatter[row], members) for row in range(len(published))])


def reliability(own: Floats, error: Floats, members: Bools) -> Floats:
    """``1 - mean(se^2) / var(x)`` over the districts that have both, for each year. [years, areas] -> [years].

    NaN with fewer than three such districts or without spread.
    """
    both = ~np.isnan(own) & ~np.isnan(error) & members
    count = both.sum(axis=1)
    safe = np.maximum(count, 2)
    values = np.where(both, own, 0.0)
    mean = values.sum(axis=1) / safe
    variance = (np.where(both, own - mean[:, None], 0.0) ** 2).sum(axis=1) / (safe - 1)
    noise = (np.where(both, error, 0.0) ** 2).sum(axis=1) / safe
    is_known = (count >= 3) & (variance > 0)
    return np.where(is_known, 1 - noise / np.where(variance > 0, variance, 1), np.nan)


def deciding_reliability(yearly: Floats) -> float:
    """The reliability that decides a gate: the median over years, so that an indicator does not come and go."""
    return float(nanmedian_rows(yearly[None, :])[0])


def _units(position: Floats, cube: Cube, within_nation: bool) -> Floats:
    """The unit in which drift is pooled: 1, or each nation's own spread for measures that nations define differently."""
    units = np.ones(len(cube.area_codes))
    if within_nation:
        for nation in np.unique(cube.nation[cube.nation >= 0]):
            inside = cube.nation == nation
            held = np.abs(position[:, inside & cube.is_district])
            spread = MAD_TO_SD * float(np.median(held[~np.isnan(held)])) if (~np.isnan(held)).any() else 0.0
            units[inside] = spread or 1.0
    return units


def _nothing(cube: Cube) -> Positions:
    shape = (len(cube.years), len(cube.area_codes))
    empty = np.full(shape, np.nan)
    return Positions(
        own=empty,
        own_error=empty,
        used=empty,
        error=empty,
        has_published_error=np.zeros(shape, dtype=bool),
        age=np.full(shape, -1),
        basis=np.zeros(shape, dtype=np.int64),
        volatility=empty[0],
        error_scale=np.array(1.0),
    )


def _stack(parts: Sequence[Positions], cube: Cube) -> Positions:
    names = Positions.__annotations__
    whole = parts or [_nothing(cube)]
    stacked = {name: np.array([getattr(part, name) for part in whole]) for name in names}
    return Positions(**{name: values[: len(parts)] for name, values in stacked.items()})
