"""What a run says of itself: the summary on the screen and `run_report.json` / `run_report.md` beside the published file."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.raw import write_atomically
from pipeline.run.acquire import PartResult
from pipeline.run.context import RunContext
from pipeline.run.refresh import Outcome
from pipeline.run.sources_table import age_in_days

TIER_WORDS = {
    "live": "live",
    "snapshot": "last good answer",
    "baseline": "shipped baseline",
    "none": "NO FIGURES",
}
MOST_SENTENCES = 12


def source_words(result: PartResult) -> str:
    """Which source was used, for people: "live (ons_els)", "shipped baseline"."""
    if result.tier == "none" and result.is_optional:
        return "no figures yet (optional)"
    words = TIER_WORDS[result.tier]
    return f"{words} ({result.source_id})" if result.tier in ("live", "snapshot") else words


def age_words(days: int | None) -> str:
    """An age for people: "today", "1 day", "240 days"."""
    if days is None:
        return "-"
    return "today" if days == 0 else "1 day" if days == 1 else f"{days} days"


def unreachable_hosts(results: Sequence[PartResult]) -> list[str]:
    """One sentence for each source that could not be reached, with how many parts asked it."""
    asked = Counter(a.source_id for r in results for a in r.attempts if a.outcome == "unreachable")
    why = {a.source_id: a.sentence for r in results for a in r.attempts if a.outcome == "unreachable"}
    return [
        f"{source}: {why[source].split(': ', 1)[-1]} ({count} {'part' if count == 1 else 'parts'} went without it)"
        for source, count in sorted(asked.items())
    ]


def awaited_words(outcome: Outcome) -> str | None:
    """One sentence on the optional indicators without figures; None where there is none."""
    names = [_name(result) for result in outcome.awaited]
    if not names:
        return None
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    noun = "optional indicator has" if len(names) == 1 else "optional indicators have"
    return f"{len(names)} {noun} no figures yet ({some}): only a live source carries them"


def table_rows(context: RunContext, results: Sequence[PartResult]) -> list[tuple[str, str, str, str, str]]:
    """The summary's rows: indicator, source used, years, districts, age; none for an optional part without figures."""
    rows = []
    for result in results:
        if result.tier == "none" and result.is_optional:
            continue
        name = _name(result)
        accepted = result.accepted
        years, districts = "-", "0"
        if accepted is not None:
            with_value = accepted.observations["year"][accepted.observations["value"].notna()]
            first, last = int(with_value.min()), int(with_value.max())
            years = str(first) if first == last else f"{first}-{last}"
            districts = str(len(accepted.districts))
        rows.append((name, source_words(result), years, districts, age_words(age_in_days(result, context.started_at))))
    return rows


def run_report(
    context: RunContext, outcome: Outcome | None, error: str | None, prefect_seconds: float | None
) -> dict[str, Any]:
    """The run report as plain data: what was got and how, what failed and why, row counts, timings, versions."""
    results = outcome.results if outcome else ()
    return {
        "status": "failed" if outcome is None else "published" if outcome.is_new else "nothing new",
        "error": error,
        "started_at": context.started_at.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "database": context.settings.database.name,
        "code_version": __version__,
        "python_version": platform.python_version(),
        "sources_unreachable": unreachable_hosts(results),
        "failures": outcome.failures if outcome else [],
        "no_figures_yet": [_name(result) for result in outcome.awaited] if outcome else [],
        "parts": [
            {
                "indicator_id": result.indicator_id,
                "part_id": result.part_id,
                "tier": result.tier,
                "is_optional": result.is_optional,
                "source_id": result.source_id,
                "edition": result.edition,
                "age_days": age_in_days(result, context.started_at),
                "rows_read": result.accepted.rows_read if result.accepted else 0,
                "rows_set_aside": len(result.accepted.quarantine) if result.accepted else 0,
                "districts": len(result.accepted.districts) if result.accepted else 0,
                "warnings": list(result.accepted.warnings) if result.accepted else [],
                "attempts": [f"{a.tier}: {a.sentence}" for a in result.attempts],
            }
            for result in results
        ],
        "release": _release(outcome),
        "account_of_rows": dict(outcome.account) if outcome else {},
        "row_counts": outcome.row_counts if outcome else {},
        "seconds": {name: round(value, 3) for name, value in outcome.timings.seconds.items()} if outcome else {},
        "prefect_start_seconds": None if prefect_seconds is None else round(prefect_seconds, 2),
    }


