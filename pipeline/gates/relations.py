"""How an answer agrees with related publications: a sister series, and wider areas with their districts.

Both are distances that hardly change: from a district to the same district in the sister series, and from a region or
nation to the mean of its districts. The gates of moves treat them as series. A district's new year is compared with the
prediction from its own years and all its sister series (``pipeline.gates.expected``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from pipeline.gates.expected import FEWEST_TO_FIT
from pipeline.gates.measures import of_series
from pipeline.gates.moves import FEWEST_AREAS, FEWEST_MOVES, step, steps
from pipeline.gates.panels import AreaFacts, Flags, Floats, Pair, Panel, Scale
from pipeline.gates.tested_series import Measure, Series

SAME = 1e-9  # tolerance between two distances, one of them calculated, on the scale of roots or logarithms
LEAST_COVERED = 0.95  # share of a wider area's people whose districts have a figure


def of_sister(
    pair: Pair, sister: Panel, sister_before: Panel, title: str, scale: Scale, usual_share: float, order: int
) -> Iterator[Measure]:
    """An answer against a sister series: the distance of each district, and which of the two is larger.

    ``sister`` covers the same areas (see ``aligned``); ``sister_before`` is its held edition beside the held answer.
    ``order`` is 1 if the sister is always at least as large, -1 if it is never larger, 0 if neither holds.
    """
    new = scale(pair.new.value) - _columns(sister, pair.new, scale)
    held = scale(pair.held.value) - _columns(sister_before, pair.held, scale)
    if not (np.isfinite(new).any() and np.isfinite(held).any()):
        return
    series = Series("sister_", f"beside {title}, ", pair, new, held, np.full_like(held, np.nan), usual_share)
    with np.errstate(all="ignore"):
        yield from of_series(series, is_new=False)
        yield from _levels(series)
        if order:
            yield from _out_of_order(series, title, order)


LEAST_BESIDE = 0.5  # share of the districts of a new year that a sister series must have to predict it
LEAST_YEARS_BESIDE = 1 / 3  # share of the years held that it must have


def of_sisters(
    pair: Pair, sisters: Mapping[str, Panel], far: Collection[str], scale: Scale, usual_share: float
) -> Iterator[Measure]:
    """New years against the prediction from their districts' own years and all sister series; ``sisters`` by title.

    Those in ``far`` do not move as the answer does, and predict it only after enough years.
    """
    if not pair.released:
        return
    latest, held = max(pair.released), pair.held.periods
    there = np.isfinite(pair.new.value[:, pair.new.at(latest)])
    beside = {}
    for title, sister in sisters.items():
        is_seen = len(set(held) & set(sister.periods)) >= LEAST_YEARS_BESIDE * len(held)
        if latest not in sister.periods or not is_seen or (title in far and len(held) < FEWEST_TO_FIT):
            continue
        both = there & np.isfinite(sister.value[:, sister.at(latest)])
        if both.sum() >= max(LEAST_BESIDE * there.sum(), FEWEST_AREAS):
            beside[title] = {period: scale(sister.value[:, t]) for t, period in enumerate(sister.periods)}
    if not beside:
        return
    figures = scale(pair.held.value)
    series = Series(
        "sister_",
        f"beside {' and '.join(beside)}, ",
        pair,
        scale(pair.new.value),
        figures,
        np.full_like(figures, np.nan),
        usual_share,
        tuple(beside.values()),
    )
    with np.errstate(all="ignore"):
        for measure in of_series(series, is_revised=False):
            if measure.gate_id != "sister_new_level":  # it concerns the distance to each sister: see _levels
                yield measure


def common_moves(pair: Pair, sister: Panel, scale: Scale) -> dict[str, float]:
    """How far all districts of a sister moved together into each new year of an answer."""
    found = {}
    for period in pair.released & set(sister.periods):
        t = sister.at(period)
        made = step(scale(sister.value[:, t - 1]), scale(sister.value[:, t])) if t else None
        if made is not None:
            found[period] = made.common
    return found


def _levels(series: Series) -> Iterator[Measure]:
    """Common moves of the distance to a sister in new years, against the largest in the years held."""
    pair = series.pair
    seen = steps(series.held[:, :-1], series.held[:, 1:])
    if seen.count < FEWEST_MOVES:
        return
    most = max(float(np.max(np.abs(seen.common))), float(np.median(seen.spread)), 1e-9)
    for number, period in enumerate(pair.new.periods):
        if period in pair.released:
            made = step(series.new[:, number - 1] if number else series.held[:, -1], series.new[:, number])
            if made is not None:
                what = f"{series.subject}all districts together moved from the year before"
                yield Measure("sister_new_level", period, abs(made.common) / most, what, (), (), ())


def aligned(sister: Panel, codes: tuple[str, ...]) -> Panel:
    """A panel over other areas: NaN for those it lacks."""
    place = {code: row for row, code in enumerate(sister.codes)}
    rows = np.array([place.get(code, -1) for code in codes], dtype=np.int64)

    def taken(values: Floats) -> Floats:
        return np.where((rows >= 0)[:, None], values[rows], np.nan)

    return Panel(codes, sister.periods, taken(sister.value), taken(sister.lower), taken(sister.upper))


def _columns(sister: Panel, of: Panel, scale: Scale) -> Floats:
    """The sister's figures for the periods of another panel, NaN if it has none."""
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
    """Published regions, nations and other wider areas against their districts: distance to the mean, and range."""
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
        columns = [t for t, period in enumerate(new.periods) if not _is_held(new, held, period)]
        is_out = _are_out(new.in_periods(columns), pair.new.in_periods(columns), weights)
        if is_out.any():
            yield from _out_of_range(series, columns, is_out, _are_out(held, pair.held, weights))


