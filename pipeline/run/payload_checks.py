"""Decide whether a payload can be used: its columns, its rows and its count of districts."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow
import pyarrow.parquet as parquet

from pipeline.catalogue import Indicator, Part, Query, Source
from pipeline.catalogue.small_area_series import SmallAreaSeries
from pipeline.geography import Register
from pipeline.http.payload import Payload, PayloadRejected
from pipeline.numerals import rounded
from pipeline.publishers.protocol import Districts
from pipeline.publishers.registry import publisher_of_source
from pipeline.run.completeness import areas_without_rows, refuse_many_failures, require_complete_periods
from pipeline.run.results import Accepted
from pipeline.run.todays_districts import districts_today, ground_cells, ground_of
from pipeline.tidy.observations import (
    OBSERVATION_COLUMNS,
    QUARANTINE_COLUMNS,
    Parsed,
    UnreadablePayload,
    finish,
    parse_period,
)
from schemas.observations import failing_rows
from schemas.raw import arrival_table

if TYPE_CHECKING:
    from pipeline.run.published_before import PublishedPart

ROWS_LOOKED_AT_ON_ARRIVAL = 20
BYTES_LOOKED_AT_ON_ARRIVAL = 4096
# A payload that lacks more of the districts held before than this was cut short, or its map changed unannounced.
LARGEST_SHARE_OF_DISTRICTS_LOST = 0.01


@dataclass(frozen=True)
class HeldDistricts:
    """Today's districts in the figures held before, which came from the same query (``is_same_query``) or another table.

    ``cells`` are the ``ground_cells`` that have a figure there.
    """

    codes: frozenset[str]
    is_same_query: bool
    cells: pd.MultiIndex | None = None

    def lost_from(self, covered: frozenset[str]) -> list[str]:
        """Districts held before and not in ``covered``; with another table, only in the nations that both cover."""
        nations = {code[0] for code in covered}
        return sorted(code for code in self.codes - covered if self.is_same_query or code[0] in nations)

    def has_figures_on(self, ground: Collection[str]) -> bool:
        """Whether a figure is held for any of these areas."""
        areas = self.codes if self.cells is None else self.cells.get_level_values(0)
        return any(area in areas for area in ground)

    def holes_in(self, cells: pd.MultiIndex) -> list[str]:
        """Cells that had a figure and now have no row, though their area and period still occur."""
        if self.cells is None:
            return []
        area, period = (self.cells.get_level_values(level) for level in (0, 1))
        expected = self.cells[area.isin(cells.get_level_values(0)) & period.isin(cells.get_level_values(1))]
        return [f"{area} for {period}" for area, period in sorted(expected[~expected.isin(cells)])]


NOTHING_HELD = HeldDistricts(frozenset(), is_same_query=False)


# Parsing is pure Python, so threads only get in each other's way.
_parsing = threading.Lock()


def accept(
    sources: Mapping[str, Source],
    register: Register,
    indicator: Indicator,
    part: Part,
    query: Query,
    payload: Payload,
    *,
    held: HeldDistricts = NOTHING_HELD,
) -> Accepted:
    """Check an answer to ``query`` on arrival, parse it, set failing rows aside, and count its districts.

    ``held`` is what figures held before covered. An answer with holes where figures were held before is refused, so
    that the held figures are used: publishers withdraw whole periods and areas, and mark single figures that they
    withhold, but a missing row is a fault. Raises PayloadRejected.
    """
    with _parsing:
        return _accept(register, indicator, part, query, payload, held, sources[query.source].title)


def accept_shipped(register: Register, indicator: Indicator, part: Part, payload: Payload) -> Accepted:
    """The same for figures shipped with the project, whatever else is held. Raises PayloadRejected."""
    with _parsing:
        return _accept(register, indicator, part, None, payload, NOTHING_HELD, "")


def _accept(
    register: Register,
    indicator: Indicator,
    part: Part,
    query: Query | None,
    payload: Payload,
    held: HeldDistricts,
    title: str,
) -> Accepted:
    source_id = "baseline" if query is None else query.source
    parsed = parse_answer(register, source_id, query, payload)
    digest = payload.sha256
    edition = publisher_of_source(source_id).edition(payload, title)
    observations, failed = checked_figures(parsed.figures, indicator, source_id, edition, digest)
    quarantine = _quarantine(indicator.id, source_id, [parsed.set_aside, failed])
    refuse_many_failures(quarantine["reason"], parsed.rows_read)
    _check_periods(observations, quarantine)
    districts, warnings = _check_districts(register, part, observations, held)
    had_figures = {code for code in payload.areas_without_rows if held.has_figures_on(ground_of(register, code))}
    absent = areas_without_rows(payload.areas_without_rows, had_figures, source_id, indicator.id)
    warnings = (*warnings, *payload.warnings, *filter(None, [absent]))
    holes = [] if held.cells is None else held.holes_in(ground_cells(register, observations))
    if holes:
        why = f" ({quarantine['reason'].iloc[0]})" if len(quarantine) else ""
        raise PayloadRejected(
            f"{len(holes)} figures held before have no usable row in it any more, first {holes[0]}{why}"
            f'; if the publisher meant this: python -m pipeline accept {source_id}/{indicator.id} "REASON"'
        )
    return Accepted(
        observations,
        quarantine,
        districts,
        parsed.rows_read,
        edition,
        digest,
        warnings,
        parsed.out_of_scope,
        parsed.area_names,
    )


def parse_answer(register: Register, source_id: str, query: Query | None, payload: Payload) -> Parsed:
    """The figures of an answer that looks as its publisher promises, and its unreadable rows. Raises PayloadRejected."""
    check_arrival(source_id, payload)
    try:
        return publisher_of_source(source_id).parse(query, payload, _districts(register))
    except UnreadablePayload as error:
        raise PayloadRejected(str(error)) from error


def checked_figures(
    figures: pd.DataFrame, series: Indicator | SmallAreaSeries, source_id: str, edition: str = "", digest: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parsed figures as observations that pass their checks, and those that fail: see `set_failing_rows_aside`."""
    observations = finish(figures, indicator_id=series.id, source_id=source_id, edition=edition, payload_sha256=digest)
    return set_failing_rows_aside(observations, series)


