"""The model of one survey series: its variances from the newest years, then levels of each year and changes.

The level of a year is predicted from the years that end in it, never from later ones, so that it does not change when
new years arrive, apart from the variances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.estimation.arrays import Bools, Floats, Ints
from pipeline.estimation.error_blocks import partly_new_blocks
from pipeline.estimation.errors import EstimationError
from pipeline.estimation.fisher_scoring import inverse_where_known
from pipeline.estimation.rao_yu import RaoYuFit, apply_rao_yu, fit_rao_yu
from pipeline.estimation.rao_yu_likelihood import effect_covariance
from pipeline.estimation.rao_yu_prediction import Predictions, parameter_covariance, predict
from pipeline.estimation.series import Series

FEWEST_YEARS = 3  # below which Rao and Yu's effects cannot be told apart, and each year is modelled alone
FEWEST_IN_A_REGION = 3  # districts with an estimate, below which their region has no mean of its own
# Gain in log-likelihood that one more step would promise, below which a fit has converged.
CONVERGED_GAIN = 1e-4


@dataclass(frozen=True)
class Window:
    """A model of some years of a series.

    ``rows``: [areas], the places in the series of the districts predicted: those with an estimate in any of the years,
    and the others of their regions; ``columns``: [years], the places of the years; ``blocks``: the sampling covariance,
    [areas, years, years].
    """

    rows: Ints
    columns: Ints
    blocks: Floats
    fit: RaoYuFit

    @property
    def years(self) -> Ints:
        return self.fit.panel.years

    @property
    def method(self) -> str:
        return "Rao-Yu" if len(self.years) > 1 else "Fay-Herriot"

    @property
    def parameters(self) -> Floats:
        """Innovation variance, rho and area variance: [3]."""
        return self.fit.solved.parameters

    @property
    def is_converged(self) -> bool:
        """Whether one more step of those parameters that are not at an edge would gain next to nothing."""
        score, information = self.fit.panel.score_and_information(self.fit.solved)
        several, edges = len(self.years) > 1, self.fit.edges
        is_free = np.array(
            [
                several and "innovation variance" not in edges,
                several and self.fit.rho is not None and "rho" not in edges,
                "area variance" not in edges,
            ]
        )
        score = score * is_free
        return bool(score @ inverse_where_known(information * np.outer(is_free, is_free)) @ score < CONVERGED_GAIN)


def model_columns(series: Series, last: int) -> Ints:
    """The places of the years that variances come from: those before ``last`` over the longest change, and itself.

    Where too few years show how errors persist, the year alone.
    """
    longest = max(series.spec.change_windows, default=series.spec.level_years - 1)
    columns = np.flatnonzero((series.years >= series.years[last] - longest) & (series.years <= series.years[last]))
    return columns if series.new_share is not None and len(columns) >= FEWEST_YEARS else np.array([last])


def level_columns(series: Series, last: int) -> Ints:
    """The places of the years that the level of the year in place ``last`` comes from."""
    return np.arange(max(last + 1 - series.spec.level_years, 0), last + 1)


@dataclass(frozen=True)
class _Given:
    """What a fit takes: see `fit_rao_yu`."""

    rows: Ints
    estimates: Floats
    blocks: Floats
    design: Floats
    years: Ints
    names: list[str]


def _given(series: Series, columns: Ints, covariates: Sequence[str], hidden: Bools | None) -> _Given:
    """A mean of each year and of each region, and covariates.

    ``hidden``: [areas], districts whose estimate of the newest of these years is left out.
    """
    given = [series.covariates[name][:, columns] for name in covariates]
    estimates = series.estimates[:, columns].copy()
    if hidden is not None:
        estimates[hidden, -1] = np.nan
    for one in given:
        estimates[np.isnan(one)] = np.nan
    for name, one in zip(covariates, given, strict=True):
        held = one[np.isfinite(estimates)]
        if len(held) and np.ptp(held) == 0:
            raise EstimationError(f"covariate {name} is the same everywhere, so it says nothing; leave it out")
    is_fitted: Bools = np.asarray(np.isfinite(estimates).any(axis=1))
    names, own = _region_columns(series.regions, is_fitted)
    is_known = is_fitted | np.isin(series.regions, _large_regions(series.regions, is_fitted))
    rows = np.flatnonzero(is_known)
    years, count = series.years[columns], len(columns)
    design = np.concatenate(
        [
            np.broadcast_to(np.eye(count), (len(rows), count, count)),
            np.broadcast_to(own[rows, None, :], (len(rows), count, own.shape[1])),
            *(one[rows][:, :, None] for one in given),
        ],
        axis=2,
    )
    share = 1.0 if series.new_share is None else series.new_share
    blocks = partly_new_blocks(series.errors[np.ix_(rows, columns)], share)
    return _Given(rows, estimates[rows], blocks, design, years, [*map(str, years), *names, *covariates])


def _large_regions(regions: np.ndarray, is_fitted: Bools) -> np.ndarray:
    """Names of the regions with enough districts that have an estimate, in order."""
    names, counts = np.unique(regions[is_fitted], return_counts=True)
    return names[counts >= FEWEST_IN_A_REGION]


def _region_columns(regions: np.ndarray, is_fitted: Bools) -> tuple[list[str], Floats]:
    """Names, and [areas, regions - 1]: how each region differs from the mean of all regions.

    A region with few estimates has no column of its own: its districts are drawn towards that mean.
    """
    names = _large_regions(regions, is_fitted)
    if len(names) < 2:
        return [], np.empty((len(regions), 0))
    member = (regions[:, None] == names).astype(float)
    return names[:-1].tolist(), member[:, :-1] - member[:, -1:]


def covariate_names(series: Series) -> list[str]:
    """The indicators the series is modelled by."""
    return [one.indicator_id for one in series.spec.covariates]


def fit_window(
    series: Series,
    columns: Ints,
    *,
    covariates: Sequence[str] | None = None,
    start: Sequence[float] | Floats | None = None,
) -> Window:
    """Fit variances, rho and coefficients to the years in places ``columns``.

    ``covariates``: their ids, those of the series if None; ``start``: parameters to begin from. Raises EstimationError
    for all that `fit_rao_yu` refuses.
    """
    given = _given(series, columns, covariate_names(series) if covariates is None else covariates, None)
    begin = None if start is None or len(columns) == 1 else [float(value) for value in start]
    fit = fit_rao_yu(given.estimates, given.blocks, given.design, given.years, names=given.names, start=begin)
    return Window(given.rows, columns, given.blocks, replace(fit, parameter_covariance=parameter_covariance(fit)))


def apply_window(
    series: Series,
    model: Window,
    columns: Ints,
    *,
    covariates: Sequence[str] | None = None,
    hidden: Bools | None = None,
) -> Window:
    """The variances and rho of ``model`` on the years in places ``columns``, with coefficients of their own.

    ``hidden``: [areas], districts whose estimate of the newest of these years is left out. Raises EstimationError as
    `apply_rao_yu`.
    """
    given = _given(series, columns, covariate_names(series) if covariates is None else covariates, hidden)
    fit = apply_rao_yu(
        model.fit,
        parameter_covariance(model.fit),
        given.estimates,
        given.blocks,
        given.design,
        given.years,
        names=given.names,
    )
    return Window(given.rows, columns, given.blocks, fit)


def predict_newest(window: Window) -> Predictions:
    """The level of the newest of its years: [areas, 1]."""
    return predict(window.fit, _newest(window)[None, :])


def _newest(window: Window) -> Floats:
    return (window.years == window.years[-1]).astype(float)


def predict_window_change(window: Window, window_years: int) -> tuple[Predictions, Floats]:
    """Change up to the newest year, [areas, 1], and the weight on the survey: [areas].

    The weight says by how much the modelled change would grow if all estimates of a district moved steadily by one unit
    over the window: 1 where the survey alone speaks, 0 where it says nothing. Raises EstimationError for a first year
    that the window does not hold.
    """
    years = window.years
    first = int(years[-1]) - window_years
    if first not in years:
        raise EstimationError(
            f"change over {window_years} years needs figures with errors of {first} and {years[-1]}, and of enough years "
            "to tell how errors persist"
        )
    contrast = _newest(window) - (years == first)
    steady = np.minimum((years - years[-1]) / window_years, 0.0)
    return predict(window.fit, contrast[None, :]), pulls(window, contrast) @ steady


def newest_pulls(window: Window) -> Floats:
    """Weight of each direct estimate in the level of the newest year: [areas, years]."""
    return pulls(window, _newest(window))


def pulls(window: Window, contrast: Floats) -> Floats:
    """Weight of each direct estimate in a combination of years: [areas, years]. ``contrast``: [years]."""
    effects = effect_covariance(window.fit.solved.parameters, window.years)
    weights: Floats = (contrast @ effects) @ window.fit.solved.inverse
    return weights
