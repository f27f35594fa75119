"""Carry figures along a plan's steps: copy, add, average or divide them, and account for every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.geography.figure_table import (
    COLLAPSED,
    ESTIMATED,
    LIVE,
    NOT_AVAILABLE,
    NUMBERS,
    RULES,
    Figures,
    Flags,
    Floats,
    Ints,
    Names,
    same_figure,
)
from pipeline.geography.lineage import Step


def copy_step(figures: Figures, step: Step, last_day_of: Ints, names: Names) -> None:
    """One area's figures become another's. The other's own figures take precedence, except zeros from before it began."""
    source, target = step.pieces[0].source, step.target
    given, own = figures.at(source), figures.at(target)
    own_at = _match(figures, given, own)
    matched = own_at >= 0
    fresh = ~matched
    if matched.any():
        theirs, ours = given[matched], own[own_at[matched]]
        their_value, our_value = figures["value"][theirs], figures["value"][ours]
        ghost = _not_begun(figures, target, ours, last_day_of, names) & ~np.isnan(their_value) & (their_value != 0)
        figures.drop(ours[ghost], f"{names.label[target]} had not begun: its zero is not a figure")
        fills = (np.isnan(our_value) & ~np.isnan(their_value)) | ghost
        agrees = same_figure(their_value, our_value) | np.isnan(their_value)
        figures["fate"][theirs[agrees]] = COLLAPSED
        clash = ~agrees & ~fills
        figures["kept_value"][theirs[clash]] = our_value[clash]
        figures.blame(
            theirs[clash],
            f"{names.label[source]} gives {{given}} where {names.label[target]}, the same area, gives {{kept}}, which is kept",
        )
        figures["fate"][ours[fills & ~ghost]] = COLLAPSED
        fresh[np.flatnonzero(matched)[fills]] = True
        own = own[figures["fate"][own] == LIVE]
    taken = given[fresh]
    made = figures.add(
        figures["series_period"][taken],
        figures["row"][taken],
        **{name: figures[name][taken] for name in (*NUMBERS, "status", "source")},
        rule=np.maximum(
            figures["rule"][taken],
            RULES.index(step.kind if step.kind in RULES else "relabel"),
        ),
    )
    figures["parent"][taken] = made
    figures.place(target, np.concatenate([own, made]))


def _not_begun(figures: Figures, area: str, positions: Ints, last_day_of: Ints, names: Names) -> Flags:
    """Zeros among an area's figures for periods that ended before it began."""
    periods = figures["series_period"][positions]
    return (figures["value"][positions] == 0) & (last_day_of[periods] < names.first_day[area])


def combine_step(
    figures: Figures,
    step: Step,
    kind_of: npt.NDArray[np.str_],
    last_day_of: Ints,
    names: Names,
) -> None:
    """Figures of several areas (or parts of them) become one area's, according to their kind.

    ``kind_of`` gives the kind of each series-period. Counts add up. Rates, ratios, means and medians are averaged, over
    their denominators if available, else over people. An index cannot be combined. Errors add in squares, except for
    medians, whose mean gets none. A part of an area (``share`` below 1) gets that share of a count. The target's own
    figure takes precedence.
    """
    target = step.target
    given = [figures.at(piece.source) for piece in step.pieces]
    periods = np.unique(np.concatenate([figures["series_period"][positions] for positions in given]))
    table = np.full((len(given), len(periods)), -1, np.int64)
    for line, positions in zip(table, given, strict=True):
        line[np.searchsorted(periods, figures["series_period"][positions])] = positions
    _blame_incomplete(figures, step, table, names)
    is_complete = (table >= 0).all(axis=0)
    table, periods = table[:, is_complete], periods[is_complete]
    table, periods = _without_superseded(figures, target, table, periods, last_day_of, names)
    kinds = kind_of[periods]
    shares = np.array([piece.share for piece in step.pieces])[:, None]
    made = [
        _combined(figures, table[:, way.chosen], periods[way.chosen], shares, way, kinds[way.chosen] == "median")
        for way in _ways(figures, step, shares, table, kinds, names)
        if way.chosen.any()
    ]
    own = figures.at(target)
    figures.place(target, np.concatenate([own[figures["fate"][own] == LIVE], *made]))


def _match(figures: Figures, wanted: Ints, held: Ints) -> Ints:
    """For each wanted figure, the index in ``held`` of the one with the same series-period, or -1."""
    if not len(held):
        return np.full(len(wanted), -1, np.int64)
    periods = figures["series_period"]
    at = np.minimum(np.searchsorted(periods[held], periods[wanted]), len(held) - 1)
    return np.where(periods[held[at]] == periods[wanted], at, -1)


def _blame_incomplete(figures: Figures, step: Step, table: Ints, names: Names) -> None:
    missing = table < 0
    for pattern in np.unique(missing[:, missing.any(axis=0)], axis=1).T:
        columns = (missing == pattern[:, None]).all(axis=0)
        absent = ", ".join(
            names.label[p.source] for p, is_absent in zip(step.pieces, pattern, strict=True) if is_absent
        )
        positions = table[:, columns][~pattern].ravel()
        figures.blame(
            positions,
            f"{names.label[step.target]} needs the figures of all it was made from; missing: {absent}",
        )


