"""A hexagon for every district: neighbours stay close, small districts stay visible, no boundary file is needed.

Four steps, none random, so the same centres always give the same map:

1. centres are projected to kilometres and far islands are brought nearer the mainland;
2. equal discs on the centres push each other apart while neighbours pull together, more strongly within a region
   (after Dorling, 1996, Area Cartograms: Their Use and Creation);
3. discs are assigned to the cells of a hexagonal lattice with the least sum of squared moves (the assignment problem,
   solved by SciPy);
4. districts swap nearby cells for as long as that brings neighbours, or districts of one region, together.

Different landmasses keep a cell of sea between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay, QhullError, cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_KM_PER_DEGREE: Final = 111.32
_CENTRAL_MERIDIAN: Final = -2.0
SPACING_KM: Final = 27.0
_NEIGHBOUR_KM: Final = 95.0
_ROUNDS: Final = 220
_SEA: Final = 2.3  # discs of different landmasses keep this many spacings apart
_WIDEST_SEA: Final = 3.0  # and are drawn no further apart than this
_SWAP_ROUNDS: Final = 12
_WITHIN_REGION: Final = 2.5  # how much more a pair of neighbours in one region counts
_TOUCHING: Final = 1.05  # centres of cells that share an edge are one cell width apart
_ROW_HEIGHT: Final = float(np.sqrt(3) / 2)
_REACH: Final = 3.0  # cells further than this many spacings from every disc are not candidates


@dataclass(frozen=True)
class Centre:
    """The centre of one district in degrees, its region, and its landmass ("" for the mainland of Britain)."""

    code: str
    latitude: float
    longitude: float
    region: str = ""
    landmass: str = ""


@dataclass(frozen=True)
class Cell:
    """The centre of one district's hexagon in cell widths: x from the westernmost cell, y down from the northernmost."""

    code: str
    x: float
    y: float


def hexagons(centres: Sequence[Centre]) -> list[Cell]:
    """One cell for every centre, in the order given."""
    if not centres:
        return []
    ordered = sorted(centres, key=lambda centre: centre.code)
    masses = _numbered([centre.landmass for centre in ordered])
    regions = _numbered([centre.region for centre in ordered])
    points = _nearer(_kilometres(ordered) / SPACING_KM, masses)
    pairs = _neighbours(points, masses)
    weights = np.where(regions[pairs[:, 0]] == regions[pairs[:, 1]], _WITHIN_REGION, 1.0)
    rows, columns = _dealt(_spread(points, masses, pairs, weights))
    rows, columns = _swapped(rows, columns, pairs, weights)
    east = columns + 0.5 * (rows % 2)
    top, left = rows.max(), east.min()
    cells = {
        centre.code: Cell(centre.code, x=float(east[i] - left), y=round(float(top - rows[i]) * _ROW_HEIGHT, 4))
        for i, centre in enumerate(ordered)
    }
    return [cells[centre.code] for centre in centres]


def borders(cells: Sequence[Cell], regions: Mapping[str, str]) -> list[tuple[float, float, float, float]]:
    """The edges between touching hexagons of different regions, each as (x, y) of both ends in cell widths."""
    edges = []
    half = 0.5 / np.sqrt(3)
    for i, one in enumerate(cells):
        for other in cells[i + 1 :]:
            across, down = other.x - one.x, other.y - one.y
            if regions[one.code] != regions[other.code] and np.hypot(across, down) < _TOUCHING:
                middle = ((one.x + other.x) / 2, (one.y + other.y) / 2)
                edges.append(
                    (
                        float(middle[0] - down * half),
                        float(middle[1] + across * half),
                        float(middle[0] + down * half),
                        float(middle[1] - across * half),
                    )
                )
    return edges


def _numbered(names: Sequence[str]) -> Integers:
    return np.array([sorted(set(names)).index(name) for name in names], dtype=np.int64)


def _kilometres(centres: Sequence[Centre]) -> Floats:
    """Sinusoidal projection about 2° West: (districts, 2), east and north in km. Keeps areas; keeps shapes near 2° W."""
    latitude = np.array([c.latitude for c in centres], dtype=np.float64)
    longitude = np.array([c.longitude for c in centres], dtype=np.float64)
    east = (longitude - _CENTRAL_MERIDIAN) * np.cos(np.radians(latitude)) * _KM_PER_DEGREE
    return np.column_stack([east, latitude * _KM_PER_DEGREE])


def _nearer(points: Floats, masses: Integers) -> Floats:
    """``points`` with far landmasses moved towards the mainland. The first and largest landmass stays in place."""
    main = int(np.bincount(masses).argmax())
    place = points.copy()
    for mass in np.unique(masses[masses != main]):
        own = np.flatnonzero(masses == mass)
        distance, nearest = cKDTree(points[masses == main]).query(place[own])
        closest = int(distance.argmin())
        gap = points[masses == main][nearest[closest]] - place[own[closest]]
        place[own] += gap * max(0.0, 1.0 - _WIDEST_SEA / float(distance[closest]))
    return place


