"""Put the parts together: one table of observations on today's map, and every row that did not make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from pipeline.catalogue import Catalogue, Indicator
from pipeline.geography import Register, reexpress
from pipeline.geography.wider_areas import WIDER_LEVELS, Membership, aggregate, group_membership, wider_membership
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.raw import RawStore
from pipeline.run.figure_choice import Offer, choose, for_own_nations, missing_from
from pipeline.run.from_release import as_published, ratio_of_release
from pipeline.run.inputs import Inputs
from pipeline.run.origins import part_of
from pipeline.run.payload_checks import set_failing_rows_aside
from pipeline.run.published_before import PublishedBefore
from pipeline.run.results import Accepted, PartResult
from pipeline.run.revision_errors import observations_with_errors
from pipeline.run.shipped import read_shipped
from pipeline.run.stores import Stores
from pipeline.run.todays_districts import districts_today, ground_cells
from pipeline.tidy.derive import ratio
from pipeline.tidy.observations import OBSERVATION_COLUMNS, QUARANTINE_COLUMNS

_ROW_PREFIX = r"^row \S+: "
QUARANTINE_WITH_STAGE = ("stage", *QUARANTINE_COLUMNS)


ACCOUNT_IN = ("rows read", "rows of the shipped edition for what today's answers lack", "rows computed from them")
ACCOUNT_OUT = (
    "put on today's map",
    "the same figure under two codes",
    "of kinds of area not held",
    "set aside on arrival",
    "set aside for another figure of the same area and period",
    "set aside as districts of nations their part does not speak for",
    "set aside as computed figures that fail their checks",
    "set aside in geography",
)


class RowsLost(RuntimeError):
    """Rows in and rows out do not add up: a defect in this project, never in the data."""


@dataclass(frozen=True)
class Completion:
    """The shipped edition of a part whose newer answer lacks figures of wider areas, and how many were taken from it."""

    result: PartResult
    shipped: Accepted
    row_count: int


@dataclass(frozen=True)
class Assembled:
    """A run's figures on today's map, its rows set aside, and the count of every row read.

    ``observations`` has OBSERVATION_COLUMNS plus ``geography_rule`` and ``source_area_codes``;
    ``quarantine`` has ``stage`` and QUARANTINE_COLUMNS. ``account`` says in words where every row went: the rows read
    and computed are the sum of those put on today's map and of all those that were not. ``completions`` are the shipped
    editions that some figures of wider areas come from, beside the answers in use.
    """

    observations: pd.DataFrame
    quarantine: pd.DataFrame
    rows_read: int
    rows_out_of_scope: int
    rows_collapsed: int
    account: Mapping[str, int] = field(default_factory=dict)
    completions: tuple[Completion, ...] = ()

    @cached_property
    def yearly(self) -> pd.DataFrame:
        """The figures as scoring takes them: see ``scoring_input``."""
        return scoring_input(self.observations)


def assemble(inputs: Inputs, stores: Stores, results: Sequence[PartResult]) -> Assembled:
    """Join the parts, compute the ratios, and re-express everything on today's map.

    Raises RowsLost when a row is neither published, nor set aside, nor counted as out of scope or collapsed.
    """
    accepted = [result.accepted for result in results if result.accepted is not None]
    if not accepted:
        raise RowsLost("no source, snapshot or baseline gave any figure; run `python -m pipeline verify`")
    arrival = [item.quarantine for item in accepted]
    catalogue, register = inputs.catalogue, inputs.register
    before = stores.published_before if any(result.tier == "release" for result in results) else None
    offers, elsewhere = _offers(catalogue, register, stores.raw, results, stores.settings.keep_snapshots)
    completions = _completions(catalogue, register, stores.baseline, results)
    joined, beaten = choose([*offers, *(Offer("an earlier edition", rows) for _, rows in completions)])
    computed, failed = _computed(catalogue.computed, register, before, joined, results)
    figures = pd.concat([joined, *computed], ignore_index=True).astype({"source_row": "Int64"})
    kinds = {indicator.id: indicator.combined_as for indicator in catalogue.indicators.values()}
    on_today = reexpress(figures, kinds, register)
    ledger = on_today.ledger
    observations, blanks = _with_wider_areas(register, on_today.observations, kinds)
    observations = as_published(before, catalogue.computed, observations, results)
    quarantine = pd.concat(
        [
            _with_stage("arrival", arrival),
            _with_stage("assembly", [*elsewhere, beaten, *failed, blanks]),
            _with_stage("geography", [_described(on_today.set_aside)]),
        ],
        ignore_index=True,
    ).astype({"source_row": "Int64"})
    account = {
        "rows read": sum(item.rows_read for item in accepted),
        ACCOUNT_IN[1]: sum(len(rows) for _, rows in completions),
        "rows computed from them": sum(map(len, computed)) + sum(map(len, failed)),
        "put on today's map": ledger.rows_used - len(blanks),
        "the same figure under two codes": ledger.rows_collapsed,
        "of kinds of area not held": ledger.rows_out_of_scope + sum(item.out_of_scope for item in accepted),
        "set aside on arrival": sum(map(len, arrival)),
        "set aside for another figure of the same area and period": len(beaten) + len(blanks),
        "set aside as districts of nations their part does not speak for": sum(map(len, elsewhere)),
        "set aside as computed figures that fail their checks": sum(map(len, failed)),
        "set aside in geography": ledger.rows_set_aside,
        "rows that came of those on today's map": ledger.rows_out - len(blanks),
        "rows made for wider areas and groups": len(observations) + len(blanks) - ledger.rows_out,
    }
    check_account(account)
    return Assembled(
        observations=observations,
        quarantine=quarantine,
        rows_read=account["rows read"],
        rows_out_of_scope=account["of kinds of area not held"],
        rows_collapsed=ledger.rows_collapsed,
        account=account,
        completions=tuple(completion for completion, _ in completions),
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


def _offers(
    catalogue: Catalogue, register: Register, raw: RawStore, results: Sequence[PartResult], keep_snapshots: int
) -> tuple[list[Offer], list[pd.DataFrame]]:
    """What each part gives for its own nations, in the order of the catalogue; and its rows of other nations' districts."""
    nation_of_district = {code: code[0] for code, area in register.by_code.items() if area.level == "district"}
    offers, elsewhere = [], []
    for result in results:
        if result.accepted is not None:
            indicator = catalogue.indicators[result.indicator_id]
            rows = observations_with_errors(catalogue, register, raw, result, keep_snapshots)
            own, others = for_own_nations(rows, indicator.nations_of(result.part_id), nation_of_district)
            offers.append(Offer(f"the indicator's part '{result.part_id}'", own))
            elsewhere.append(others)
    return offers, elsewhere


