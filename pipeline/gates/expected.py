"""The figure expected of each district in a year, from its own earlier years and from sister series.

A district's position is its figure less the median of all districts. It is predicted from its latest year and from an
exponentially weighted mean, which counts more the better it predicted the years held. A sister series adds two terms:
how far its district has moved, and how far the gap between the two series is from their usual gap. The weights of these
terms are fitted to the years held by least squares, with little weight on large departures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.gates.moves import TO_STANDARD_DEVIATION, column_medians, middle
from pipeline.gates.panels import Flags, Floats

FORGETS = 0.3  # weight of the latest year in the exponentially weighted mean
GAP_FORGETS = 0.2  # the same for the usual gap between two series
FEWEST_TO_FIT = 6  # periods held; with fewer, a district is expected to stay in place, or to move as its sister does
FITS = 2  # rounds of the fit; the second gives less weight to what was far off in the first
FAR_OFF = 3.0  # robust standard deviations from which a departure counts less than half
HELD_BACK = 1e-3  # how strongly the fit is drawn to the values used without one


def expected(figures: Floats, is_held: Flags, beside: Sequence[Floats] = ()) -> Floats:
    """The figures expected in each column from those before it: areas × periods, NaN where the period before has none.

    ``is_held`` marks the columns used in the fit. ``beside`` are the same areas and periods of sister series, on their
    own scales.
    """
    medians = column_medians(figures)
    place = figures - medians
    latest = carried(place, 1.0)
    drawn = [np.nan_to_num(carried(place, FORGETS) - latest)]
    taken = [0.0]
    for sister in beside:
        its_place = sister - column_medians(sister)
        its_latest = carried(its_place, 1.0)
        drawn.append(np.nan_to_num(its_place - its_latest))
        drawn.append(np.nan_to_num(carried(its_place, FORGETS) - its_latest))
        drawn.append(np.nan_to_num(carried(place - its_place, GAP_FORGETS) - (latest - its_latest)))
        taken += [1.0, 0.0, 0.0]
    terms = np.stack(drawn, axis=-1)
    counts = _fitted(place - latest, terms, is_held, np.array(taken))
    before = np.roll(figures, 1, axis=1)
    before[:, :1] = np.nan
    foretold = latest + terms @ counts + np.roll(medians, 1)
    return np.where(np.isfinite(before), foretold, np.nan)


def carried(place: Floats, share: float) -> Floats:
    """An exponentially weighted mean before each column: the latest year has weight ``share``; missing years are skipped."""
    stood = np.full_like(place, np.nan)
    state = np.full(len(place), np.nan)
    for t in range(place.shape[1]):
        stood[:, t] = state
        column = place[:, t]
        moved = np.where(np.isnan(state), column, state + share * (column - state))
        state = np.where(np.isnan(column), state, moved)
    return stood


def _fitted(moves: Floats, terms: Floats, is_held: Flags, taken: Floats) -> Floats:
    """The weight of each term for the moves of the columns held."""
    if is_held.sum() < FEWEST_TO_FIT:
        return taken
    rows = np.isfinite(moves) & is_held
    wanted, there = moves[rows], terms[rows]
    counts = taken
    off = wanted
    if not len(wanted):
        return counts
    for _ in range(FITS):
        usual = middle(np.abs(off)) * TO_STANDARD_DEVIATION
        weight = 1 / (1 + (off / (FAR_OFF * max(usual, 1e-9))) ** 2)
        weighted = there * weight[:, None]
        normal = weighted.T @ there
        held_back = HELD_BACK * max(float(np.trace(normal)) / len(taken), 1e-9)
        normal[np.diag_indices(len(taken))] += held_back
        counts = np.asarray(np.linalg.solve(normal, weighted.T @ wanted + held_back * taken), dtype=np.float64)
        off = wanted - there @ counts
    return counts
