"""Write the committed facts tables of the register from the official lists behind them.

``facts/README.md`` names each source and says where they disagree. The tables are small sorted CSVs, so that changes
can be reviewed by diff.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from python_calamine import CalamineWorkbook

from pipeline.geography.register_tables import FACTS_DIR
from pipeline.geography.table_rows import each
from tools.register import curated

NATION_OF_LETTER = {
    "E": "E92000001",
    "N": "N92000002",
    "9": "N92000002",
    "S": "S92000003",
    "W": "W92000004",
}


def write_facts(data: Path, folder: Path = FACTS_DIR) -> list[Path]:
    """Build every facts table from ``data`` (a folder laid out as ``../shared/data``) and write it into ``folder``.

    Raises FileNotFoundError naming the source file that is missing.
    """
    tables = build_facts(data)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        written.append(path)
    return written


def build_facts(data: Path) -> dict[str, pd.DataFrame]:
    """The facts tables by name: ``areas``, ``changes``, ``combined_authorities``, ``same_area``, ``area_names``."""
    geography = data / "geography"
    authorities = _read(geography / "uk_local_authorities_current.csv")
    changes = _changes(geography, data / "deprivation")
    districts = _districts(geography, authorities, changes)
    wider = _wider(geography, districts)
    areas = pd.concat([districts, wider], ignore_index=True).sort_values("area_code", ignore_index=True)
    same_area = pd.DataFrame(
        [(code, same, note) for code, (same, note) in sorted(curated.SAME_AREA.items())],
        columns=["code", "same_as_code", "note"],
    )
    return {
        "areas": areas,
        "changes": changes,
        "combined_authorities": _memberships(geography),
        "same_area": same_area,
        "area_names": _names(geography, authorities, areas),
    }


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _changes(geography: Path, deprivation: Path) -> pd.DataFrame:
    """One row for each ended code of a district (or wider area) and each code that took over its ground."""
    database = _read(geography / "lad_code_changes.csv")
    database = database[database["changed_from_code"].str.len().eq(9)]
    database = database[database["changed_from_code"] != database["changed_to_code"]]
    rows = [
        (
            r.changed_from_code,
            r.changed_to_code,
            r.date,
            "merge" if r.merge == "True" else "",
            r.desc,
        )
        for r in each(database)
        # two rows of the database are renames, with the name in the code's column
        if r.changed_from_code[:3] in ("E06", "E07", "E08", "W06")
    ]
    known = {(row[0], row[1]) for row in rows}
    listed = _read(geography / "uk-topojson_changes.csv")
    listed = listed[listed["type"].isin(("merger", "new_code")) | listed["oldcd"].str.startswith("S12")]
    for r in each(listed):
        if (r.oldcd, r.newcd) not in known:
            day, order = curated.DAYS_AND_ORDERS[r.oldcd]
            rows.append((r.oldcd, r.newcd, day, "merge" if r.type == "merger" else "", order))
    frame = pd.DataFrame(rows, columns=["from_code", "to_code", "date", "kind", "order"])
    frame.loc[frame["kind"].eq(""), "kind"] = [
        "boundary_change" if code in curated.MOVED_WITH_THE_EDGE else "relabel"
        for code in frame.loc[frame["kind"].eq(""), "from_code"]
    ]
    extra = pd.DataFrame(
        curated.EXTRA_BOUNDARY_CHANGES,
        columns=["from_code", "to_code", "date", "order"],
    )
    frame = pd.concat([frame, extra.assign(kind="boundary_change")]).assign(share="1")
    populations = _populations_2015(deprivation)
    frame["population"] = [_weight(populations, r.from_code, r.kind) for r in each(frame)]
    frame["population_basis"] = frame["population"].ne("").map({True: "mid-2015, IoD2019 small areas", False: ""})
    frame.loc[frame["from_code"].eq("E47000010"), ["population", "population_basis"]] = ["1164078", "mid-2020"]
    frame.loc[frame["from_code"].eq("E47000011"), ["population", "population_basis"]] = ["839515", "mid-2020"]
    frame = pd.concat([frame, _northern_ireland(deprivation)])
    columns = [
        "from_code",
        "to_code",
        "date",
        "kind",
        "share",
        "population",
        "population_basis",
        "order",
    ]
    return frame[columns].sort_values(["date", "to_code", "from_code"], ignore_index=True)


def _weight(populations: dict[str, int], code: str, kind: str) -> str:
    return str(populations[code]) if kind == "merge" and code in populations else ""


def _populations_2015(deprivation: Path) -> dict[str, int]:
    """People by 2011 district, mid-2015: small areas of 2011 carry the name of their district at the time."""
    path = deprivation / "File_6_-_IoD2019_Population_Denominators.xlsx"
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Population Denominators").to_python()
    small = pd.DataFrame(rows[1:], columns=[str(name) for name in rows[0]])
    name_2011 = small["LSOA name (2011)"].str.rsplit(" ", n=1).str[0]
    people = small["Total population: mid 2015 (excluding prisoners)"].astype(float)
    by_name = people.groupby(name_2011).sum().round().astype(int)
    codes = _read(deprivation.parent / "geography" / "la_all_codes.csv")
    ended = codes[codes["Current"].eq("FALSE")]
    found = {r.LADCD: int(by_name[r.LADNM]) for r in each(ended) if r.LADNM in by_name.index}
    # formed in 2019 from two 2011 districts
    found["E07000246"] = found["E07000190"] + found["E07000191"]
    return found


def _northern_ireland(deprivation: Path) -> pd.DataFrame:
    """The 26 districts before April 2015 converted to the current 11, by the number of super output areas.

    Super output areas were designed for about 2,000 people each, so their number stands in for people.
    """
    rows = CalamineWorkbook.from_path(str(deprivation / "NIMDM17_SOAresults.xls")).get_sheet_by_name("MDM").to_python()
    small = pd.DataFrame(rows[1:]).iloc[:, [0, 2]].set_axis(["to_name", "small_area"], axis=1)
    small = small[small["small_area"].astype(str).str.startswith("95")]
    names = _read(deprivation.parent / "geography" / "LAD23_lookup.csv").set_index("LAD23NM")["LAD23CD"]
    pairs = small.groupby([small["small_area"].str[:4], small["to_name"].map(names)]).size()
    pairs.index.names = ["from_code", "to_code"]
    frame = pairs.rename("count").reset_index()
    total = frame.groupby("from_code")["count"].transform("sum")
    return frame.assign(
        date="2015-04-01",
        kind=frame["count"].eq(total).map({True: "merge", False: "split"}),
        share=[
            repr(count / whole) if count < whole else "1" for count, whole in zip(frame["count"], total, strict=True)
        ],
        population=(frame["count"] * 2000).astype(str),
        population_basis="2,000 for each super output area",
        order="The Local Government (Boundaries) Act (Northern Ireland) 2008",
    ).drop(columns="count")


def _districts(geography: Path, authorities: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    current = _read(geography / "LAD23_lookup.csv").set_index("LAD23CD")["LAD23NM"]
    listed = _read(geography / "la_all_codes.csv").set_index("LADCD")
    older = _read(geography / "lad_code_changes.csv").set_index("changed_from_code")["changed_from_name"]
    older = older[older.index.str.len() == 9]
    names = {
        **older,
        **listed["LADNM"],
        **curated.EXTRA_NAMES,
        **curated.NORTHERN_IRELAND_UNTIL_2015,
        **current,
    }
    names = {code: name for code, name in names.items() if code[:3] not in ("E11",)}
    successor = changes.drop_duplicates("from_code").set_index("from_code")["to_code"]
    ends = changes.drop_duplicates("from_code").set_index("from_code")["date"].map(_day_before)
    begins = changes.drop_duplicates("to_code").set_index("to_code")["date"]
    regions = _read(geography / "lad_region_dec2023.csv").set_index("LAD23CD")["RGN23CD"].to_dict()
    places = _places(geography, authorities)
    people = authorities[authorities["pop-2020"].ne("")].set_index("gss-code")["pop-2020"]
    rows = []
    for code, name in sorted(names.items()):
        last = code
        while last in successor.index:
            last = successor[last]
        nation = NATION_OF_LETTER[code[0]]
        region = (
            (regions.get(last) or regions.get(code) or listed["RGNCD"].get(last)) if nation == "E92000001" else nation
        )
        place = places.get(code) or (places.get(last) if _is_renumbered(code, last, names) else None)
        rows.append(
            {
                "area_code": code,
                "area_name": name,
                "level": "district",
                "start_date": begins.get(code, curated.REGISTER_BEGINS),
                "end_date": ends.get(code, ""),
                "nation_code": nation,
                "region_code": region,
                "county_code": _county(code, last, authorities, listed),
                "latitude": f"{place[0]:.5f}" if place else "",
                "longitude": f"{place[1]:.5f}" if place else "",
                "population_2020": str(int(float(people[code]))) if code in people.index else "",
            }
        )
    frame = pd.DataFrame(rows)
    for old, new in (("E08000016", "E08000038"), ("E08000019", "E08000039")):
        # the register of authorities still lists the pair under their codes from before April 2025
        frame.loc[frame["area_code"].eq(new), "population_2020"] = people[old]
    frame["population_2020"] = frame["population_2020"].str.removesuffix(".0")
    return frame


def _is_renumbered(code: str, last: str, names: dict[str, str]) -> bool:
    return code != last and names[code] == names[last]


def _places(geography: Path, authorities: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Latitude and longitude by district: the boundary file's own label point, else the register of authorities'."""
    listed = authorities[authorities["lat"].ne("")]
    found = {r[0]: (float(r[1]), float(r[2])) for r in each(listed[["gss-code", "lat", "long"]])}
    boundaries = json.loads((geography / "lad22_buc.geojson").read_text(encoding="utf-8"))
    for feature in boundaries["features"]:
        properties = feature["properties"]
        found[properties["LAD22CD"]] = (properties["LAT"], properties["LONG"])
    found["E08000038"], found["E08000039"] = found["E08000016"], found["E08000019"]
    return found


