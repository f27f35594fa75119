"""The Open Geography portal's ArcGIS feature services (WIRE_FORMATS section 4), over the lookups in geography/."""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.standin.exchange import Reply, Request, json_reply

PREFIX = "/ESMARspQHYMw9BZ9/arcgis/rest/services"
PAGE_ROWS = 200  # the portal's own is commonly 2,000; smaller here, so that 361 districts need two pages

# Service name to the file that holds such a table. The files are of December 2023 (names, regions), May 2025
# (combined authorities) and December 2022 (boundaries), and keep their own column names. The lookup to counties is not
# at hand as the portal has it; it is put together from a list of codes that gives each district its upper tier.
SERVICES = {
    "LAD_APR_2023_UK_NC": "LAD23_lookup.csv",
    "LAD24_RGN24_EN_LU": "lad_region_dec2023.csv",
    "LAD25_CAUTH25_EN_LU": "lad_cauth_may2025.csv",
    "LAD25_CTYUA25_UK_LU": "la_all_codes.csv",
    "Combined_Authorities_December_2025_Boundaries_EN_BSC/1": "lad_cauth_may2025.csv",
    "Local_Authority_Districts_December_2023_Boundaries_UK_BUC": "lad22_buc.geojson",
}


class ArcGisService:
    """Errors come as status 200 with an error object, as the portal sends them."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "geography"

    def answer(self, request: Request) -> Reply:
        name, *rest = request.path.removeprefix(PREFIX).strip("/").split("/")
        layer = rest[1] if len(rest) == 3 and (rest[0], rest[2]) == ("FeatureServer", "query") else ""
        known = {known.partition("/")[0] for known in SERVICES}
        file = SERVICES.get(name if layer == "0" else f"{name}/{layer}", "")
        if not file and name in known and layer:
            return _error(400, "The requested layer (layerId: " + layer + ") was not found.")
        if not file or not (self._folder / file).is_file():
            return _error(400, "Invalid URL")
        query = {key.lower(): value for key, value in request.query}
        if "where" not in query:
            return _error(400, "Unable to perform query. 'where' clause is missing")
        features = _features(self._folder / file)
        if layer == "1":  # the authorities themselves, of which the lookup names each once for every member
            features = list({feature["properties"]["CAUTH25CD"]: feature for feature in features}.values())
        if query.get("returncountonly") == "true":
            return json_reply({"count": len(features)})
        offset = int(query.get("resultoffset", 0))
        count = min(int(query.get("resultrecordcount", PAGE_ROWS)), PAGE_ROWS)
        page = features[offset : offset + count]
        has_more = offset + count < len(features)
        if query.get("f") == "geojson":
            found: dict[str, Any] = {"type": "FeatureCollection", "features": page}
            return json_reply(found | ({"properties": {"exceededTransferLimit": True}} if has_more else {}))
        rows = [{"attributes": feature["properties"]} for feature in page]
        columns = [{"name": field, "type": "esriFieldTypeString"} for field in features[0]["properties"]]
        found = {"objectIdFieldName": "ObjectId", "fields": columns, "features": rows}
        return json_reply(found | ({"exceededTransferLimit": True} if has_more else {}))


def _upper_tier(row: dict[str, str]) -> dict[str, Any]:
    columns = {"LAD25CD": "LADCD", "LAD25NM": "LADNM", "CTYUA25CD": "UTLACD", "CTYUA25NM": "UTLANM"}
    return {"type": "Feature", "properties": {ours: row[theirs] for ours, theirs in columns.items()}, "geometry": None}


def _error(code: int, message: str) -> Reply:
    return json_reply({"error": {"code": code, "message": message, "details": [message]}})


@lru_cache(maxsize=8)
def _features(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".geojson":
        return list(json.loads(path.read_text(encoding="utf-8"))["features"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.name == SERVICES["LAD25_CTYUA25_UK_LU"]:
            return [_upper_tier(row) for row in csv.DictReader(file) if row["LADCD"] == row["LADCD_ACTIVE"]]
        return [{"type": "Feature", "properties": row, "geometry": None} for row in csv.DictReader(file)]
