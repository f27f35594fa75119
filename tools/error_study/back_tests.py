"""Back-tests of candidate errors: does the interval from the years before a figure hold it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.estimation.error_process import Floats, fit_error_process
from pipeline.estimation.own_errors import RECENT_YEARS, count_error, local_scatter, next_figure_coverage, ratio_error
from tools.error_study.study_panels import Panel, old_child_poverty, shipped_panel

FIRST_ROW = 3  # the first figure with three before it
AGED_16_TO_64, AGED_UNDER_16 = 0.63, 0.19  # of residents, as in the UK; no shares by district are held
OLD_CHILD_POVERTY = "els-extra/children_relative_poverty_2014_15_to_2023_24_old_method.csv"

# What a candidate says of the row before row ``t``: the error of each district, and degrees of freedom.
Candidate = Callable[[Panel, int], tuple[Floats, float]]


@dataclass(frozen=True)
class BackTest:
    """``coverage``: [years], share of districts inside their 90% interval; NaN where no district has an error."""

    series: str
    candidate: str
    years: tuple[int, ...]
    coverage: Floats
    error_last_year: float


def back_tests(shared: Path) -> Iterator[BackTest]:
    """Every candidate for every series that has more than one year on one basis."""
    for series, panel, _, of_people in _series(shared):
        if of_people is not None:
            yield _run(series, "count", panel, partial(_count, of_people))
    yield from scatter_tests(shared, RECENT_YEARS)
    pay, house = shipped_panel("pay_median_weekly"), shipped_panel("housing_affordability_ratio")
    new_share = fit_error_process(pay.position, pay.error).process.new_share
    yield _run("house prices", "earnings' error", house, partial(_earnings, pay, 1.0))
    yield _run("house prices", "earnings' error that is new each year", house, partial(_earnings, pay, new_share))


def scatter_tests(shared: Path, recent_years: int) -> Iterator[BackTest]:
    """Scatter about a local trend, taken from so many years before, for every series."""
    for series, panel, rounded_to, _ in _series(shared):
        yield _run(series, "scatter about a local trend", panel, partial(_scatter, rounded_to, recent_years))


@cache
def _series(shared: Path) -> tuple[tuple[str, Panel, float, float | None], ...]:
    """Each series with the step it is rounded to and, of a count, the share of residents it is a count among."""
    return (
        ("claimants", shipped_panel("claimant_rate"), 0.1, AGED_16_TO_64),
        ("child poverty, old method", old_child_poverty(shared / OLD_CHILD_POVERTY), 0.1, AGED_UNDER_16),
        ("child poverty, new method", shipped_panel("child_poverty_bhc"), 0.0, AGED_UNDER_16),
        ("house prices", shipped_panel("housing_affordability_ratio"), 0.0, None),
    )


def _run(series: str, candidate: str, panel: Panel, error_before: Candidate) -> BackTest:
    rows = range(FIRST_ROW, len(panel.years))
    coverage, error = [], np.full(len(panel.codes), np.nan)
    for t in rows:
        error, freedom = error_before(panel, t)
        coverage.append(next_figure_coverage(panel.position[t - 2 : t + 1], error, freedom))
    held = ~np.isnan(coverage)
    years = tuple(year for year, is_held in zip(panel.years[FIRST_ROW:], held, strict=True) if is_held)
    return BackTest(series, candidate, years, np.array(coverage)[held], float(np.nanmedian(error)))


def _scatter(rounded_to: float, recent_years: int, panel: Panel, t: int) -> tuple[Floats, float]:
    found = local_scatter(panel.position[:t], panel.people, rounded_to, recent_years)
    return found.error, found.freedom


def _count(share_of_residents: float, panel: Panel, t: int) -> tuple[Floats, float]:
    held = ~np.isnan(panel.value[t - 1])
    error = np.full(len(held), np.nan)
    error[held] = count_error(panel.value[t - 1, held], panel.people[held] * share_of_residents)
    return error, np.inf


def _earnings(pay: Panel, share: float, panel: Panel, t: int) -> tuple[Floats, float]:
    """The error of weekly pay stands for that of yearly earnings, whose own is not held; that of prices counts as 0."""
    by_year = pd.DataFrame(pay.error, pay.years, pay.codes)
    earnings = by_year.reindex(index=[panel.years[t - 1]], columns=panel.codes).to_numpy()[0] * np.sqrt(share)
    return ratio_error(np.zeros(len(earnings)), earnings), np.inf
