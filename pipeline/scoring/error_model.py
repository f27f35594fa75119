"""The error of every figure of a series, its kind, and how errors run over the years (METHODOLOGY section 6).

Four kinds. *Published*: the publisher gives a standard error; a share of its variance is new each year, the rest stays
with the area. A district's figure that lacks one among many that have it takes what is usual for its size, and is *modelled*. *From vintages*: no error is published, and the revisions between editions take its place, of figures and
of slopes. *Modelled*: the scatter about a local trend takes its place, or that of counts of people if they were drawn
anew. *None*: nothing is known. A change of method is a break and never an error.

Arrays are [years, areas], years without gaps, NaN where there is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pipeline.estimation.error_process import ErrorProcessError, ProcessFit, fit_error_process
from pipeline.estimation.own_errors import OwnErrorError, local_scatter
from pipeline.estimation.slopes import slope_variance_of_process
from pipeline.scoring.transform import Bools, Floats, Ints, Slopes, windows

KINDS = ("none", "modelled", "from_vintages", "published")
NONE, MODELLED, FROM_VINTAGES, PUBLISHED = range(len(KINDS))
FEWEST_OF_A_SIZE = 30  # districts with an error, below which none is said to be usual for a size
SAME_SIZE = 1e-6  # squared differences of log populations below which districts count as of one size
ALL_NEW = 1.0  # the share new each year where it cannot be estimated: errors of different years are independent


@dataclass(frozen=True)
class ErrorSource:
    """Where a series' errors come from if none is published with its figures.

    ``revisions``: standard errors by age in years, in units of the position, of figures (key None) and of slopes (keys:
    their window in years). ``rounded_to``: the step figures are published in, for scatter. ``counts``: the standard
    error of a figure from the counts it is made of, by area code and year, in the unit of the figure.
    """

    method: Literal["published", "revisions", "scatter", "counts", "none"] = "published"
    revisions: Mapping[int | None, tuple[float, ...]] = field(default_factory=dict)
    rounded_to: float = 0.0
    counts: Mapping[tuple[str, int], float] = field(default_factory=dict)

    @property
    def kind_of_given(self) -> int:
        """The kind, as a position in KINDS, of an error that is given for a figure."""
        return MODELLED if self.method == "counts" else PUBLISHED


@dataclass(frozen=True)
class SeriesErrors:
    """``kind``: position in KINDS; ``level``: standard error of the relative position.

    ``new_share``: the share of the error variance that is new each year; ``fit`` shows how it was estimated, None where
    it was not, and ``note`` says why. ``of_slopes``: standard errors of slopes by window and age, where they do not
    follow from those of figures. ``newest``: the row of the newest figure, from which ages count.
    """

    kind: Ints
    level: Floats
    new_share: float = ALL_NEW
    fit: ProcessFit | None = None
    note: str = ""
    of_slopes: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    newest: int = -1

    @property
    def is_direct(self) -> bool:
        """Whether slopes have errors of their own rather than those of their figures."""
        return self.newest >= 0

    @property
    def yearly(self) -> Floats:
        """Errors that differences of figures inherit; NaN where figures are revised together, as vintages are."""
        return np.full(self.level.shape, np.nan) if self.is_direct else self.level


def series_errors(
    position: Floats, published: Floats, basis: Ints, members: Bools, source: ErrorSource, population: Floats
) -> SeriesErrors:
    """The errors of one series.

    ``published``: standard errors of the position as published, or from counts; ``members``: [areas], the scored districts, to which
    alone revisions and scatter apply; ``population``: [areas], NaN where unknown. Published errors are used wherever any
    figure has one. With ``revisions``, errors that come with the figures are of revisions between the editions held.
    """
    if source.method == "revisions":
        return _from_revisions(position, published, members, source)
    if source.method == "counts":
        return figures_as_given(published, source)
    if not np.isnan(published).all():
        return _published(position, published, basis, members, population)
    if source.method == "scatter":
        return _scattered(position, basis, members, source.rounded_to, population)
    return SeriesErrors(np.full(position.shape, NONE), np.full(position.shape, np.nan), note="no error is known")


def figures_as_given(errors: Floats, source: ErrorSource) -> SeriesErrors:
    """Errors that are used as given, of one or more periods: independent, of one kind where there is one."""
    return SeriesErrors(np.where(np.isnan(errors), NONE, source.kind_of_given), errors)


def _published(position: Floats, published: Floats, basis: Ints, members: Bools, population: Floats) -> SeriesErrors:
    on_one = np.where(basis == _longest_basis(position, basis), position, np.nan)
    note, fit = "", None
    try:
        fit = fit_error_process(on_one[:, members], published[:, members])
    except ErrorProcessError as error:
        note = f"errors of different years count as independent: {error}"
    if fit is not None and fit.process.at_edge == "new_share":
        note, fit = "errors of different years count as independent: their share is at 0", None
    usual = usual_for_size(position, published, members, population)
    kind = np.select([~np.isnan(published), ~np.isnan(usual)], [PUBLISHED, MODELLED], NONE)
    level = np.where(np.isnan(published), usual, published)
    return SeriesErrors(kind, level, ALL_NEW if fit is None else min(fit.process.new_share, 1.0), fit, note)


def usual_for_size(position: Floats, published: Floats, members: Bools, population: Floats) -> Floats:
    """What errors are usual for districts of that size in that year, where a district's figure has none: [years, areas].

    The logarithm of the error is regressed on that of the population, over the scored districts with both; NaN where
    fewer than FEWEST_OF_A_SIZE have, and for every figure with an error of its own. Such an error is *modelled*.
    """
    usual = np.full(position.shape, np.nan)
    sized = members & (population > 0)
    size = np.log(np.where(sized, population, 1.0))
    for year in range(len(position)):
        is_known = sized & (published[year] > 0) & ~np.isnan(position[year])
        is_wanted = sized & np.isnan(published[year]) & ~np.isnan(position[year])
        if is_wanted.any() and is_known.sum() >= FEWEST_OF_A_SIZE:
            errors, centred = np.log(published[year, is_known]), size[is_known] - size[is_known].mean()
            below = (centred**2).sum()
            slope = (centred * errors).sum() / below if below > SAME_SIZE else 0.0
            usual[year, is_wanted] = np.exp(errors.mean() + slope * (size[is_wanted] - size[is_known].mean()))
    return usual


def _longest_basis(position: Floats, basis: Ints) -> int:
    numbers, count = np.unique(basis[~np.isnan(position)], return_counts=True)
    return int(numbers[count.argmax()]) if numbers.size else 0


def _from_revisions(position: Floats, held: Floats, members: Bools, source: ErrorSource) -> SeriesErrors:
    """The shipped errors by age; where none are shipped, those ``held`` with the figures, and none of slopes."""
    is_district = ~np.isnan(position) & members
    newest = int(np.flatnonzero(is_district.any(axis=1))[-1]) if is_district.any() else 0
    level = held
    if None in source.revisions:
        by_age = _by_age(source.revisions[None], newest - np.arange(len(position)))
        level = np.where(is_district, by_age[:, None], np.nan)
    return SeriesErrors(
        kind=np.where(np.isnan(level), NONE, FROM_VINTAGES),
        level=level,
        of_slopes={window: by_age for window, by_age in source.revisions.items() if window is not None},
        newest=newest,
    )


def _by_age(errors: tuple[float, ...], age: Ints) -> Floats:
    """The error at each age; that of the oldest known age for older figures."""
    return np.asarray(errors)[np.clip(age, 0, len(errors) - 1)]


def _scattered(position: Floats, basis: Ints, members: Bools, rounded_to: float, population: Floats) -> SeriesErrors:
    size = population[members]
    size = np.where(size > 0, size, 1.0) if (size > 0).all() else np.ones(len(size))
    level = np.full(position.shape, np.nan)
    note = ""
    for number in np.unique(basis):
        held = np.where(basis == number, position, np.nan)[:, members]
        rows = np.flatnonzero((~np.isnan(held)).any(axis=1))
        found: dict[int, Floats] = {}
        for row in rows:
            try:
                found[int(row)] = local_scatter(held[: row + 1], size, rounded_to).error
            except OwnErrorError as error:
                note = str(error)
        for row in rows if found else ():
            known = [other for other in found if other <= row] or [min(found)]
            level[np.ix_([row], members)] = np.where(np.isnan(held[row]), np.nan, found[known[-1]])
    is_known = ~np.isnan(level)
    return SeriesErrors(np.where(is_known, MODELLED, NONE), level, note="" if is_known.any() else note)


@dataclass(frozen=True)
class SlopeErrors:
    """Variance of slopes from known errors and its kind: [years, areas]; NaN and NONE where no error is known."""

    variance: Floats
    kind: Ints


def slope_errors(errors: SeriesErrors, fit: Slopes, window_years: int, members: Bools) -> SlopeErrors:
    """Errors of the slopes of one window, from those of its figures as they run, or from those of slopes themselves.

    Figures of a window without an error count as exact, unless none has one. The kind is the weakest of its figures'
    kinds (KINDS, from modelled to published).
    """
    nothing = SlopeErrors(np.full(fit.slope.shape, np.nan), np.full(fit.slope.shape, NONE))
    if errors.is_direct:
        if window_years not in errors.of_slopes:
            return nothing
        last = np.arange(len(fit.slope))[:, None] - fit.age
        variance = _by_age(errors.of_slopes[window_years], errors.newest - last) ** 2
        is_known = members & ~np.isnan(fit.slope)
        return SlopeErrors(np.where(is_known, variance, np.nan), np.where(is_known, FROM_VINTAGES, NONE))
    if np.isnan(errors.level).all():
        return nothing
    held = windows(errors.level, window_years)
    is_known = (~np.isnan(held) & (fit.weights != 0)).any(axis=1)
    variance = slope_variance_of_process(fit.weights, held, errors.new_share)
    kinds = windows(np.where(np.isnan(errors.level), NONE, errors.kind).astype(float), window_years)
    weakest = np.where((fit.weights != 0) & (kinds > NONE), kinds, len(KINDS)).min(axis=1).astype(np.int64)
    return SlopeErrors(np.where(is_known, variance, np.nan), np.where(is_known, weakest, NONE))


def difference_variance(now: Floats, then: Floats, new_share: float) -> Floats:
    """Variance of the difference of two figures whose errors run as estimated; NaN if either error is unknown."""
    return new_share * (now**2 + then**2) + (1 - new_share) * (now - then) ** 2
