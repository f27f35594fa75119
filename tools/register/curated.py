"""Curated facts about UK areas: the contents of ``facts/*.csv``, each explained in ``facts/README.md``."""

from __future__ import annotations

import csv
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "facts"


def _rows(name: str) -> list[tuple[str, ...]]:
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in csv.reader(stream)][1:]


def _pairs(name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _rows(name)}


REGISTER_BEGINS = "2009-01-01"
SOUTH_OF_TYNE = ("E06000047", "E08000023", "E08000024", "E08000037")
NORTH_OF_TYNE = ("E06000057", "E08000021", "E08000022")

# County -> its name, and the numbers of its districts' codes.
COUNTIES_UNTIL_2009: dict[str, tuple[str, range]] = {
    code: (name, range(int(first[3:]), int(last[3:]) + 1)) for code, name, first, last in _rows("counties_until_2009")
}
METROPOLITAN_COUNTIES: dict[str, tuple[str, tuple[int, ...]]] = {
    code: (name, tuple(int(district[3:]) for district in districts.split()))
    for code, name, districts in _rows("metropolitan_counties")
}
# Combined authority -> its name, first and last day, and the instrument that established it.
COMBINED_AUTHORITIES: dict[str, tuple[str, str, str, str]] = {
    code: (name, first, last, instrument)
    for code, name, first, last, instrument in _rows("curated_combined_authorities")
}
# Code -> the code held here for the same ground, and why they are the same.
SAME_AREA: dict[str, tuple[str, str]] = {code: (same, why) for code, same, why in _rows("curated_same_area")}
EXTRA_BOUNDARY_CHANGES = _rows("extra_boundary_changes")
EXTRA_NAMES = _pairs("extra_names")
MOVED_WITH_THE_EDGE = frozenset(code for (code,) in _rows("moved_with_the_edge"))
DAYS_AND_ORDERS: dict[str, tuple[str, str]] = {code: (day, order) for code, day, order in _rows("days_and_orders")}
NORTHERN_IRELAND_UNTIL_2015 = _pairs("northern_ireland_until_2015")
OTHER_NAMES = _rows("other_names")
COUNTRIES = _pairs("countries")
NATIONS = _pairs("nations")
COUNTY_CORRECTIONS = _pairs("county_corrections")
