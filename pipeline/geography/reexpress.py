"""Any series on one map: every figure under the codes of one vintage, each with the rule that made it.

Every input row is used, collapsed into an equal one, out of scope on purpose, or set aside with a reason. The ledger of
these is checked on every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.geography.area_codes import Reading, read_codes
from pipeline.geography.area_errors import (
    GeographyError,
)
from pipeline.geography.combine import combine_step, copy_step
from pipeline.geography.encoding import encode
from pipeline.geography.figure_table import (
    COLLAPSED,
    LIVE,
    NOT_AVAILABLE,
    NUMBERS,
    SET_ASIDE,
    STATUS_ORDER,
    Figures,
    Ints,
    Names,
    drop_ghosts,
    settle_repeats,
)
from pipeline.geography.lineage import Plan
from pipeline.geography.reexpressed import Keys, Ledger, Reexpressed, figures_on_map, rows_set_aside_with_reasons
from pipeline.geography.register import Register
from pipeline.tidy.observations import parse_period

KINDS = ("count", "rate", "ratio", "mean", "median", "index")
REQUIRED = ("area_code", "indicator_id", "period", "value")

USED, UNDECIDED, OUT = 3, 4, 5


def reexpress(
    observations: pd.DataFrame,
    kinds: Mapping[str, str],
    register: Register,
    *,
    vintage: int | None = None,
) -> Reexpressed:
    """Convert ``observations`` to the map of ``vintage`` (default: the newest).

    Needs the columns ``area_code, indicator_id, period, value``. Uses ``lower, upper, standard_error, status,
    numerator, denominator, source_row`` if present, and carries all others over from the (first) source row. ``kinds``
    gives each indicator's kind: count, rate, ratio, mean, median or index. Rows come out in the order of their first
    source rows; text columns keep their type (text or categorical).

    Raises GeographyError for a missing column or an indicator without a kind, UnknownVintageError for a year outside
    the register.
    """
    _check_columns(observations, kinds)
    plan = register.plan(vintage)
    keys = _keys(observations, kinds)
    reading = read_codes(keys.areas, register, plan, register.vintage_day(vintage))
    fate = np.full(len(observations), UNDECIDED, np.int8)
    refusal = np.array(
        [0 if text is None else 1 if text else 2 for text in reading.refusal] + [1],
        np.int8,
    )[keys.area]
    fate[refusal == 1] = SET_ASIDE
    fate[refusal == 2] = OUT
    fate[(fate == UNDECIDED) & ~keys.has_period] = SET_ASIDE
    for area, (first_day, _) in reading.earlier.items():
        is_earlier = keys.last_day_of[keys.series_period] < _days(first_day)
        fate[(fate == UNDECIDED) & (keys.area == area) & is_earlier] = SET_ASIDE
    slow = _rows_to_work_on(keys, reading, register, plan, fate)
    fate[(fate == UNDECIDED) & ~slow] = USED
    figures, raw = _worked(observations, np.flatnonzero(slow), keys, reading, register, plan)
    roots = figures.roots(raw)
    _decide(figures, roots, raw, fate, plan)
    made = _emitted(figures, plan)
    out = figures_on_map(
        observations,
        np.flatnonzero((fate == USED) & ~slow),
        figures,
        made,
        keys,
        reading,
    )
    aside = rows_set_aside_with_reasons(
        observations,
        np.flatnonzero(fate == SET_ASIDE),
        figures,
        roots,
        raw,
        keys,
        reading,
    )
    ledger = Ledger(
        rows_in=len(observations),
        rows_used=int((fate == USED).sum()),
        rows_set_aside=len(aside),
        rows_collapsed=int((fate == COLLAPSED).sum()),
        rows_out_of_scope=int((fate == OUT).sum()),
        rows_out=len(out),
    )
    ledger.check()
    return Reexpressed(out, aside, ledger)


def _check_columns(observations: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    missing = [column for column in REQUIRED if column not in observations]
    if missing:
        raise GeographyError(f"the observations lack the column {', '.join(missing)}; required: {', '.join(REQUIRED)}")
    wrong = {kind for kind in kinds.values() if kind not in KINDS}
    if wrong:
        raise GeographyError(f"kind {min(wrong)!r} is none of {', '.join(KINDS)}")


def _keys(observations: pd.DataFrame, kinds: Mapping[str, str]) -> Keys:
    area, areas = encode(observations["area_code"])
    indicator, indicators = encode(observations["indicator_id"])
    period, periods = encode(observations["period"])
    if len(indicator) and indicator.min() < 0:
        row = int(np.flatnonzero(indicator < 0)[0])
        raise GeographyError(f"row {row} of the observations names no indicator")
    used = np.unique(indicator)
    unknown = [indicators[i] for i in used if indicators[i] not in kinds]
    if unknown:
        raise GeographyError(f"no kind is given for indicator '{unknown[0]}': say whether it is a {', '.join(KINDS)}")
    kind_of = np.repeat([kinds.get(name, "index") for name in indicators], max(len(periods), 1))
    last_day = np.array([_last_day(text) for text in periods] or [0], np.int64)
    wide: Any = np.int64 if len(kind_of) > np.iinfo(np.int32).max else np.int32
    series_period = indicator.astype(wide) * wide(max(len(periods), 1)) + period.astype(wide)
    return Keys(
        area,
        areas,
        series_period,
        kind_of,
        np.tile(last_day, max(len(indicators), 1)),
        np.asarray(period >= 0),
    )


def _last_day(period: str) -> int:
    """Days since 1970 of a period's last day; for an invalid period, a day before all others."""
    try:
        return int(np.datetime64(parse_period(period).end, "D").astype(np.int64))
    except ValueError:
        return -(10**6)