def _is_held(new: Panel, held: Panel, period: str) -> bool:
    """Whether every figure of a period equals the held one."""
    return period in held.periods and np.array_equal(
        new.value[:, new.at(period)], held.value[:, held.at(period)], equal_nan=True
    )


def _weights(codes: tuple[str, ...], rows: np.ndarray, facts: AreaFacts) -> Floats:
    """Wider areas × all areas: the share of each district's people; NaN rows where districts are missing."""
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
    """The population-weighted mean of each wider area's districts; NaN if they cover less than LEAST_COVERED."""
    there = np.isfinite(figures)
    covered = weights @ there.astype(np.float64)
    total = weights @ np.where(there, figures, 0.0)
    return np.where(covered >= LEAST_COVERED, total / np.where(covered > 0, covered, 1.0), np.nan)


def _are_out(panel: Panel, wider: Panel, weights: Floats) -> Flags:
    """By period, which wider areas have a figure outside the range of their districts, if all districts are known."""
    there = np.isfinite(panel.value)
    is_known = weights @ there.astype(np.float64) >= LEAST_COVERED
    lowest, highest = np.full(wider.value.shape, np.inf), np.full(wider.value.shape, -np.inf)
    for row, members in enumerate(weights > 0):
        figures = panel.value[members]
        if len(figures):
            lowest[row] = np.min(np.where(np.isfinite(figures), figures, np.inf), axis=0)
            highest[row] = np.max(np.where(np.isfinite(figures), figures, -np.inf), axis=0)
    return is_known & ((wider.value < lowest) | (wider.value > highest))


def _out_of_range(series: Series, columns: Sequence[int], is_out: Flags, was_out: Flags) -> Iterator[Measure]:
    """For some periods, wider areas outside the range of their own districts, beyond the most in the years held."""
    usual = int(was_out.sum(axis=0).max(initial=0))
    for number, column in enumerate(columns):
        period = series.pair.new.periods[column]
        rows = np.flatnonzero(is_out[:, number])
        codes = tuple(series.pair.codes[row] for row in rows[:3])
        after = tuple(float(series.pair.new.value[row, column]) for row in rows[:3])
        what = "wider areas lie outside the range of their own districts"
        yield Measure("wider_range", period, float(len(rows) - usual), what, codes, (), after)
