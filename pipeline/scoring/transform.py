"""From figures to relative positions: transform, carry forward, slopes, differences (METHODOLOGY sections 2 and 3).

Array axes, always in this order: ``[indicator, year, area]`` or, inside one indicator, ``[..., area]`` with any
leading axes (years or draws). Missing is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]  # for draws, whose randomness is far coarser than single precision
AnyFloats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

MAD_TO_SD = 1.4826  # makes the median absolute deviation of a normal sample estimate its standard deviation


def nanmedian_rows(values: Floats) -> Floats:
    """Median over the last axis without NaN; NaN for a row of NaN only. Equals ``np.nanmedian``, but faster.

    ``values``: [..., areas] -> [...].
    """
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)  # NaN sorts last
    count = np.count_nonzero(~np.isnan(ordered), axis=-1)
    low = np.maximum((count - 1) // 2, 0)[..., None]
    high = np.maximum(count // 2, 0)[..., None]
    high = np.minimum(high, values.shape[-1] - 1)
    middle = (np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1)) / 2
    return np.where(count > 0, middle[..., 0], np.nan)


def relative_position(values: Floats, is_log: bool, members: Bools, groups: Ints | None = None) -> Floats:
    """How far each area is from the typical district: ``ln(x / median)`` or ``x - median``.

    ``values``: [..., areas] in the indicator's unit; ``members``: [areas], the scored districts that make the median;
    ``groups``: [areas], a group number for areas compared within their group (-1: in none, gives NaN).
    """
    if groups is None:
        return _from_median(values, nanmedian_rows(values[..., members])[..., None], is_log)
    out = np.full(values.shape, np.nan)
    for group in np.unique(groups[groups >= 0]):
        inside = groups == group
        median = nanmedian_rows(values[..., inside & members])[..., None]
        out[..., inside] = _from_median(values[..., inside], median, is_log)
    return out


def _from_median(values: Floats, median: Floats, is_log: bool) -> Floats:
    if is_log:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(values / median)
    return values - median


def relative_error(values: Floats, errors: Floats, is_log: bool) -> Floats:
    """Standard error of the relative position: ``se / x`` for logarithms (delta method), ``se`` for differences."""
    if not is_log:
        return errors
    with np.errstate(divide="ignore", invalid="ignore"):
        return errors / values


def basis_in_force(is_present: Bools, years: Ints, breaks: Sequence[int], members: Bools, groups: Ints | None) -> Ints:
    """The number of a series' basis in each year, from 0: [years, areas].

    ``is_present``: [years, areas]; ``breaks``: years after which the series has a new basis; ``members``, ``groups``:
    as in ``relative_position``. A basis takes effect with the first figure on it from a scored district of the group.
    Until then nothing else is known, so a nation that publishes nothing new stays on its old basis.
    """
    basis = np.zeros(is_present.shape, dtype=np.int64)
    insides = [np.ones(len(members), dtype=bool)] if groups is None else [groups == g for g in np.unique(groups)]
    for last in breaks:
        for inside in insides:
            has_begun = (is_present[:, inside & members].any(axis=1)) & (years > last)
            basis[:, inside] += np.maximum.accumulate(has_begun)[:, None]
    return basis


def latest_available(is_present: Bools, carry_forward_years: int, basis: Ints) -> Ints:
    """For each year and area, the row of the figure to use: this year's, else the latest from earlier years.

    ``is_present``, ``basis``: [years, areas] -> [years, areas] of row numbers, -1 if there is none recent enough on the
    basis of the year.
    """
    rows = np.arange(is_present.shape[0])[:, None]
    last = np.maximum.accumulate(np.where(is_present, rows, -1), axis=0)
    is_same_basis = np.take_along_axis(basis, np.maximum(last, 0), axis=0) == basis
    return np.where((last >= 0) & (rows - last <= carry_forward_years) & is_same_basis, last, -1)


def take_rows(values: Floats | Ints, rows: Ints) -> Floats:
    """``values[rows[t, a], a]`` for [years, areas] arrays; NaN if the row is -1."""
    taken = np.take_along_axis(values, np.maximum(rows, 0), axis=0)
    return np.where(rows >= 0, taken, np.nan)


def yearly_volatility(position: Floats, error: Floats, members: Bools, new_share: float) -> float:
    """Standard deviation by which a relative position drifts in one year, beyond what its errors explain.

    ``position``, ``error``: [years, areas]; ``new_share``: the share of the error variance that is new each year.
    Consecutive figures of one area, however many years apart, count per square root of a year, even across a break of
    the series. A change of method makes the drift larger, which is the cautious side. NaN if no area has two figures.
    """
    is_present = ~np.isnan(position)
    rows = np.arange(position.shape[0])[:, None]
    before = np.full(position.shape, -1)
    before[1:] = np.maximum.accumulate(np.where(is_present, rows, -1), axis=0)[:-1]
    pairs = is_present & (before >= 0) & members
    if not pairs.any():
        return float("nan")
    gap = np.where(pairs, rows - before, 1)
    earlier = np.maximum(before, 0)
    step = (position - np.take_along_axis(position, earlier, axis=0)) / np.sqrt(gap)
    here = np.nan_to_num(error)
    there = np.take_along_axis(here, earlier, axis=0)
    noise = (here**2 + there**2 - 2 * (1 - new_share) * here * there) / gap
    steps = step[pairs]
    spread = MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps))))
    return float(np.sqrt(max(spread**2 - float(noise[pairs].mean()), 0.0)))


@dataclass(frozen=True)
class Slopes:
    """Slopes over one window. ``weights``: [years, window, areas], the slope being ``sum(weights x position)``.

    ``is_used``: [years, window, areas], the figures in the fit.
    ``slope``: [years, areas], per year of time. ``age``: years since the window's last figure. ``rows``: [years,
    window], row numbers of the window (below 0: before the first year held).
    """

    slope: Floats
    weights: Floats
    is_used: Bools
    age: Ints
    rows: Ints


def slopes(position: Floats, window_years: int, min_points: int, carry_forward_years: int, basis: Ints) -> Slopes:
    """Ordinary least squares slope of the position on the year, over ``window_years`` years ending in each year.

    ``position``, ``basis``: [years, areas], years without gaps. Only figures on the basis of the window's last year
    count. NaN with fewer than ``min_points`` of them in the window, or if the last is older than
    ``carry_forward_years``.
    """
    held = windows(position, window_years)
    is_present = ~np.isnan(held)
    if basis.any():
        is_present &= windows(basis.astype(float), window_years) == basis[:, None, :]
    filled = np.where(is_present, held, 0.0)
    time = np.arange(window_years, dtype=float)[None, :, None]
    count = is_present.sum(axis=1)
    mean_time = (is_present * time).sum(axis=1) / np.maximum(count, 1)
    centred = np.where(is_present, time - mean_time[:, None, :], 0.0)
    sum_squares = (centred**2).sum(axis=1)
    age = window_years - 1 - np.where(is_present, time, -1.0).max(axis=1)
    is_valid = (count >= min_points) & (sum_squares > 0) & (age <= carry_forward_years)
    weights = np.where(is_valid[:, None, :], centred / np.where(sum_squares > 0, sum_squares, 1)[:, None, :], 0.0)
    return Slopes(
        slope=np.where(is_valid, (weights * filled).sum(axis=1), np.nan),
        weights=weights,
        is_used=is_present,
        age=np.where(is_valid, age, -1).astype(np.int64),
        rows=np.arange(len(position))[:, None] + np.arange(window_years)[None, :] - (window_years - 1),
    )


def windows(values: Floats, window_years: int) -> Floats:
    """[years, areas] -> [years, window, areas], NaN before the first year."""
    padded = np.concatenate([np.full((window_years - 1, values.shape[1]), np.nan), values])
    # copied, because later code passes over the window repeatedly, and a view of it has poor memory locality
    return np.ascontiguousarray(
        np.lib.stride_tricks.sliding_window_view(padded, window_years, axis=0).transpose(0, 2, 1)
    )


def difference(position: Floats, years_apart: int, basis: Ints) -> Floats:
    """Endpoint difference over ``years_apart`` years: [years, areas], NaN if an end is missing or the basis differs."""
    change = np.full(position.shape, np.nan)
    if years_apart < position.shape[0]:
        is_same_basis = basis[years_apart:] == basis[:-years_apart]
        change[years_apart:] = np.where(is_same_basis, position[years_apart:] - position[:-years_apart], np.nan)
    return change


def years_before(values: Floats, years_apart: int) -> Floats:
    """The values of ``years_apart`` years before: [years, areas], NaN before the first."""
    then = np.full(values.shape, np.nan)
    if years_apart < len(values):
        then[years_apart:] = values[:-years_apart]
    return then
