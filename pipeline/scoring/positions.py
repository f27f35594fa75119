"""Positions of every leaf of a plan: where areas stand (level) or where they are heading (change)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue.frameworks import Framework, Window
from pipeline.scoring.cube import Cube, Series
from pipeline.scoring.error_model import (
    NONE,
    ErrorSource,
    SlopeErrors,
    figures_as_given,
    series_errors,
    slope_errors,
)
from pipeline.scoring.transform import (
    MAD_TO_SD,
    Bools,
    Floats,
    Ints,
    Slopes,
    basis_in_force,
    latest_available,
    nanmedian_rows,
    relative_error,
    relative_position,
    slopes,
    take_rows,
    yearly_volatility,
)
from pipeline.scoring.tree import Leaf


@dataclass(frozen=True)
class Positions:
    """Positions of the leaves of one plan. Arrays [leaves, years, areas]; NaN is missing.

    ``own``: from the year's own figure only, and ``own_error`` its error for reliability. ``used``: the scored
    position, carried forward if need be. ``error``: its standard error in draws (NaN: none known). ``kind``: position in
    KINDS of the error. ``age``: years since the figure (-1: none). ``basis``: the number of the series' basis in the
    year, from 0. ``volatility``: [leaves, areas], standard deviation of a year's drift (level). ``new_share``: [leaves],
    the share of the error variance that is new each year.
    """

    own: Floats
    own_error: Floats
    used: Floats
    error: Floats
    kind: Ints
    age: Ints
    basis: Ints
    volatility: Floats
    new_share: Floats

    @property
    def has_known_error(self) -> Bools:
        return np.asarray(self.kind > NONE)


def indicator_series(cube: Cube, k: int, *, within_nation: bool, is_raw: bool = False) -> Series:
    """Relative position and errors of indicator ``k``; the figures themselves with ``is_raw``."""
    key = (k, within_nation, is_raw)
    if key not in cube.series:
        values, is_log = cube.values[k], bool(cube.is_log[k])
        breaks = cube.breaks[k] if cube.breaks else ()
        groups = cube.nation if within_nation else None
        basis = basis_in_force(~np.isnan(values), cube.years, breaks, cube.is_district, groups)
        source = cube.error_sources[k] if cube.error_sources else ErrorSource()
        if is_raw:
            cube.series[key] = Series(values, figures_as_given(cube.errors[k], source), basis)
            return cube.series[key]
        position = relative_position(values, is_log, cube.is_district, groups)
        published = np.where(np.isnan(position), np.nan, relative_error(values, cube.errors[k], is_log))
        population = np.full(len(cube.area_codes), np.nan) if cube.population is None else cube.population
        errors = series_errors(position, published, basis, cube.is_district, source, population)
        cube.series[key] = Series(position, errors, basis)
    return cube.series[key]


def level_positions(framework: Framework, cube: Cube, leaves: Sequence[Leaf], *, is_raw: bool) -> Positions:
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
        known = take_rows(series.errors.level, rows)
        unit = _units(series.position, cube, within_nation)
        volatility = unit * yearly_volatility(
            series.position / unit, series.errors.yearly / unit, cube.is_district, series.errors.new_share
        )
        drift = np.nan_to_num(volatility) ** 2 * np.maximum(age, 0)
        grown = np.sqrt(np.nan_to_num(known) ** 2 + drift)
        parts.append(
            Positions(
                own=series.position,
                own_error=series.errors.level,
                used=take_rows(series.position, rows),
                error=np.where(np.isnan(known) & (drift == 0), np.nan, grown),
                kind=np.where(
                    np.isnan(known), NONE, np.take_along_axis(series.errors.kind, np.maximum(rows, 0), axis=0)
                ),
                age=age,
                basis=series.basis,
                volatility=volatility,
                new_share=np.array(series.errors.new_share),
            )
        )
    return _stack(parts, cube)


@dataclass(frozen=True)
class SlopePart:
    """The slope of a leaf: of which indicator, on which basis ([years, areas], see Positions), with which errors.

    ``is_direct``: its errors are those of slopes, drawn as such, and do not follow from those of figures.
    """

    indicator: int
    slopes: Slopes
    basis: Ints
    errors: SlopeErrors
    is_direct: bool
    new_share: float


def change_positions(
    framework: Framework, cube: Cube, leaves: Sequence[Leaf], window: Window
) -> tuple[Positions, list[SlopePart | None]]:
    """The slope of each leaf over the window ending in each year, per year of time; None for a leaf without figures."""
    parts: list[Positions] = []
    makings: list[SlopePart | None] = []
    for leaf in leaves:
        k = cube.index(leaf.id)
        making = None if k is None else _slope_part(framework, cube, leaf, window, k)
        parts.append(_nothing(cube) if making is None else _slope_positions(making))
        makings.append(making)
    return _stack(parts, cube), makings


def _slope_part(framework: Framework, cube: Cube, leaf: Leaf, window: Window, k: int) -> SlopePart:
    series = indicator_series(cube, k, within_nation=leaf.reference.standardise_within == "nation")
    own_years = leaf.reference.carry_forward_years
    carry = framework.missing.carry_forward_years if own_years is None else own_years
    fit = slopes(series.position, window.years, window.min_points, carry, series.basis)
    errors = slope_errors(series.errors, fit, window.years, cube.is_district)
    return SlopePart(k, fit, series.basis, errors, series.errors.is_direct, series.errors.new_share)


def _slope_positions(part: SlopePart) -> Positions:
    slope = part.slopes.slope
    kind = np.where(np.isnan(slope), NONE, part.errors.kind)
    error = np.where(kind > NONE, np.sqrt(part.errors.variance), np.nan)
    return Positions(
        own=slope,
        own_error=error,
        used=slope,
        error=error,
        kind=kind,
        age=part.slopes.age,
        basis=part.basis,
        volatility=np.full(slope.shape[1], np.nan),
        new_share=np.array(part.new_share),
    )


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
        kind=np.full(shape, NONE),
        age=np.full(shape, -1),
        basis=np.zeros(shape, dtype=np.int64),
        volatility=empty[0],
        new_share=np.array(np.nan),
    )


def _stack(parts: Sequence[Positions], cube: Cube) -> Positions:
    names = Positions.__annotations__
    whole = parts or [_nothing(cube)]
    stacked = {name: np.array([getattr(part, name) for part in whole]) for name in names}
    return Positions(**{name: values[: len(parts)] for name, values in stacked.items()})
