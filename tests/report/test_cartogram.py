"""The map of hexagons, on small maps that can be checked by eye."""

from __future__ import annotations

import math
from itertools import combinations

from pipeline.report.cartogram import Cell, Centre, borders, hexagons, steps


def grid(rows: int, columns: int, *, degrees: float, west: float = -2.0, **fields: str) -> list[Centre]:
    return [
        Centre(f"{fields.get('landmass', '')}{r:02}{c:02}", 53.0 - degrees * r, west + 1.65 * degrees * c, **fields)
        for r in range(rows)
        for c in range(columns)
    ]


def apart(one: Cell, other: Cell) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)


def test_every_place_has_a_cell_of_its_own_however_crowded() -> None:
    crowded = grid(6, 6, degrees=0.02)
    cells = hexagons(crowded)
    assert [cell.code for cell in cells] == [centre.code for centre in crowded]
    assert min(apart(a, b) for a, b in combinations(cells, 2)) > 0.99


def test_the_same_centres_give_the_same_map_in_any_order() -> None:
    centres = grid(5, 5, degrees=0.1)
    assert {c.code: c for c in hexagons(centres)} == {c.code: c for c in hexagons(centres[::-1])}


def test_north_stays_north_and_west_stays_west() -> None:
    cells = {cell.code: cell for cell in hexagons(grid(5, 5, degrees=0.25))}
    assert cells["0002"].y < cells["0402"].y
    assert cells["0200"].x < cells["0204"].x


def test_water_stays_between_landmasses_and_is_not_too_wide() -> None:
    mainland = grid(5, 5, degrees=0.25)
    island = grid(2, 2, degrees=0.1, west=-16.0, landmass="i")
    cells = {cell.code: cell for cell in hexagons(mainland + island)}
    across = [apart(cells[m.code], cells[i.code]) for m in mainland for i in island]
    assert 1.5 < min(across) < 5


def test_borders_are_drawn_between_regions_only() -> None:
    row = [Cell("a", 0.0, 0.0), Cell("b", 1.0, 0.0), Cell("c", 2.0, 0.0)]
    assert borders(row, {"a": "N", "b": "N", "c": "N"}) == []
    [(x, _, x2, _)] = borders(row, {"a": "N", "b": "N", "c": "S"})
    assert (x, x2) == (1.5, 1.5)


def test_steps_on_the_lattice() -> None:
    assert steps((0, 0), (0, 3)) == 3
    assert steps((0, 0), (1, 0)) == 1
    assert steps((1, 0), (2, 1)) == 1
    assert steps((0, 0), (2, 0)) == 2


def test_one_place_and_none() -> None:
    assert hexagons([]) == []
    assert hexagons([Centre("a", 52.0, -1.0)]) == [Cell("a", 0.0, 0.0)]
