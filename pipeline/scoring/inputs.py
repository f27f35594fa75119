"""Check the input and arrange it as a cube. Takes pandas frames; part of the labelled edge (see frames.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.catalogue import Indicator
from pipeline.catalogue.frameworks import Framework
from pipeline.catalogue.shipped_count_errors import load_count_errors
from pipeline.catalogue.shipped_revision_errors import load_revision_errors
from pipeline.errors import PipelineError
from pipeline.scoring.cube import Cube
from pipeline.scoring.error_model import ErrorSource
from pipeline.scoring.transform import Floats, Ints


class ScoringInputError(PipelineError, ValueError):
    """The given figures or estimates cannot be scored; the message names the first faulty row and what to do."""


@dataclass(frozen=True)
class IndicatorSpec:
    """What scoring needs of an indicator: which way is better, how positions are measured, where errors come from."""

    polarity: int
    transform: Literal["log_ratio", "difference"]
    breaks: tuple[int, ...] = ()  # years after which the series is on another basis
    error_source: ErrorSource = field(default_factory=ErrorSource)


def indicator_specs(indicators: Mapping[str, Indicator]) -> dict[str, IndicatorSpec]:
    """The scoring properties of the catalogue's indicators, by id."""
    revisions, counts = load_revision_errors(), load_count_errors()
    specs = {}
    for name, item in indicators.items():
        own = {window: found.by_age for (series, window), found in revisions.items() if series == name}
        rounded_to = 0.0 if item.transform == "log_ratio" else 10.0**-item.decimals
        source = ErrorSource(
            item.errors,
            own if item.errors == "revisions" else {},
            rounded_to,
            counts.get(name, {}) if item.errors == "counts" else {},
        )
        breaks = tuple(found.after for found in item.breaks)
        specs[name] = IndicatorSpec(item.polarity, item.transform, breaks, source)
    return specs


@dataclass(frozen=True)
class Areas:
    """The areas of a run, sorted by code. ``is_placed``: takes part at all (not a district that is only shown).

    ``population``: [areas], residents, NaN where none is given.
    """

    codes: tuple[str, ...]
    is_district: np.ndarray
    is_placed: np.ndarray
    nation: Ints
    nation_codes: tuple[str, ...]
    population: Floats