def _release(outcome: Outcome | None) -> dict[str, Any] | None:
    """Which release was published and what changed with it; None where none was."""
    if outcome is None or outcome.release is None:
        return None
    release = outcome.release
    return {
        "version": str(release.version),
        "previous_version": str(release.previous) if release.previous else None,
        "kind": release.kind,
        "what_changed": release.line,
        "could_not_be_kept": outcome.keeping_problem,
    }


def _name(result: PartResult) -> str:
    return result.indicator_id if result.part_id == "main" else f"{result.indicator_id} ({result.part_id})"


def write_run_report(folder: Path, report: dict[str, Any]) -> None:
    """Write ``run_report.json`` and ``run_report.md`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "run_report.json", (json.dumps(report, indent=2) + "\n").encode())
    write_atomically(folder / "run_report.md", _markdown(report).encode())


def _markdown(report: dict[str, Any]) -> str:
    lines = [f"# Run of {report['started_at'][:19]} UTC: {report['status']}", ""]
    if report["error"]:
        lines += ["## Why it failed", "", *(f"* {line}" for line in report["error"].splitlines()), ""]
    if report.get("night"):
        lines += ["## The night", "", *(f"* {line}" for line in report["night"]), ""]
    if report["release"]:
        lines += ["## What changed", "", report["release"]["what_changed"], ""]
    for title, key in (("Sources that could not be reached", "sources_unreachable"), ("What went wrong", "failures")):
        if report[key]:
            lines += [f"## {title}", "", *(f"* {line}" for line in report[key]), ""]
    if report["no_figures_yet"]:
        lines += ["## Optional indicators without figures yet", "", ", ".join(report["no_figures_yet"]), ""]
    if report["parts"]:
        lines += [
            "## Where the figures came from",
            "",
            "| indicator | part | source | edition | age, days | rows | set aside | districts |",
        ]
        lines += ["|---|---|---|---|---:|---:|---:|---:|"]
        lines += [
            f"| {p['indicator_id']} | {p['part_id']} | {TIER_WORDS[p['tier']]} ({p['source_id']}) | {p['edition']} | "
            f"{'-' if p['age_days'] is None else p['age_days']} | {p['rows_read']} | {p['rows_set_aside']} | {p['districts']} |"
            for p in report["parts"]
            if not (p["is_optional"] and p["tier"] == "none")
        ]
        lines.append("")
    if report["account_of_rows"]:
        lines += ["## What became of every row", "", "| rows | number |", "|---|---:|"]
        lines += [f"| {name} | {count:,} |" for name, count in report["account_of_rows"].items()]
        lines += [
            "",
            "Rows read and computed are the sum of the seven lines under them; a run in which they are not stops.",
            "",
        ]
    if report["row_counts"]:
        lines += ["## Tables", "", "| table | rows |", "|---|---:|"]
        lines += [f"| {name} | {count} |" for name, count in report["row_counts"].items()] + [""]
    if report["seconds"]:
        lines += ["## Time", "", "| step | seconds |", "|---|---:|"]
        lines += [f"| {name} | {value:.2f} |" for name, value in report["seconds"].items()]
        if report["prefect_start_seconds"] is not None:
            lines.append(f"| Prefect's own start | {report['prefect_start_seconds']:.2f} |")
        lines.append("")
    return "\n".join(lines)
