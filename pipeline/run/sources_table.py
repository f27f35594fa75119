"""What `meta_source` and the summary say of each part: where its figures came from in this run, how old they are, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Part
from pipeline.catalogue.release_calendar import Calendar
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.run.assemble import Completion
from pipeline.run.origins import part_of
from pipeline.run.results import PartResult
from pipeline.run.shipped import shipped_entry

# Ends the part_id of the row of meta_source that speaks of a shipped edition beside the answer in use.
COMPLETING = "_wider_areas"


def why_not_live(result: PartResult) -> str | None:
    """What happened to the live sources, one sentence each; None where one of them answered or none is known."""
    if result.tier == "live":
        return None
    sentences = [
        a.sentence for a in result.attempts if a.tier in ("live", "release") or a.outcome in ("corrupt", "rejected")
    ]
    return "; ".join(sentences) or None


def source_rows(
    catalogue: Catalogue,
    calendar: Calendar,
    baseline: Baseline,
    results: Sequence[PartResult],
    completions: Sequence[Completion],
    started_at: datetime,
) -> pd.DataFrame:
    """One row a part with the columns of ``meta_source``, typed so that all-empty columns survive.

    A part whose answer was completed from the shipped edition has a second row, for that. Ages are those at
    ``started_at``.
    """
    rows = [_row(catalogue, calendar, result, started_at) for result in results]
    rows += [_completion(catalogue, calendar, baseline, item, started_at) for item in completions]
    frame = pd.DataFrame(rows)
    texts = ["publisher_updated", "why_not_live", "warnings", "release_id"]
    counts = ["age_days", "first_year", "last_year"]
    days = ["latest_period_end", "next_expected_on"]
    types = {**dict.fromkeys(texts, "str"), **dict.fromkeys(counts, "Int32"), **dict.fromkeys(days, "datetime64[s]")}
    return frame.astype(types)


def _completion(
    catalogue: Catalogue, calendar: Calendar, baseline: Baseline, item: Completion, started_at: datetime
) -> dict[str, Any]:
    """The row of a shipped edition from which some figures of wider areas come."""
    shipped = item.shipped
    entry = shipped_entry(baseline, item.result.indicator_id, item.result.part_id)
    if entry is None:
        raise ValueError(f"nothing is shipped of {item.result.name}")
    released = datetime(entry.published.year, entry.published.month, entry.published.day, tzinfo=UTC)
    as_result = replace(
        item.result,
        tier="baseline",
        source_id="baseline",
        account=replace(shipped.account, warnings=()),
        payload_sha256=shipped.payload_sha256,
        url=entry.source_url,
        edition=shipped.edition,
        publisher_updated=entry.published.isoformat(),
        retrieved_at=released,
        attempts=(),
    )
    described = {"part_id": f"{item.result.part_id}{COMPLETING}", "is_stale": False, "why_not_live": None}
    described |= {
        "row_count": item.row_count,
        "release_id": None,
        "next_expected_on": None,
        "release_status": "no calendar",
    }
    return _row(catalogue, calendar, as_result, started_at) | described


def punctuality(calendar: Calendar, part: Part, result: PartResult, today: date) -> dict[str, Any]:
    """Which release brings the part, when its next figure is usually out, and whether that day has gone by."""
    release = next(filter(None, map(calendar.release_of, part.live)), None)
    latest = None if result.account is None else result.account.latest_period_end
    if release is None or latest is None:
        return {"release_id": release and release.id, "next_expected_on": None, "release_status": "no calendar"}
    return {
        "release_id": release.id,
        "next_expected_on": release.next_expected(latest),
        "release_status": release.status(latest, today),
    }


def _row(catalogue: Catalogue, calendar: Calendar, result: PartResult, started_at: datetime) -> dict[str, Any]:
    indicator, part = part_of(catalogue, result)
    account = result.account
    return {
        "indicator_id": result.indicator_id,
        "part_id": result.part_id,
        "tier": result.tier,
        "source_id": result.source_id,
        "publisher": indicator.publisher,
        "edition": result.edition,
        "publisher_updated": result.publisher_updated,
        "retrieved_on": result.retrieved_at.date() if result.retrieved_at else None,
        "age_days": result.age_in_days(started_at),
        "is_stale": bool(part.live) and result.tier != "live",
        "why_not_live": why_not_live(result),
        "url": result.url,
        "payload_sha256": result.payload_sha256,
        "licence": indicator.licence,
        "row_count": account.rows_read if account else 0,
        "quarantined_count": account.rows_set_aside if account else 0,
        "district_count": account.district_count if account else 0,
        "first_year": account.first_year if account else None,
        "last_year": account.last_year if account else None,
        "latest_period_end": account.latest_period_end if account else None,
        **punctuality(calendar, part, result, started_at.date()),
        "warnings": "; ".join(account.warnings) or None if account else None,
    }
