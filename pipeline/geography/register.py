"""The register of areas: every UK district code since 2009, its later history, and the wider areas around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.geography.area_errors import UnknownAreaError, UnknownVintageError
from pipeline.geography.lineage import Plan, make_plan
from pipeline.geography.names import NameIndex, tidy_code
from pipeline.geography.register_area import Area
from pipeline.geography.table_rows import each

FIRST_VINTAGE = 2009

AREA_COLUMNS = (
    "area_code",
    "area_name",
    "level",
    "start_date",
    "end_date",
    "nation_code",
    "region_code",
    "county_code",
    "latitude",
    "longitude",
    "population_2020",
)


@dataclass(frozen=True, eq=False)
class Register:
    """The facts tables, typed, and queries on them.

    ``areas`` has AREA_COLUMNS, one row for each code ever in force since 2009. ``changes`` has one row for each (ended
    code, successor). ``combined_authorities`` has one row for each membership. ``same_area`` lists codes of other
    geographies for the same ground, and ``area_names`` other names. The newest map in the register is the current one,
    so a reorganisation is added by adding rows.
    """

    areas: pd.DataFrame
    changes: pd.DataFrame
    combined_authorities: pd.DataFrame
    same_area: pd.DataFrame
    area_names: pd.DataFrame

    @cached_property
    def by_code(self) -> dict[str, Area]:
        def known(value: object) -> str | None:
            return str(value) if isinstance(value, str) else None

        return {
            row.area_code: Area(
                row.area_code,
                row.area_name,
                row.level,
                row.start_date,
                None if pd.isna(row.end_date) else row.end_date,
                known(row.nation_code),
                known(row.region_code),
                known(row.county_code),
            )
            for row in each(self.areas)
        }

    @cached_property
    def current_vintage(self) -> int:
        """The year of the newest change in the register."""
        return int(self.changes["date"].max().year)

    def districts(self, vintage: int | None = None) -> list[str]:
        """Codes of the districts in force on 31 December of ``vintage`` (default: the newest map), sorted."""
        return self.in_force(vintage, levels=("district",))

    def in_force(self, vintage: int | None = None, levels: Iterable[str] | None = None) -> list[str]:
        """Codes of all areas, or of some levels, in force on 31 December of ``vintage``, sorted.

        Raises UnknownVintageError for a year outside the register.
        """
        wanted = None if levels is None else set(levels)
        codes = self.plan(vintage).in_force
        return sorted(code for code in codes if wanted is None or self.by_code[code].level in wanted)

    def vintage_day(self, vintage: int | None = None) -> pd.Timestamp:
        """The reference day of a vintage: 31 December."""
        year = self.current_vintage if vintage is None else vintage
        if isinstance(year, bool) or year not in range(FIRST_VINTAGE, self.current_vintage + 1):
            raise UnknownVintageError(
                f"vintage {vintage!r} is not in the register, which holds the maps of "
                f"{FIRST_VINTAGE} to {self.current_vintage}: give a year between them, or none for the newest"
            )
        return pd.Timestamp(int(year), 12, 31)

    def find(self, text: str, *, suggest: bool = True) -> Area:
        """The one area with this code or name: any case, old codes and names, surrounding blanks.

        A current area is preferred to an abolished one of the same name. ``suggest=False`` skips the search for near
        matches, for long lists of unknown names.
        Raises UnknownAreaError (with near matches) or AmbiguousAreaError (with the candidates).
        """
        return self.by_code[self._names.find(text, suggest=suggest)]

    def earlier_namesakes(self, text: str, vintage: int | None = None) -> str | None:
        """A warning for a name that belonged to another area before the one found; else None.

        "Dorset" is today's unitary authority; before April 2019 it was the county, which covered different ground.
        """
        found = self.find(text, suggest=False)
        plan = self.plan(vintage)
        ground = plan.whole_ground(found.code)
        others = [code for code in self._names.namesakes(text) if plan.whole_ground(code) != ground]
        earlier = [code for code in others if self.by_code[code].start_date < found.start_date]
        if not earlier:
            return None
        choice = self._names.choice([found.code, *earlier])
        return f"'{text.strip()}' may be, for a time before {found.start_date:%Y-%m-%d}, {choice}"

    def search(self, text: str, limit: int = 10) -> list[Area]:
        """Areas with ``text``, or something close to it, in their code or one of their names; current ones first."""
        return [self.by_code[code] for code in self._names.search(text, limit)]

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.by_code, self.area_names, self.same_area, self.changes)

    def current_codes(self, code: str) -> list[str]:
        """The codes on the newest map that together cover ``code``'s ground; empty if none do (an old county)."""
        return self.plan().targets_of(self.area(code).code)

    def ground_today(self, code: str) -> list[str]:
        """The codes on the newest map for the ground of any area, ended or not.

        For a wider area without a successor (a former county), those of its last districts.
        Raises UnknownAreaError.
        """
        area = self.area(code)
        found = self.current_codes(area.code)
        if found or area.end_date is None:
            return found
        last_map = area.end_date.year - 1
        if last_map < FIRST_VINTAGE:
            return []
        return sorted({today for d in self.members_of(area.code, last_map) for today in self.current_codes(d)})

    def area(self, code: str) -> Area:
        """The area of a code (case and blanks do not matter). Raises UnknownAreaError."""
        found = self.by_code.get(tidy_code(code))
        if found is None:
            raise UnknownAreaError(self._names.unknown(code))
        return found

    def history(self, code: str) -> pd.DataFrame:
        """Every change in the history of an area, before and after it, oldest first.

        Columns ``date, kind, from_code, from_name, to_code, to_name, share, order``: one row for each ended code and
        successor. Raises UnknownAreaError.
        """
        family = {self.area(code).code}
        for step, origin in (("from_code", "to_code"), ("to_code", "from_code")):
            line = {self.area(code).code}
            while True:
                more = set(self.changes.loc[self.changes[origin].isin(line), step]) - line
                if not more:
                    break
                line |= more
            family |= line
        rows = self.changes[self.changes["from_code"].isin(family) & self.changes["to_code"].isin(family)]
        names = self.areas.set_index("area_code")["area_name"]
        rows = rows.assign(from_name=rows["from_code"].map(names), to_name=rows["to_code"].map(names))
        columns = [
            "date",
            "kind",
            "from_code",
            "from_name",
            "to_code",
            "to_name",
            "share",
            "order",
        ]
        return rows.sort_values(["date", "to_code", "from_code"])[columns].reset_index(drop=True)

    def combined_authority_of(self, code: str, vintage: int | None = None) -> str | None:
        """Code of the combined authority a district was in on 31 December of ``vintage``, or None."""
        return self.membership(vintage).get(self.area(code).code)

    def membership(self, vintage: int | None = None) -> dict[str, str]:
        """District code to combined authority code, on 31 December of ``vintage``."""
        day, rows = self.vintage_day(vintage), self.combined_authorities
        live = rows["start_date"].le(day) & (rows["end_date"].isna() | rows["end_date"].ge(day))
        return dict(
            zip(
                rows.loc[live, "area_code"],
                rows.loc[live, "combined_authority_code"],
                strict=True,
            )
        )

    def members_of(self, code: str, vintage: int | None = None) -> list[str]:
        """The districts of a wider area on a vintage's map, sorted. A district is its own only member.

        Raises UnknownAreaError.
        """
        area = self.area(code)
        if area.level == "district":
            live = set(self.districts(vintage))
            return [target for target in self.plan(vintage).targets_of(area.code) if target in live]
        if area.level == "combined_authority":
            membership, live = self.membership(vintage), set(self.districts(vintage))
            return sorted(d for d, authority in membership.items() if authority == area.code and d in live)
        districts = self.areas[self.areas["area_code"].isin(self.districts(vintage))]
        if area.level == "country":
            letters = {"K02": "EWSN", "K03": "EWS", "K04": "EW"}[area.code[:3]]
            return sorted(districts.loc[districts["nation_code"].str[0].isin(list(letters)), "area_code"])
        return sorted(districts.loc[districts[f"{area.level}_code"].eq(area.code), "area_code"])

    def plan(self, vintage: int | None = None) -> Plan:
        """How every known code is converted to a vintage's map (cached)."""
        year = self.vintage_day(vintage).year
        if year not in self._plans:
            self._plans[year] = make_plan(self.changes, self.same_area, self.areas, self.vintage_day(year))
        return self._plans[year]

    @cached_property
    def _plans(self) -> dict[int, Plan]:
        return {}