def _county(code: str, last: str, authorities: pd.DataFrame, listed: pd.DataFrame) -> str:
    if code in curated.COUNTY_CORRECTIONS:
        return curated.COUNTY_CORRECTIONS[code]
    if code[:3] == "E08":
        return next(c for c, (_, members) in curated.METROPOLITAN_COUNTIES.items() if int(code[3:]) in members)
    if code[:3] != "E07":
        return ""
    for county, (_, numbers) in curated.COUNTIES_UNTIL_2009.items():
        if int(code[3:]) in numbers:
            return county
    gss = authorities.set_index("local-authority-code")["gss-code"]
    own = authorities[authorities["gss-code"].eq(code) & authorities["county-la"].ne("")]
    if len(own):
        return str(gss[own["county-la"].iloc[0]])
    return str(listed["UTLACD"][last])


def _wider(geography: Path, districts: pd.DataFrame) -> pd.DataFrame:
    """Counties, combined authorities, regions, nations and countries; placed at the mean of their districts."""
    authorities = _read(geography / "uk_local_authorities_current.csv")
    county_names = authorities[authorities["gss-code"].str.startswith("E10")].set_index("gss-code")["nice-name"]
    county_names = county_names.str.removesuffix(" County")
    rows: list[dict[str, str]] = []

    def add(code: str, name: str, level: str, start: str, end: str, members: pd.DataFrame) -> None:
        regions = sorted(set(members["region_code"]))
        nations = sorted(set(members["nation_code"]))
        placed = members[members["latitude"].ne("") & members["end_date"].eq("")]
        placed = placed if len(placed) else members[members["latitude"].ne("")]
        rows.append(
            {
                "area_code": code,
                "area_name": name,
                "level": level,
                "start_date": start,
                "end_date": end,
                "nation_code": nations[0] if len(nations) == 1 else "",
                "region_code": regions[0] if len(regions) == 1 else "",
                "county_code": code if level == "county" else "",
                "latitude": f"{placed['latitude'].astype(float).mean():.5f}" if len(placed) else "",
                "longitude": f"{placed['longitude'].astype(float).mean():.5f}" if len(placed) else "",
                "population_2020": "",
            }
        )

    begin = curated.REGISTER_BEGINS
    for code, name in county_names.to_dict().items():
        members = districts[districts["county_code"].eq(str(code))]
        end = members["end_date"].max() if members["end_date"].ne("").all() else ""
        add(str(code), name, "county", begin, end, members)
    for code, (name, _) in curated.COUNTIES_UNTIL_2009.items():
        add(
            code,
            name,
            "county",
            begin,
            "2009-03-31",
            districts[districts["county_code"].eq(code)],
        )
    for code, (name, _) in curated.METROPOLITAN_COUNTIES.items():
        start = "2013-04-01" if code == "E11000007" else begin
        add(
            code,
            name,
            "county",
            start,
            "",
            districts[districts["county_code"].eq(code)],
        )
    tyne = districts[districts["county_code"].eq("E11000007") & ~districts["area_code"].eq("E08000037")]
    add(
        "E11000004",
        curated.EXTRA_NAMES["E11000004"],
        "county",
        begin,
        "2013-03-31",
        tyne,
    )
    membership = _memberships(geography)
    for code, (name, start, end, _) in curated.COMBINED_AUTHORITIES.items():
        inside = membership.loc[membership["combined_authority_code"].eq(code), "area_code"]
        add(
            code,
            name,
            "combined_authority",
            start,
            end,
            districts[districts["area_code"].isin(inside)],
        )
    region_names = (
        _read(geography / "lad_region_dec2023.csv").drop_duplicates("RGN23CD").set_index("RGN23CD")["RGN23NM"]
    )
    for code, name in region_names.to_dict().items():
        add(
            str(code),
            name,
            "region",
            begin,
            "",
            districts[districts["region_code"].eq(str(code))],
        )
    for code, name in curated.NATIONS.items():
        add(
            code,
            name,
            "nation",
            begin,
            "",
            districts[districts["nation_code"].eq(code)],
        )
    for code, name in curated.COUNTRIES.items():
        letters = {"K02000001": "EWSN", "K03000001": "EWS", "K04000001": "EW"}[code]
        inside = districts["nation_code"].str[0].isin(list(letters))
        add(code, name, "country", begin, "", districts[inside])
    return pd.DataFrame(rows)


