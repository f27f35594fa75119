"""Put the parts together: one table of observations on today's map, and every row that did not make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from pipeline.geography import reexpress
from pipeline.geography.aggregate import Membership, aggregate, group_membership, wider_membership
from pipeline.run.accept import set_failing_rows_aside
from pipeline.run.context import RunContext
from pipeline.run.results import PartResult
from pipeline.run.revisions import observations_with_errors
from pipeline.tidy.derive import ratio
from pipeline.tidy.observations import OBSERVATION_COLUMNS, QUARANTINE_COLUMNS

_ROW_PREFIX = r"^row \S+: "
QUARANTINE_WITH_STAGE = ("stage", *QUARANTINE_COLUMNS)


ACCOUNT_IN = ("rows read", "rows computed from them")
ACCOUNT_OUT = (
    "put on today's map",
    "the same figure under two codes",
    "of kinds of area not held",
    "set aside on arrival",
    "set aside because an earlier part gives the figure",
    "set aside as computed figures that fail their checks",
    "set aside in geography",
)


class RowsLost(RuntimeError):
    """Rows in and rows out do not add up: a defect in this project, never in the data."""


@dataclass(frozen=True)
class Assembled:
    """A run's figures on today's map, its rows set aside, and the count of every row read.

    ``observations`` has OBSERVATION_COLUMNS plus ``geography_rule`` and ``source_area_codes``;
    ``quarantine`` has ``stage`` and QUARANTINE_COLUMNS. ``account`` says in words where every row went: the rows read
    and computed are the sum of those put on today's map and of all those that were not.
    """

    observations: pd.DataFrame
    quarantine: pd.DataFrame
    rows_read: int
    rows_out_of_scope: int
    rows_collapsed: int
    account: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def yearly(self) -> pd.DataFrame:
        """The figures as scoring takes them: see ``scoring_input``."""
        return scoring_input(self.observations)


def assemble(context: RunContext, results: Sequence[PartResult]) -> Assembled:
    """Join the parts, compute the ratios, and re-express everything on today's map.

    Raises RowsLost when a row is neither published, nor set aside, nor counted as out of scope or collapsed.
    """
    accepted = [result.accepted for result in results if result.accepted is not None]
    if not accepted:
        raise RowsLost("no source, snapshot or baseline gave any figure; run `python -m pipeline verify`")
    arrival = [item.quarantine for item in accepted]
    joined = pd.concat(
        [observations_with_errors(context, result) for result in results if result.accepted is not None],
        ignore_index=True,
    )
    joined, between_parts = _one_figure_each(joined)
    computed, failed = _computed(context, joined)
    figures = pd.concat([joined, *computed], ignore_index=True).astype({"source_row": "Int64"})
    kinds = {indicator.id: indicator.combined_as for indicator in context.catalogue.indicators.values()}
    on_today = reexpress(figures, kinds, context.register)
    ledger = on_today.ledger
    quarantine = pd.concat(
        [
            _with_stage("arrival", arrival),
            _with_stage("assembly", [between_parts, *failed]),
            _with_stage("geography", [_described(on_today.set_aside)]),
        ],
        ignore_index=True,
    ).astype({"source_row": "Int64"})
    observations = _with_wider_areas(context, on_today.observations, kinds)
    account = {
        "rows read": sum(item.rows_read for item in accepted),
        "rows computed from them": sum(map(len, computed)) + sum(map(len, failed)),
        "put on today's map": ledger.rows_used,
        "the same figure under two codes": ledger.rows_collapsed,
        "of kinds of area not held": ledger.rows_out_of_scope + sum(item.out_of_scope for item in accepted),
        "set aside on arrival": sum(map(len, arrival)),
        "set aside because an earlier part gives the figure": len(between_parts),
        "set aside as computed figures that fail their checks": sum(map(len, failed)),
        "set aside in geography": ledger.rows_set_aside,
        "rows that came of those on today's map": ledger.rows_out,
        "rows made for wider areas and groups": len(observations) - ledger.rows_out,
    }
    check_account(account)
    return Assembled(
        observations=observations,
        quarantine=quarantine,
        rows_read=account["rows read"],
        rows_out_of_scope=account["of kinds of area not held"],
        rows_collapsed=ledger.rows_collapsed,
        account=account,
    )


def check_account(account: Mapping[str, int]) -> None:
    """Raise RowsLost where the rows read and computed are not the sum of what became of them."""
    went_in = sum(account[name] for name in ACCOUNT_IN)
    came_out = sum(account[name] for name in ACCOUNT_OUT)
    if went_in != came_out:
        raise RowsLost(f"{went_in} rows were read or computed, {came_out} are accounted for: {dict(account)}")


def scoring_input(observations: pd.DataFrame) -> pd.DataFrame:
    """One figure for each area, indicator and year: of several periods with the same year, the one that ends last.

    Returns ``area_code, indicator_id, year, value, standard_error, status``.
    """
    columns = ["area_code", "indicator_id", "year", "value", "standard_error", "status"]
    ordered = observations.sort_values(["area_code", "indicator_id", "year", "period_end"])
    return ordered.drop_duplicates(["area_code", "indicator_id", "year"], keep="last")[columns].reset_index(drop=True)


def _one_figure_each(joined: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where two parts of an indicator both speak of an area and period, the first part listed keeps it."""
    key = ["indicator_id", "area_code", "period"]
    repeats = joined[joined.duplicated(key, keep="first")]
    if repeats.empty:
        return joined, _nothing()
    first = joined[~joined.duplicated(key, keep="first")].set_index(key)["value"]
    kept = first.reindex(pd.MultiIndex.from_frame(repeats[key])).to_numpy()
    reasons = [
        f"an earlier part of the indicator gives the same figure ({mine:g})"
        if mine == theirs or (pd.isna(mine) and pd.isna(theirs))
        else f"an earlier part of the indicator gives {theirs:g} where this one gives {mine:g}; the earlier part is used"
        for mine, theirs in zip(repeats["value"], kept, strict=True)
    ]
    set_aside = repeats.assign(reason=reasons, raw_line=repeats["value"].astype("str"))
    return joined.drop(index=repeats.index).reset_index(drop=True), set_aside.reindex(columns=list(QUARANTINE_COLUMNS))


