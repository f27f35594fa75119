"""Compare the register of areas with what the Open Geography portal lists today: for a person to look at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.geography import Register
from pipeline.geography.area_errors import GeographyError

# The table of the portal, the column of its wider area, and what it is called.
WIDER = {
    "district_to_region": ("RGN", "region"),
    "district_to_county": ("CTYUA", "county"),
    "district_to_combined_authority": ("CAUTH", "combined authority"),
}


def differences(table_id: str, rows: Sequence[Mapping[str, Any]], register: Register) -> list[str]:
    """One sentence for each district in which a table of ``open_geography.TABLES`` and the register differ, by code.

    A code of an older map is mentioned, and compared as the district that took over all of its ground.
    """
    if table_id == "combined_authority_names":
        return _combined_authorities(rows, register)
    found, today = [], set(register.districts())
    listed: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        code = str(_value(row, "LAD", "CD"))
        now = _today(code, register)
        if now not in today:
            found.append(f"{code}: the portal lists it, the register does not know it as a district")
            continue
        if now != code:
            found.append(f"{code}: the portal's map is older, the register has {now} in its place")
        listed[now] = row
    if table_id == "district_names":
        found += [f"{code}: the register has it, the portal does not list it" for code in sorted(today - set(listed))]
        found += [_names(code, row, register) for code, row in listed.items()]
    else:
        found += _memberships(table_id, listed, register)
    return sorted(filter(None, found))


def _combined_authorities(rows: Sequence[Mapping[str, Any]], register: Register) -> list[str]:
    """One sentence for each combined authority that only the portal or only the register has."""
    theirs = {str(_value(row, "CAUTH", "CD")): str(_value(row, "CAUTH", "NM")) for row in rows}
    ours = {code for code in register.membership().values() if code}
    found = [f"{code}: the portal lists {theirs[code]}, the register does not" for code in theirs.keys() - ours]
    found += [f"{code}: the register has it, the portal does not list it" for code in ours - theirs.keys()]
    return sorted(found)


def _memberships(table_id: str, listed: Mapping[str, Mapping[str, Any]], register: Register) -> list[str]:
    column, what = WIDER[table_id]
    members = register.membership()
    found = []
    for code in register.districts():
        area = register.by_code[code]
        if what == "county" and area.county_code is None:
            continue  # a unitary district is its own upper tier
        ours = {"region": area.region_code, "county": area.county_code}.get(what, members.get(code))
        if what == "region" and not code.startswith("E"):
            continue
        row = listed.get(code)
        theirs = None if row is None else str(_value(row, column, "CD"))
        if ours != theirs:
            found.append(f"{code}: {what} {ours or 'none'} in the register, {theirs or 'none'} in the portal's table")
    return found


def _names(code: str, row: Mapping[str, Any], register: Register) -> str:
    theirs = str(_value(row, "LAD", "NM"))
    try:
        is_known = _today(register.find(theirs, suggest=False).code, register) == code
    except GeographyError:
        is_known = False
    return (
        "" if is_known else f"{code}: '{register.by_code[code].name}' in the register, '{theirs}' in the portal's table"
    )


def _today(code: str, register: Register) -> str:
    """The one code of today that holds the ground of ``code``; '' where there is none or more than one."""
    try:
        now = register.current_codes(code)
    except GeographyError:
        return ""
    return now[0] if len(now) == 1 else ""


def _value(row: Mapping[str, Any], area: str, kind: str) -> Any:
    """The value of the column that is called, say, LAD24CD, whatever its year."""
    return next((value for name, value in row.items() if re.fullmatch(rf"{area}\d\d{kind}", name)), "")
