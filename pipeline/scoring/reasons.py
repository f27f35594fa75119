"""Why an area has no score at a node, in sentences. Part of the labelled edge: makes a pandas frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.scoring.flavour import FlavourRun
from pipeline.scoring.inputs import Areas
from pipeline.scoring.output_columns import concat, same, text, window_column
from pipeline.scoring.transform import Bools
from pipeline.scoring.tree import held_by_districts

NOT_SCORED_COLUMNS = ("area_code", "framework_id", "flavour", "window_years", "year", "node_id", "reason")

Finding = tuple[Bools, str, str]  # where ([years, areas]), node, sentence


def not_scored_table(
    runs: Sequence[FlavourRun], areas: Areas, unknown_areas: Sequence[str], first_year: int
) -> pd.DataFrame:
    """NOT_SCORED_COLUMNS: a row for each area, flavour, window, year and node without a score.

    If no district has an indicator in a year, or no district of the nation an optional pillar, that is a fact about the
    year, not about areas. It is in the gate table (``districts`` 0), not here. Districts that are only shown have one
    row a year, at the root. Areas with figures but not in the register have one row for the last year.
    """
    tables = [_of_run(run, areas, first_year) for run in runs]
    if runs and unknown_areas:
        run = runs[0]
        tables.append(
            pd.DataFrame(
                {
                    "area_code": list(unknown_areas),
                    "framework_id": run.framework.id,
                    "flavour": run.flavour,
                    "window_years": window_column(None, len(unknown_areas)),
                    "year": np.int32(run.cube.years[-1]),
                    "node_id": run.framework.tree.id,
                    "reason": "it has figures but is not in the register of areas",
                }
            )
        )
    return concat(tables, NOT_SCORED_COLUMNS)


def _of_run(run: FlavourRun, areas: Areas, first_year: int) -> pd.DataFrame:
    start = max(0, run.cube.year_row(first_year))
    years = run.cube.years[start:]
    everyone = np.broadcast_to(areas.is_placed, (len(years), len(areas.codes)))
    findings = [*_of_areas(run, everyone), *_of_branches(run, everyone, start), *_of_leaves(run, everyone, start)]
    places = [np.nonzero(where) for where, _, _ in findings]
    counts = [len(year) for year, _ in places]
    number = np.repeat(np.arange(len(findings)), counts)
    year, area = np.concatenate(places, axis=1) if places else np.empty((2, 0), dtype=np.int64)
    return pd.DataFrame(
        {
            "area_code": text(run.cube.area_codes, area),
            "framework_id": same(run.framework.id, len(area)),
            "flavour": same(run.flavour, len(area)),
            "window_years": window_column(run.window, len(area)),
            "year": years[year].astype("int32"),
            "node_id": text([node for _, node, _ in findings] or [""], number),
            "reason": text([reason for _, _, reason in findings] or [""], number),
        },
        columns=list(NOT_SCORED_COLUMNS),
    )


def _of_areas(run: FlavourRun, everyone: Bools) -> Iterator[Finding]:
    root = run.framework.tree.id
    yield ~everyone, root, "shown, not scored: too few people live here to compare it with districts"
    if not run.plan.branches:
        yield everyone, root, "no indicator of this framework can be scored"


def _of_branches(run: FlavourRun, everyone: Bools, start: int) -> Iterator[Finding]:
    for branch, shape in zip(run.plan.branches, run.structures, strict=True):
        is_scored = shape.is_scored[start:]
        missing = everyone & ~is_scored
        if branch.is_optional:
            missing = missing & held_by_districts(is_scored, run.cube.nation, run.cube.is_district)
        share = np.floor(shape.weight_present[start:] * 100 + 1e-9)
        present = shape.present_count[start:]
        members = shape.member_count[start:]
        needed = shape.weight_needed[start:]
        code = ((present * 1000 + members) * 1000 + share) * 1000 + np.round(needed * 100)  # one number a sentence
        for number in np.unique(code[missing]):
            alike = missing & (code == number)
            first = int(np.argmax(alike))
            held, total, weight, least = (v.reshape(-1)[first] for v in (present, members, share / 100, needed))
            sentence = f"{held:.0f} of {total:.0f} {_member_word(branch.leaves, branch.children)} present, "
            if branch.leaves and branch.children:
                sentence += "too little of its indicators or of the nodes below it"
            else:
                sentence += f"weight {weight:.2f}, below the {least:.2f} needed"
            if not total:
                sentence = "nothing below it has figures for any area"
            yield alike, branch.id, f"{branch.id}: {sentence}"


def _member_word(leaves: Sequence[int], children: Sequence[int]) -> str:
    if leaves and children:
        return "parts"
    return "indicators" if leaves else "nodes below it"


def _of_leaves(run: FlavourRun, everyone: Bools, start: int) -> Iterator[Finding]:
    for gate in run.gates:
        leaf = run.all_leaves.leaves[gate.leaf]
        if not gate.is_scored:
            yield everyone, leaf.id, f"{leaf.id}: displayed, not scored: {gate.reason}"
            continue
        absent = np.isnan(run.leaf_scores[gate.leaf][start:])
        missing = everyone & absent & ~np.asarray(absent[:, run.cube.is_district].all(axis=1))[:, None]
        if run.window is not None:
            span = f"{run.window.min_points} figures in the {run.window.years} years"
            yield missing, leaf.id, f"{leaf.id}: fewer than {span}, or none recent enough"
            continue
        own = leaf.reference.carry_forward_years
        carry = run.framework.missing.carry_forward_years if own is None else own
        before = f" or the {carry} years before" if carry else ""
        yield missing, leaf.id, f"{leaf.id}: no figure for the year{before}"
