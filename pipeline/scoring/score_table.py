"""``score`` and ``ranks``: any framework on any table (METHODOLOGY section 10). Part of the labelled edge."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.catalogue.frameworks import Framework
from pipeline.scoring.cube import Cube
from pipeline.scoring.flavour import FlavourRun, has_known_error, run_flavour
from pipeline.scoring.inputs import ScoringInputError, describe_row, need_columns, numbers
from pipeline.scoring.output_columns import whole
from pipeline.scoring.rank_sets import DRAWS, rank_confidence_sets
from pipeline.scoring.ranks import rank_rows
from pipeline.scoring.simulate import SimulationResult, simulate

TABLE_COLUMNS = ("area_code", "node_id", "depth", "score", "rank")
INTERVAL_COLUMNS = ("score_lower", "score_upper", "rank_lower", "rank_upper")
RANK_COLUMNS = ("area_code", "rank", "rank_lower", "rank_upper")


def score_table(values: pd.DataFrame, framework: Framework, *, draws: int = DRAWS, seed: int = 1) -> pd.DataFrame:
    """Score one period of any areas with any framework.

    ``values``: ``area_code, indicator_id, value[, standard_error]``, used as given; indicators that are not in the
    framework are ignored. All areas are compared with each other, as within one nation. Returns TABLE_COLUMNS, and
    INTERVAL_COLUMNS (90%) if there is a standard_error column. There is one row for every area (in the given order) and
    node (root first, each node's members after it), with score and rank null if a node is not scored. Raises
    ScoringInputError for a table that cannot be scored.
    """
    run = _run(values, framework)
    areas = len(run.cube.area_codes)
    nodes = len(run.all_leaves.order)
    has_errors = "standard_error" in values.columns
    ids, depths = [], []
    scores = np.full((nodes, areas), np.nan)
    spreads = {name: np.full((nodes, areas), np.nan) for name in ("lower", "upper", "rank_lower", "rank_upper")}
    drawn = _draw(run, draws, seed) if has_errors and draws and run.plan.branches else None
    known_by_node = has_known_error(run)
    branch_row = {branch.id: b for b, branch in enumerate(run.plan.branches)}
    leaf_row = {k: n for n, k in enumerate(run.kept)}
    for n, (is_leaf, position) in enumerate(run.all_leaves.order):
        if is_leaf:
            leaf = run.all_leaves.leaves[position]
            ids.append(leaf.id)
            depths.append(leaf.depth)
            scores[n] = run.leaf_scores[position, 0]
            key = (True, leaf_row[position]) if position in leaf_row else None
        else:
            branch = run.all_leaves.branches[position]
            ids.append(branch.id)
            depths.append(branch.depth)
            row = branch_row.get(branch.id)
            key = (False, row) if row is not None else None
            if row is not None:
                scores[n] = run.branch_scores[row, 0]
        summary = drawn.summaries.get((0, key)) if drawn is not None and key is not None else None
        if summary is not None and key is not None:
            known = known_by_node[key][0]
            for name, rows in spreads.items():
                rows[n] = np.where(known, getattr(summary, name), np.nan)
    table = pd.DataFrame(
        {
            "area_code": np.tile(np.array(run.cube.area_codes, dtype=object), nodes),
            "node_id": np.repeat(np.array(ids, dtype=object), areas),
            "depth": np.repeat(np.array(depths, dtype="int32"), areas),
            "score": scores.reshape(-1),
            "rank": whole(rank_rows(scores).reshape(-1), "int64"),
        }
    ).astype({"area_code": "str", "node_id": "str"})
    if has_errors:
        table["score_lower"] = spreads["lower"].reshape(-1)
        table["score_upper"] = spreads["upper"].reshape(-1)
        table["rank_lower"] = whole(spreads["rank_lower"].reshape(-1), "int64")
        table["rank_upper"] = whole(spreads["rank_upper"].reshape(-1), "int64")
    return table


def why_not_scored(values: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """``area_code, node_id, reason`` for every score that ``score_table`` leaves empty.

    The cause is either the table as a whole (an indicator without spread), or too many missing values for an area.
    """
    run = _run(values, framework)
    rows: list[tuple[str, str, str]] = []
    for gate in run.gates:
        name = run.all_leaves.leaves[gate.leaf].id
        if not gate.is_scored:
            rows += [(code, name, f"{name}: displayed, not scored: {gate.reason}") for code in run.cube.area_codes]
    for k in run.kept:
        name = run.all_leaves.leaves[k].id
        for area in np.flatnonzero(np.isnan(run.leaf_scores[k, 0])):
            rows.append((run.cube.area_codes[area], name, f"{name}: no value"))
    for b, branch in enumerate(run.plan.branches):
        shape = run.structures[b]
        for area in np.flatnonzero(~shape.is_scored[0]):
            reason = (
                f"{branch.id}: {shape.present_count[0, area]:.0f} of {shape.member_count[0, area]:.0f} members present, "
                f"weight {shape.weight_present[0, area]:.2f}, below the {shape.weight_needed[0, area]:.2f} needed"
            )
            rows.append((run.cube.area_codes[area], branch.id, reason))
    return pd.DataFrame(rows, columns=["area_code", "node_id", "reason"])


def rank_table(
    estimates: pd.DataFrame, coverage: float = 0.95, simultaneous: bool = False, *, draws: int = DRAWS, seed: int = 1
) -> pd.DataFrame:
    """Ranks with confidence sets for one column of estimates: RANK_COLUMNS, in the order given.

    ``estimates``: ``area_code, estimate, standard_error``, higher is better. An empty estimate has no rank.
    Raises ScoringInputError for an area given twice, a missing or negative standard error, or a coverage outside
    0 to 1.
    """
    describe = ("area_code",)
    need_columns(estimates, ("area_code", "estimate", "standard_error"), "estimates")
    _need_codes(estimates, "estimates")
    estimate = numbers(estimates, "estimate", "estimates", describe=describe)
    error = numbers(estimates, "standard_error", "estimates", describe=describe)
    twice = np.flatnonzero(estimates["area_code"].duplicated())
    if twice.size:
        raise ScoringInputError(f"estimates: {describe_row(estimates, twice[0], describe)} is given twice")
    wrong = np.flatnonzero(~np.isnan(estimate) & ~(error >= 0))
    if wrong.size:
        row = describe_row(estimates, wrong[0], describe)
        raise ScoringInputError(f"estimates: {row}: standard_error must be 0 or more (given: {error[wrong[0]]})")
    if not 0 < coverage < 1:
        raise ScoringInputError(f"coverage must be between 0 and 1, such as 0.95 (given: {coverage})")
    sets = rank_confidence_sets(estimate, error, coverage, simultaneous=simultaneous, draws=draws, seed=seed)
    return pd.DataFrame(
        {
            "area_code": estimates["area_code"].astype("str").reset_index(drop=True),
            "rank": whole(sets.rank, "int64"),
            "rank_lower": whole(sets.lower, "int64"),
            "rank_upper": whole(sets.upper, "int64"),
        },
        columns=list(RANK_COLUMNS),
    )


def _need_codes(table: pd.DataFrame, name: str) -> None:
    if table.empty:
        raise ScoringInputError(f"{name}: the table has no rows")
    is_empty = table["area_code"].isna() | table["area_code"].astype("str").str.strip().eq("")
    if is_empty.any():
        raise ScoringInputError(f"{name}: row {int(is_empty.to_numpy().argmax()) + 2}: area_code is empty")


def _draw(run: FlavourRun, draws: int, seed: int) -> SimulationResult:
    everyone = np.ones(len(run.cube.area_codes), dtype=bool)
    return simulate([run], everyone, draws, seed)[0]


def _run(values: pd.DataFrame, framework: Framework) -> FlavourRun:
    return run_flavour(framework, _cube(values, framework), "level", is_relative=False)


def _cube(values: pd.DataFrame, framework: Framework) -> Cube:
    describe = ("area_code", "indicator_id")
    need_columns(values, (*describe, "value"), "values")
    _need_codes(values, "values")
    held = set(values["indicator_id"])
    awaited = {item.id for item in framework.awaited}
    for node, _, _ in framework.nodes():
        for reference in node.indicators if "level" in node.flavours else ():
            if not held.intersection(reference.candidates) and not awaited.intersection(reference.candidates):
                raise ScoringInputError(
                    f"framework {framework.id}: node '{node.id}': indicator '{reference.candidates[0]}' has no row in values"
                )
    wanted = framework.indicator_ids()
    used = values[values["indicator_id"].isin(wanted)]
    codes, areas = pd.factorize(values["area_code"])
    a = codes[values["indicator_id"].isin(wanted).to_numpy()]
    k = pd.Index(wanted, dtype="str").get_indexer(pd.Index(used["indicator_id"]))
    value = numbers(used, "value", "values", describe=describe)
    error = np.full(len(used), np.nan)
    if "standard_error" in used.columns:
        error = numbers(used, "standard_error", "values", describe=describe)
        negative = np.flatnonzero(error < 0)
        if negative.size:
            raise ScoringInputError(
                f"values: {describe_row(used, negative[0], describe)}: the standard error is negative"
            )
    twice = np.flatnonzero(used.duplicated(list(describe)))
    if twice.size:
        raise ScoringInputError(f"values: {describe_row(used, twice[0], describe)} is given twice; keep one value")
    shape = (len(wanted), 1, len(areas))
    cube_values, cube_errors = np.full(shape, np.nan), np.full(shape, np.nan)
    cube_values[k, 0, a] = value
    cube_errors[k, 0, a] = np.where(np.isnan(value), np.nan, error)
    return Cube(
        indicator_ids=wanted,
        years=np.array([framework.base_year or 2000], dtype=np.int64),
        area_codes=tuple(str(code) for code in areas),
        values=cube_values,
        errors=cube_errors,
        is_log=np.zeros(len(wanted), dtype=bool),
        polarity=np.ones(len(wanted), dtype=np.int64),
        is_district=np.ones(len(areas), dtype=bool),
        nation=np.zeros(len(areas), dtype=np.int64),  # one table is one nation: all its areas are compared
    )
