"""From any code in the register to the codes of one vintage's map: the steps and their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.geography.area_errors import RegisterError
from pipeline.geography.table_rows import each


@dataclass(frozen=True)
class Piece:
    """A source area's part in a target area.

    ``share`` is the share of the source's people in the target (1: all of it). ``population`` is the people in that
    part, for weighting (None if no source gives it).
    """

    source: str
    share: float
    population: float | None


@dataclass(frozen=True)
class Step:
    """How one area is made: from one other area (``kind`` says why that is allowed), or from several pieces."""

    target: str
    kind: str
    pieces: tuple[Piece, ...]

    @property
    def is_copy(self) -> bool:
        return len(self.pieces) == 1 and self.pieces[0].share == 1.0

    @property
    def is_split(self) -> bool:
        return any(piece.share < 1.0 for piece in self.pieces)


@dataclass(frozen=True)
class Plan:
    """The steps that convert every known code to one map.

    ``in_force`` are the map's codes (all levels). ``steps`` are in an order in which each step's sources are ready; a
    target can have several, the preferred first.
    """

    in_force: frozenset[str]
    steps: tuple[Step, ...]
    successors: Mapping[str, tuple[str, ...]]

    def targets_of(self, code: str) -> list[str]:
        """The codes on the map that receive figures of ``code``, sorted; empty if it has no place on it."""
        found, waiting = set(), [code]
        while waiting:
            here = waiting.pop()
            if here in self.in_force:
                found.add(here)
            else:
                waiting.extend(self.successors.get(here, ()))
        return sorted(found)

    def whole_ground(self, code: str) -> str:
        """The newest area in the plan with exactly the ground of ``code``; ``code`` itself if there is no other."""
        heirs = {step.pieces[0].source: step.target for step in self.steps if step.is_copy}
        while code in heirs:
            code = heirs[code]
        return code


def make_plan(
    changes: pd.DataFrame,
    same_area: pd.DataFrame,
    areas: pd.DataFrame,
    day: pd.Timestamp,
) -> Plan:
    """Work out the steps to the map of ``day``.

    Steps go forward along ``changes`` for codes that had ended by then, and backward for codes that had not begun.
    Going back, a merged area is split in proportion to the people in each part.

    Raises RegisterError if the changes form a cycle.
    """
    live = areas["start_date"].le(day) & (areas["end_date"].isna() | areas["end_date"].ge(day))
    in_force = frozenset(areas.loc[live, "area_code"])
    begins_later = set(areas.loc[areas["start_date"].gt(day), "area_code"])
    steps = [
        Step(row.same_as_code, "same_area", (Piece(row.code, 1.0, None),))
        for row in each(same_area)
        if row.code not in in_force
    ]
    forward = changes[changes["date"].le(day)]
    for target, group in forward.groupby("to_code", sort=True):
        pieces = tuple(
            Piece(
                row.from_code,
                float(row.share),
                None if pd.isna(row.population) else float(row.population),
            )
            for row in each(group)
        )
        steps.append(Step(str(target), _kind(group, pieces), pieces))
    steps.extend(_backward(changes[changes["date"].gt(day)], begins_later))
    successors: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        for piece in step.pieces:
            successors[piece.source].append(step.target)
    return Plan(
        in_force,
        tuple(_in_order(steps)),
        {code: tuple(targets) for code, targets in successors.items()},
    )


def _kind(group: pd.DataFrame, pieces: tuple[Piece, ...]) -> str:
    if len(pieces) == 1 and pieces[0].share == 1.0:
        # a one-to-one change may have been entered as a merge that lost its other parts
        kind = str(group["kind"].iloc[0])
        return kind if kind in ("relabel", "boundary_change") else "merge"
    return "split" if any(piece.share < 1.0 for piece in pieces) else "merge"


def _backward(later: pd.DataFrame, begins_later: set[str]) -> Iterator[Step]:
    """Steps from codes that began after the day to their predecessors."""
    pieces: dict[str, list[Piece]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for new, group in later[later["to_code"].isin(begins_later)].groupby("to_code", sort=True):
        people = group["population"]
        for row in each(group):
            share = 1.0 if len(group) == 1 else float(row.population) / float(people.sum())
            pieces[row.from_code].append(
                Piece(
                    str(new),
                    share,
                    None if pd.isna(row.population) else float(row.population),
                )
            )
            kinds[row.from_code] = str(row.kind) if len(group) == 1 else "split"
    for old, parts in pieces.items():
        yield Step(old, kinds[old] if len(parts) == 1 else "split", tuple(parts))


def _in_order(steps: list[Step]) -> Iterator[Step]:
    """The steps in an order that makes a source before its use; ``same_area`` first among equals."""
    waiting = sorted(steps, key=lambda step: (step.kind != "same_area", step.target))
    while waiting:
        unmade = {step.target for step in waiting}
        ready = [step for step in waiting if not any(piece.source in unmade for piece in step.pieces)]
        if not ready:
            raise RegisterError(f"changes form a cycle among {', '.join(sorted(unmade))}")
        # a target's own alternatives stay in order: a waiting one delays those after it
        held = {step.target for step in waiting if step not in ready}
        ready = [step for step in ready if step.target not in held] or ready
        yield from ready
        waiting = [step for step in waiting if step not in ready]
