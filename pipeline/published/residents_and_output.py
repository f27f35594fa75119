"""Growth of residents' pay and income beside growth of output per hour, from ``mart_pass_through``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.published import words
from pipeline.published.scores import CHANGE_WINDOW_YEARS

if TYPE_CHECKING:
    import duckdb

_SIDE_BY_SIDE = """
select
    area_code,
    outcome_title,
    first_year,
    last_year,
    outcome_growth_percent,
    outcome_growth_lower,
    outcome_growth_upper,
    typical_outcome_growth_percent,
    output_growth_percent,
    output_growth_lower,
    output_growth_upper,
    typical_output_growth_percent
from mart_pass_through
where window_years = $window and ($area is null or area_code = $area)
order by area_code, outcome_id desc
"""


@dataclass(frozen=True)
class Growth:
    """Growth in per cent a year with its 90% interval (None if its error is not known), and the typical district's."""

    percent: float
    lower: float | None
    upper: float | None
    typical_percent: float

    @property
    def interval(self) -> str:
        """`3.0 to 5.0`, or `not known`."""
        if self.lower is None or self.upper is None:
            return "not known"
        return f"{words.number(self.lower, 1)} to {words.number(self.upper, 1)}"


@dataclass(frozen=True)
class SideBySide:
    """Growth of one outcome of residents and of output per hour over the same years of one area."""

    area_code: str
    outcome_title: str
    first_year: int
    last_year: int
    outcome: Growth
    output: Growth


def side_by_side(connection: duckdb.DuckDBPyConnection, area_code: str | None = None) -> list[SideBySide]:
    """Both outcomes of one area, or of all, pay first, over the default window."""
    rows = connection.execute(_SIDE_BY_SIDE, {"window": CHANGE_WINDOW_YEARS, "area": area_code}).fetchall()
    return [
        SideBySide(area, title, first, last, Growth(*numbers[:4]), Growth(*numbers[4:]))
        for area, title, first, last, *numbers in rows
    ]


def lines(held: list[SideBySide]) -> list[str]:
    """The rows of one area for a terminal, under a heading; nothing without rows."""
    if not held:
        return []
    found = ["Residents and output over the same years (growth in per cent a year, before inflation)"]
    found.append(f"  {'':<48}{'years':<12}{'growth':>6}  {'90% interval':>13}  {'typical':>7}")
    for row in held:
        years = f"{row.first_year}-{row.last_year}"
        for title, growth in ((row.outcome_title, row.outcome), ("  Gross value added per hour worked", row.output)):
            numbers = f"{words.number(growth.percent, 1):>6}  {growth.interval:>13}  {words.number(growth.typical_percent, 1):>7}"
            found.append(f"  {title:<48}{years:<12}{numbers}")
    return found