def accept_published(
    register: Register, indicator: Indicator, part: Part, figures: pd.DataFrame, published: PublishedPart
) -> Accepted:
    """Check again the figures of a part in a release; rows and columns as `from_release.figures_of` gives them.

    Raises PayloadRejected if any of them fails today's checks.
    """
    passing, failing = set_failing_rows_aside(figures, indicator)
    if len(failing):
        why = failing["reason"].iloc[0]
        raise PayloadRejected(f"{len(failing)} of their {len(figures)} rows fail today's checks: {why}")
    districts, warnings = _check_districts(register, part, passing, NOTHING_HELD)
    return Accepted(
        passing[list(OBSERVATION_COLUMNS)],
        _quarantine(indicator.id, published.source_id, []),
        districts,
        len(passing),
        published.edition,
        published.payload_sha256,
        warnings,
    )


def check_arrival(source_id: str, payload: Payload) -> None:
    """Check the head of the payload's table against the columns its publisher promises, every column as text.

    The parser reads and checks all the rest, and whole workbooks.

    Raises PayloadRejected, naming the missing columns or what came instead of a table.
    """
    with payload.open() as stream:
        start = stream.read(BYTES_LOOKED_AT_ON_ARRIVAL)
        if not start.strip():
            raise PayloadRejected("the answer is empty")
        if start.lstrip()[:1] == b"<":
            raise PayloadRejected("an HTML page came instead of a table")
        wanted = publisher_of_source(source_id).columns.get(source_id)
        if wanted is None:
            return
        stream.seek(0)
        try:
            table = _as_text_table(source_id, stream)
        except (ValueError, arrow.ArrowInvalid) as error:
            reason = str(error).splitlines()[0][:120]
            raise PayloadRejected(f"the answer cannot be read as a table ({reason})") from error
    schema = arrival_table(wanted.names, wanted.patterns)
    table.columns = [_wanted_case(name, schema) for name in table.columns]
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        if missing := [name for case in error.schema_errors if (name := _missing_column(case))]:
            raise PayloadRejected(
                f"the table has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, table.columns[:12]))}"
            ) from error
        raise PayloadRejected("the table has a header and no rows") from error


def _wanted_case(name: str, schema: pa.DataFrameSchema) -> str:
    """A column's name as the schema spells it: a publisher may change to capitals, which the parsers read too."""
    return next((wanted for wanted in schema.columns if str(wanted).casefold() == name.casefold()), name)


def _missing_column(case: pa.errors.SchemaError) -> str | None:
    """The missing column that a case names, in full or by its beginning; None if the case is about something else."""
    match case.reason_code:
        case pa.errors.SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
            return str(case.failure_cases)
        case pa.errors.SchemaErrorReason.INVALID_COLUMN_NAME:
            return re.sub(r"\\([()])", r"\1", str(case.schema.name).strip("^$"))
        case _:
            return None


def _as_text_table(source_id: str, stream: BinaryIO) -> pd.DataFrame:
    if source_id == "baseline":
        with parquet.ParquetFile(stream) as file:
            batches = file.iter_batches(batch_size=ROWS_LOOKED_AT_ON_ARRIVAL)
            return next(batches, file.schema_arrow.empty_table()).to_pandas()
    return pd.read_csv(
        stream,
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
        on_bad_lines="skip",
        nrows=ROWS_LOOKED_AT_ON_ARRIVAL,
    )


def _districts(register: Register) -> Districts:
    names = {register.by_code[code].name: code for code in register.districts()}
    return Districts(partial(districts_today, register), names)


