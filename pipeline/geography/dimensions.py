"""The tables of areas that the marts publish: one row an area, its history, and its groups."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.geography.area_errors import GeographyError
from pipeline.geography.groups import GROUPS_FILE, Group, read_groups, resolve_groups
from pipeline.geography.names import tidy_name
from pipeline.geography.register import Register
from pipeline.geography.register_area import Area
from pipeline.geography.table_rows import each

# Shown but not scored (METHODOLOGY section 1): too few residents for most surveys to say anything.
NOT_SCORED = ("E09000001", "E06000053")
MOST_LISTED = 70  # most districts of an area that are listed by name

DIM_AREA_COLUMNS = (
    "area_code",
    "area_name",
    "level",
    "region_code",
    "region_name",
    "nation_code",
    "nation_name",
    "county_code",
    "county_name",
    "combined_authority_code",
    "combined_authority_name",
    "latitude",
    "longitude",
    "start_date",
    "is_scored",
)


def dim_area(register: Register, vintage: int | None = None) -> pd.DataFrame:
    """One row for each area in force on a map, districts and wider areas, with DIM_AREA_COLUMNS, by code.

    Names accompany codes. Outside England the region is the nation. A wider area that spans regions or nations has
    none. ``is_scored`` is also false for wider areas.
    """
    areas = register.areas[register.areas["area_code"].isin(register.in_force(vintage))]
    table = areas.sort_values("area_code").reset_index(drop=True)
    names = register.areas.set_index("area_code")["area_name"]
    authority = table["area_code"].map(register.membership(vintage)).astype("str")
    is_authority = table["level"].eq("combined_authority")
    table["combined_authority_code"] = authority.where(~is_authority, table["area_code"])
    for level in ("region", "nation", "county", "combined_authority"):
        table[f"{level}_name"] = table[f"{level}_code"].map(names).astype("str")
    table["is_scored"] = table["level"].eq("district") & ~table["area_code"].isin(NOT_SCORED)
    return table[list(DIM_AREA_COLUMNS)]


def dim_area_history(register: Register) -> pd.DataFrame:
    """One row for each area code ever in force, by code.

    Columns ``area_code, area_name, level, start_date, end_date, is_current, predecessor_codes,
    successor_codes, current_codes`` (several codes joined by ``+``), ``began_by`` and ``ended_by``
    (relabel, boundary_change, merge or split; missing where the register saw no beginning or end).
    """
    table = register.areas[["area_code", "area_name", "level", "start_date", "end_date"]].sort_values("area_code")
    changes = register.changes
    code = table["area_code"]
    joined = {"from_code": "predecessor_codes", "to_code": "successor_codes"}
    for (wanted, column), key in zip(joined.items(), ("to_code", "from_code"), strict=True):
        lists = changes.sort_values(wanted).groupby(key)[wanted].agg("+".join)
        table[column] = code.map(lists).astype("str")
    for column, key in (("began_by", "to_code"), ("ended_by", "from_code")):
        # part of a split district may have merged completely: a split anywhere takes precedence
        kinds = changes.sort_values("kind").groupby(key)["kind"].last()
        table[column] = code.map(kinds).astype("str")
    table["is_current"] = table["end_date"].isna()
    current = ["+".join(register.plan().targets_of(text)) for text in code]
    table["current_codes"] = pd.Series(current, index=table.index, dtype="str").where(lambda text: text.ne(""))
    order = ["area_code", "area_name", "level", "start_date", "end_date", "is_current"]
    order += ["predecessor_codes", "successor_codes", "current_codes", "began_by", "ended_by"]
    return table[order].reset_index(drop=True)


def bridge_area_group(register: Register, vintage: int | None = None, path: Path = GROUPS_FILE) -> pd.DataFrame:
    """One row for each district of each named group, in the order of the groups' file.

    Columns ``group_id, group_title, area_code, area_name, member_code, member_name``: the member is the area that the
    group lists, which is the district or a wider area around it.
    """
    names = register.areas.set_index("area_code")["area_name"]
    districts = resolve_groups(register, vintage, path)
    rows = [
        (group.id, group.title, code, names[code], member, names[member])
        for group in read_groups(path)
        for code, member in districts[group.id].items()
    ]
    columns = ["group_id", "group_title", "area_code", "area_name", "member_code", "member_name"]
    return pd.DataFrame(rows, columns=columns)


def list_areas(register: Register) -> pd.DataFrame:
    """The output of ``python -m pipeline areas``: current districts with the areas around them, by code."""
    table = dim_area(register)
    columns = ["area_code", "area_name", "region_name", "county_name", "combined_authority_name"]
    return table.loc[table["level"].eq("district"), columns].reset_index(drop=True)


def describe_area(register: Register, text: str) -> list[str]:
    """The lines of ``python -m pipeline areas "West Northamptonshire"``: an area and its history, or a named group.

    If a group and an area share a name, both are shown. Raises UnknownAreaError or AmbiguousAreaError, whose text says
    what to ask for instead.
    """
    group = next((group for group in read_groups() if tidy_name(text) in (tidy_name(group.title), group.id)), None)
    if group is None:
        return _area_lines(register, register.find(text))
    lines = _group_lines(register, group)
    try:
        return [*lines, "", *_area_lines(register, register.find(text))]
    except GeographyError:
        return lines


def _area_lines(register: Register, area: Area) -> list[str]:
    until = "in force" if area.end_date is None else f"until {area.end_date:%d %B %Y}"
    lines = [f"{area.name} ({area.code}), {area.level.replace('_', ' ')}, {until}"]
    if area.county_code not in (None, area.code):
        lines.append(f"  County: {_named(register, area.county_code)}")
    lines += _authority_lines(register, area)
    if area.region_code not in (None, area.code, area.nation_code):
        lines.append(f"  Region: {_named(register, area.region_code)}")
    if area.nation_code not in (None, area.code):
        lines.append(f"  Nation: {_named(register, area.nation_code)}")
    others = register.area_names[register.area_names["area_code"].eq(area.code)]
    telling = [row for row in each(others) if row.kind != "alternative" or area.name not in row.name]
    if telling:
        lines.append("  Also known as: " + "; ".join(f"{row.name} ({row.kind})" for row in telling))
    groups = bridge_area_group(register)
    titles = groups.loc[groups["area_code"].eq(area.code), "group_title"]
    if len(titles):
        lines.append("  In the groups: " + "; ".join(titles))
    if area.level != "district" and area.end_date is None:
        lines += _listed(register, register.members_of(area.code))
    return [*lines, *_history_lines(register, area)]


def _named(register: Register, code: str | None) -> str:
    return "" if code is None else f"{register.by_code[code].name} ({code})"


def _authority_lines(register: Register, area: Area) -> list[str]:
    """The combined authorities that a district has been in, newest first, each with its dates."""
    memberships = register.combined_authorities
    rows = memberships[memberships["area_code"].eq(area.code)].sort_values("start_date", ascending=False)
    lines = []
    for row in each(rows):
        days = "" if row.start_date == area.start_date else f", from {row.start_date:%d %B %Y}"
        days += "" if pd.isna(row.end_date) or row.end_date == area.end_date else f" to {row.end_date:%d %B %Y}"
        lines.append(f"  Combined authority: {_named(register, row.combined_authority_code)}{days}")
    return lines


def _group_lines(register: Register, group: Group) -> list[str]:
    """A named group: what it is, who defines it, and its districts."""
    lines = [f"{group.title} ({group.id}), named group", f"  {' '.join(group.description.split())}"]
    return [*lines, f"  Source: {group.source}", *_listed(register, list(resolve_groups(register)[group.id]))]


def _listed(register: Register, districts: Sequence[str]) -> list[str]:
    if len(districts) > MOST_LISTED:
        return [f"  {len(districts)} districts: `python -m pipeline areas` lists them"]
    names = "; ".join(register.by_code[code].name for code in districts)
    return textwrap.wrap(f"{len(districts)} districts: {names}", 116, initial_indent="  ", subsequent_indent="    ")


def _history_lines(register: Register, area: Area) -> list[str]:
    """Each area in an area's history with all its predecessors, including those outside that history."""
    history = register.history(area.code)
    if history.empty:
        if area.end_date is not None:
            today = [_named(register, other) for other in register.ground_today(area.code)]
            return [f"  Its ground is today: {', '.join(today)}"] if today else []
        if area.start_date > register.areas["start_date"].min():
            return [f"  Established on {area.start_date:%d %B %Y}"]
        return ["  No change of code or boundary since 2009"]
    lines = ["  History:"]
    for day, target in dict.fromkeys(zip(history["date"], history["to_code"], strict=True)):
        rows = register.changes[register.changes["to_code"].eq(target) & register.changes["date"].eq(day)]
        rows = rows.sort_values("from_code")
        parts = ", ".join(
            f"{register.by_code[row.from_code].name} ({row.from_code}{'' if row.share == 1 else f', {row.share:.0%} of it'})"
            for row in each(rows)
        )
        kind, order = rows["kind"].iloc[0], rows["order"].iloc[0]
        word = {"relabel": "new code", "boundary_change": "boundary moved, new code"}.get(kind, "formed from")
        source = f" [{order}]" if isinstance(order, str) else ""
        lines.append(f"    {day:%d %B %Y}: {_named(register, target)}, {word}: {parts}{source}")
    return lines
