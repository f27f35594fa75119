"""Publish one series of small areas in a DuckDB file of its own, through the same steps as the districts' figures.

A series has a hundred times the rows of a district's. Figures are therefore checked in pieces, so that memory holds the
parsed table once and not once more for each step, and they stay on the map that they were published for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa

from pipeline import __version__, publish
from pipeline.catalogue.small_area_series import SmallAreaSeries
from pipeline.errors import PipelineError
from pipeline.geography import Register
from pipeline.geography.reexpressed import Reexpressed
from pipeline.geography.small_area_map import districts_today, on_own_map
from pipeline.http.payload import Payload, PayloadRejected, SourceError
from pipeline.marts.small_areas import CHECKS_FOLDER, OF_SMALL_AREAS, small_area_tables
from pipeline.publishers.registry import publisher_of
from pipeline.raw import RawStore, Snapshot, SnapshotKey
from pipeline.run.candidate import new_candidate
from pipeline.run.code_digest import code_fingerprint
from pipeline.run.completeness import refuse_many_failures, require_complete_periods
from pipeline.run.inputs import Inputs
from pipeline.run.payload_checks import checked_figures, parse_answer
from pipeline.run.results import Timings
from pipeline.run.store_answer import store_checked
from pipeline.tidy.observations import Parsed
from schemas import marts

if TYPE_CHECKING:  # an offline run does without the network
    from pipeline.http.client import HttpClient

ROWS_AT_ONCE = 500_000  # about 200 MB while they are checked
LARGEST_SHARE_OF_AREAS_LOST = 0.01
_TEXTS = pa.dictionary(pa.int32(), pa.string())
_FIGURES = pa.schema(
    [
        ("area_code", _TEXTS),
        ("period_start", pa.timestamp("us")),
        ("period_end", pa.timestamp("us")),
        ("value", pa.float64()),
        ("status", _TEXTS),
        ("source_row", pa.int64()),
    ]
)
_QUARANTINE = pa.schema(
    [
        ("stage", pa.string()),
        ("source_row", pa.int64()),
        ("area_code", pa.string()),
        ("period", pa.string()),
        ("reason", pa.string()),
        ("raw_line", pa.string()),
    ]
)


class NothingHeld(PipelineError):
    """No answer of the publisher is held, and it gave none now; the message says why and what can be done."""


@dataclass(frozen=True)
class SmallAreaOutcome:
    """What publishing a series came to. ``is_new`` is False where the file already held just these figures.

    ``stale_because`` says why the last good answer was used though the publisher was to be asked; ``warnings`` are
    sentences on figures that were published all the same.
    """

    database: Path
    is_new: bool
    timings: Timings
    row_counts: dict[str, int] = field(default_factory=dict)
    stale_because: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Tables:
    """The inputs of the SQL in Arrow, the counts of rows read and of rows for other areas, and warnings."""

    inputs: dict[str, pa.Table]
    rows_read: int
    rows_out_of_scope: int
    warnings: tuple[str, ...] = ()

    @property
    def area_codes(self) -> list[str]:
        return list(self.inputs["area"]["area_code"].to_pylist())


@dataclass(frozen=True)
class _Held:
    """The snapshot to publish, how it came (``live`` or ``snapshot``), and why it is not today's if it is not.

    ``tables`` are those of a new answer, which is read and checked before it is stored.
    """

    snapshot: Snapshot
    payload: Payload
    tier: str
    stale_because: str | None = None
    tables: _Tables | None = None


def database_of(marts_dir: Path, series: SmallAreaSeries) -> Path:
    """Where a series is published: a file of its own beside the districts'."""
    return marts_dir / f"{series.id}.duckdb"


