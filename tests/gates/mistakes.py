"""Plausible mistakes of a publisher, each a function of a right table and a random generator that gives the wrong one.

A table has ``area_code, area_name, period, period_start, year, value, lower, upper``, one row a figure. Sizes are drawn
at random; a mistake that is of one year is of the latest. None where a table cannot have it (a region in one without).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Table = pd.DataFrame
Mistake = Callable[[Table, np.random.Generator], Table | None]

_FIGURES = ["value", "lower", "upper"]
_DISTRICT = r"E0[6-9]|W06|S12|N09"


def _rows(table: Table, year: int | None = None) -> pd.Index:
    """The rows of districts of one year (the latest), in the order of their codes."""
    is_there = (table["year"] == (table["year"].max() if year is None else year)) & table["area_code"].str.match(
        _DISTRICT
    )
    return table[is_there].sort_values("area_code").index


def _moved(table: Table, rows: pd.Index, taken_from: np.ndarray | pd.Index) -> Table:
    """The table with the figures of rows ``taken_from`` in ``rows``."""
    out = table.copy()
    out.loc[rows, _FIGURES] = table.loc[taken_from, _FIGURES].to_numpy()
    return out


def _times(table: Table, rows: pd.Index, factor: float | np.ndarray) -> Table:
    out = table.copy()
    factors = np.broadcast_to(np.asarray(factor, dtype=float).reshape(-1, 1), (len(rows), 3))
    out.loc[rows, _FIGURES] = out.loc[rows, _FIGURES].to_numpy() * factors
    return out


def latest_year_shifted_by_a_row(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    return _moved(table, rows, np.roll(rows, draw.choice([-1, 1])))


def one_nation_shifted_by_a_row(table: Table, draw: np.random.Generator) -> Table | None:
    rows = _rows(table)
    nation = draw.choice(table.loc[rows, "area_code"].str[0].unique())
    rows = rows[table.loc[rows, "area_code"].str[0] == nation]
    return _moved(table, rows, np.roll(rows, 1)) if len(rows) >= 20 else None


def codes_permuted_in_the_latest_year(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    return _moved(table, rows, draw.permutation(rows))


def codes_permuted_in_all_years(table: Table, draw: np.random.Generator) -> Table:
    codes = table.loc[table["area_code"].str.match(_DISTRICT), "area_code"].unique()
    other = dict(zip(codes, draw.permutation(codes), strict=True))
    return table.assign(area_code=table["area_code"].map(lambda code: other.get(code, code)))


def a_part_of_the_codes_permuted(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    some = draw.choice(rows, size=max(4, int(draw.uniform(0.2, 0.5) * len(rows))), replace=False)
    return _moved(table, pd.Index(some), draw.permutation(some))


def codes_permuted_within_a_region(table: Table, draw: np.random.Generator, regions: dict[str, str]) -> Table | None:
    rows = _rows(table)
    region = table.loc[rows, "area_code"].map(regions)
    if region.nunique() < 2:
        return None
    some = rows[region == draw.choice(region.dropna().unique())]
    return _moved(table, some, draw.permutation(some)) if len(some) > 9 else None


def two_areas_swapped(table: Table, draw: np.random.Generator) -> Table:
    two = draw.choice(_rows(table), size=2, replace=False)
    return _moved(table, pd.Index(two), two[::-1])


def two_areas_swapped_in_all_years(table: Table, draw: np.random.Generator) -> Table:
    one, other = draw.choice(table.loc[_rows(table), "area_code"].to_numpy(), size=2, replace=False)
    return table.assign(area_code=table["area_code"].replace({one: other, other: one}))


def three_areas_in_a_ring(table: Table, draw: np.random.Generator) -> Table:
    three = draw.choice(_rows(table), size=3, replace=False)
    return _moved(table, pd.Index(three), np.roll(three, 1))


def _by_area(table: Table, year: int, onto: pd.Index) -> tuple[pd.Index, pd.Index]:
    """Rows of ``onto`` whose area has a figure in ``year``, and the rows of those figures."""
    there = table[table["year"] == year].reset_index().set_index("area_code")["index"]
    found = table.loc[onto, "area_code"].map(there)
    return onto[found.notna()], pd.Index(found.dropna().astype(int))


def an_old_year_under_the_latest_label(table: Table, draw: np.random.Generator) -> Table | None:
    years = sorted(table["year"].unique())[:-1][-6:]
    if not years:
        return None
    rows = table[table["year"] == table["year"].max()].index
    return _moved(table, *_by_area(table, int(draw.choice(years)), rows))


def last_year_raised_by_one_factor(table: Table, draw: np.random.Generator) -> Table | None:
    years = sorted(table["year"].unique())
    if len(years) < 2:
        return None
    rows = table[table["year"] == years[-1]].index
    onto, taken_from = _by_area(table, years[-2], rows)
    return _times(_moved(table, onto, taken_from), onto, draw.uniform(1.005, 1.05))


def mean_of_the_two_years_before(table: Table, draw: np.random.Generator) -> Table | None:
    years = sorted(table["year"].unique())
    if len(years) < 3:
        return None
    rows = table[table["year"] == years[-1]].index
    onto, one = _by_area(table, years[-2], rows)
    onto, other = _by_area(table, years[-3], onto)
    _, one = _by_area(table, years[-2], onto)
    out = table.copy()
    out.loc[onto, _FIGURES] = (table.loc[one, _FIGURES].to_numpy() + table.loc[other, _FIGURES].to_numpy()) / 2
    return out


def every_label_a_year_late(table: Table, draw: np.random.Generator) -> Table | None:
    years = sorted(table["year"].unique())
    if len(years) < 2:
        return None
    out = table.copy()
    for year, before in zip(years[1:], years, strict=False):
        onto, taken_from = _by_area(table, before, table[table["year"] == year].index)
        out.loc[onto, _FIGURES] = table.loc[taken_from, _FIGURES].to_numpy()
    return out


def years_reversed(table: Table, draw: np.random.Generator) -> Table | None:
    years = sorted(table["year"].unique())
    if len(years) < 2:
        return None
    out = table.copy()
    for year, mirrored in zip(years, years[::-1], strict=True):
        onto, taken_from = _by_area(table, mirrored, table[table["year"] == year].index)
        out.loc[onto, _FIGURES] = table.loc[taken_from, _FIGURES].to_numpy()
    return out


def a_nation_doubled(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    nation = draw.choice(table.loc[rows, "area_code"].str[0].unique())
    return _times(table, rows[table.loc[rows, "area_code"].str[0] == nation], 2.0)


def a_region_raised(table: Table, draw: np.random.Generator, regions: dict[str, str]) -> Table | None:
    rows = _rows(table)
    region = table.loc[rows, "area_code"].map(regions)
    some = rows[region == draw.choice(region.dropna().unique())]
    return _times(table, some, draw.uniform(1.15, 1.5)) if len(some) > 5 else None


def two_regions_exchanged(table: Table, draw: np.random.Generator, regions: dict[str, str]) -> Table | None:
    rows = _rows(table)
    region = table.loc[rows, "area_code"].map(regions)
    if region.nunique() < 2:
        return None
    one, other = (rows[region == code] for code in draw.choice(region.dropna().unique(), size=2, replace=False))
    most = min(len(one), len(other))
    return _moved(table, one[:most].append(other[:most]), other[:most].append(one[:most]))


def latest_year_mirrored_about_its_median(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    ordered = rows[np.argsort(table.loc[rows, "value"].to_numpy())]
    return _moved(table, ordered, ordered[::-1])


def latest_year_sorted_by_size(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    return _moved(table, rows, rows[np.argsort(table.loc[rows, "value"].to_numpy())])


def latest_year_in_reverse_order(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    return _moved(table, rows, rows[::-1])


def every_district_revised_at_random(table: Table, draw: np.random.Generator) -> Table:
    most = draw.uniform(0.1, 0.3)
    return _times(table, table.index, draw.uniform(1 - most, 1 + most, size=len(table)))


def latest_year_revised_at_random(table: Table, draw: np.random.Generator) -> Table:
    rows, most = _rows(table), draw.uniform(0.2, 0.3)
    return _times(table, rows, draw.uniform(1 - most, 1 + most, size=len(rows)))


def everything_raised(table: Table, draw: np.random.Generator) -> Table:
    return _times(table, table.index, 1 + draw.choice([-1, 1]) * draw.uniform(0.06, 0.12))


def latest_year_in_another_unit(table: Table, draw: np.random.Generator) -> Table:
    rows = table[table["year"] == table["year"].max()].index
    return _times(table, rows, draw.choice([0.01, 0.1, 1 / 12, 1 / 52, 12, 52, 10, 100, 1000]))


def some_decimal_points_lost(table: Table, draw: np.random.Generator) -> Table:
    some = draw.choice(_rows(table), size=draw.integers(1, 6), replace=False)
    return _times(table, pd.Index(some), draw.choice([0.1, 10.0]))


def two_digits_exchanged_in_one_area(table: Table, draw: np.random.Generator) -> Table | None:
    """The first two digits of one district's figure, where they are three or more apart."""
    rows = _rows(table)
    digits = table.loc[rows, "value"].map(lambda value: f"{value:.6e}")
    apart = digits.map(lambda text: abs(int(text[0]) - int(text[2])))
    fit = rows[(apart >= 3) & (digits.str[2] != "0")]
    if not len(fit):
        return None
    row = draw.choice(fit)
    text = digits[row]
    wrong = float(f"{text[2]}.{text[0]}{text[3:]}")
    return _times(table, pd.Index([row]), wrong / table.at[row, "value"])


