"""One survey series as a model takes it: figures of districts over years, their errors, covariates and wider areas.

In the model's scale: logarithms for money, the unit of the figures for rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.estimation.arrays import Bools, Floats, Ints
from pipeline.estimation.benchmarking import Adjustment
from pipeline.estimation.error_process import ErrorProcessError, fit_error_process
from pipeline.estimation.errors import EstimationError

FEWEST_DISTRICTS = 30  # with a figure and its error, below which a year is not modelled
# Of the districts listed, those with an error. Where a survey suppresses small numbers, the rest are no fair sample.
LEAST_SHARE_WITH_ERROR = 0.8


@dataclass(frozen=True)
class Covariate:
    """An indicator that helps to predict another; ``is_log``: by its logarithm."""

    indicator_id: str
    is_log: bool


@dataclass(frozen=True)
class SeriesSpec:
    """What is modelled, and how.

    ``level_years``: years of figures behind each level, the newest its own; ``change_windows``: years over which change
    is modelled; ``compared_with``: indicators of other pillars whose correlation with the figures is reported.
    """

    indicator_id: str
    is_log: bool
    adjustment: Adjustment
    level_years: int
    change_windows: tuple[int, ...]
    covariates: tuple[Covariate, ...] = ()
    compared_with: tuple[Covariate, ...] = ()

    @property
    def indicators(self) -> set[str]:
        """All whose figures are needed."""
        return {self.indicator_id, *(one.indicator_id for one in (*self.covariates, *self.compared_with))}


@dataclass(frozen=True)
class Series:
    """``values``, ``value_errors``: [areas, years], as published; ``estimates``, ``errors``: the same in the model's scale.

    ``estimates`` are NaN where there is no error. ``years``: [years], those with enough districts. ``regions``,
    ``nations``, ``people``: [areas]. ``wider``: published figures of regions and nations by code and year.
    ``new_share``: the share of the error variance that is new each year; None where too few years show it.
    ``covariates``: [areas, years] of each indicator that may be one, NaN where there is none.
    """

    spec: SeriesSpec
    codes: tuple[str, ...]
    years: Ints
    values: Floats
    value_errors: Floats
    estimates: Floats
    errors: Floats
    regions: np.ndarray
    nations: np.ndarray
    people: Floats
    wider: Mapping[tuple[str, int], float]
    new_share: float | None
    covariates: Mapping[str, Floats]

    @property
    def is_direct(self) -> Bools:
        """[areas, years]: there is a figure with an error."""
        return ~np.isnan(self.estimates)


def read_series(spec: SeriesSpec, figures: pd.DataFrame, areas: pd.DataFrame) -> Series:
    """Take a series from all figures.

    ``figures``: ``area_code, indicator_id, year, value, standard_error``, one row for each of the three first;
    ``areas``: ``area_code, region_code, nation_code, people`` of the districts to model. Raises EstimationError where
    no year has enough districts with an error, where they are too few of those listed, and for an error of 0 or below.
    """
    own = figures[figures["indicator_id"] == spec.indicator_id]
    areas = areas.sort_values("area_code")
    is_district = own["area_code"].isin(areas["area_code"])
    districts, wider = own[is_district], own[~is_district & own["value"].notna()]
    areas = areas[areas["area_code"].isin(districts["area_code"])]
    codes = tuple(areas["area_code"])
    years = np.array(sorted(districts["year"].unique()), dtype=np.int64)
    values = wide(districts, "value", codes, years)
    errors = wide(districts, "standard_error", codes, years)
    _need_true_errors(spec, codes, years, values, errors)
    is_direct = np.isfinite(values) & np.isfinite(errors) & ((values > 0) | (not spec.is_log))
    enough = is_direct.sum(axis=0) >= FEWEST_DISTRICTS
    _need_districts(spec, is_direct, enough, districts)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled, scaled_errors = (np.log(values), errors / values) if spec.is_log else (values, errors)
    estimates = np.where(is_direct, scaled, np.nan)[:, enough]
    scaled_errors = np.where(is_direct, scaled_errors, np.nan)[:, enough]
    held = years[enough]
    known = {one.indicator_id: one for one in (*spec.covariates, *spec.compared_with)}
    return Series(
        spec=spec,
        codes=codes,
        years=held,
        values=values[:, enough],
        value_errors=np.where(is_direct, errors, np.nan)[:, enough],
        estimates=estimates,
        errors=scaled_errors,
        regions=areas["region_code"].to_numpy(dtype=str),
        nations=areas["nation_code"].to_numpy(dtype=str),
        people=areas["people"].to_numpy(dtype=float),
        wider={
            (code, int(year)): float(value)
            for code, year, value in zip(wider["area_code"], wider["year"], wider["value"], strict=True)
        },
        new_share=_new_share(estimates, scaled_errors, held),
        covariates={name: _covariate(one, figures, codes, held) for name, one in known.items()},
    )


def wide(rows: pd.DataFrame, column: str, codes: Sequence[str], years: Ints) -> Floats:
    """A column as [areas, years], NaN where there is no row."""
    table = rows.pivot(index="area_code", columns="year", values=column)
    found: Floats = table.reindex(index=list(codes), columns=years).to_numpy(dtype=float, na_value=np.nan)
    return found


def _need_true_errors(spec: SeriesSpec, codes: tuple[str, ...], years: Ints, values: Floats, errors: Floats) -> None:
    for area, year in np.argwhere(np.isfinite(values) & (errors <= 0)):
        raise EstimationError(
            f"{spec.indicator_id}, {codes[area]}, {years[year]}: the published standard error is "
            f"{errors[area, year]:g}; a model needs one above 0"
        )


def _need_districts(spec: SeriesSpec, is_direct: Bools, enough: Bools, districts: pd.DataFrame) -> None:
    most = int(is_direct.sum(axis=0).max(initial=0))
    if not enough.any():
        raise EstimationError(
            f"{spec.indicator_id}: {most} districts have a figure with an error; {FEWEST_DISTRICTS} are needed"
        )
    newest = np.flatnonzero(enough)[-1]
    listed = int((districts["year"] == sorted(districts["year"].unique())[newest]).sum())
    count = int(is_direct[:, newest].sum())
    if count < LEAST_SHARE_WITH_ERROR * listed:
        raise EstimationError(
            f"{spec.indicator_id}: only {count} of the {listed} districts listed have a figure with an error; the others "
            "are left out because their numbers are small, so those left are no fair sample"
        )


def _new_share(estimates: Floats, errors: Floats, years: Ints) -> float | None:
    """The share of the error variance that is new each year, at most 1."""
    every_year = np.arange(years[0], years[-1] + 1)
    position, error = np.full((2, len(every_year), len(estimates)), np.nan)
    place = years - years[0]
    position[place] = (estimates - np.nanmedian(estimates, axis=0)).T
    error[place] = errors.T
    try:
        return min(fit_error_process(position, error).process.new_share, 1.0)
    except ErrorProcessError:
        return None


def _covariate(covariate: Covariate, figures: pd.DataFrame, codes: tuple[str, ...], years: Ints) -> Floats:
    """[areas, years]: its figure of the year, or the newest before it."""
    rows = figures[(figures["indicator_id"] == covariate.indicator_id) & figures["area_code"].isin(codes)]
    rows = rows[rows["value"].notna() & (rows["year"] <= years[-1])]
    if rows.empty:
        return np.full((len(codes), len(years)), np.nan)
    every_year = np.arange(min(int(rows["year"].min()), int(years[0])), int(years[-1]) + 1)
    table = rows.pivot(index="area_code", columns="year", values="value")
    filled = table.reindex(index=list(codes), columns=every_year).ffill(axis=1).reindex(columns=years)
    found: Floats = filled.to_numpy(dtype=float)
    if not covariate.is_log:
        return found
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(found > 0, np.log(found), np.nan)
