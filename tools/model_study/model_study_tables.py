"""The tables of the study (docs/studies/modelled.md), each made anew from the figures of a published file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np

from pipeline.catalogue import load_catalogue
from pipeline.estimation.arrays import Bools, Floats
from pipeline.estimation.one_thread import one_thread
from pipeline.estimation.rao_yu_likelihood import effect_covariance
from pipeline.estimation.series import Series, read_series
from pipeline.estimation.series_diagnostics import correlation, coverage_left_out, narrowing_of
from pipeline.estimation.series_model import (
    Window,
    apply_window,
    fit_window,
    level_columns,
    model_columns,
    predict_newest,
    predict_window_change,
)
from pipeline.geography import load_register
from pipeline.run.estimate import inputs_of_models
from tools.error_study.study_tables import markdown

SEED = 1
WORLDS = 12  # simulated
Z95 = 1.96
SEVERAL_YEARS = ("employment_rate", "unemployment_rate_modelled", "pay_median_weekly")
OTHERS = ("claimant_rate", "gdhi_per_head")
OBSERVATIONS = """
    select
        area_code::varchar as area_code, indicator_id::varchar as indicator_id, year, period_end, value, standard_error,
        status, geography_rule::varchar as geography_rule
    from fct_observation
"""


def study(file: Path) -> dict[str, str]:
    """Every table by name, as markdown. ``file``: a published file."""
    with duckdb.connect(str(file), read_only=True) as connection:
        observations = connection.execute(OBSERVATIONS).df()
    catalogue = load_catalogue()
    specs, figures, areas = inputs_of_models(catalogue.models, catalogue.indicators, load_register(), observations)
    series = {
        spec.indicator_id: read_series(spec, figures, areas)
        for spec in specs
        if spec.indicator_id in (*SEVERAL_YEARS, "level3_qualifications_rate")
    }
    with one_thread(), np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return {
            "windows": windows(series),
            "covariates": covariates(series),
            "simulated": simulated(series),
        }


def windows(series: dict[str, Series]) -> str:
    """Narrowing, weights and coverage by the number of years behind a level, without covariates and with each."""
    heading = ["series", "years", "covariates", "narrower", "weight, that year", "weight, survey", "left out, 90%"]
    return markdown(heading, list(_window_rows(series)))


def _window_rows(series: dict[str, Series]) -> Iterator[Sequence[str]]:
    for name, one in series.items():
        last = len(one.years) - 1
        for years in (1, 5, 11) if name in SEVERAL_YEARS else (1,):
            for extra in ((), OTHERS[:1], OTHERS):
                model = fit_window(one, np.array([last]) if years == 1 else model_columns(one, last), covariates=extra)
                columns = np.arange(last + 1 - years, last + 1)
                level = apply_window(one, model, columns, covariates=extra)
                found, is_direct = predict_newest(level), level.fit.panel.is_direct[:, -1]
                errors = one.errors[level.rows, last][is_direct]
                coverage = coverage_left_out(one, model, columns) if not extra else None
                yield [
                    name,
                    str(years),
                    ", ".join(extra) or "none",
                    f"{narrowing_of(found.mse[is_direct, 0], errors):.1%}",
                    f"{found.weight_direct[is_direct, 0].mean():.2f}",
                    f"{found.weight_all_years[is_direct, 0].mean():.2f}",
                    "-" if coverage is None else f"{coverage:.0%}",
                ]


def covariates(series: dict[str, Series]) -> str:
    """Correlation with claimants and income: as published, as modelled, and as modelled with it as a covariate."""
    heading = ["series", "with", "published", "modelled", "with it as covariate"]
    rows = []
    for name, one in series.items():
        last = len(one.years) - 1
        for other in OTHERS:
            position, published = one.covariates[other][:, last], one.estimates[:, last]
            cells = [_correlation(published, position, published)]
            cells += [_correlation(_modelled(one, extra), position, published) for extra in ((), (other,))]
            rows.append([name, other, *(f"{value:.2f}" for value in cells)])
    return markdown(heading, rows)


def _modelled(series: Series, extra: Sequence[str]) -> Floats:
    """The newest level, [areas], NaN where there is none."""
    last = len(series.years) - 1
    model = fit_window(series, model_columns(series, last), covariates=extra)
    columns = level_columns(series, last) if len(model.columns) > 1 else model.columns
    level = apply_window(series, model, columns, covariates=extra)
    found = np.full(len(series.codes), np.nan)
    found[level.rows] = predict_newest(level).modelled[:, 0]
    return found


def _correlation(figures: Floats, position: Floats, published: Floats) -> float:
    is_held = np.isfinite(figures) & np.isfinite(position) & np.isfinite(published)
    return correlation(figures[is_held], position[is_held])


def simulated(series: dict[str, Series]) -> str:
    """Coverage of 95% intervals where the truth is drawn from the fitted model and the survey from its errors."""
    heading = ["series", "level, newest year", "change, ten years", "change, five years"]
    rows = []
    for name in SEVERAL_YEARS:
        rng = np.random.default_rng(SEED)
        one = series[name]
        model = fit_window(one, model_columns(one, len(one.years) - 1))
        coverage = np.mean([_coverages(rng, one, model) for _ in range(WORLDS)], axis=0)
        rows.append([name, *(f"{share:.1%}" for share in coverage)])
    return markdown(heading, rows)


def _coverages(rng: np.random.Generator, series: Series, model: Window) -> list[float]:
    """One world: new effects and new errors, and the whole chain fitted anew."""
    panel, rows = model.fit.panel, model.rows
    effects = np.linalg.cholesky(effect_covariance(model.parameters, panel.years) + 1e-12 * np.eye(len(panel.years)))
    drawn = rng.standard_normal((len(rows), len(panel.years))) @ effects.T
    errors = np.linalg.cholesky(panel.error_covariance) @ rng.standard_normal((len(rows), len(panel.years), 1))
    truth = panel.all_columns @ model.fit.solved.coefficients + drawn
    estimates = np.full_like(series.estimates, np.nan)
    estimates[np.ix_(rows, model.columns)] = np.where(panel.is_direct, truth + errors[:, :, 0], np.nan)
    world = Series(**{**vars(series), "estimates": estimates})
    again = fit_window(world, model.columns, start=model.parameters)
    level = apply_window(world, again, level_columns(world, int(model.columns[-1])))
    found, is_direct = predict_newest(level), panel.is_direct[:, -1]
    inside = [_inside(truth[:, -1], found.modelled[:, 0], found.mse[:, 0], is_direct)]
    for years in (10, 5):
        change, _ = predict_window_change(again, years)
        moved = truth[:, -1] - truth[:, -1 - years]
        inside.append(_inside(moved, change.modelled[:, 0], change.mse[:, 0], is_direct))
    return inside


def _inside(truth: Floats, modelled: Floats, mse: Floats, is_used: Bools) -> float:
    return float((np.abs(truth - modelled) <= Z95 * np.sqrt(mse))[is_used].mean())