def _completions(
    catalogue: Catalogue, register: Register, baseline: Baseline, results: Sequence[PartResult]
) -> list[tuple[Completion, pd.DataFrame]]:
    """Published figures of wider areas that publishers' answers lack, from the shipped edition of the same part."""
    wider_areas = register.in_force(levels=WIDER_LEVELS)
    found = []
    for result in results:
        if result.accepted is None or result.tier not in ("live", "snapshot", "release"):
            continue
        shipped = read_shipped(baseline, register, *part_of(catalogue, result))
        if shipped is not None:
            rows = missing_from(result.accepted.observations, shipped.observations, wider_areas)
            if len(rows):
                found.append((Completion(result, shipped, len(rows)), rows))
    return found


def _computed(
    ratios: Iterable[Indicator],
    register: Register,
    before: PublishedBefore | None,
    joined: pd.DataFrame,
    results: Sequence[PartResult],
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """The indicators that are ratios of two others: (rows that pass their checks, rows set aside).

    Where figures of a release go into one, the release's own ratios stand: ratios of districts that were merged since
    are made before the districts are put together, and a release has only the result.
    """
    by_indicator: Mapping[str, pd.DataFrame] = {
        str(name): rows for name, rows in joined.groupby("indicator_id", sort=False)
    }
    nothing = joined.iloc[:0]
    passing: list[pd.DataFrame] = []
    failing: list[pd.DataFrame] = []
    for indicator in ratios:
        if indicator.ratio_of is None:
            continue
        two = (indicator.ratio_of.numerator, indicator.ratio_of.denominator)
        tiers = {result.tier for result in results if result.indicator_id in two and result.accepted is not None}
        published = None if before is None or "release" not in tiers else ratio_of_release(before, indicator)
        if published is not None and tiers == {"release"}:
            passing.append(published[list(OBSERVATION_COLUMNS)])
            continue
        numerator, denominator = (by_indicator.get(name, nothing) for name in two)
        are_counts, times = indicator.kind == "rate", indicator.ratio_of.times
        table = ratio(numerator, denominator, indicator.id, times=times, are_counts=are_counts)
        good, bad = set_failing_rows_aside(table.astype({"source_row": "Int64"}), indicator)
        passing.append(good[list(OBSERVATION_COLUMNS)])
        failing.append(bad.assign(indicator_id=indicator.id, source_id="computed"))
        if published is not None:
            is_lacking = ~_are_computed(register, published, good)
            passing.append(published.loc[is_lacking, list(OBSERVATION_COLUMNS)])
    return passing, failing


def _are_computed(register: Register, published: pd.DataFrame, computed: pd.DataFrame) -> pd.Series:
    """Which published ratios have an area and period that computed ones cover, under any code."""
    held = ground_cells(register, computed)
    is_computed = [
        any((code, period) in held for code in (districts_today(register, area) or {area}))
        for area, period in zip(published["area_code"], published["period"], strict=True)
    ]
    return pd.Series(is_computed, index=published.index, dtype=bool)


def _with_wider_areas(
    register: Register, observations: pd.DataFrame, kinds: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add wider areas and named groups, made from their districts where no figure of theirs is published.

    Also returns the publishers' blank rows that a figure so made takes the place of (QUARANTINE_COLUMNS).
    """
    made = [_made(register, observations, kinds, of) for of in (wider_membership(register), group_membership(register))]
    published = Offer("the publisher", observations)
    chosen, beaten = choose([published, *(Offer("what its districts make", rows) for rows in made)])
    return chosen, beaten[beaten["offer"] == 0].drop(columns="offer")


def _made(register: Register, observations: pd.DataFrame, kinds: Mapping[str, str], of: Membership) -> pd.DataFrame:
    """What ``aggregate`` makes; a figure made from several rows stands in no single row of a payload."""
    rows = aggregate(observations, kinds, of, register)
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