def _computed(context: RunContext, joined: pd.DataFrame) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """The indicators that are ratios of two others: (rows that pass their checks, rows set aside)."""
    by_indicator: Mapping[str, pd.DataFrame] = {
        str(name): rows for name, rows in joined.groupby("indicator_id", sort=False)
    }
    nothing = joined.iloc[:0]
    passing, failing = [], []
    for indicator in context.catalogue.computed:
        if indicator.ratio_of is None:
            continue
        table = ratio(
            by_indicator.get(indicator.ratio_of.numerator, nothing),
            by_indicator.get(indicator.ratio_of.denominator, nothing),
            indicator.id,
            times=indicator.ratio_of.times,
            are_counts=indicator.kind == "rate",
        )
        good, bad = set_failing_rows_aside(table.astype({"source_row": "Int64"}), indicator)
        passing.append(good[list(OBSERVATION_COLUMNS)])
        failing.append(bad.assign(indicator_id=indicator.id, source_id="computed"))
    return passing, failing


def _with_wider_areas(context: RunContext, observations: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Add wider areas and named groups: made from their districts, and marked so, where no row of theirs is published.

    A row in which the publisher withholds the figure of a wider area stands as it is: no estimate takes its place.
    """
    register = context.register
    made = [_made(context, observations, kinds, of) for of in (wider_membership(register), group_membership(register))]
    key = ["indicator_id", "area_code", "period"]
    withheld = pd.MultiIndex.from_frame(observations.loc[observations["value"].isna(), key])
    wanted = [rows[~pd.MultiIndex.from_frame(rows[key]).isin(withheld)] for rows in made]
    return pd.concat([observations, *wanted], ignore_index=True)


def _made(context: RunContext, observations: pd.DataFrame, kinds: Mapping[str, str], of: Membership) -> pd.DataFrame:
    """What ``aggregate`` makes; a figure made from several rows stands in no single row of a payload."""
    rows = aggregate(observations, kinds, of, context.register)
    is_made = rows["geography_rule"] != "published_for_same_area"
    return rows.assign(source_row=rows["source_row"].mask(is_made))


def _described(set_aside: pd.DataFrame) -> pd.DataFrame:
    """Rows the geography room set aside, with the row itself; its number stands in ``source_row``, not in the reason."""
    return set_aside.assign(
        reason=set_aside["reason"].str.replace(_ROW_PREFIX, "", regex=True),
        raw_line=set_aside["area_code"] + "," + set_aside["period"] + "," + set_aside["value"].astype("str"),
    )


def _with_stage(stage: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    joined = pd.concat(filled, ignore_index=True) if filled else _nothing()
    return joined.assign(stage=stage).reindex(columns=list(QUARANTINE_WITH_STAGE))


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