def _spread(points: Floats, masses: Integers, pairs: Integers, weights: Floats) -> Floats:
    """Discs of diameter 1 on ``points``, pushed apart until (almost) none overlap; shape (districts, 2)."""
    place = points.copy()
    apart = np.where(masses[:, None] == masses[None, :], 1.0, _SEA)
    np.fill_diagonal(apart, 0.0)
    for turn in range(_ROUNDS):
        move = 0.004 * (points - place)
        gap = place[pairs[:, 1]] - place[pairs[:, 0]]
        length = np.maximum(np.hypot(gap[:, 0], gap[:, 1]), 1e-9)
        pull = (0.04 * weights * np.maximum(length - 1.0, 0.0) / length)[:, None] * gap
        np.add.at(move, pairs[:, 0], pull)
        np.add.at(move, pairs[:, 1], -pull)
        delta = place[:, None, :] - place[None, :, :]
        distance = np.maximum(np.hypot(delta[..., 0], delta[..., 1]), 1e-6)
        push = (0.5 * np.maximum(apart - distance, 0.0) / distance)[..., None] * delta
        place = place + move + (0.35 + 0.45 * turn / _ROUNDS) * push.sum(axis=1)
    # Rounded, so that floating-point noise cannot decide between two equally good assignments.
    return np.asarray(np.round(place, 6), dtype=np.float64)


def _neighbours(points: Floats, masses: Integers) -> Integers:
    """Pairs of adjacent districts, estimated from centres: edges of the Delaunay triangulation; shape (pairs, 2)."""
    if len(points) < 4:
        return np.empty((0, 2), dtype=np.int64)
    try:
        triangles = Delaunay(points).simplices
    except QhullError:  # all on one line
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.unique(
        np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0
    )
    length = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    near = (length < _NEIGHBOUR_KM / SPACING_KM) & (masses[pairs[:, 0]] == masses[pairs[:, 1]])
    return np.asarray(pairs[near], dtype=np.int64)


def _dealt(place: Floats) -> tuple[Integers, Integers]:
    """Row and column of the lattice cell assigned to each disc, with the least sum of squared moves."""
    low, high = place.min(axis=0) - _REACH, place.max(axis=0) + _REACH
    first_row = int(np.floor(low[1] / _ROW_HEIGHT))
    rows = np.arange(first_row, int(np.ceil(high[1] / _ROW_HEIGHT)) + 1)
    columns = np.arange(int(np.floor(low[0])), int(np.ceil(high[0])) + 1)
    row, column = (grid.ravel() for grid in np.meshgrid(rows - first_row, columns, indexing="ij"))
    centre = np.column_stack([column + 0.5 * (row % 2), (row + first_row) * _ROW_HEIGHT])
    near = cKDTree(place).query(centre)[0] < _REACH
    row, column, centre = row[near], column[near], centre[near]
    cost = ((place[:, None, :] - centre[None, :, :]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    return row[chosen].astype(np.int64), column[chosen].astype(np.int64)


def _swapped(rows: Integers, columns: Integers, pairs: Integers, weights: Floats) -> tuple[Integers, Integers]:
    """The assignment after every swap of nearby cells that shortens the weighted ties between neighbours."""
    ties: list[list[tuple[int, float]]] = [[] for _ in rows]
    for (first, second), weight in zip(pairs.tolist(), weights.tolist(), strict=True):
        ties[first].append((second, weight))
        ties[second].append((first, weight))
    place = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True)]

    def strain(i: int, cell: tuple[int, int], other: int, cell_of_other: tuple[int, int]) -> float:
        return sum(w * steps(cell, cell_of_other if j == other else place[j]) ** 2 for j, w in ties[i])

    for _ in range(_SWAP_ROUNDS):
        has_changed = False
        for i in range(len(place)):
            for j in range(i + 1, len(place)):
                if not ties[i] or not ties[j] or steps(place[i], place[j]) > 2:
                    continue
                now = strain(i, place[i], j, place[j]) + strain(j, place[j], i, place[i])
                then = strain(i, place[j], j, place[i]) + strain(j, place[i], i, place[j])
                if then < now - 1e-9:
                    place[i], place[j] = place[j], place[i]
                    has_changed = True
        if not has_changed:
            break
    return np.array([r for r, _ in place], dtype=np.int64), np.array([c for _, c in place], dtype=np.int64)


def steps(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Steps from cell to cell of the lattice, given as (row, column) with odd rows half a cell to the east."""
    down = one[0] - other[0]
    along = (one[1] - one[0] // 2) - (other[1] - other[0] // 2)
    return (abs(down) + abs(along) + abs(down + along)) // 2
