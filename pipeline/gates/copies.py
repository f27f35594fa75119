"""Copies in an answer: a column from another year, districts with each other's figures, and coarse rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.gates.moves import (
    FEWEST_AREAS,
)
from pipeline.gates.panels import Flags, Floats
from pipeline.gates.tested_series import (
    Compared,
    Measure,
    Series,
    largest_rows,
    named,
)


def copies(series: Series) -> Iterator[Measure]:
    """The gates of copies: a column from another year, districts with each other's figures, and coarse rounding."""
    held = series.pair.held.value
    columns = range(held.shape[1])
    usual = max((float(_shares_equal(held[:, t], held[:, t - 1 : t])[0]) for t in columns[1:]), default=0.0)
    fewest = min((share for t in columns if (share := _share_different(held[:, t])) > 0), default=1.0)
    for compared in series.compared:
        is_other = np.array([name != compared.period for name in series.pair.held.periods])
        shares = np.where(is_other, _shares_equal(compared.after, held), 0.0)
        share, year = float(np.max(shares, initial=0.0)), series.pair.held.periods[int(np.argmax(shares))]
        what = f"figures are those of {year}"
        yield named(series, compared, "copied", share / max(usual, 0.1), what, largest_rows(compared.after))
        coarse = fewest / max(_share_different(compared.after), 1e-6)
        unit = _unit(compared.after)
        if unit > FINEST and not any(_is_round(held[:, t], unit) for t in columns):
            coarse = max(coarse, 10.0)
        yield named(series, compared, "coarse", coarse, "fewer figures differ than ever", _tied_rows(compared.after))
        if not compared.is_new:
            yield _exchanged(series, compared)


LEAST_GAP_OF_A_PAIR = 0.5  # of the usual move; closer pairs exchange figures by chance when many districts are revised


def _exchanged(series: Series, compared: Compared) -> Measure:
    """Districts with one another's former figures: every district that changed, or distant pairs of them."""
    before, after, made = compared.before, compared.after, compared.step
    changed = np.flatnonzero(np.isfinite(before) & np.isfinite(after) & (before != after))
    if np.array_equal(np.sort(before[changed]), np.sort(after[changed])):
        count, rows = len(changed), changed[np.argsort(-np.abs(made.own[changed]))]
    else:
        is_landed = np.isin(after[changed], before[changed]) & np.isin(before[changed], after[changed])
        landed = changed[is_landed]
        was, now, scaled = before[landed], after[landed], made.before[landed]
        lands = (now[:, None] == was[None, :]) & (now[None, :] == was[:, None])
        gap = np.abs(scaled[:, None] - scaled[None, :])
        pairs = lands & (gap > max(LEAST_GAP_OF_A_PAIR * series.known.usual, 3 * made.spread))
        rows = landed[pairs.any(axis=1)]
        count = len(rows)
    what = "districts hold one another's former figures"
    return named(series, compared, "exchanged", float(count), what, tuple(int(row) for row in rows[:3]))


def _shares_equal(figures: Floats, columns: Floats) -> Floats:
    """For each of ``columns``, the share of areas with exactly the same figure; 0 for too few areas."""
    both = (np.isfinite(figures)[:, None] & np.isfinite(columns)).sum(axis=0)
    equal = (figures[:, None] == columns).sum(axis=0)
    return np.where(both >= FEWEST_AREAS, equal / np.maximum(both, 1), 0.0)


def _share_different(figures: Floats) -> float:
    """The number of different figures as a share of all; 0 for too few figures."""
    values = figures[np.isfinite(figures)]
    return len(np.unique(values)) / len(values) if len(values) >= FEWEST_AREAS else 0.0


FINEST, COARSEST = -4, 4  # powers of ten
LEAST_ROUND = 0.9  # share of figures that are whole multiples of a unit they are rounded to


def _unit(figures: Floats) -> int:
    """The largest power of ten to which figures are rounded; FINEST if there is none."""
    return next((power for power in range(COARSEST, FINEST, -1) if _is_round(figures, power)), FINEST)


def _is_round(figures: Floats, power: int) -> bool:
    """Whether nearly all figures are whole multiples of a power of ten; False for too few figures."""
    multiples = figures[np.isfinite(figures)] / 10.0**power
    if len(multiples) < FEWEST_AREAS:
        return False
    return bool((np.abs(multiples - np.round(multiples)) < 1e-6).mean() >= LEAST_ROUND)


def _is_tied(values: Floats) -> Flags:
    _, which, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(count[which] > 1)


def _tied_rows(figures: Floats) -> tuple[int, ...]:
    rows = np.flatnonzero(np.isfinite(figures))
    return tuple(int(row) for row in rows[_is_tied(figures[rows])][:3])
