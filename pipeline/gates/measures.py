"""Measures of an answer: each new or revised period, in multiples of the largest move in the series' history.

A measure of 1 is the largest in the years held (for a revision's level and spread: the usual move from year to year).
``gates.yaml`` sets how many multiples are allowed. A revised period is compared with the held edition of the same
period. A new period is compared with the period before it, and with the figures expected from earlier periods
(``pipeline.gates.expected``), in the answer's own edition where it has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.gates.copies import copies
from pipeline.gates.moves import (
    FAR,
    FEWEST_AREAS,
    FEWEST_MOVES,
    TO_STANDARD_DEVIATION,
    column_medians,
    exchange,
    group_moves,
    group_spreads,
)
from pipeline.gates.panels import Floats, Pair, Scale, logarithm
from pipeline.gates.tested_series import (
    Compared,
    Measure,
    Series,
    largest_rows,
    measure,
    named,
    of_figures,
    of_widths,
    smallest_rows,
)


def measures(
    pair: Pair, scale: Scale, usual_share: float, shared_level: Mapping[str, float] | None = None
) -> Iterator[Measure]:
    """Every measure of an answer's districts on its own: moves, copies and intervals."""
    with np.errstate(all="ignore"):
        figures = of_figures(pair, scale, usual_share, shared_level or {})
        yield from of_series(figures)
        yield from copies(figures)
        widths = of_widths(pair, usual_share)
        if np.isfinite(widths.held).any() and np.isfinite(widths.new).any():
            yield from of_series(widths)
            yield from _off_centre(widths)


def of_series(series: Series, *, is_new: bool = True, is_revised: bool = True) -> Iterator[Measure]:
    """The gates of moves, for new or revised periods: rank, spread, level, groups, single districts, exchanges.

    With too few years to know how widths and distances move, new distances are not tested, and new widths are tested
    for order and level only.
    """
    for compared in series.revised if is_revised else ():
        yield from _of_step(series, compared)
    is_short = series.pair.held.value.shape[1] <= FEWEST_MOVES
    said = _OF_FEW_YEARS.get(series.prefix) if is_short else None
    for compared in series.arrived if is_new and said != () else ():
        for found in _of_step(series, compared):
            if said is None or found.gate_id in said:
                yield found


_OF_FEW_YEARS: dict[str, tuple[str, ...]] = {"interval_": ("interval_new_rank", "interval_new_level"), "wider_": ()}


def _of_step(series: Series, compared: Compared) -> Iterator[Measure]:
    made, groups = compared.step, series.pair.groups
    known = series.foretold if compared.is_new else series.known
    against = "what earlier years predict" if compared.is_new else "the figures held"
    most = largest_rows(made.own)
    widest = known.largest_spread if compared.is_new else known.usual
    shifted = known.largest_common * compared.years if compared.is_new else known.usual
    together = _unshared(made.common, series.shared_level.get(compared.period, 0.0))
    size = np.abs(made.own) / known.scatter
    far = largest_rows(size)
    pair, ring = exchange(made, known.scatter_in(made))
    swap, swapped = max((pair.gain / known.worst_pair, pair.rows), (ring.gain / known.worst_ring, ring.rows))
    found = [
        ("rank", made.rank_loss / known.largest_rank_loss, f"the order of districts is unlike that of {against}", most),
        ("spread", made.spread / widest, f"districts scatter about {against}", most),
        ("level", together / shifted, f"all districts together moved from {against}", most),
        ("district", float(np.nanmax(size)) / known.worst_district, f"a district moved far from {against}", far),
        (
            "districts",
            float((size[np.isfinite(size)] > FAR).mean()) / known.worst_share,
            f"many districts moved far from {against}",
            far,
        ),
        ("swap", swap, f"two or three districts changed places against {against}", swapped),
    ]
    if compared.is_new and series.prefix in ("", "interval_"):
        yield from _alike(series, compared)
    moves = np.abs(group_moves(made.own[:, None], groups)[:, 0]) / known.group_largest
    if np.isfinite(moves).any():
        label, flags = groups[int(np.nanargmax(moves))]
        rows = largest_rows(np.where(flags, made.own, np.nan))
        found.append(("group", float(np.nanmax(moves)), f"{label} moved from {against} apart from the rest", rows))
    spreads = group_spreads(made.own[:, None], groups)[:, 0] / known.group_spread
    if np.isfinite(spreads).any():
        label, flags = groups[int(np.nanargmax(spreads))]
        rows = largest_rows(np.where(flags, made.own, np.nan))
        found.append(("group_spread", float(np.nanmax(spreads)), f"{label}: districts scatter about {against}", rows))
    for gate, measured, what, rows in found:
        yield measure(series, compared, gate, measured, what, rows)


def _unshared(common: float, shared: float) -> float:
    """The size of a common move, less the move of an independent sister in the same direction."""
    return max(abs(common) - abs(shared), 0.0) if common * shared > 0 else abs(common)


def _alike(series: Series, compared: Compared) -> Iterator[Measure]:
    """How much closer districts are to the year before, or to the mean of the two before, than they ever were.

    For figures in ratios, so that a copy scaled by one factor shows no scatter at all.
    """
    line, pair = series.line, series.pair
    t = line.periods.index(compared.period)
    raw = np.exp(line.figures) if series.prefix else series.in_line(line.periods, pair.new.value, pair.held.value)
    one, two = np.roll(raw, 1, axis=1), np.roll(raw, 2, axis=1)
    one[:, :1] = two[:, :2] = np.nan
    found = []
    for what, before in (("the year before", one), ("the mean of the two years before", (one + two) / 2)):
        own = logarithm(raw / before)
        count = np.isfinite(own).sum(axis=0)
        own = own - column_medians(own)
        spreads = column_medians(np.abs(own)) * TO_STANDARD_DEVIATION
        if count[t] >= FEWEST_AREAS:
            seen = spreads[line.is_held & (count >= FEWEST_AREAS) & (spreads > 0)]
            narrowest = float(np.min(seen)) if len(seen) else NARROWEST
            if len(seen) < FEWEST_MOVES:
                narrowest = min(narrowest / 2, NARROWEST)
            found.append((narrowest / spreads[t] if spreads[t] > 0 else np.inf, what, smallest_rows(own[:, t])))
    if found:
        alike, what, rows = max(found)
        what = f"districts moved more alike than in any year from {what}, as a copy would"
        yield measure(series, compared, "alike", float(alike), what, rows)


NARROWEST = 0.01  # a spread of one per cent; used when there are too few years to know better


def _off_centre(series: Series) -> Iterator[Measure]:
    """The position of a figure in its interval (0 at the lower bound, 1 at the upper), against its usual position."""
    new, held = series.pair.new, series.pair.held
    usual = np.nanmedian(_place(held.value, held.lower, held.upper))
    for compared in series.compared:
        t = new.at(compared.period)
        off = np.abs(_place(new.value[:, t], new.lower[:, t], new.upper[:, t]) - usual)
        if np.isfinite(off).sum() >= FEWEST_AREAS:
            what = "figures lie off the middle of their 95% intervals"
            yield named(series, compared, "off_centre", float(np.nanmedian(off)), what, largest_rows(off))


def _place(value: Floats, lower: Floats, upper: Floats) -> Floats:
    return (value - lower) / np.where(upper > lower, upper - lower, np.nan)
