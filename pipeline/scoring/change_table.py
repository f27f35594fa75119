"""How every indicator moved: slopes and 1, 5 and 10-year differences with intervals. Part of the labelled edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from pipeline.scoring.bases import leaf_polarity
from pipeline.scoring.error_model import KINDS, NONE, difference_variance
from pipeline.scoring.flavour import FlavourRun
from pipeline.scoring.inputs import Areas
from pipeline.scoring.output_columns import same, stack, text
from pipeline.scoring.positions import deciding_reliability, indicator_series, reliability
from pipeline.scoring.transform import Floats, Ints, difference, years_before

CHANGE_COLUMNS = (
    "area_code",
    "framework_id",
    "indicator_id",
    "measure",
    "window_years",
    "year",
    "change",
    "change_lower",
    "change_upper",
    "change_standard_error",
    "error_kind",
    "change_in_value",
    "probability_improved",
    "reliability",
    "is_scored",
)
DIFFERENCE_YEARS = (1, 5, 10)
HALF_WIDTH = float(ndtri(0.95))  # of a 90% interval, in standard errors


def change_table(runs: Sequence[FlavourRun], areas: Areas, first_year: int) -> pd.DataFrame:
    """CHANGE_COLUMNS: a row for each area, indicator, measure ('slope' or 'difference'), window and year.

    ``change`` is of the relative position: logarithmic points for money and ratios, points otherwise, per year for a
    slope and over the whole window for a difference. ``change_in_value`` is of the figure itself (percent, or points;
    null for slopes). Intervals are 90% and null if no error is known (``error_kind`` is 'none'); differences
    of figures whose errors come from vintages have none. ``probability_improved`` is the probability
    that the area gained on the typical district. Differences are of published figures only: never of carried ones, and
    never across a break of the series.
    """
    names: dict[str, int] = {}
    parts = []
    for run in runs:
        for leaf in range(len(run.all_leaves.leaves)):
            number = names.setdefault(run.all_leaves.leaves[leaf].id, len(names))
            moves = _differences(run, leaf, first_year) if run.window is None else [_slope(run, leaf)]
            parts += [_rows(run, areas, first_year, leaf, move) | _constant(number, move) for move in moves]
    parts = [_full(part) for part in parts if part["area"].size]
    if not parts:
        return pd.DataFrame(columns=list(CHANGE_COLUMNS))
    held = stack(parts)
    rows = len(held["area"])
    return pd.DataFrame(
        {
            "area_code": text(areas.codes, held["area"]),
            "framework_id": same(runs[0].framework.id, rows),
            "indicator_id": text(list(names), held["indicator"]),
            "measure": text(("slope", "difference"), held["measure"]),
            "window_years": held["window"].astype("int32"),
            "year": held["year"].astype("int32"),
            "change": held["change"],
            "change_lower": held["change"] - HALF_WIDTH * held["error"],
            "change_upper": held["change"] + HALF_WIDTH * held["error"],
            "change_standard_error": held["error"],
            "error_kind": text(KINDS, held["kind"]),
            "change_in_value": held["in_value"],
            "probability_improved": held["improved"],
            "reliability": held["reliability"],
            "is_scored": held["is_scored"],
        },
        columns=list(CHANGE_COLUMNS),
    )


@dataclass(frozen=True)
class Move:
    """One way in which one indicator moved: [years, areas] arrays, ``yearly`` reliabilities [years]."""

    is_difference: bool
    years: int
    change: Floats
    error: Floats
    kind: Ints
    in_value: Floats
    yearly: Floats
    is_scored: bool


def _slope(run: FlavourRun, leaf: int) -> Move:
    position, gate = run.positions, run.gates[leaf]
    nothing = np.full(position.own[leaf].shape, np.nan)
    years = run.window.years if run.window else 0
    return Move(
        False,
        years,
        position.own[leaf],
        position.error[leaf],
        position.kind[leaf],
        nothing,
        gate.yearly,
        gate.is_scored,
    )


def _differences(run: FlavourRun, leaf: int, first_year: int) -> Iterator[Move]:
    k = run.cube.index(run.all_leaves.leaves[leaf].id)
    if k is None:
        return
    within_nation = run.all_leaves.leaves[leaf].reference.standardise_within == "nation"
    series = indicator_series(run.cube, k, within_nation=within_nation)
    start = max(0, run.cube.year_row(first_year))
    least = run.framework.gate.min_reliability if run.framework.gate else -np.inf
    errors = series.errors
    for years in DIFFERENCE_YEARS:
        change = difference(series.position, years, series.basis)
        error = np.sqrt(difference_variance(errors.yearly, years_before(errors.yearly, years), errors.new_share))
        error = np.where(np.isnan(change), np.nan, error)
        kind = np.where(np.isnan(error), NONE, errors.kind)
        yearly = reliability(change, error, run.cube.is_district)
        now = run.cube.values[k]
        then = years_before(now, years)
        in_value = (now / then - 1) * 100 if run.cube.is_log[k] else now - then
        is_scored = not deciding_reliability(yearly[start:]) < least
        yield Move(True, years, change, error, kind, in_value, yearly, is_scored)


def _rows(run: FlavourRun, areas: Areas, first_year: int, leaf: int, move: Move) -> dict[str, np.ndarray]:
    start = max(0, run.cube.year_row(first_year))
    year, area = np.nonzero(~np.isnan(move.change[start:]) & areas.is_placed)
    row = year + start
    moved, sd = move.change[row, area], move.error[row, area]
    gained = leaf_polarity(run.cube, run.all_leaves, leaf) * moved
    with np.errstate(divide="ignore", invalid="ignore"):
        improved = np.where(sd > 0, ndtr(gained / sd), np.where(gained == 0, 0.5, gained > 0))
    return {
        "area": area,
        "year": run.cube.years[row],
        "change": moved,
        "error": sd,
        "kind": move.kind[row, area],
        "in_value": move.in_value[row, area],
        "improved": np.where(np.isnan(sd), np.nan, improved),
        "reliability": move.yearly[row],
    }


def _constant(indicator: int, move: Move) -> dict[str, np.ndarray]:
    return {
        "indicator": np.array([indicator]),
        "measure": np.array([int(move.is_difference)]),
        "window": np.array([move.years]),
        "is_scored": np.array([move.is_scored]),
    }


def _full(part: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Single values repeated to the length of the other columns."""
    rows = part["area"].size
    return {name: np.broadcast_to(values, rows) if values.size == 1 else values for name, values in part.items()}
