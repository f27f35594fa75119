"""How an answer agrees with what is published beside it: a sister series, and wider areas with their districts.

Both are distances that hardly move: of a district to the same district in the sister series, of a region or nation to
the mean of its districts. They are looked at as series of their own, by the gates of moves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.gates.measures import Measure, Series, of_series
from pipeline.gates.moves import FEWEST_AREAS
from pipeline.gates.panels import AreaFacts, Flags, Floats, Pair, Panel, Scale

SAME = 1e-9  # of two distances of which one is worked out, on the scale of roots or logarithms
LEAST_COVERED = 0.95  # share of a wider area's people whose districts have a figure


def of_sister(
    pair: Pair, sister: Panel, sister_before: Panel, title: str, scale: Scale, usual_share: float, order: int
) -> Iterator[Measure]:
    """An answer against a sister series: the distance of each district, and which of the two is the larger.

    ``sister`` is over the same areas (see ``aligned``), ``sister_before`` what was held of it beside the held answer.
    ``order`` is 1 where the sister is always at least as large, -1 where it never is larger, 0 where neither holds.
    """
    new = scale(pair.new.value) - _columns(sister, pair.new, scale)
    held = scale(pair.held.value) - _columns(sister_before, pair.held, scale)
    if not (np.isfinite(new).any() and np.isfinite(held).any()):
        return
    series = Series("sister_", f"beside {title}, ", pair, new, held, np.full_like(held, np.nan), usual_share)
    with np.errstate(all="ignore"):
        yield from of_series(series)
        if order:
            yield from _out_of_order(series, title, order)


def aligned(sister: Panel, codes: tuple[str, ...]) -> Panel:
    """A panel over other areas: NaN where it has none of them."""
    place = {code: row for row, code in enumerate(sister.codes)}
    rows = np.array([place.get(code, -1) for code in codes], dtype=np.int64)

    def taken(values: Floats) -> Floats:
        return np.where((rows >= 0)[:, None], values[rows], np.nan)

    return Panel(codes, sister.periods, taken(sister.value), taken(sister.lower), taken(sister.upper))


def _columns(sister: Panel, of: Panel, scale: Scale) -> Floats:
    """The sister's figures for the periods of another panel, NaN where it has none."""
    found = np.full((len(of.codes), len(of.periods)), np.nan)
    for number, period in enumerate(of.periods):
        if period in sister.periods:
            found[:, number] = scale(sister.value[:, sister.at(period)])
    return found


def _out_of_order(series: Series, title: str, order: int) -> Iterator[Measure]:
    usual = max((_share_wrong(series.held[:, t], order) for t in range(series.held.shape[1])), default=0.0)
    for number, period in enumerate(series.pair.new.periods):
        figures = series.new[:, number]
        if np.isfinite(figures).sum() < FEWEST_AREAS:
            continue
        share = _share_wrong(figures, order)
        worst = np.argsort(np.nan_to_num(-figures * order, nan=-np.inf))[::-1][:3]
        value = series.pair.new.value[:, number]
        what = f"figures are on the wrong side of {title}"
        codes = tuple(series.pair.codes[row] for row in worst)
        after = tuple(float(value[row]) for row in worst)
        yield Measure("sister_order", period, share / max(usual, 0.02), what, codes, (), after)


def _share_wrong(distance: Floats, order: int) -> float:
    there = distance[np.isfinite(distance)]
    return float((there * order > SAME).mean()) if len(there) else 0.0


def of_wider_areas(new: Panel, held: Panel, facts: AreaFacts, scale: Scale, usual_share: float) -> Iterator[Measure]:
    """Published regions, nations and other wider areas against their districts: their distance to the mean, and the range."""
    rows = np.array([row for row, code in enumerate(new.codes) if code in facts.members], dtype=np.int64)
    if not len(rows):
        return
    weights = _weights(new.codes, rows, facts)
    pair = Pair(new.only(rows), held.only(rows))
    with np.errstate(all="ignore"):
        distance = scale(pair.new.value) - _means(scale(new.value), weights)
        before = scale(pair.held.value) - _means(scale(held.value), weights)
        series = Series(
            "wider_", "beside their districts, ", pair, distance, before, np.full_like(before, np.nan), usual_share
        )
        yield from of_series(series)
        yield from _out_of_range(series, _are_out(new, pair.new, weights), _are_out(held, pair.held, weights))


def _weights(codes: tuple[str, ...], rows: np.ndarray, facts: AreaFacts) -> Floats:
    """Wider areas × all areas: the share of each district's people; rows of NaN where districts are missing."""
    place = {code: row for row, code in enumerate(codes)}
    weights = np.zeros((len(rows), len(codes)))
    for number, row in enumerate(rows):
        members = facts.members[codes[row]]
        people = {code: facts.people.get(code, 0.0) for code in members}
        total = sum(people.values())
        for code in members:
            if code in place and total > 0:
                weights[number, place[code]] = people[code] / total
    return weights


def _means(figures: Floats, weights: Floats) -> Floats:
    """The mean of each wider area's districts by people; NaN where they cover less than LEAST_COVERED of them."""
    there = np.isfinite(figures)
    covered = weights @ there.astype(np.float64)
    total = weights @ np.where(there, figures, 0.0)
    return np.where(covered >= LEAST_COVERED, total / np.where(covered > 0, covered, 1.0), np.nan)


def _are_out(panel: Panel, wider: Panel, weights: Floats) -> Flags:
    """Which wider areas, by period, have a figure below all of their districts' or above, where all of these are known."""
    there = np.isfinite(panel.value)
    is_known = weights @ there.astype(np.float64) >= LEAST_COVERED
    lowest, highest = np.full(wider.value.shape, np.inf), np.full(wider.value.shape, -np.inf)
    for row, members in enumerate(weights > 0):
        figures = panel.value[members]
        if len(figures):
            lowest[row] = np.min(np.where(np.isfinite(figures), figures, np.inf), axis=0)
            highest[row] = np.max(np.where(np.isfinite(figures), figures, -np.inf), axis=0)
    return is_known & ((wider.value < lowest) | (wider.value > highest))


def _out_of_range(series: Series, is_out: Flags, was_out: Flags) -> Iterator[Measure]:
    """Wider areas outside the range of their own districts, beyond as many as ever were in the years held."""
    usual = int(was_out.sum(axis=0).max(initial=0))
    for number, period in enumerate(series.pair.new.periods):
        rows = np.flatnonzero(is_out[:, number])
        codes = tuple(series.pair.codes[row] for row in rows[:3])
        after = tuple(float(series.pair.new.value[row, number]) for row in rows[:3])
        what = "wider areas lie outside the range of their own districts"
        yield Measure("wider_range", period, float(len(rows) - usual), what, codes, (), after)