def need_columns(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise ScoringInputError(f"{name}: no column {', '.join(absent)}; it needs {', '.join(columns)}")


def numbers(frame: pd.DataFrame, column: str, name: str, *, describe: tuple[str, ...]) -> np.ndarray:
    """A column as floats, NaN where empty. Raises ScoringInputError for text and infinities, naming the first row."""
    try:
        values = pd.to_numeric(frame[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ScoringInputError(f"{name}: column {column} holds something that is not a number ({error})") from error
    wrong = np.flatnonzero(np.isinf(values))
    if wrong.size:
        raise ScoringInputError(
            f"{name}: {describe_row(frame, wrong[0], describe)}: {column} is infinite; leave it empty if unknown"
        )
    return values


def describe_row(frame: pd.DataFrame, position: int, describe: tuple[str, ...]) -> str:
    """The key of one row in words, for an error message."""
    return ", ".join(f"{column} {frame[column].iloc[position]}" for column in describe)


def read_areas(areas: pd.DataFrame) -> Areas:
    """``areas``: ``area_code, level, nation_code, is_scored[, population]``; one row an area, in any order."""
    need_columns(areas, ("area_code", "level", "nation_code", "is_scored"), "areas")
    ordered = areas.sort_values("area_code", kind="stable").reset_index(drop=True)
    twice = ordered["area_code"].duplicated()
    if twice.any():
        raise ScoringInputError(f"areas: area {ordered['area_code'][twice].iloc[0]} is given twice")
    is_level = (ordered["level"] == "district").to_numpy(dtype=bool)
    is_scored = ordered["is_scored"].fillna(False).to_numpy(dtype=bool)
    nations = pd.Categorical(ordered["nation_code"])
    return Areas(
        codes=tuple(ordered["area_code"].astype(str)),
        is_district=is_level & is_scored,
        is_placed=~is_level | is_scored,
        nation=nations.codes.astype(np.int64),
        nation_codes=tuple(nations.categories.astype(str)),
        population=numbers(ordered, "population", "areas", describe=("area_code",))
        if "population" in ordered.columns
        else np.full(len(ordered), np.nan),
    )


def read_cube(
    framework: Framework, figures: pd.DataFrame, areas: Areas, indicators: Mapping[str, IndicatorSpec]
) -> tuple[Cube, list[str]]:
    """``read_figures`` of the framework's indicators. One that ``indicators`` does not describe is awaited."""
    wanted = framework.indicator_ids()
    return read_figures(f"in framework {framework.id}", wanted, framework.base_year, figures, areas, indicators)


def read_figures(
    where: str,
    wanted: tuple[str, ...],
    base_year: int | None,
    figures: pd.DataFrame,
    areas: Areas,
    indicators: Mapping[str, IndicatorSpec],
) -> tuple[Cube, list[str]]:
    """Arrange the figures of the wanted indicators as a cube; also returns codes of areas not in ``areas``.

    Figures of other indicators are ignored. So are those of wider areas in years before the first or after the last
    figure of any scored district: wider areas never add a year to score. A wanted indicator that ``indicators`` does
    not describe must have no figures. Raises ScoringInputError, which says ``where`` an indicator is from, for a
    repeated figure, an infinity, a negative standard error, or a figure of 0 or less that needs a logarithm.
    """
    describe = ("area_code", "indicator_id", "year")
    need_columns(figures, (*describe, "value", "standard_error"), "figures")
    used = figures[figures["indicator_id"].isin(wanted)]
    for name in used["indicator_id"].unique():
        if name not in indicators:
            raise ScoringInputError(f"figures: indicator {name} is {where} but not described")
    held = tuple(name for name in wanted if name in indicators)
    k = pd.Index(held, dtype="str").get_indexer(pd.Index(used["indicator_id"]))
    a = pd.Index(areas.codes, dtype="str").get_indexer(pd.Index(used["area_code"]))
    years = _years(used["year"].to_numpy(dtype=np.int64), np.append(areas.is_district, False)[a], base_year)
    y = used["year"].to_numpy(dtype=np.int64) - years[0]
    values = numbers(used, "value", "figures", describe=describe)
    errors = numbers(used, "standard_error", "figures", describe=describe)
    negative = np.flatnonzero(errors < 0)
    if negative.size:
        raise ScoringInputError(f"figures: {describe_row(used, negative[0], describe)}: the standard error is negative")
    errors = _with_errors_of_counts(errors, used, indicators)
    is_log = np.array([indicators[name].transform == "log_ratio" for name in held], dtype=bool)
    not_positive = np.flatnonzero((values <= 0) & np.append(is_log, False)[k])
    if not_positive.size:
        row = describe_row(used, not_positive[0], describe)
        raise ScoringInputError(f"figures: {row}: value {values[not_positive[0]]} has no logarithm; it must be above 0")
    unknown = sorted(set(used["area_code"].to_numpy()[a < 0]))
    known = (a >= 0) & (y >= 0) & (y < len(years))
    shape = (len(held), len(years), len(areas.codes))
    flat = np.ravel_multi_index((k[known], y[known], a[known]), shape) if known.any() else np.empty(0, dtype=np.int64)
    _, first, count = np.unique(flat, return_index=True, return_counts=True)
    if (count > 1).any():
        position = np.flatnonzero(known)[first[count > 1][0]]
        raise ScoringInputError(f"figures: {describe_row(used, position, describe)} is given twice; keep one figure")
    cube_values, cube_errors = np.full(shape, np.nan), np.full(shape, np.nan)
    cube_values.reshape(-1)[flat] = values[known]
    cube_errors.reshape(-1)[flat] = np.where(np.isnan(values), np.nan, errors)[known]
    polarity = np.array([indicators[name].polarity or 1 for name in held], dtype=np.int64)
    cube = Cube(
        held, years, areas.codes, cube_values, cube_errors, is_log, polarity, areas.is_district, areas.nation,
        breaks=tuple(indicators[name].breaks for name in held),
        error_sources=tuple(indicators[name].error_source for name in held),
        population=areas.population,
    )  # fmt: skip
    return cube, unknown


def _with_errors_of_counts(errors: Floats, used: pd.DataFrame, indicators: Mapping[str, IndicatorSpec]) -> Floats:
    """``errors`` ([rows of ``used``]) with those from counts for the series that have them; NaN for a figure without."""
    out = errors.copy()
    for name in used["indicator_id"].unique():
        source = indicators[name].error_source
        if source.method == "counts":
            rows = np.flatnonzero(used["indicator_id"] == name)
            keys = zip(used["area_code"].iloc[rows].astype(str), used["year"].iloc[rows].astype(int), strict=True)
            out[rows] = [source.counts.get(key, np.nan) for key in keys]
    return out


def _years(years: Ints, is_of_district: np.ndarray, base_year: int | None) -> Ints:
    """The years from the first to the last figure of a scored district; without any, of any area, or the base year."""
    spoken = years[is_of_district] if is_of_district.any() else years
    if not spoken.size:
        spoken = np.array([base_year or 2019])
    return np.arange(spoken.min(), spoken.max() + 1, dtype=np.int64)
