"""Boundaries to test with: a square about the centre of every district, as GeoJSON of a vintage before some changes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

HALF_DEGREE = 0.02  # small enough that neighbours do not lie on each other
NEW_SINCE = {"E06000063": ("E07000026", "Allerdale"), "E06000066": ("E07000246", "Somerset West and Taunton")}


def write_outlines(database: Path, out: Path) -> None:
    """Squares in longitude and latitude, in which two districts of today still are what they were in 2022."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select area_code, area_name, latitude, longitude from dim_area where level = 'district' order by area_code"
        ).fetchall()
    features = []
    for code, name, latitude, longitude in rows:
        old_code, old_name = NEW_SINCE.get(code, (code, name))
        west, east = longitude - HALF_DEGREE, longitude + HALF_DEGREE
        south, north = latitude - HALF_DEGREE, latitude + HALF_DEGREE
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        properties = {"LAD22CD": old_code, "LAD22NM": old_name}
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    out.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