def _memberships(geography: Path) -> pd.DataFrame:
    """Districts of each combined authority, with the days between which they were members."""
    current = _read(geography / "lad_cauth_may2025.csv")
    authorities = curated.COMBINED_AUTHORITIES
    rows = [(r.LAD25CD, r.CAUTH25CD, authorities[r.CAUTH25CD][1], "") for r in each(current)]
    for old, new in (("E08000016", "E08000038"), ("E08000019", "E08000039")):
        rows = [(code, ca, "2025-04-01" if code == new else start, end) for code, ca, start, end in rows]
        rows.append((old, "E47000002", authorities["E47000002"][1], "2025-03-31"))
    for code, members in (
        ("E47000005", curated.SOUTH_OF_TYNE + curated.NORTH_OF_TYNE),
        ("E47000010", curated.SOUTH_OF_TYNE),
        ("E47000011", curated.NORTH_OF_TYNE),
    ):
        _, start, end, _ = authorities[code]
        rows += [(member, code, start, end) for member in members]
    columns = ["area_code", "combined_authority_code", "start_date", "end_date"]
    return pd.DataFrame(sorted(rows, key=lambda row: (row[1], row[0])), columns=columns)


def _names(geography: Path, authorities: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Other names and codes for an area: former, alternative, Welsh, and the older Northern Ireland codes."""
    official = areas.set_index("area_code")["area_name"]
    rows = set(curated.OTHER_NAMES)
    for r in each(authorities[["gss-code", "nice-name", "official-name"]]):
        if r[0] in official.index and not r[0].startswith("E10"):
            rows |= {(r[0], name, "alternative") for name in r[1:] if name and name != official[r[0]]}
    for r in each(_read(geography / "LAD23_lookup.csv")):
        if r.LAD23NMW and official[r.LAD23CD] != r.LAD23NMW:
            rows.add((r.LAD23CD, r.LAD23NMW, "welsh"))
    for r in each(authorities[["nice-name", "snac"]]):
        if str(r[1]).startswith("95"):
            rows |= {
                (code, r[1], "code") for code, name in curated.NORTHERN_IRELAND_UNTIL_2015.items() if _same(name, r[0])
            }
    wrong = {("E47000016", "Yorkshire and The Humber MCA", "alternative")}
    return pd.DataFrame(sorted(rows - wrong), columns=["area_code", "name", "kind"])


def _same(name: str, other: str) -> bool:
    return name == other or name == other.removesuffix(" City") or other == f"{name} and South Tyrone"
