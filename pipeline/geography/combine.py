"""Carry figures along a plan's steps: copy, add, average or divide them, and account for every one.

Works on numbers only: areas are plan codes; a *series-period* is one integer for (indicator, period).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.geography.lineage import Step

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# From the simplest to the most processed: a figure that went through several steps is named by the last of this list.
RULES = (
    "as_published",
    "same_area",
    "relabel",
    "boundary_change",
    "merge_sum",
    "merge_by_denominator",
    "merge_population_weighted",
    "split_by_small_areas",
)
# From the firmest to the weakest: a sum has the status of its weakest figure.
STATUS_ORDER = (
    "ok",
    "rounded",
    "provisional",
    "estimated",
    "unreliable",
    "not_available",
    "suppressed",
)
ESTIMATED, NOT_AVAILABLE = (
    STATUS_ORDER.index("estimated"),
    STATUS_ORDER.index("not_available"),
)

LIVE, COLLAPSED, SET_ASIDE = 0, 1, 2
NUMBERS = ("value", "lower", "upper", "standard_error", "numerator", "denominator")


@dataclass(frozen=True)
class Names:
    """The properties of an area for messages and the zero test: its name, and when it began and ended (days)."""

    label: Mapping[str, str]
    first_day: Mapping[str, int]
    last_day: Mapping[str, int]


class Figures:
    """A growing table of figures, raw and derived. ``parent`` of a figure is the figure it became part of (-1: none).

    ``where`` maps an area to its figures' positions, sorted by series-period, one for each. Only the ``NUMBERS`` in
    ``numbers`` are held; the others read as missing.
    """

    def __init__(self, size: int, numbers: Collection[str] = NUMBERS) -> None:
        self.size = 0
        self._columns: dict[str, npt.NDArray[Any]] = {
            **{name: np.full(size, np.nan) for name in numbers},
            **{name: np.zeros(size, np.int64) for name in ("series_period", "row")},
            **{name: np.zeros(size, np.int8) for name in ("status", "rule", "fate")},
            **{name: np.zeros(size, np.int32) for name in ("source", "reason")},
            "parent": np.full(size, -1, np.int64),
            "kept_value": np.full(size, np.nan),
        }
        self.where: dict[str, Ints] = {}
        self.sources: list[str] = []
        self.reasons: list[str] = [""]
        self._source_ids: dict[str, int] = {}
        self._reason_ids: dict[str, int] = {"": 0}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._columns:
            return np.broadcast_to(np.nan, len(self._columns["row"]))
        return self._columns[name]

    def add(self, series_period: Ints, row: Ints, **columns: npt.NDArray[Any] | int) -> Ints:
        """Append figures and return their positions; columns not given are missing, or 0."""
        first, count = self.size, len(series_period)
        self._grow(first + count)
        self.size = first + count
        span = slice(first, self.size)
        for name, values in {
            "series_period": series_period,
            "row": row,
            **columns,
        }.items():
            if name in self._columns:
                self._columns[name][span] = values
        return np.arange(first, self.size)

    def _grow(self, needed: int) -> None:
        held = len(self._columns["row"])
        if needed <= held:
            return
        extra = max(needed, held + held // 2) - held
        for name, column in self._columns.items():
            fill = np.nan if column.dtype == np.float64 else -1 if name == "parent" else 0
            self._columns[name] = np.concatenate([column, np.full(extra, fill, column.dtype)])

    def at(self, area: str) -> Ints:
        return self.where.get(area, np.empty(0, np.int64))

    def place(self, area: str, positions: Ints) -> None:
        """Set an area's figures, one for each series-period."""
        self.where[area] = positions[np.argsort(self["series_period"][positions], kind="stable")]

    def source_id(self, text: str) -> int:
        if text not in self._source_ids:
            self._source_ids[text] = len(self.sources)
            self.sources.append(text)
        return self._source_ids[text]

    def blame(self, positions: Ints, reason: str) -> None:
        """Record why figures could not be used; the first reason given stays."""
        if reason not in self._reason_ids:
            self._reason_ids[reason] = len(self.reasons)
            self.reasons.append(reason)
        positions = positions[self["reason"][positions] == 0]
        self["reason"][positions] = self._reason_ids[reason]

    def drop(self, positions: Ints, reason: str) -> None:
        self.blame(positions, reason)
        self["fate"][positions] = SET_ASIDE

    def roots(self, positions: Ints) -> Ints:
        """The figure that each one finally became part of: the last in its line of parents."""
        here = positions.copy()
        while True:
            above = self["parent"][here]
            moving = above >= 0
            if not moving.any():
                return here
            here[moving] = above[moving]


def same_figure(first: Floats, second: Floats) -> Flags:
    """Equal apart from the noise of writing a float."""
    return np.isclose(first, second, rtol=1e-9, atol=0.0, equal_nan=True)


def settle_repeats(figures: Figures, area: str, positions: Ints, names: Names) -> None:
    """One figure for each series-period of an area under one code: the first that is not missing.

    Equal or missing repeats collapse into it; a different one is set aside.
    """
    period, value = figures["series_period"][positions], figures["value"][positions]
    order = np.lexsort((figures["row"][positions], np.isnan(value), period))
    positions, period, value = positions[order], period[order], value[order]
    is_first = np.ones(len(positions), bool)
    is_first[1:] = period[1:] != period[:-1]
    kept = positions[is_first][np.cumsum(is_first) - 1]
    equal = same_figure(value, figures["value"][kept]) | np.isnan(value)
    figures["fate"][positions[~is_first & equal]] = COLLAPSED
    clash = positions[~is_first & ~equal]
    figures["kept_value"][clash] = figures["value"][kept[~is_first & ~equal]]
    figures.drop(
        clash,
        f"{names.label[area]} is given twice: {{given}} here, {{kept}} in an earlier row, which is kept",
    )
    figures.where[area] = positions[is_first]


def drop_ghosts(figures: Figures, area: str, last_day_of: Ints, names: Names) -> None:
    """Set aside an area's zeros for periods after its end: it was abolished, not empty."""
    if area not in names.last_day:
        return
    here = figures.at(area)
    ghost = (figures["value"][here] == 0) & (last_day_of[figures["series_period"][here]] > names.last_day[area])
    figures.drop(here[ghost], f"{names.label[area]} had been abolished: its zero is not a figure")
    figures.where[area] = here[~ghost]


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
    whole = (table >= 0).all(axis=0)
    table, periods = table[:, whole], periods[whole]
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