def publish_small_areas(
    series: SmallAreaSeries,
    inputs: Inputs,
    raw: RawStore,
    marts_dir: Path,
    client: HttpClient | None,
    *,
    force: bool = False,
) -> SmallAreaOutcome:
    """Get one series and publish it, unless the file already holds just these figures.

    Without a ``client`` the last good answer is used. ``force`` pulls the figures anew and builds the file all the same.
    Raises NothingHeld without any answer, PayloadRejected for one that cannot be used, CandidateRefused when a check of
    the file fails (the file before it stays), and OSError when a folder cannot be written.
    """
    timings, live = Timings(), database_of(marts_dir, series)
    read = partial(_tables, series, inputs, live, timings)
    held = _latest(series, raw, client, read, timings, force=force)
    digest = _fingerprint(series, held)
    if not force and publish.live_fingerprint(live) == digest:
        return SmallAreaOutcome(live, False, timings, stale_because=held.stale_because)
    tables = held.tables or read(held.payload)
    filled = {**tables.inputs, "series": _series_row(series, held, tables, digest)}
    with new_candidate(live, small_area_tables(), OF_SMALL_AREAS) as candidate:
        with timings.step("build the marts"):
            candidate.building.add(filled)
            counts = candidate.building.finish()
        with timings.step("check and publish"):
            publish.check_candidate(candidate.path, small_area_tables(), marts, CHECKS_FOLDER)
            publish.swap(candidate.path, live)
    return SmallAreaOutcome(live, True, timings, counts, held.stale_because, tables.warnings)


def _fingerprint(series: SmallAreaSeries, held: _Held) -> str:
    parts = (code_fingerprint(), series.model_dump_json(), held.snapshot.sha256, held.tier)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _latest(
    series: SmallAreaSeries,
    raw: RawStore,
    client: HttpClient | None,
    read: Callable[[Payload], _Tables],
    timings: Timings,
    *,
    force: bool,
) -> _Held:
    """The publisher's answer of today, stored; the last good one without a ``client`` or if no usable answer comes."""
    key = SnapshotKey(series.query.source, series.id, "main", series.query.model_dump(mode="json"))
    with timings.step("find the last good answer"):
        snapshot, passed_over = raw.latest_good(key)
        held = None if snapshot is None else _Held(snapshot, raw.read(snapshot), "snapshot")
    problem = "; ".join(passed_over) or None
    if client is not None:
        try:
            with timings.step("ask the publisher"):
                publisher = publisher_of(series.query)
                if held is not None and not force and publisher.is_unchanged(series.query, held.payload, client):
                    return replace(held, tier="live")
                fetched = publisher.fetch(series.query, client)
            stored = store_checked(raw, key, fetched, series.licence, partial(read, fetched))
            return _Held(stored.snapshot, stored.payload, "live", tables=stored.read)
        except (SourceError, PayloadRejected) as error:
            problem = str(error)
    if held is None:
        why = problem or "the run asks no publisher"
        raise NothingHeld(f"{series.id}: no answer of {series.query.source} is held in data/raw, and {why}")
    return replace(held, stale_because=problem)


def _tables(series: SmallAreaSeries, inputs: Inputs, live: Path, timings: Timings, payload: Payload) -> _Tables:
    """The inputs of the SQL from an answer. Raises PayloadRejected if it cannot be used."""
    with timings.step("parse"):
        parsed = parse_answer(inputs.register, series.query.source, series.query, payload)
    with timings.step("check and keep on its own map"):
        tables = _checked_tables(series, inputs.register, parsed)
        return replace(tables, warnings=_check_areas(series, tables, live))


def _checked_tables(series: SmallAreaSeries, register: Register, parsed: Parsed) -> _Tables:
    figures, aside, out_of_scope = [], [_aside("arrival", parsed.set_aside)], parsed.out_of_scope
    for kept, failed in _checked(series, parsed.figures):
        aside += [_aside("arrival", failed), _aside("geography", kept.set_aside)]
        out_of_scope += kept.ledger.rows_out_of_scope
        slim = kept.observations[_FIGURES.names].astype({"status": "category"})
        figures.append(pa.Table.from_pandas(slim, schema=_FIGURES, preserve_index=False))
    quarantine = pa.concat_tables(aside)
    refuse_many_failures(quarantine["reason"].to_pandas(), parsed.rows_read)
    table = pa.Table.from_batches([], _FIGURES) if not figures else pa.concat_tables(figures).unify_dictionaries()
    codes = sorted(table["area_code"].unique().to_pylist())
    if quarantine.num_rows:
        lost = quarantine.to_pandas()
        require_complete_periods(parsed.figures["period"].value_counts(), lost[lost["stage"] == "arrival"], len(codes))
    inputs = {"figure": table, "area": _area_rows(register, codes, parsed.area_names), "quarantine": quarantine}
    return _Tables(inputs, parsed.rows_read, out_of_scope)


