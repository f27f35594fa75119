"""Compare a new file with the live one before it is published, and write the findings into it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from pipeline import publish
from pipeline.catalogue.release_calendar import Calendar
from pipeline.compare import method_of
from pipeline.gates import (
    Finding,
    districts_lost,
    load_gate_policy,
    medians_moved,
    record_findings,
    rows_down,
    scores_moved,
    too_old,
    went_back,
)
from pipeline.run.release import file_before, method_in_use
from pipeline.run.stores import Stores

_HOW_TO_GO_ON = (
    "To see what publishing it would change: python -m pipeline diff --candidate. "
    'If it is right: python -m pipeline publish --accept "REASON". Otherwise the next run tries again.'
)
_NEEDED = frozenset({"dim_area", "dim_indicator", "fct_observation", "mart_score", "mart_area_profile", "meta_source"})


def hold_against_live(calendar: Calendar, stores: Stores, today: date, candidate: Path) -> list[Finding]:
    """Run every gate on the file at ``candidate`` and record the findings in its ``meta_gate``, refusals first.

    The new file is compared with the live one or, if that is gone, cannot be read or was changed, with the newest kept
    release. If something was published but none of it can be read for comparison, that is a finding that refuses the
    file. Raises CatalogueError when the limits are wrong.
    """
    policy = load_gate_policy()
    grace = {release.id: release.grace_days or 0 for release in calendar.releases}
    with duckdb.connect(str(candidate)) as connection:
        found = too_old(connection, policy, today=today, grace_days=grace)
        with file_before(stores) as (before, version, problem):
            if before is not None and _attach_live(connection, before):
                found += districts_lost(connection, policy)
                found += rows_down(connection, policy)
                found += medians_moved(connection, policy)
                found += went_back(connection, policy)
                found += scores_moved(
                    connection, policy, is_same_method=method_of(connection, "live") == method_in_use(stores.settings)
                )
                connection.execute("detach live")
            elif before is not None or problem is not None or version is not None:
                found.append(_nothing_to_compare_with(stores.settings.database.name, problem))
        found.sort(key=lambda finding: finding.severity != "refuse")
        record_findings(connection, found)
        connection.execute("checkpoint")
    return found


def refuse_what_gates_forbid(calendar: Calendar, stores: Stores, today: date, candidate: Path) -> None:
    """Let the file at ``candidate`` pass, or keep it aside where a gate refuses it.

    Raises CandidateRefused with what was found, and how to look and to accept.
    """
    found = hold_against_live(calendar, stores, today, candidate)
    refusals = [finding.sentence for finding in found if finding.severity == "refuse"]
    if refusals:
        kept = publish.keep_refused(candidate, stores.settings.database)
        raise publish.CandidateRefused("\n".join([*refusals, f"It is kept as {kept.name}. {_HOW_TO_GO_ON}"]), kept)


def _nothing_to_compare_with(name: str, problem: str | None) -> Finding:
    """That the gates had nothing to compare the new file with: only a person may then publish it."""
    why = problem or f"the {name} before this one lacks tables that the gates read"
    sentence = f"no gate could compare the new file with what was published: {why}. To start anew, accept it"
    return Finding("nothing_to_compare_with", "refuse", name, 1.0, 0.0, sentence)


def _attach_live(connection: duckdb.DuckDBPyConnection, live: Path) -> bool:
    """Attach the live file as ``live`` if it can be compared with."""
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
