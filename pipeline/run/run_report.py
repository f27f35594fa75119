"""What a run says of itself: the summary on the screen and `run_report.json` / `run_report.md` beside the published file."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.atomic import write_atomically
from pipeline.errors import EXIT_REFUSED
from pipeline.run.notes import Notes
from pipeline.run.results import Outcome, PartResult
from pipeline.settings import Settings
from pipeline.stopping import STOPPED

_LIBRARIES = ("duckdb", "pandas", "pyarrow", "pandera", "prefect")

TIER_WORDS = {
    "live": "live",
    "snapshot": "last good answer",
    "release": "newest release",
    "baseline": "shipped baseline",
    "none": "NO FIGURES",
}
MOST_SENTENCES = 12
_WHY = {"failed": "Why it failed", "stopped": "Why it was stopped"}
_LISTED = (
    ("Sources that could not be reached", "sources_unreachable"),
    ("What went wrong", "failures"),
    ("Figures that stand as they were published", "from_release"),
    ("What was wrong with the published file, and was put right", "mended"),
    ("Releases that are overdue", "overdue"),
    ("Tables that were not asked about", "asked"),
    ("What the bucket lacks", "bucket_problems"),
    ("The bucket", "bucket_notes"),
)


def source_words(result: PartResult) -> str:
    """Which source was used, for people: "live (ons_els)", "shipped baseline"."""
    if result.tier == "none" and result.is_optional:
        return "no figures yet (optional)"
    words = TIER_WORDS[result.tier]
    return f"{words} ({result.source_id})" if result.tier in ("live", "snapshot", "release") else words


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
    names = [result.name for result in outcome.awaited]
    if not names:
        return None
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    noun = "optional indicator has" if len(names) == 1 else "optional indicators have"
    return f"{len(names)} {noun} no figures yet ({some}): only a live source carries them"


def table_rows(results: Sequence[PartResult], now: datetime) -> list[tuple[str, str, str, str, str]]:
    """The summary's rows: indicator, source used, years, districts, age; none for an optional part without figures."""
    rows = []
    for result in results:
        if result.tier == "none" and result.is_optional:
            continue
        years, districts = "-", "0"
        if result.account is not None:
            first, last = result.account.first_year, result.account.last_year
            years = "-" if first is None else str(first) if first == last else f"{first}-{last}"
            districts = str(result.account.district_count)
        age = age_words(result.age_in_days(now))
        rows.append((result.name, source_words(result), years, districts, age))
    return rows


def sources_in_short(results: Sequence[PartResult], now: datetime) -> list[tuple[str, str, str]]:
    """A row for each source used: how many parts it gave, and the ages of their figures."""
    ages: dict[str, list[int | None]] = {}
    for result in results:
        ages.setdefault(source_words(result), []).append(result.age_in_days(now))
    return [
        (words, str(len(found)), _ages_words([age for age in found if age is not None]))
        for words, found in ages.items()
    ]


def _ages_words(ages: Sequence[int]) -> str:
    if not ages:
        return "-"
    youngest, oldest = age_words(min(ages)), age_words(max(ages))
    return youngest if youngest == oldest else f"{youngest} to {oldest}"