def _checked(series: SmallAreaSeries, figures: pd.DataFrame) -> Iterator[tuple[Reexpressed, pd.DataFrame]]:
    """Piece by piece: the figures that pass their checks, on their own map, and those that fail."""
    for start in range(0, len(figures), ROWS_AT_ONCE):
        piece = figures.iloc[start : start + ROWS_AT_ONCE]
        passing, failing = checked_figures(piece, series, series.query.source)
        yield on_own_map(passing, series.area_prefixes), failing


def _aside(stage: str, rows: pd.DataFrame) -> pa.Table:
    """Rows set aside, with the columns of `_QUARANTINE`; a row of the geography step has only its code and period."""
    frame = rows.assign(stage=stage).reindex(columns=_QUARANTINE.names)
    return pa.Table.from_pandas(frame, schema=_QUARANTINE, preserve_index=False)


def _area_rows(register: Register, codes: list[str], names: Mapping[str, str]) -> pa.Table:
    district = districts_today({code: names[code] for code in codes if code in names}, register)
    by_code = register.by_code
    return pa.table(
        {
            "area_code": pa.array(codes, pa.string()),
            "area_name": pa.array([names.get(code) for code in codes], pa.string()),
            "district_code": pa.array([district.get(code) for code in codes], pa.string()),
            "district_name": pa.array(
                [by_code[district[code]].name if code in district else None for code in codes], pa.string()
            ),
        }
    )


def _check_areas(series: SmallAreaSeries, tables: _Tables, live: Path) -> tuple[str, ...]:
    """Warnings about the areas. Raises PayloadRejected if too many are missing."""
    codes = tables.area_codes
    if len(codes) < series.areas.min:
        raise PayloadRejected(
            f"{series.id}: figures of {len(codes):,} small areas came, at least {series.areas.min:,} are expected"
        )
    lost = sorted(_published_codes(live) - set(codes))
    if len(lost) > LARGEST_SHARE_OF_AREAS_LOST * len(codes):
        raise PayloadRejected(
            f"{series.id}: {len(lost):,} small areas of the published file are not in it at all, "
            f"among them {', '.join(lost[:5])}"
        )
    found = []
    if len(codes) > series.areas.max:
        found.append(f"figures of {len(codes):,} small areas came, at most {series.areas.max:,} are expected")
    if lost:
        found.append(f"small areas of the file before are missing: {', '.join(lost)}")
    unplaced = tables.inputs["area"]["district_code"].null_count
    if unplaced:
        found.append(f"the names of {unplaced:,} small areas do not show which of today's districts they lie in")
    return tuple(found)


def _published_codes(live: Path) -> set[str]:
    if not live.exists():
        return set()
    with duckdb.connect(str(live), read_only=True) as connection:
        return {str(code) for (code,) in connection.execute("select area_code from dim_small_area").fetchall()}


def _series_row(series: SmallAreaSeries, held: _Held, tables: _Tables, digest: str) -> pa.Table:
    fields = series.model_dump(include={"title", "description", "unit", "map_year", "publisher", "licence"})
    row = {
        "series_id": series.id,
        **fields,
        "caveats": " ".join(series.caveats) or None,
        "citation_url": str(series.citation_url),
        "tier": held.tier,
        "url": held.payload.url,
        "fetched_at": held.payload.fetched_at.astimezone(UTC).replace(tzinfo=None),
        "publisher_updated": held.payload.publisher_updated,
        "payload_sha256": held.snapshot.sha256,
        "rows_read": tables.rows_read,
        "rows_set_aside": tables.inputs["quarantine"].num_rows,
        "rows_out_of_scope": tables.rows_out_of_scope,
        "built_at": datetime.now(UTC).replace(tzinfo=None),
        "code_version": __version__,
        "input_fingerprint": digest,
    }
    return pa.Table.from_pylist([row])
