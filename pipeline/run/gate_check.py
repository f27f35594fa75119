"""Hold a new file against the live one before it is published, and write into it what was found."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline import publish
from pipeline.gates import (
    Finding,
    districts_lost,
    load_gate_policy,
    medians_moved,
    record_findings,
    rows_down,
    too_old,
)
from pipeline.run.context import RunContext
from pipeline.run.release import live_was_changed

_HOW_TO_GO_ON = (
    "To see what publishing it would change: python -m pipeline diff --candidate. "
    'If it is right: python -m pipeline publish --accept "REASON". Otherwise the next run tries again.'
)
_NEEDED = frozenset({"dim_area", "dim_indicator", "fct_observation", "mart_score", "mart_area_profile"})


def hold_against_live(context: RunContext, candidate: Path) -> list[Finding]:
    """Run every gate on the file at ``candidate`` and record the findings in its ``meta_gate``; the gravest come first.

    A live file that is not there, cannot be read, is not as it was published or lacks a table that the gates read is no measure: then only the
    calendar is looked at. Raises CatalogueError when the limits are wrong.
    """
    policy = load_gate_policy(context.catalogue.indicators)
    grace = {release.id: release.grace_days or 0 for release in context.calendar.releases}
    with duckdb.connect(str(candidate)) as connection:
        found = too_old(connection, policy, today=context.started_at.date(), grace_days=grace)
        live = context.settings.database
        if not live_was_changed(context.memory, live) and _attach_live(connection, live):
            found += districts_lost(connection, policy)
            found += rows_down(connection, policy)
            found += medians_moved(connection, policy)
            connection.execute("detach live")
        found.sort(key=lambda finding: finding.severity != "refuse")
        record_findings(connection, found)
        connection.execute("checkpoint")
    return found


def refuse_what_gates_forbid(context: RunContext, candidate: Path) -> None:
    """Let the file at ``candidate`` pass, or keep it aside where a gate refuses it.

    Raises CandidateRefused with what was found, and how to look and to accept.
    """
    refusals = [finding.sentence for finding in hold_against_live(context, candidate) if finding.severity == "refuse"]
    if refusals:
        kept = publish.keep_refused(candidate, context.settings.database)
        raise publish.CandidateRefused("\n".join([*refusals, f"It is kept as {kept.name}. {_HOW_TO_GO_ON}"]), kept)


def _attach_live(connection: duckdb.DuckDBPyConnection, live: Path) -> bool:
    """Attach the live file as ``live`` if it can be compared with."""
    if not live.exists():
        return False
    try:
        path = str(live).replace("'", "''")
        connection.execute(f"attach '{path}' as live (read_only)")
    except duckdb.Error:
        return False
    held = connection.execute("select table_name from duckdb_tables() where database_name = 'live'").fetchall()
    if {name for (name,) in held} >= _NEEDED:
        return True
    connection.execute("detach live")
    return False