def run_report(
    settings: Settings,
    notes: Notes,
    outcome: Outcome,
    error: str | None = None,
    prefect_seconds: float | None = None,
    exit_code: int = 0,
) -> dict[str, Any]:
    """The run report as plain data: what was got and how, what failed and why, row counts, timings, versions.

    With an ``error`` it is of a run that published nothing, and ``outcome`` holds what the run had by then.
    """
    results = outcome.results
    return {
        **_head(settings, notes.started_at, _status(outcome, error, exit_code), error, exit_code),
        "sources_unreachable": unreachable_hosts(results),
        "failures": outcome.failures,
        "tracebacks": [a.traceback for result in results for a in result.attempts if a.traceback],
        "from_release": notes.from_release,
        "overdue": notes.overdue,
        "requests": dict(notes.requests),
        "asked": notes.asked,
        "figures_were_read": any(result.accepted is not None for result in results),
        "no_figures_yet": [result.name for result in outcome.awaited],
        "parts": [
            {
                "indicator_id": result.indicator_id,
                "part_id": result.part_id,
                "tier": result.tier,
                "is_optional": result.is_optional,
                "source_id": result.source_id,
                "edition": result.edition,
                "age_days": result.age_in_days(notes.started_at),
                "rows_read": result.account.rows_read if result.account else 0,
                "rows_set_aside": result.account.rows_set_aside if result.account else 0,
                "districts": result.account.district_count if result.account else 0,
                "warnings": list(result.account.warnings) if result.account else [],
                "attempts": [f"{a.tier}: {a.sentence}" for a in result.attempts],
            }
            for result in results
        ],
        "release": _release(outcome),
        "gates": [asdict(finding) for finding in outcome.findings],
        "account_of_rows": dict(outcome.account),
        "row_counts": dict(outcome.counts.tables),
        "row_counts_before": dict(outcome.counts_before.tables),
        "figures": dict(outcome.counts.figures),
        "figures_before": dict(outcome.counts_before.figures),
        "set_aside_because": dict(outcome.set_aside),
        "seconds": {name: round(value, 3) for name, value in outcome.timings.seconds.items()},
        "prefect_start_seconds": None if prefect_seconds is None else round(prefect_seconds, 2),
    }


def report_without_run(settings: Settings, error: str, exit_code: int) -> dict[str, Any]:
    """The run report of a run that could not even begin."""
    return _head(settings, datetime.now(UTC), _status_of_none(exit_code), error, exit_code)


def read_run_report(folder: Path, *, since: datetime) -> dict[str, Any] | None:
    """The run report as it was written, or None where there is none of a run that began at ``since`` or later."""
    try:
        report: dict[str, Any] = json.loads((folder / "run_report.json").read_text(encoding="utf-8"))
        is_of_this_run = datetime.fromisoformat(report["started_at"]) >= since
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return report if is_of_this_run else None


def _status(outcome: Outcome, error: str | None, exit_code: int) -> str:
    if error is not None:
        return _status_of_none(exit_code)
    return "published" if outcome.is_new else "nothing new"


def _status_of_none(exit_code: int) -> str:
    """The status of a run that came to nothing."""
    return "stopped" if exit_code in STOPPED else "refused" if exit_code == EXIT_REFUSED else "failed"


def _head(settings: Settings, started_at: datetime, status: str, error: str | None, exit_code: int) -> dict[str, Any]:
    return {
        "status": status,
        "exit_code": exit_code,
        "error": error,
        "started_at": started_at.isoformat(),
        # a clock that was set back meanwhile must not end a run before it began
        "finished_at": max(datetime.now(UTC), started_at).isoformat(),
        "database": settings.database.name,
        "code_version": __version__,
        "python_version": platform.python_version(),
        "library_versions": {name: version(name) for name in _LIBRARIES},
    }


def _release(outcome: Outcome) -> dict[str, Any] | None:
    """Which release was published and what changed with it; None where none was."""
    if outcome.release is None:
        return None
    release = outcome.release
    return {
        "version": str(release.version),
        "previous_version": str(release.previous) if release.previous else None,
        "kind": release.kind,
        "what_changed": release.line,
        "could_not_be_kept": outcome.keeping_problem,
    }