def _rows_to_work_on(
    keys: Keys,
    reading: Reading,
    register: Register,
    plan: Plan,
    fate: npt.NDArray[np.int8],
) -> npt.NDArray[np.bool_]:
    """Rows that change, may conflict with rows that change, or are repeated; all others pass unchanged."""
    present = {node for node in reading.node if node is not None}
    moving = {node for node in present if node not in plan.in_force}
    touched = set(moving)
    for step in plan.steps:
        if any(piece.source in touched for piece in step.pieces):
            touched.add(step.target)
    ended = {node for node in present if node in register.by_code and not register.by_code[node].is_current}
    worked = touched | ended
    slow = np.array([node in worked for node in reading.node] + [False])[keys.area]
    slow &= fate == UNDECIDED
    position = {node: i for i, node in enumerate(sorted(present))}
    size = len(position) * len(keys.kind_of)
    wide: Any = np.int64 if size > np.iinfo(np.int32).max else np.int32
    number = np.array([position.get(node or "", -1) for node in reading.node] + [-1], wide)
    rest = (fate == UNDECIDED) & ~slow
    key = (number * wide(len(keys.kind_of)))[keys.area] + keys.series_period
    if not rest.all():
        key = key[rest]
    if _has_repeats(key, size):
        slow[np.flatnonzero(rest)[pd.Series(key).duplicated(keep=False).to_numpy()]] = True
    return slow


def _has_repeats(key: Ints, size: int) -> bool:
    if size > 20 * len(key) + 1_000_000:
        return not pd.Index(key).is_unique
    seen = np.zeros(size, bool)
    seen[key] = True
    return bool(np.count_nonzero(seen) < len(key))


def _worked(
    observations: pd.DataFrame,
    rows: Ints,
    keys: Keys,
    reading: Reading,
    register: Register,
    plan: Plan,
) -> tuple[Figures, Ints]:
    """Convert the selected rows by the plan; returns all figures and the positions of the raw ones."""
    held = [name for name in NUMBERS if name in observations]
    figures = Figures(len(rows) + len(rows) // 2, held)
    nodes = sorted({node for node in reading.node if node is not None})
    number = {node: i for i, node in enumerate(nodes)}
    own_source = np.array([figures.source_id(node) for node in nodes], np.int32)
    # 16 bits, which numpy sorts by radix; the register would need 32,000 areas to outgrow them
    node_of = np.array([number.get(node or "", -1) for node in reading.node] + [-1], np.int16)[keys.area[rows]]
    given: dict[str, npt.NDArray] = {
        name: observations[name].to_numpy(dtype=float, na_value=np.nan)[rows]
        for name in NUMBERS
        if name in observations
    }
    given["status"] = _status_codes(observations, rows)
    raw = figures.add(
        keys.series_period[rows].astype(np.int64),
        rows,
        source=own_source[node_of],
        **given,
    )
    names = _names(register)
    order = np.argsort(node_of, kind="stable")
    edges = np.searchsorted(node_of[order], np.arange(len(nodes) + 1))
    for i, node in enumerate(nodes):
        if edges[i] < edges[i + 1]:
            settle_repeats(figures, node, raw[order[edges[i] : edges[i + 1]]], names)
            drop_ghosts(figures, node, keys.last_day_of, names)
    for step in plan.steps:
        if any(len(figures.at(piece.source)) for piece in step.pieces):
            if step.is_copy:
                copy_step(figures, step, keys.last_day_of, names)
            else:
                combine_step(figures, step, keys.kind_of, keys.last_day_of, names)
    return figures, raw


def _status_codes(observations: pd.DataFrame, rows: Ints) -> npt.NDArray[np.int8]:
    if "status" not in observations:
        return np.zeros(len(rows), np.int8)
    codes, texts = encode(observations["status"].iloc[rows])
    unknown = [text for text in texts if text not in STATUS_ORDER]
    if unknown:
        raise GeographyError(f"status {unknown[0]!r} is none of {', '.join(STATUS_ORDER)}")
    return np.array([STATUS_ORDER.index(text) for text in texts] + [NOT_AVAILABLE], np.int8)[codes]


def _days(moment: pd.Timestamp) -> int:
    return int(np.datetime64(moment, "D").astype(np.int64))


def _names(register: Register) -> Names:
    areas = register.by_code
    label = {code: f"{area.name} ({code})" for code, area in areas.items()}
    label.update({code: code for code in register.same_area["code"] if code not in label})
    return Names(
        label,
        {code: _days(area.start_date) for code, area in areas.items()},
        {code: _days(area.end_date) for code, area in areas.items() if area.end_date is not None},
    )


def _decide(figures: Figures, roots: Ints, raw: Ints, fate: npt.NDArray[np.int8], plan: Plan) -> None:
    """Each row's fate is that of the figure it became part of; a figure off the map is set aside."""
    arrived = np.zeros(figures.size, bool)
    for area, positions in figures.where.items():
        if area in plan.in_force:
            arrived[positions] = True
    ended = figures["fate"][roots]
    decided = np.where(ended == LIVE, np.where(arrived[roots], USED, SET_ASIDE), ended)
    fate[figures["row"][raw]] = decided


def _emitted(figures: Figures, plan: Plan) -> dict[str, Ints]:
    """Figures on the map, by area."""
    return {area: positions for area, positions in figures.where.items() if area in plan.in_force and len(positions)}