def some_figures_noughts(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    some = draw.choice(rows, size=max(1, int(draw.uniform(0.01, 0.05) * len(rows))), replace=False)
    return _times(table, pd.Index(some), 0.0)


def some_figures_the_median(table: Table, draw: np.random.Generator) -> Table:
    rows = _rows(table)
    some = draw.choice(rows, size=int(draw.uniform(0.15, 0.4) * len(rows)), replace=False)
    middle = table.loc[rows, "value"].median()
    return _times(table, pd.Index(some), middle / table.loc[some, "value"].to_numpy())


def latest_year_rounded_coarsely(table: Table, draw: np.random.Generator) -> Table:
    """To the two leading digits of the median (a rate of 4.2 to 4, pay of 612.40 to 610)."""
    rows = _rows(table)
    middle = table.loc[rows, "value"].median()
    unit = 10.0 ** (np.floor(np.log10(middle)) - (0 if middle < 10 else 1))
    wanted = np.round(table.loc[rows, "value"].to_numpy() / unit) * unit
    return _times(table, rows, np.maximum(wanted, unit / 2) / table.loc[rows, "value"].to_numpy())


def intervals_of_other_areas(table: Table, draw: np.random.Generator) -> Table | None:
    return _with_half_widths(table, lambda half: draw.permutation(half))


def intervals_of_another_width(table: Table, draw: np.random.Generator) -> Table | None:
    factor = draw.choice([0.5, 2.0, 1 / 1.96, 1.96])
    return _with_half_widths(table, lambda half: half * factor)


def _with_half_widths(table: Table, change: Callable[[np.ndarray], np.ndarray]) -> Table | None:
    rows = _rows(table)
    rows = rows[table.loc[rows, "upper"].notna()]
    if len(rows) < 20:
        return None
    value = table.loc[rows, "value"].to_numpy()
    half = change(((table.loc[rows, "upper"] - table.loc[rows, "lower"]) / 2).to_numpy())
    out = table.copy()
    out.loc[rows, "lower"], out.loc[rows, "upper"] = value - half, value + half
    return out


def a_bound_in_the_place_of_the_figure(table: Table, draw: np.random.Generator) -> Table | None:
    rows = _rows(table)
    rows = rows[table.loc[rows, "upper"].notna()]
    if len(rows) < 20:
        return None
    out = table.copy()
    out.loc[rows, "value"] = table.loc[rows, draw.choice(["lower", "upper"])]
    return out


def names_against_other_codes(table: Table, draw: np.random.Generator) -> Table:
    """Names and figures stay together; the codes beside them move on by a row."""
    codes = sorted(table.loc[table["area_code"].str.match(_DISTRICT), "area_code"].unique())
    other = dict(zip(codes, np.roll(codes, 1), strict=True))
    return table.assign(area_code=table["area_code"].map(lambda code: other.get(code, code)))


def the_regions_exchanged(table: Table, draw: np.random.Generator) -> Table | None:
    """The published figures of regions and nations move round, in the latest year, and their districts' do not."""
    latest = table["year"] == table["year"].max()
    rows = table[latest & table["area_code"].str.match(r"E12|[EWSN]92")].index
    return _moved(table, rows, draw.permutation(rows)) if len(rows) >= 8 else None


WITH_REGIONS = (codes_permuted_within_a_region, a_region_raised, two_regions_exchanged)
# Exchanges in the latest year, which may lie within what the areas move by from year to year.
EXCHANGES = (two_areas_swapped, three_areas_in_a_ring)
# Mistakes that run through all years: where the years before are held, they are revisions.
OF_ALL_YEARS = (
    codes_permuted_in_all_years,
    two_areas_swapped_in_all_years,
    every_label_a_year_late,
    years_reversed,
    every_district_revised_at_random,
    everything_raised,
    names_against_other_codes,
)
OF_THE_LATEST_YEAR = (
    latest_year_shifted_by_a_row,
    one_nation_shifted_by_a_row,
    codes_permuted_in_the_latest_year,
    a_part_of_the_codes_permuted,
    two_areas_swapped,
    three_areas_in_a_ring,
    an_old_year_under_the_latest_label,
    last_year_raised_by_one_factor,
    mean_of_the_two_years_before,
    a_nation_doubled,
    latest_year_mirrored_about_its_median,
    latest_year_sorted_by_size,
    latest_year_in_reverse_order,
    latest_year_revised_at_random,
    latest_year_in_another_unit,
    some_decimal_points_lost,
    two_digits_exchanged_in_one_area,
    some_figures_noughts,
    some_figures_the_median,
    latest_year_rounded_coarsely,
    intervals_of_other_areas,
    intervals_of_another_width,
    a_bound_in_the_place_of_the_figure,
    the_regions_exchanged,
)