def write_run_report(folder: Path, report: dict[str, Any]) -> None:
    """Write ``run_report.json`` and ``run_report.md`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "run_report.json", (json.dumps(report, indent=2) + "\n").encode())
    write_atomically(folder / "run_report.md", _markdown(report).encode())


def _markdown(report: dict[str, Any]) -> str:
    release, accepted = report.get("release") or {}, report.get("accepted")
    lines = [f"# Run of {report['started_at'][:19]} UTC: {report['status']}", ""]
    lines += _listed(_WHY.get(report["status"], "Why it was refused"), (report["error"] or "").splitlines())
    if accepted:
        who_and_why = f"by {accepted['by']} at {accepted['at'][:19]} UTC, because: {accepted['because']}"
        lines += _listed("Accepted all the same", [who_and_why, f"published as release {accepted['release']}"])
    lines += _listed("The night", report.get("night", []))
    lines += _said("What changed", release.get("what_changed"))
    for title, key in _LISTED:
        lines += _listed(title, report.get(key, []))
    found = [f"{finding['severity']}: {finding['sentence']}" for finding in report.get("gates", [])]
    lines += _listed("What the quality gates found", found)
    lines += _said("Optional indicators without figures yet", ", ".join(report.get("no_figures_yet", [])))
    lines += _where_from(report.get("parts", []))
    if report.get("account_of_rows"):
        lines += _counted("What became of every row", "rows", "number", report["account_of_rows"])
        lines += [
            "Rows read and computed are the sum of the seven lines under them; a run in which they are not stops.",
            "",
        ]
    for title, what, now in (("Figures of each indicator", "indicator", "figures"), ("Tables", "table", "row_counts")):
        lines += _against_last_time(title, what, report.get(now, {}), report.get(f"{now}_before", {}))
    lines += _counted("Why rows were set aside", "reason", "rows", report.get("set_aside_because", {}))
    lines += _counted("Requests", "source", "requests", report.get("requests", {}))
    for trace in report.get("tracebacks", []):
        lines += ["## Traceback", "", "```", trace.rstrip(), "```", ""]
    if report.get("seconds"):
        lines += ["## Time", "", "| step | seconds |", "|---|---:|"]
        lines += [f"| {name} | {value:.2f} |" for name, value in report["seconds"].items()]
        if report["prefect_start_seconds"] is not None:
            lines.append(f"| Prefect's own start | {report['prefect_start_seconds']:.2f} |")
        lines.append("")
    return "\n".join([*lines, _versions(report), ""])


def _said(title: str, text: str | None) -> list[str]:
    return [f"## {title}", "", text, ""] if text else []


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    """A section with a line for each sentence; nothing where there is none."""
    return [f"## {title}", "", *(f"* {sentence}" for sentence in sentences), ""] if sentences else []


def _where_from(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of the parts and their sources; nothing where a run got none."""
    if not parts:
        return []
    lines = [
        "## Where the figures came from",
        "",
        "| indicator | part | source | edition | age, days | rows | set aside | districts |",
        "|---|---|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {p['indicator_id']} | {p['part_id']} | {TIER_WORDS[p['tier']]} ({p['source_id']}) | {p['edition']} | "
        f"{'-' if p['age_days'] is None else p['age_days']} | {p['rows_read']} | {p['rows_set_aside']} | {p['districts']} |"
        for p in parts
        if not (p["is_optional"] and p["tier"] == "none")
    ]
    return [*lines, ""]


def _versions(report: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in report.get("library_versions", {}).items())
    return (
        f"Made by version {report['code_version']} of the pipeline with Python {report['python_version']}, {libraries}."
    )


def _counted(title: str, what: str, unit: str, counts: Mapping[str, int]) -> list[str]:
    """A table of counts; nothing where there is none."""
    if not counts:
        return []
    lines = [f"## {title}", "", f"| {what} | {unit} |", "|---|---:|"]
    return [*lines, *(f"| {name} | {count:,} |" for name, count in counts.items()), ""]


def _against_last_time(title: str, what: str, now: Mapping[str, int], before: Mapping[str, int]) -> list[str]:
    """A table of row counts beside those of the file before, those that differ first."""
    if not now and not before:
        return []
    names = sorted({**now, **before}, key=lambda name: now.get(name) == before.get(name))
    differ = sum(now.get(name) != before.get(name) for name in names)
    against = (
        f"{differ} of {len(names)} differ from last time." if before else "There was no file before to compare with."
    )
    lines = [f"## {title}", "", against, "", f"| {what} | rows | last time | difference |", "|---|---:|---:|---:|"]
    for name in names:
        rows, last = now.get(name, 0), before.get(name)
        difference = "-" if last is None else f"{rows - last:+,}" if rows != last else ""
        lines.append(f"| {name} | {rows:,} | {'-' if last is None else f'{last:,}'} | {difference} |")
    return [*lines, ""]
