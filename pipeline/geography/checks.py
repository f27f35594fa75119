"""The conditions that the register must meet before it is used."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.geography.area_errors import RegisterError
from pipeline.geography.names import is_area_code
from pipeline.geography.register import Register
from pipeline.geography.table_rows import each

KINDS_OF_CHANGE = ("relabel", "boundary_change", "merge", "split")
LEVELS = ("district", "county", "combined_authority", "region", "nation", "country")
ONE_DAY = pd.Timedelta(days=1)


def check_register(register: Register) -> None:
    """Raise RegisterError listing every contradiction in the facts tables, one a line; return if there is none."""
    found = [
        *_areas(register.areas),
        *_references(register),
        *_changes(register),
        *_descent(register),
        *_memberships(register),
    ]
    if found:
        raise RegisterError("\n".join(found))


def check_codes(areas: pd.DataFrame) -> None:
    """Raise RegisterError for a code that ``areas.csv`` gives twice: no look-up works until that is fixed."""
    twice = areas.loc[areas["area_code"].duplicated(), "area_code"]
    if len(twice):
        raise RegisterError("\n".join(f"areas.csv: {code} is given twice" for code in twice))


def _areas(areas: pd.DataFrame) -> Iterator[str]:
    for row in each(areas):
        where = f"areas.csv: {row.area_code}"
        if not is_area_code(row.area_code):
            yield f"{where} is not an area code: a letter and eight digits, such as E06000062"
        if row.level not in LEVELS:
            yield f"{where}: level '{row.level}' is none of {', '.join(LEVELS)}"
        if pd.isna(row.area_name) or pd.isna(row.start_date):
            yield f"{where}: name and start_date must be given"
        elif row.end_date < row.start_date:
            yield f"{where}: ends {row.end_date:%Y-%m-%d}, before it starts {row.start_date:%Y-%m-%d}"
        if row.level != "country" and pd.isna(row.nation_code):
            yield f"{where}: lies in no nation, or in more than one"
        if row.level == "district" and pd.isna(row.region_code):
            yield f"{where}: a district needs a region (outside England: its nation's code)"
        if row.latitude < 49 or row.latitude > 61.5 or row.longitude < -9 or row.longitude > 2.2:
            yield f"{where}: latitude {row.latitude}, longitude {row.longitude} are outside the United Kingdom"


def _references(register: Register) -> Iterator[str]:
    known = set(register.areas["area_code"])
    used = {
        "areas.csv, nation_code": register.areas["nation_code"],
        "areas.csv, region_code": register.areas["region_code"],
        "areas.csv, county_code": register.areas["county_code"],
        "changes.csv, from_code": register.changes["from_code"],
        "changes.csv, to_code": register.changes["to_code"],
        "combined_authorities.csv, area_code": register.combined_authorities["area_code"],
        "combined_authorities.csv, combined_authority_code": register.combined_authorities["combined_authority_code"],
        "same_area.csv, same_as_code": register.same_area["same_as_code"],
        "area_names.csv, area_code": register.area_names["area_code"],
    }
    for where, codes in used.items():
        for code in sorted(set(codes.dropna()) - known):
            yield f"{where}: '{code}' is not in areas.csv"


def _changes(register: Register) -> Iterator[str]:
    """No gaps and no overlaps: what ends passes completely, the day after, to codes that begin that day."""
    changes, areas = (
        register.changes,
        register.areas.set_index("area_code"),
    )
    for code, group in changes.groupby("from_code"):
        if group["date"].nunique() > 1:
            yield f"changes.csv: {code} ends on more than one day"
        if abs(group["share"].sum() - 1) > 1e-9:
            yield f"changes.csv: the shares of {code} add up to {group['share'].sum()}, not to 1"
    for row in each(changes[changes["from_code"].isin(areas.index) & changes["to_code"].isin(areas.index)]):
        where = f"changes.csv: {row.from_code} to {row.to_code}"
        if row.kind not in KINDS_OF_CHANGE:
            yield f"{where}: kind '{row.kind}' is none of {', '.join(KINDS_OF_CHANGE)}"
        before, after = areas.loc[row.from_code], areas.loc[row.to_code]
        if before["end_date"] + ONE_DAY != row.date:
            yield f"{where}: {row.from_code} ends {before['end_date']:%Y-%m-%d}, not the day before {row.date:%Y-%m-%d}"
        if after["start_date"] != row.date:
            yield f"{where}: {row.to_code} starts {after['start_date']:%Y-%m-%d}, not on {row.date:%Y-%m-%d}"
        for column in ("nation_code", "region_code", "level"):
            if before[column] != after[column] and not (pd.isna(before[column]) and pd.isna(after[column])):
                yield f"{where}: {column} changes from {before[column]} to {after[column]}"


def _descent(register: Register) -> Iterator[str]:
    areas = register.areas[register.areas["level"].eq("district")]
    first_day = register.areas["start_date"].min()
    for code in areas.loc[
        areas["end_date"].notna() & ~areas["area_code"].isin(register.changes["from_code"]),
        "area_code",
    ]:
        yield f"changes.csv: {code} ended, and nothing says what took over its ground"
    for code in areas.loc[
        areas["start_date"].gt(first_day) & ~areas["area_code"].isin(register.changes["to_code"]),
        "area_code",
    ]:
        yield f"changes.csv: {code} began after the register did, and nothing says from which areas"


def _memberships(register: Register) -> Iterator[str]:
    areas = register.areas.set_index("area_code")
    rows = register.combined_authorities.sort_values(["area_code", "start_date"])
    rows = rows[rows["area_code"].isin(areas.index)]
    for code, group in rows.groupby("area_code"):
        if (group["start_date"].iloc[1:].to_numpy() <= group["end_date"].iloc[:-1].to_numpy()).any():
            yield f"combined_authorities.csv: {code} is in two combined authorities at once"
        if group["end_date"].iloc[:-1].isna().any():
            yield f"combined_authorities.csv: {code} has a membership without end followed by another"
    for row in each(rows[rows["combined_authority_code"].isin(areas.index)]):
        authority = areas.loc[row.combined_authority_code]
        is_open = pd.isna(row.end_date) and not pd.isna(authority["end_date"])
        if row.start_date < authority["start_date"] or is_open or row.end_date > authority["end_date"]:
            yield f"combined_authorities.csv: {row.area_code} is in {row.combined_authority_code} when that does not exist"
    spans = areas.loc[rows["area_code"], ["start_date", "end_date"]]
    early = rows["start_date"].to_numpy() < spans["start_date"].to_numpy()
    late = (rows["end_date"].isna() & spans["end_date"].notna().to_numpy()).to_numpy()
    for code in rows.loc[early | late, "area_code"]:
        yield f"combined_authorities.csv: a membership of {code} lasts longer than the district"