def _without_superseded(
    figures: Figures,
    target: str,
    table: Ints,
    periods: Ints,
    last_day_of: Ints,
    names: Names,
) -> tuple[Ints, Ints]:
    """Drop the columns for which the target has its own figure; a zero from before it began does not count."""
    own = figures.at(target)
    if not len(own) or not len(periods):
        return table, periods
    at = np.minimum(np.searchsorted(figures["series_period"][own], periods), len(own) - 1)
    matched = figures["series_period"][own[at]] == periods
    ours = own[at]
    ghost = matched & _not_begun(figures, target, ours, last_day_of, names)
    ghost &= (figures["value"][table] != 0).any(axis=0)
    figures.drop(ours[ghost], f"{names.label[target]} had not begun: its zero is not a figure")
    empty = matched & np.isnan(figures["value"][ours])
    figures["fate"][ours[empty]] = COLLAPSED
    stands = matched & ~ghost & ~empty
    label = names.label[target]
    figures.blame(
        table[:, stands].ravel(),
        f"the publisher's own figure for {label} is used, not one made from its parts",
    )
    return table[:, ~stands], periods[~stands]


@dataclass(frozen=True)
class _Way:
    """How some columns of a table of parts are combined: the weights (pieces × all columns) and the rule."""

    chosen: Flags
    weights: Floats
    rule: int
    has_denominators: bool = False


def _ways(
    figures: Figures, step: Step, shares: Floats, table: Ints, kinds: npt.NDArray[np.str_], names: Names
) -> Sequence[_Way]:
    """The ways in which the columns of ``table`` are combined; the figures of all others get a reason."""
    people = np.array([np.nan if piece.population is None else piece.population for piece in step.pieces])
    label, columns = names.label[step.target], table.shape[1]
    no_people = f"the populations to average the parts of {label} by are not held"
    is_index = kinds == "index"
    figures.blame(table[:, is_index].ravel(), f"an index cannot be averaged over the parts of {label}")
    if not np.isfinite(shares).all():  # going back to a map whose parts have no populations for the shares
        figures.blame(table.ravel(), no_people)
        return ()
    is_count = kinds == "count"
    over = figures["denominator"][table] * shares
    has_denominator = ~is_count & ~is_index & (np.isfinite(over) & (over >= 0)).all(axis=0) & (over.sum(axis=0) > 0)
    left = ~is_count & ~is_index & ~has_denominator
    if step.is_split:
        why = f"only part of it went into {label}, and no small-area figures are held to divide it by"
    else:
        why = no_people
    if step.is_split or not np.isfinite(people).all():
        figures.blame(table[:, left].ravel(), why)
        left = np.zeros_like(left)
    split = RULES.index("split_by_small_areas")
    with np.errstate(invalid="ignore", divide="ignore"):
        by_denominator = over / over.sum(axis=0)
    by_people = np.repeat((people / people.sum())[:, None], columns, axis=1)
    by_base = split if step.is_split else RULES.index("merge_by_denominator")
    return (
        _Way(is_count, np.repeat(shares, columns, axis=1), split if step.is_split else RULES.index("merge_sum")),
        _Way(has_denominator, by_denominator, by_base, has_denominators=True),
        _Way(left, by_people, RULES.index("merge_population_weighted")),
    )


def _combined(figures: Figures, table: Ints, periods: Ints, shares: Floats, way: _Way, is_median: Flags) -> Ints:
    """The columns of ``table`` combined in one way; a mean of medians has no errors, as it does not estimate a median."""
    value, weights = figures["value"][table], way.weights[:, way.chosen]
    total = (weights * value).sum(axis=0)
    numerator = (figures["numerator"][table] * shares).sum(axis=0)
    denominator = (figures["denominator"][table] * shares).sum(axis=0)
    if way.has_denominators:
        total = _rate_of_sums(total, numerator, denominator)

    def in_squares(widths: Floats) -> Floats:
        return np.where(is_median, np.nan, np.sqrt(((weights * widths) ** 2).sum(axis=0)))

    status = figures["status"][table].max(axis=0)
    if RULES[way.rule] in ("merge_population_weighted", "split_by_small_areas"):
        status = np.full_like(status, ESTIMATED)
    gone = np.isnan(total)
    worst = figures["status"][table].max(axis=0)
    status[gone] = np.where(worst[gone] <= ESTIMATED, NOT_AVAILABLE, worst[gone])
    made = figures.add(
        periods,
        figures["row"][table].min(axis=0),
        value=total,
        lower=total - in_squares(value - figures["lower"][table]),
        upper=total + in_squares(figures["upper"][table] - value),
        standard_error=in_squares(figures["standard_error"][table]),
        numerator=numerator,
        denominator=denominator,
        status=status,
        rule=np.maximum(figures["rule"][table].max(axis=0), way.rule),
        source=_joined_sources(figures, table),
    )
    for line in table:
        first_use = line[figures["parent"][line] < 0]
        figures["parent"][first_use] = made[figures["parent"][line] < 0]
    return made


def _rate_of_sums(average: Floats, numerator: Floats, denominator: Floats) -> Floats:
    """The sum of numerators over that of denominators, per 1, 100, 1,000 or so: in the unit of the rates' average.

    The average of published rates carries their rounding; the sums do not. If the two do not agree in any such unit, or
    a sum is missing, the average is used.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = numerator / denominator
        power = np.log10(average / exact)
        is_same = np.abs(power - np.round(power)) < 0.02
        return np.where(is_same, exact * 10.0 ** np.round(power), average)


def _joined_sources(figures: Figures, table: Ints) -> npt.NDArray[np.int32]:
    sources = figures["source"][table]
    if sources.size and (sources == sources[:, :1]).all():  # the usual case: all series have the same codes
        combinations, inverse = sources[:, :1], np.zeros(sources.shape[1], np.int64)
    else:
        combinations, inverse = np.unique(sources, axis=1, return_inverse=True)
    joined = []
    for column in combinations.T:
        codes = {code for source in column for code in figures.sources[source].split("+")}
        joined.append(figures.source_id("+".join(sorted(codes))))
    return np.array(joined, np.int32)[inverse.ravel()]
