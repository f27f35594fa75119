"""Figures from the published file: the latest of each indicator, beside the typical district's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_LATEST = """
select
    area_code::varchar,
    indicator_id::varchar,
    indicator_title::varchar,
    theme,
    unit::varchar,
    decimals,
    year,
    value,
    lower,
    upper,
    status,
    typical_value,
    verdict,
    direction_verdict,
    error_status
from latest_figure
where $area is null or area_code = $area
order by theme, indicator_title::varchar, indicator_id::varchar, area_code
"""
# One row a year. Where a year has several periods, take the last to end that has a figure, as the file's tables do.
_SERIES = """
select indicator_id::varchar, area_code::varchar, year, value, lower, upper, status
from fct_observation
qualify
    row_number() over (
        partition by indicator_id, area_code, year order by value is null, period_end desc, period_start desc
    ) = 1
order by indicator_id::varchar, area_code::varchar, year
"""
_TYPICAL = """
select
    indicator_id::varchar,
    nation_code,
    year,
    typical_value,
    tenth_percentile,
    ninetieth_percentile,
    district_count
from mart_typical
order by indicator_id, nation_code, year
"""
UK = ""  # in place of a nation's code: the typical district of the whole UK


@dataclass(frozen=True)
class LatestFigure:
    """The latest figure of one indicator in one area, as the view ``latest_figure`` holds it.

    ``value``, its 95% interval (None without a known error) and ``typical_value`` are in ``unit``. ``verdict`` says how
    sure it is that the figure is above or below the typical district's, ``direction_verdict`` that it has improved or
    worsened against it over ten years; it is None for context indicators. ``error_status`` says what is known of the
    indicator's margin of error (see ``wording.error_words``).
    """

    area_code: str
    indicator_id: str
    title: str
    theme: str
    unit: str
    decimals: int
    year: int
    value: float
    lower: float | None
    upper: float | None
    status: str
    typical_value: float | None
    verdict: str
    direction_verdict: str | None
    error_status: str | None = None

    @property
    def has_interval(self) -> bool:
        return self.lower is not None and self.upper is not None


@dataclass(frozen=True)
class YearFigure:
    """One year's figure in the indicator's unit, with its 95% interval where one is held."""

    year: int
    value: float | None
    lower: float | None
    upper: float | None
    status: str


@dataclass(frozen=True)
class Typical:
    """The scored districts in one year: median, 10th and 90th percentile, and how many have a figure."""

    year: int
    median: float
    low: float
    high: float
    districts: int


def latest_figures(connection: duckdb.DuckDBPyConnection, area_code: str | None = None) -> list[LatestFigure]:
    """The latest figures of one area, or of all, by theme and title. Raises duckdb.Error if the file lacks the view."""
    return [LatestFigure(*row) for row in connection.execute(_LATEST, {"area": area_code}).fetchall()]


def series(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Mapping[str, list[YearFigure]]]:
    """The figures of every indicator and area, in year order. Where a year has no value, its status says why."""
    found: dict[str, dict[str, list[YearFigure]]] = {}
    for indicator, code, *cells in connection.execute(_SERIES).fetchall():
        found.setdefault(indicator, {}).setdefault(code, []).append(YearFigure(*cells))
    return found


def typical_districts(connection: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], Mapping[int, Typical]]:
    """The typical district of every indicator by (indicator, nation) and year.

    The nation is ``UK`` unless the nations measure the indicator differently. In that case each nation has its own and
    the UK has none. Raises duckdb.Error if the file lacks ``mart_typical``.
    """
    found: dict[tuple[str, str], dict[int, Typical]] = {}
    for indicator, nation, *cells in connection.execute(_TYPICAL).fetchall():
        found.setdefault((indicator, nation), {})[cells[0]] = Typical(*cells)
    return found
