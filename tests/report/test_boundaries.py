"""Real boundaries on the map: neighbours stay together, what does not fit is named, a bad file leaves the tiles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.report.boundaries import CannotUse, read_boundaries
from pipeline.report.pages.explorers import map_page
from pipeline.report.read_facts import read_facts
from pipeline.report.shared_data import boundaries_script

METRES = {"type": "name", "properties": {"name": "EPSG:27700"}}
TODAY = ["E1", "E2", "E3"]


def feature(code: str, rings: list[list[list[float]]], name: str = "") -> dict[str, Any]:
    properties = {"LAD25CD": code, "LAD25NM": name or code}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": rings}}


def saved(folder: Path, features: list[dict[str, Any]], crs: dict[str, Any] | None = METRES) -> Path:
    path = folder / "district_boundaries.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    return path


def square(west: float, south: float, side: float) -> list[list[float]]:
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def corners(path: str, x: int, y: int) -> set[tuple[int, int]]:
    """The corners of a shape's path on the grid of the map."""
    found: set[tuple[int, int]] = set()
    place = (x, y)
    for kind, across, down in re.findall(r"([Ml])(-?\d+),(-?\d+)", path):
        place = (x + int(across), y + int(down)) if kind == "M" else (place[0] + int(across), place[1] + int(down))
        found.add(place)
    return found


def test_neighbours_keep_a_common_border_and_points_on_a_line_go(tmp_path: Path) -> None:
    one = [[0.0, 0], [5_000, 0], [10_060, 90], [10_080, 10_070], [0, 10_000], [0, 0]]
    two = [[10_060.0, 90], [20_000, 0], [20_000, 10_000], [10_080, 10_070], [10_060, 90]]
    found = read_boundaries(saved(tmp_path, [feature("E1", [one]), feature("E2", [two])]), TODAY)
    first, second = (corners(s.path, s.x, s.y) for s in found.shapes)
    assert first == {(0, 0), (20, 0), (20, 20), (0, 20)}
    assert first & second == {(20, 0), (20, 20)}
    assert (found.width, found.height) == (40, 20)


def test_a_district_smaller_than_the_grid_is_still_a_square_and_small_islands_go(tmp_path: Path) -> None:
    large = feature("E1", [square(0, 0, 9_000)])
    large["geometry"] = {"type": "MultiPolygon", "coordinates": [[square(0, 0, 9_000)], [square(20_000, 0, 900)]]}
    found = read_boundaries(saved(tmp_path, [large, feature("E2", [square(9_000, 9_000, 100)])]), TODAY)
    assert [s.path.count("M") for s in found.shapes] == [1, 1]
    assert found.shapes[1].path == "M-1,-1h2v2h-2z"


def test_codes_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path, [feature("E1", [square(0, 0, 9_000)]), feature("E9", [square(9_000, 0, 9_000)], "Old Town")])
    found = read_boundaries(path, TODAY)
    assert (found.year, found.absent, found.ended) == (2025, ["E2", "E3"], ["E9"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not json", "it is not JSON"),
        (b"[]", "not a GeoJSON collection"),
        (b'{"features": []}', "not a GeoJSON collection"),
        (b'{"features": [{"properties": {"name": "x"}}]}', "no column of district codes, such as LAD25CD"),
        (b'{"features": [{"properties": {"LAD25CD": "E1"}, "geometry": null}]}', "lacks LAD25CD or an outline"),
    ],
)
def test_a_file_that_cannot_be_drawn_is_a_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "district_boundaries.geojson"
    path.write_bytes(content)
    with pytest.raises(CannotUse, match=why) as refused:
        read_boundaries(path, TODAY)
    assert "the map shows tiles only" in str(refused.value)


def test_a_file_of_other_places_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotUse, match="none of its codes is a current district"):
        read_boundaries(saved(tmp_path, [feature("X1", [square(0, 0, 9_000)])]), TODAY)


def test_the_publisher_s_own_file_of_2022_is_drawn_and_its_vintage_named(
    publishers_files: Path, published_file: Path
) -> None:
    facts = read_facts(published_file)
    path = publishers_files / "geography" / "lad22_buc.geojson"
    if not path.exists():
        pytest.skip("the boundaries of December 2022 are not in ../shared/data")
    found = read_boundaries(path, [area.code for area in facts.districts])
    changed = map_page(facts, found).content["changed"]
    assert "These are the boundaries of 2022." in changed
    assert "Cumberland" in changed
    assert "Allerdale" in changed
    assert len(boundaries_script(found)) < 200_000
    assert 1.7 < found.height / found.width < 2.0
