"""Growth of what residents get beside growth of output, over the same years. Part of the labelled edge (pandas).

The two are shown side by side and never subtracted: across districts they hardly move together, so pay less output is
nearly output with its sign turned (METHODOLOGY section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework, Window
from pipeline.scoring.change_table import HALF_WIDTH
from pipeline.scoring.cube import Cube
from pipeline.scoring.error_model import KINDS, slope_errors
from pipeline.scoring.inputs import IndicatorSpec, read_areas, read_cube
from pipeline.scoring.output_columns import concat, same, text
from pipeline.scoring.positions import indicator_series
from pipeline.scoring.transform import Bools, Floats, Ints, nanmedian_rows, slopes

OUTPUT = "gva_per_hour"
OUTCOMES = ("pay_median_weekly", "gdhi_per_head")
GROWTH_COLUMNS = ("growth_percent", "growth_lower", "growth_upper", "error_kind")
PASS_THROUGH_COLUMNS = (
    "area_code",
    "outcome_id",
    "window_years",
    "first_year",
    "last_year",
    "year_count",
    *(f"{side}_{column}" for side in ("outcome", "output") for column in GROWTH_COLUMNS),
    "typical_outcome_growth_percent",
    "typical_output_growth_percent",
)


@dataclass(frozen=True)
class Growth:
    """Slopes of logarithms per year over the common years: [areas]; NaN where unknown.

    ``typical`` is the slope of the typical district, the median of those scored, over the years of each area.
    ``kind``: position in KINDS of the error. ``is_used``: [areas, window], the years of the window in the fit.
    """

    slope: Floats
    error: Floats
    kind: Ints
    typical: Floats
    is_used: Bools


def pass_through_table(
    framework: Framework,
    figures: pd.DataFrame,
    areas: pd.DataFrame,
    indicators: Mapping[str, IndicatorSpec],
) -> pd.DataFrame:
    """PASS_THROUGH_COLUMNS: a row for each area, outcome and window with enough years that have both figures.

    The window ends in the last year with both figures of the area. Growth is in per cent a year, before inflation, with
    90% intervals where an error is known. Arguments as for ``score_framework``; a framework without output per hour
    gives no rows.
    """
    register = read_areas(areas)
    cube, _ = read_cube(framework, figures, register, indicators)
    pairs = [(outcome, window) for outcome in OUTCOMES for window in framework.windows]
    tables = [
        table
        for outcome, window in pairs
        if (held := _both(cube, outcome)) is not None
        and len(table := _rows(cube, outcome, window, held, register.is_placed))
    ]
    return concat(tables, PASS_THROUGH_COLUMNS)


def _both(cube: Cube, outcome: str) -> Bools | None:
    """The years in which each area has both figures: [years, areas]; None without one of the indicators."""
    places = [k for name in (outcome, OUTPUT) if (k := cube.index(name)) is not None]
    return np.asarray(~np.isnan(cube.values[places]).any(axis=0)) if len(places) == 2 else None


def _rows(cube: Cube, outcome: str, window: Window, both: Bools, is_placed: Bools) -> pd.DataFrame:
    last = np.where(both.any(axis=0), len(both) - 1 - both[::-1].argmax(axis=0), 0)
    of_outcome, of_output = _growths(cube, (outcome, OUTPUT), window, both, last)
    area = np.flatnonzero(~np.isnan(of_outcome.slope) & ~np.isnan(of_output.slope) & is_placed)
    is_used, last_year = of_output.is_used[area], cube.years[last][area]
    columns = {
        "area_code": text(cube.area_codes, area),
        "outcome_id": same(outcome, len(area)),
        "window_years": np.full(len(area), window.years, dtype="int32"),
        "first_year": (last_year - window.years + 1 + is_used.argmax(axis=1)).astype("int32"),
        "last_year": last_year.astype("int32"),
        "year_count": is_used.sum(axis=1).astype("int32"),
    }
    for side, growth in (("outcome", of_outcome), ("output", of_output)):
        slope, error = growth.slope[area], growth.error[area]
        columns |= {
            f"{side}_growth_percent": _percent(slope),
            f"{side}_growth_lower": _percent(slope - HALF_WIDTH * error),
            f"{side}_growth_upper": _percent(slope + HALF_WIDTH * error),
            f"{side}_error_kind": text(KINDS, growth.kind[area]),
            f"typical_{side}_growth_percent": _percent(growth.typical[area]),
        }
    return pd.DataFrame(columns, columns=list(PASS_THROUGH_COLUMNS))


def _growths(cube: Cube, names: tuple[str, str], window: Window, both: Bools, last: Ints) -> Iterator[Growth]:
    """The growth of each indicator over the years of the window, up to ``last``, that have both figures."""
    places = [k for name in names if (k := cube.index(name)) is not None]
    series = [indicator_series(cube, k, within_nation=False) for k in places]
    basis = sum((one.basis for one in series), np.zeros_like(both, dtype=int))
    at = np.arange(both.shape[1])
    for k, one in zip(places, series, strict=True):
        median = nanmedian_rows(cube.values[k][:, cube.is_district])[:, None]
        own, typical = (
            slopes(np.where(both, np.log(figures), np.nan), window.years, window.min_points, 0, basis)
            for figures in (cube.values[k], median)
        )
        errors = slope_errors(one.errors, own, window.years, cube.is_district)
        yield Growth(
            own.slope[last, at],
            np.sqrt(errors.variance[last, at]),
            errors.kind[last, at],
            typical.slope[last, at],
            own.is_used[last, :, at],
        )


def _percent(slope: Floats) -> Floats:
    return np.asarray(100 * np.expm1(slope))