def set_failing_rows_aside(
    observations: pd.DataFrame, indicator: Indicator | SmallAreaSeries
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split observations into those that pass and those that fail their schema, have another length, or are repeated.

    Returns (passing, failing), where failing has ``source_row, area_code, period, reason, raw_line``.
    """
    reasons = failing_rows(observations, minimum=indicator.bounds.min, maximum=indicator.bounds.max)
    wrong_length = _of_other_length(observations["period"], indicator.lengths_of_periods)
    reasons = pd.concat([reasons, wrong_length.drop(reasons.index, errors="ignore")])
    is_repeated = observations.duplicated(["area_code", "period"])
    if reasons.empty and not is_repeated.any():
        return observations, pd.DataFrame(columns=["source_row", "area_code", "period", "reason", "raw_line"])
    reasons = pd.concat([reasons, _repeated_rows(observations.drop(index=reasons.index))])
    failing = observations.loc[reasons.index, ["source_row", "area_code", "period", "value"]].assign(reason=reasons)
    failing["raw_line"] = [f"{row.area_code},{row.period},{row.value}" for row in failing.itertuples(index=False)]
    return observations.drop(index=reasons.index).reset_index(drop=True), failing.drop(columns="value")


def _of_other_length(periods: pd.Series, lengths: Sequence[str]) -> pd.Series:
    """Rows whose period has none of the lengths, and why: a year that was read as its last month, for one."""
    length = {text: parse_period(text).length for text in periods.unique()}
    wrong = {
        text: f"the period {text} is {came} long where the indicator's are {' or '.join(lengths)}"
        for text, came in length.items()
        if came not in lengths
    }
    return periods[periods.isin(wrong.keys())].map(wrong) if wrong else pd.Series([], dtype="str")


def _check_periods(observations: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    """Raise PayloadRejected if a period has lost too many of its areas."""
    if quarantine.empty:
        return
    key = ["area_code", "period"]
    kept = observations[key].drop_duplicates()
    is_lost = ~pd.MultiIndex.from_frame(quarantine[key]).isin(pd.MultiIndex.from_frame(kept))
    areas = len(set(kept["area_code"]) | set(quarantine["area_code"]))
    require_complete_periods(kept["period"].value_counts(), quarantine[is_lost], areas)


def _repeated_rows(observations: pd.DataFrame) -> pd.Series:
    """Rows whose area and period occur more than once: of equal figures the first is kept, of unequal ones none."""
    key = ["area_code", "period"]
    repeated = observations[observations.duplicated(key, keep=False)]
    if repeated.empty:
        return pd.Series([], dtype="str")
    reasons = {}
    for (area, period), rows in repeated.groupby(key):
        if rows["value"].nunique(dropna=False) == 1:
            for index in rows.index[1:]:
                reasons[index] = f"repeats the figure of {area} for {period} in row {rows['source_row'].iloc[0]}"
        else:
            figures = ", ".join(
                f"{rounded(value)} in row {row}" for value, row in zip(rows["value"], rows["source_row"], strict=True)
            )
            for index in rows.index:
                reasons[index] = f"{area} has unequal figures for {period} ({figures}); none is used"
    return pd.Series(reasons, dtype="str")


def _quarantine(indicator_id: str, source_id: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
    joined = pd.concat(filled, ignore_index=True).assign(indicator_id=indicator_id, source_id=source_id)
    return joined.reindex(columns=list(QUARANTINE_COLUMNS))


def _check_districts(
    register: Register, part: Part, observations: pd.DataFrame, held: HeldDistricts
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Count today's districts in the payload and in its latest year: too few raises PayloadRejected, too many warns."""
    on_today = {code: districts_today(register, code) for code in observations["area_code"].unique()}
    covered = frozenset(district for districts in on_today.values() for district in districts)
    with_value = observations[observations["value"].notna()]
    latest = with_value[with_value["year"] == with_value["year"].max()]
    in_latest = {district for code in latest["area_code"].unique() for district in on_today[code]}
    if len(in_latest) < part.districts.min:
        year = "no year" if latest.empty else f"{int(latest['year'].iloc[0])}"
        raise PayloadRejected(
            f"it has figures for {len(in_latest)} districts in its latest year ({year}), "
            f"at least {part.districts.min} are expected"
        )
    lost = held.lost_from(covered)
    if len(lost) > LARGEST_SHARE_OF_DISTRICTS_LOST * len(held.codes):
        raise PayloadRejected(
            f"{len(lost)} districts held before are not in it at all, among them {', '.join(lost[:5])}"
        )
    warnings = []
    if len(in_latest) > part.districts.max:
        warnings.append(f"{len(in_latest)} districts in its latest year, at most {part.districts.max} are expected")
    if lost:
        warnings.append(f"districts held before are missing: {', '.join(lost)}")
    return covered, tuple(warnings)
