"""Store the gates' findings, and who accepted them, in the published file's table ``meta_gate``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from pipeline.gates.findings import Finding


def record_findings(connection: duckdb.DuckDBPyConnection, findings: Sequence[Finding]) -> None:
    """Write findings, in order, into ``meta_gate`` of the new file, replacing any that were there."""
    connection.execute("delete from meta_gate")
    if findings:
        connection.executemany(
            "insert into meta_gate (finding_id, gate_id, severity, subject, measured, allowed, sentence) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, f.gate_id, f.severity, f.subject, f.measured, f.allowed, f.sentence)
                for number, f in enumerate(findings, start=1)
            ],
        )


def recorded_findings(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """The findings in a file, in order."""
    rows = connection.execute(
        "select gate_id, severity, subject, measured, allowed, sentence from meta_gate order by finding_id"
    ).fetchall()
    return [Finding(*row) for row in rows]


def accept_findings(connection: duckdb.DuckDBPyConnection, reason: str, person: str, now: datetime) -> None:
    """Record on every refusal why, by whom and when (UTC) it was accepted."""
    connection.execute(
        "update meta_gate set accepted_because = ?, accepted_by = ?, accepted_at = ? where severity = 'refuse'",
        [reason, person, now],
    )
