"""Errors of figures whose publisher gives none, from how far they were revised until the newest edition.

Revisions are cumulated: an edition is compared with the newest, not with the next, so what was revised twice counts
whole. They bound the error from below, since what every edition gets wrong alike never shows. Slopes are compared as
slopes: neighbouring years are revised together, so the error of a slope does not follow from those of its figures.

``editions`` are [editions, years, areas], oldest first, in the indicator's unit and on one map, NaN where an edition has
no figure. What moves all areas of a year alike moves no position and does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.errors import PipelineError
from pipeline.estimation.error_process import Floats
from pipeline.estimation.slopes import slope_weights

FEWEST_AREAS = 30  # with a figure in both editions, below which an age says nothing
HALF_WIDTH = 1.645  # standard errors, of a 90% interval


class RevisionsError(PipelineError, ValueError):
    """The editions given say nothing of errors; the message says why."""


@dataclass(frozen=True)
class Revisions:
    """What figures, or slopes, have still been revised by from each age on; arrays are [ages], age 0 first.

    ``standard_error``: root mean square over areas and editions, in units of the position (a slope: a year);
    ``editions``: how many older editions have figures of that age; ``areas``: the fewest areas of any of them. An age
    that no edition shows is not in it: the arrays end before the first such age.
    """

    standard_error: Floats
    editions: Floats
    areas: Floats


def cumulated_revisions(editions: Floats, is_log: bool, window: int | None = None) -> Revisions:
    """Spread of the differences between older editions and the newest, by the age a figure had in the older one.

    With ``window``: of slopes over that many years, by the age of the window's last year. Raises RevisionsError for
    fewer than two editions, or where none of them shares the youngest figures of 30 areas with the newest.
    """
    moves = _moves(editions, 2, is_log, window)
    areas = np.count_nonzero(~np.isnan(moves), axis=2)
    is_enough = areas >= FEWEST_AREAS
    count = is_enough.sum(axis=0)
    ages = int(np.argmin(count)) if (count == 0).any() else len(count)
    if not ages:
        raise RevisionsError(f"no older edition shares its youngest figures of {FEWEST_AREAS} areas with the newest")
    squares = np.nan_to_num(moves**2).sum(axis=2) / np.maximum(areas, 1)
    mean_square = np.where(is_enough, squares, 0.0).sum(axis=0)[:ages] / count[:ages]
    return Revisions(
        standard_error=np.sqrt(mean_square),
        editions=count[:ages],
        areas=np.where(is_enough, areas, areas.max()).min(axis=0)[:ages],
    )


def coverage_without_newest(editions: Floats, is_log: bool, window: int | None = None) -> Floats:
    """How often the newest edition lies within the 90% intervals that all editions before it gave: [editions - 1, ages].

    One row an older edition, oldest first. The last row is the fairest test, since none of its revisions are in the
    spread. The ages are those the spread has; NaN where an edition has too few areas. Raises RevisionsError for fewer
    than three editions.
    """
    if len(editions) < 3:
        raise RevisionsError(f"to leave the newest edition out, three are needed (given: {len(editions)})")
    spread = cumulated_revisions(editions[:-1], is_log, window).standard_error
    moves = _moves(editions, 3, is_log, window)[:, : len(spread)]
    areas = np.count_nonzero(~np.isnan(moves), axis=2)
    inside = (np.abs(moves) <= HALF_WIDTH * spread[:, None]).sum(axis=2)
    return np.where(areas >= FEWEST_AREAS, inside / np.maximum(areas, 1), np.nan)


def _moves(editions: Floats, fewest: int, is_log: bool, window: int | None) -> Floats:
    """By how much each older edition was revised until the newest, youngest figures first: [editions - 1, ages, areas]."""
    if len(editions) < fewest:
        raise RevisionsError(f"revisions show between editions: {fewest} are needed (given: {len(editions)})")
    if is_log and (editions <= 0).any():
        raise RevisionsError("a figure of 0 or less has no logarithm")
    moves = np.full((len(editions) - 1, *editions.shape[1:]), np.nan)
    for older, out in zip(editions[:-1], moves, strict=True):
        held = np.flatnonzero((~np.isnan(older)).any(axis=1))
        if held.size:
            last = held[-1]
            revision = _revision(older[: last + 1], editions[-1][: last + 1], is_log)
            out[: last + 1] = (revision if window is None else _slopes(revision, window))[::-1]
    return moves


def _revision(older: Floats, newer: Floats, is_log: bool) -> Floats:
    """How far positions moved: [years, areas]. Medians are those of the areas in both editions."""
    is_in_both = ~np.isnan(older) & ~np.isnan(newer)
    positions = []
    for values in (older, newer):
        held = np.where(is_in_both, np.log(values) if is_log else values, np.nan)
        middle = np.full((len(held), 1), np.nan)
        some = is_in_both.any(axis=1)
        middle[some, 0] = np.nanmedian(held[some], axis=1)
        positions.append(held - middle)
    return positions[1] - positions[0]


def _slopes(values: Floats, window: int) -> Floats:
    """Slope over the window that ends in each year, where all of its figures are held: [years, areas].

    The slope is linear, so the slope of revisions is the revision of the slope.
    """
    out = np.full(values.shape, np.nan)
    if len(values) >= window:
        windows = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
        out[window - 1 :] = windows @ slope_weights(np.ones((window, 1), dtype=bool))[:, 0]
    return out
