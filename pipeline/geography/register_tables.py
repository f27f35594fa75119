"""Read the register's tables of facts, fill in what follows from them, and check them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from pipeline.geography.area_errors import RegisterError
from pipeline.geography.checks import ONE_DAY, check_codes, check_register
from pipeline.geography.register import Register

FACTS_DIR = Path(__file__).resolve().parent / "facts"
TABLES = ("areas", "changes", "combined_authorities", "same_area", "area_names")


@lru_cache(maxsize=4)
def load_register(folder: Path = FACTS_DIR) -> Register:
    """Read and check the facts tables of ``folder`` (cached).

    Raises RegisterError listing every contradiction, FileNotFoundError for a missing table.
    """
    tables = {name: _read(folder / f"{name}.csv") for name in TABLES}
    check_codes(tables["areas"])
    register = Register(**_completed(tables))
    check_register(register)
    return register


def _read(path: Path) -> pd.DataFrame:
    """One facts table, typed. Raises RegisterError naming the line of an invalid date or number."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    except pd.errors.ParserError as error:
        raise RegisterError(f"{path.name} is not a table of one row a line: {error}") from error
    for column in ("start_date", "end_date", "date"):
        if column in table:
            days = pd.to_datetime(table[column], format="%Y-%m-%d", errors="coerce")
            table[column] = _all_read(path, table[column], days, "a day such as 2028-04-01")
    for column in ("latitude", "longitude", "population_2020", "share", "population"):
        if column in table:
            numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
            table[column] = _all_read(path, table[column], numbers, "a number")
    return table


def _all_read(path: Path, given: pd.Series, read: pd.Series, wanted: str) -> pd.Series:
    wrong = given[read.isna() & given.notna()]
    if len(wrong):
        line, text = int(wrong.index[0]) + 2, wrong.iloc[0]
        raise RegisterError(f"{path.name}, line {line}: {given.name} is '{text}', not {wanted}")
    return read


def _completed(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Fill in what follows from a row in ``changes`` where the tables are blank, so that one row is enough.

    An ended district gets its last day, and a county gets that of its last district. A new district gets the combined
    authority that its predecessors shared, their people (for a part, its share) and the mean of their positions. Parts
    without populations get those of ``areas``. Days are handled in order: an area that began in 2027 may be part of one
    that begins in 2028.
    """
    areas, changes = tables["areas"].set_index("area_code", drop=False), tables["changes"].copy()
    members = tables["combined_authorities"]
    for _, rows in changes.groupby("date", sort=True):
        for code, parts in rows.groupby("to_code"):
            _fill_from_parts(areas, changes, str(code), parts)
        members = _handed_on(members, rows, rows["date"].iloc[0])
    ends = changes.groupby("from_code")["date"].min() - ONE_DAY
    areas["end_date"] = areas["end_date"].fillna(areas["area_code"].map(ends))
    districts = areas[areas["level"].eq("district")].groupby("county_code")["end_date"]
    counties_end = districts.max()[districts.count().eq(districts.size())]
    is_county = areas["level"].eq("county")
    areas.loc[is_county, "end_date"] = areas.loc[is_county, "end_date"].fillna(areas["area_code"].map(counties_end))
    return {**tables, "areas": areas.reset_index(drop=True), "changes": changes, "combined_authorities": members}


def _fill_from_parts(areas: pd.DataFrame, changes: pd.DataFrame, code: str, parts: pd.DataFrame) -> None:
    """Fill in people of the predecessors of ``code``, and its own people and position, where blank."""
    if code not in areas.index:
        return  # reported by ``check_register``
    people = parts["from_code"].map(areas["population_2020"]) * parts["share"]
    is_known = bool(people.notna().all())
    if is_known and parts["population"].isna().all() and parts["kind"].isin(("merge", "split")).all():
        changes.loc[parts.index, "population"] = people
        changes.loc[parts.index, "population_basis"] = "mid-2020"
    is_blank = areas.loc[code, ["population_2020", "latitude", "longitude"]].isna()
    if is_known and is_blank["population_2020"]:
        areas.at[code, "population_2020"] = people.sum()
    for column in ("latitude", "longitude"):
        places = parts["from_code"].map(areas[column])
        if is_blank[column]:
            weights = people if is_known else parts["share"]
            areas.at[code, column] = (places * weights).sum(skipna=False) / weights.sum()


def _handed_on(members: pd.DataFrame, rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Memberships after a day's changes: ended districts' end; new districts join the authority their predecessors shared."""
    inherited = []
    for code, lost in rows[~rows["to_code"].isin(members["area_code"])].groupby("to_code"):
        held = members[members["area_code"].isin(lost["from_code"]) & members["end_date"].isna()]
        if len(held) == len(lost) and held["combined_authority_code"].nunique() == 1:
            inherited.append((code, held["combined_authority_code"].iloc[0], day, pd.NaT))
    is_over = members["area_code"].isin(rows["from_code"]) & members["end_date"].isna()
    members = members.assign(end_date=members["end_date"].mask(is_over, day - ONE_DAY))
    if not inherited:
        return members
    return pd.concat([members, pd.DataFrame(inherited, columns=members.columns)], ignore_index=True)
