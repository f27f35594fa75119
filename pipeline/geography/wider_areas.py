"""Figures for wider areas and named groups, made from their districts' where the publisher gives none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.geography.area_errors import GeographyError
from pipeline.geography.encoding import as_text, encode, floats
from pipeline.geography.groups import GROUPS_FILE, read_groups, resolve_groups
from pipeline.geography.register import Register

WIDER_LEVELS = ("county", "combined_authority", "region", "nation", "country")
AGGREGATE_RULES = (
    "aggregate_sum",
    "aggregate_by_denominator",
    "aggregate_population_weighted",
    "published_for_same_area",
)
SUM, BY_DENOMINATOR, BY_PEOPLE, PUBLISHED = range(4)
CARRIED = ("value", "lower", "upper", "standard_error")

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Membership:
    """What to make: each target (an area code or a group id) with its districts.

    ``stands_for`` maps a target that is one area under another name to that area's code, whose published figures the
    target takes.
    """

    districts: Mapping[str, Sequence[str]]
    stands_for: Mapping[str, str]


def wider_membership(
    register: Register, levels: Iterable[str] = WIDER_LEVELS, vintage: int | None = None
) -> Membership:
    """The wider areas of some levels on a map, each with its districts."""
    codes = register.in_force(vintage, levels)
    districts = {code: register.members_of(code, vintage) for code in codes}
    return Membership({code: members for code, members in districts.items() if members}, {})


def group_membership(register: Register, vintage: int | None = None, path: Path = GROUPS_FILE) -> Membership:
    """The named groups, by group id, each with its districts."""
    districts = {group: list(members) for group, members in resolve_groups(register, vintage, path).items()}
    single = {group.id: next(iter(group.members)) for group in read_groups(path) if len(group.members) == 1}
    return Membership(districts, single)


def aggregate(
    observations: pd.DataFrame,
    kinds: Mapping[str, str],
    membership: Membership,
    register: Register,
    *,
    min_coverage: float = 0.95,
) -> pd.DataFrame:
    """Rows for the targets of ``membership`` that have no figure in ``observations``, marked ``estimated``.

    Takes the result of ``reexpress``, on the map whose districts ``membership`` lists. A count is the sum of its
    districts, if all have one. A rate, ratio, mean or median is averaged over the districts' denominators if available,
    else over their people in mid-2020, if districts with at least ``min_coverage`` of the target's people have a
    figure. An index is never combined. Errors add in squares; a mean of medians gets none, since it does not estimate
    the target's median. Returns the given columns, with ``area_code`` the target, ordered by target and then as the
    series came. A published figure of the same area is copied with its status.

    Raises GeographyError for an indicator without a kind.
    """
    columns = [*observations.columns]
    for added in ("geography_rule", "source_area_codes"):
        if added not in columns:
            columns.append(added)
    grid = _Grid.of(observations, kinds, membership, register)
    made = _combine(grid, min_coverage)
    copied = _published(observations, membership)
    if not len(made.row):
        return copied.reindex(columns=columns)
    out = observations.iloc[made.row].reset_index(drop=True)
    is_categorical = isinstance(observations["area_code"].dtype, pd.CategoricalDtype)
    for name in (name for name in CARRIED if name in out):
        out[name] = made.numbers[name]
    for name in (name for name in ("numerator", "denominator") if name in out):
        out[name] = np.nan
    if "status" in out:
        out["status"] = as_text(np.zeros(len(out), np.int8), ["estimated"], is_categorical)
    out["area_code"] = as_text(made.target, grid.targets, is_categorical)
    out["geography_rule"] = as_text(made.rule, list(AGGREGATE_RULES), is_categorical)
    out["source_area_codes"] = as_text(made.source, made.sources, is_categorical)
    if copied.empty:
        return out.reindex(columns=columns)
    return pd.concat([out, copied], ignore_index=True).reindex(columns=columns)


@dataclass(frozen=True)
class _Grid:
    """Figures as series-periods × districts, and districts × targets (1: member)."""

    targets: list[str]
    districts: list[str]
    member: Floats
    people: Floats
    kind: npt.NDArray[np.str_]
    first_row: npt.NDArray[np.int64]
    values: Mapping[str, Floats]
    is_given: Flags

    @staticmethod
    def of(observations: pd.DataFrame, kinds: Mapping[str, str], membership: Membership, register: Register) -> _Grid:
        area, areas = encode(observations["area_code"])
        indicator, indicators = encode(observations["indicator_id"])
        period, periods = encode(observations["period"])
        unknown = [name for name in (indicators[i] for i in np.unique(indicator)) if name not in kinds]
        if unknown:
            raise GeographyError(f"no kind is given for indicator '{unknown[0]}'")
        series, first_row, line = np.unique(
            indicator.astype(np.int64) * max(len(periods), 1) + period, return_index=True, return_inverse=True
        )
        targets = sorted(membership.districts)
        districts = sorted({code for members in membership.districts.values() for code in members})
        column_of = {code: i for i, code in enumerate(districts)}
        target_of = {code: i for i, code in enumerate(targets)}
        column = np.array([column_of.get(code, -1) for code in areas] + [-1])[area]
        held = column >= 0
        values = {}
        for name in (*CARRIED, "denominator"):
            grid = np.full((len(series), len(districts)), np.nan)
            if name in observations:
                grid[line[held], column[held]] = floats(observations[name])[held]
            values[name] = grid
        member = np.zeros((len(districts), len(targets)))
        for code, members in membership.districts.items():
            member[[column_of[district] for district in members], target_of[code]] = 1
        own = np.array([target_of.get(code, -1) for code in areas] + [-1])[area]
        stands = {same: code for code, same in membership.stands_for.items()}
        alias = np.array([target_of.get(stands.get(code, ""), -1) for code in areas] + [-1])[area]
        is_given = np.zeros((len(series), len(targets)), bool)
        has_value = np.isfinite(floats(observations["value"]))
        for target in (own, alias):
            theirs = (target >= 0) & has_value
            is_given[line[theirs], target[theirs]] = True
        people = register.areas.set_index("area_code")["population_2020"].reindex(districts).to_numpy()
        kind = np.array([kinds[indicators[i]] for i in series // max(len(periods), 1)] or ["index"])
        return _Grid(targets, districts, member, people, kind, first_row, values, is_given)


@dataclass(frozen=True)
class _Made:
    """Aggregates as flat arrays: target, first row of the series, rule, numbers, and which districts contributed."""

    target: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    rule: npt.NDArray[np.int8]
    numbers: Mapping[str, Floats]
    source: npt.NDArray[np.int64]
    sources: list[str]


def _combine(grid: _Grid, min_coverage: float) -> _Made:
    present = np.isfinite(grid.values["value"])
    over = np.where(present & (grid.values["denominator"] >= 0), grid.values["denominator"], 0.0)
    has_denominator = np.where(present, np.isfinite(grid.values["denominator"]), False)
    size = grid.member.sum(axis=0)
    count = present @ grid.member
    # a district without population makes the coverage unknown for its own wider areas only
    people, no_people = np.nan_to_num(grid.people), np.isnan(grid.people).astype(float) @ grid.member > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = np.where(no_people, np.nan, ((present * people) @ grid.member) / (people @ grid.member))
    is_count, is_index = (grid.kind == "count")[:, None], (grid.kind == "index")[:, None]
    by_denominator = (has_denominator @ grid.member == count) & (over @ grid.member > 0)
    enough = np.where(is_count, count == size, coverage >= min_coverage) & ~is_index & (count > 0) & ~grid.is_given
    rule = np.where(is_count, SUM, np.where(by_denominator, BY_DENOMINATOR, BY_PEOPLE)).astype(np.int8)
    weights = (present.astype(float), over, present * people)
    numbers = {name: np.full(rule.shape, np.nan) for name in CARRIED}
    for way, weight in enumerate(weights):
        chosen = enough & (rule == way)
        if chosen.any():
            for name, values in _weighted(grid, weight, is_sum=way == SUM).items():
                numbers[name][chosen] = values[chosen]
    for name in ("lower", "upper", "standard_error"):
        numbers[name][grid.kind == "median"] = np.nan
    line, target = np.nonzero(enough)
    order = np.lexsort((line, target))
    line, target = line[order], target[order]
    patterns, pattern_of = np.unique(present, axis=0, return_inverse=True)
    pairs, source = np.unique(pattern_of.ravel()[line] * np.int64(len(grid.targets)) + target, return_inverse=True)
    codes = np.array(grid.districts)
    sources = [
        "+".join(codes[patterns[pair // len(grid.targets)] & (grid.member[:, pair % len(grid.targets)] > 0)])
        for pair in pairs
    ]
    picked = {name: values[line, target] for name, values in numbers.items()}
    return _Made(target, grid.first_row[line], rule[line, target], picked, source, sources)


def _weighted(grid: _Grid, weight: Floats, *, is_sum: bool) -> dict[str, Floats]:
    """Sums or means over each target's districts, with errors; a missing error makes the target's error missing."""
    total = 1.0 if is_sum else weight @ grid.member
    used = weight > 0

    def in_squares(widths: Floats) -> Any:
        squares = np.where(used, (weight * np.nan_to_num(widths)) ** 2, 0.0) @ grid.member
        gaps = (used & ~np.isfinite(widths)) @ grid.member
        return np.where(gaps > 0, np.nan, np.sqrt(squares) / total)

    with np.errstate(invalid="ignore", divide="ignore"):
        value = (np.nan_to_num(grid.values["value"]) * weight) @ grid.member / total
        return {
            "value": value,
            "lower": value - in_squares(grid.values["value"] - grid.values["lower"]),
            "upper": value + in_squares(grid.values["upper"] - grid.values["value"]),
            "standard_error": in_squares(grid.values["standard_error"]),
        }


def _published(observations: pd.DataFrame, membership: Membership) -> pd.DataFrame:
    """Rows of areas that a target stands for, under the target's name."""
    parts = []
    for target, code in sorted(membership.stands_for.items()):
        rows = observations[observations["area_code"].eq(code) & observations["value"].notna()]
        parts.append(rows.assign(area_code=target, geography_rule=AGGREGATE_RULES[PUBLISHED], source_area_codes=code))
    return pd.concat(parts, ignore_index=True) if parts else observations.iloc[:0]
