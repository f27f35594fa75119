"""Real district boundaries for the map, from a GeoJSON file of ONS's ultra-generalised boundaries.

Corners are snapped to a grid of half a kilometre, about half a pixel on the map. Both sides of a shared border snap
alike, so no gaps open between neighbours. Corners that then coincide, or lie on a straight line, are dropped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import PipelineError

FILE_NAME: Final = "district_boundaries.geojson"  # looked for beside the published file
_GRID_KM: Final = 0.5
_SMALLEST_ISLAND: Final = 8  # in squares of the grid, 2 km²; the largest part of a district stays, however small
_KM_PER_DEGREE: Final = 111.32
_CENTRAL_MERIDIAN: Final = -2.0
_NATIONAL_GRID: Final = "27700"  # metres; other coordinates are longitude and latitude (RFC 7946)
_CODE_FIELD: Final = re.compile(r"LAD(\d\d)CD")

Point = tuple[int, int]


class CannotUse(PipelineError):
    """The file of boundaries cannot be drawn. The message says why and what to do."""


@dataclass(frozen=True)
class Shape:
    """One district's outline: an SVG path about (x, y), all in grid steps, y running south."""

    code: str
    name: str
    x: int
    y: int
    path: str


@dataclass(frozen=True)
class Boundaries:
    """Outlines of one vintage; ``width`` and ``height`` span all of them, in grid steps.

    ``absent`` are current districts that the file lacks; ``ended`` are codes in it that are no longer districts.
    """

    year: int
    shapes: Sequence[Shape]
    width: int
    height: int
    absent: Sequence[str]
    ended: Sequence[str]


def read_boundaries(path: Path, districts: Sequence[str]) -> Boundaries:
    """The outlines in a GeoJSON file with a column `LADyyCD`, compared with the codes of the current ``districts``.

    Raises CannotUse if the file cannot be read, is not such a collection, or holds none of the districts.
    """
    features, field, year, is_metres = _features(path)
    outlines = {
        str(f["properties"][field]): (
            _name(f["properties"], field),
            [[_on_grid(ring, is_metres) for ring in polygon] for polygon in _polygons(f["geometry"])],
        )
        for f in features
    }
    if not set(outlines) & set(districts):
        raise _refused(path, "none of its codes is a current district")
    corners = [p for _, polygons in outlines.values() for rings in polygons for ring in rings for p in ring]
    west, north = min(x for x, _ in corners), max(y for _, y in corners)
    shapes = []
    for code, (name, polygons) in sorted(outlines.items()):
        flipped = [[[(x - west, north - y) for x, y in ring] for ring in rings] for rings in polygons]
        shapes.append(_shape(code, name, flipped))
    return Boundaries(
        year=year,
        shapes=shapes,
        width=max(x for x, _ in corners) - west,
        height=north - min(y for _, y in corners),
        absent=[code for code in districts if code not in outlines],
        ended=sorted(set(outlines) - set(districts)),
    )


def _features(path: Path) -> tuple[list[Any], str, int, bool]:
    """(features, column with the code, its year, whether coordinates are metres of the national grid)."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise _refused(path, "it is not JSON") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        raise _refused(path, "it is not a GeoJSON collection of features")
    first = features[0].get("properties") if isinstance(features[0], dict) else None
    field = next((match for name in first or {} if (match := _CODE_FIELD.fullmatch(name))), None)
    if field is None:
        raise _refused(path, "its features have no column of district codes, such as LAD25CD")
    if not all(_is_outline(feature, field.group()) for feature in features):
        raise _refused(path, f"a feature lacks {field.group()} or an outline")
    return features, field.group(), 2000 + int(field.group(1)), _NATIONAL_GRID in json.dumps(document.get("crs", ""))


def _is_outline(feature: object, field: str) -> bool:
    if not isinstance(feature, dict) or not isinstance(feature.get("geometry"), dict):
        return False
    has_code = isinstance(feature.get("properties"), dict) and field in feature["properties"]
    return has_code and feature["geometry"].get("type") in ("Polygon", "MultiPolygon")


def _refused(path: Path, why: str) -> CannotUse:
    return CannotUse(
        f"the boundaries in {path.name} cannot be drawn: {why}; the map shows tiles only. Fetch the file again "
        "(`python -m pipeline geography --boundaries`) or remove it"
    )


def _name(properties: Mapping[str, Any], field: str) -> str:
    return str(properties.get(field[:-2] + "NM") or properties[field])


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    held = geometry["coordinates"]
    return [held] if geometry["type"] == "Polygon" else list(held)


def _on_grid(ring: Sequence[Sequence[float]], is_metres: bool) -> list[Point]:
    """A ring's corners in grid steps, east and north, without repeats and without points on a straight line."""
    steps: list[Point] = []
    for east, north, *_ in ring:
        if is_metres:
            x, y = east / 1000, north / 1000
        else:  # sinusoidal about 2° West: keeps areas, and shapes near that line
            x = (east - _CENTRAL_MERIDIAN) * math.cos(math.radians(north)) * _KM_PER_DEGREE
            y = north * _KM_PER_DEGREE
        point = (round(x / _GRID_KM), round(y / _GRID_KM))
        if not steps or steps[-1] != point:
            steps.append(point)
    if len(steps) > 1 and steps[0] == steps[-1]:
        steps.pop()
    return [p for i, p in enumerate(steps) if _turn(steps[i - 1], p, steps[(i + 1) % len(steps)]) or len(steps) < 3]


def _turn(before: Point, here: Point, after: Point) -> int:
    return (here[0] - before[0]) * (after[1] - here[1]) - (here[1] - before[1]) * (after[0] - here[0])


def _area(ring: Sequence[Point]) -> float:
    return abs(sum(x * v - u * y for (x, y), (u, v) in _sides(ring))) / 2


def _sides(ring: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(ring, [*ring[1:], *ring[:1]], strict=True)


def _shape(code: str, name: str, polygons: Sequence[Sequence[Sequence[Point]]]) -> Shape:
    ordered = sorted((rings for rings in polygons if rings and rings[0]), key=lambda rings: -_area(rings[0]))
    kept = [rings for i, rings in enumerate(ordered) if i == 0 or _area(rings[0]) >= _SMALLEST_ISLAND]
    main = kept[0][0]
    x = (min(x for x, _ in main) + max(x for x, _ in main)) // 2
    y = (min(y for _, y in main) + max(y for _, y in main)) // 2
    path = "".join(_path(ring, (x, y)) for rings in kept for ring in rings if len(ring) > 2)
    return Shape(code, name, x, y, path or "M-1,-1h2v2h-2z")  # a district smaller than the grid becomes a square


def _path(ring: Sequence[Point], origin: Point) -> str:
    first = f"M{ring[0][0] - origin[0]},{ring[0][1] - origin[1]}"
    moves = [(u - x, v - y) for (x, y), (u, v) in list(_sides(ring))[:-1]]
    return first + "".join(f"l{dx},{dy}" for dx, dy in moves) + "z"
