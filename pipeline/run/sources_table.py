"""What `meta_source` and the summary say of each part: where its figures came from in this run, how old they are, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from pipeline.catalogue import Part
from pipeline.run.acquire import PartResult
from pipeline.run.context import RunContext


def age_in_days(result: PartResult, now: datetime) -> int | None:
    """Whole days since the bytes were fetched (live, snapshot) or the publisher released them (baseline)."""
    if result.retrieved_at is None:
        return None
    return max((now.astimezone(UTC).date() - result.retrieved_at.date()).days, 0)


def why_not_live(result: PartResult) -> str | None:
    """What happened to the live sources, one sentence each; None where one of them answered or none is known."""
    if result.tier == "live":
        return None
    sentences = [a.sentence for a in result.attempts if a.tier == "live" or a.outcome in ("corrupt", "rejected")]
    return "; ".join(sentences) or None


def source_rows(context: RunContext, results: Sequence[PartResult]) -> pd.DataFrame:
    """One row a part with the columns of ``meta_source``, typed so that all-empty columns survive."""
    frame = pd.DataFrame([_row(context, result) for result in results])
    texts = ["publisher_updated", "why_not_live", "warnings", "release_id"]
    counts = ["age_days", "first_year", "last_year"]
    days = ["latest_period_end", "next_expected_on"]
    types = {**dict.fromkeys(texts, "str"), **dict.fromkeys(counts, "Int32"), **dict.fromkeys(days, "datetime64[s]")}
    return frame.astype(types)


def latest_period_end(result: PartResult) -> date | None:
    """The last day of the latest period with a figure; None where there is none."""
    if result.accepted is None:
        return None
    observations = result.accepted.observations
    latest = observations.loc[observations["value"].notna(), "period_end"].max()
    return None if pd.isna(latest) else pd.Timestamp(latest).date()


def punctuality(context: RunContext, part: Part, result: PartResult) -> dict[str, Any]:
    """Which release brings the part, when its next figure is usually out, and whether that day has gone by."""
    release = next(filter(None, map(context.calendar.release_of, part.live)), None)
    latest = latest_period_end(result)
    if release is None or latest is None:
        return {"release_id": release and release.id, "next_expected_on": None, "standing": "no calendar"}
    return {
        "release_id": release.id,
        "next_expected_on": release.next_expected(latest),
        "standing": release.standing(latest, context.started_at.date()),
    }


def _row(context: RunContext, result: PartResult) -> dict[str, Any]:
    indicator = context.catalogue.indicators[result.indicator_id]
    part = next(part for part in indicator.parts if part.id == result.part_id)
    accepted = result.accepted
    years = None if accepted is None else accepted.observations.loc[accepted.observations["value"].notna(), "year"]
    has_years = years is not None and len(years) > 0
    return {
        "indicator_id": result.indicator_id,
        "part_id": result.part_id,
        "tier": result.tier,
        "source_id": result.source_id,
        "publisher": indicator.publisher,
        "edition": result.edition,
        "publisher_updated": result.publisher_updated,
        "retrieved_on": result.retrieved_at.date() if result.retrieved_at else None,
        "age_days": age_in_days(result, context.started_at),
        "is_stale": bool(part.live) and result.tier != "live",
        "why_not_live": why_not_live(result),
        "url": result.url,
        "payload_sha256": result.payload_sha256,
        "licence": indicator.licence,
        "row_count": 0 if accepted is None else accepted.rows_read,
        "quarantined_count": 0 if accepted is None else len(accepted.quarantine),
        "district_count": 0 if accepted is None else len(accepted.districts),
        "first_year": int(years.min()) if years is not None and has_years else None,
        "last_year": int(years.max()) if years is not None and has_years else None,
        "latest_period_end": latest_period_end(result),
        **punctuality(context, part, result),
        "warnings": "; ".join(accepted.warnings) if accepted is not None and accepted.warnings else None,
    }
