"""How many rows a published file has: of each table, of each indicator, and set aside for which reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from pipeline.gates import Finding, recorded_findings
from pipeline.reading import CannotRead, published
from pipeline.run.results import Counts, Outcome

_TABLES = "select table_name, estimated_size from duckdb_tables() order by table_name"
_FIGURES = "select indicator_id, count(value) from fct_observation group by all order by all"
# Reasons name the row or the value they are about; what they share is the reason.
_SET_ASIDE = r"""
select regexp_replace(reason, '''[^'']*''|"[^"]*"|[EWSNK][0-9]{8}|-?[0-9][0-9.,/-]*', '…', 'g') as kind, count(*) as row_count
from meta_quarantine
group by all
order by row_count desc, kind
limit 20
"""


def counts_of(database: Path) -> Counts:
    """The rows of each table and the figures (with a value) of each indicator; none where the file cannot be read."""
    return Counts(dict(_pairs(database, _TABLES)), dict(_pairs(database, _FIGURES)))


def with_what_it_holds(outcome: Outcome, database: Path, before: Path | None = None) -> Outcome:
    """An outcome with the rows of the file it came to, those set aside, and what the gates found in it.

    ``before`` is the file to compare with, where the outcome does not hold its counts yet.
    """
    counts_before = outcome.counts_before if before is None else counts_of(before)
    return replace(
        outcome,
        counts=counts_of(database),
        counts_before=counts_before,
        set_aside=set_aside_by_reason(database),
        findings=tuple(_findings(database)),
    )


def _findings(database: Path) -> list[Finding]:
    try:
        with published(database) as connection:
            return recorded_findings(connection)
    except (CannotRead, duckdb.Error):
        return []


def set_aside_by_reason(database: Path) -> dict[str, int]:
    """How many rows were set aside for which reason, the most frequent first; none where the file cannot be read."""
    return dict(_pairs(database, _SET_ASIDE))


def _pairs(database: Path, sql: str) -> list[tuple[str, int]]:
    try:
        with published(database) as connection:
            return connection.execute(sql).fetchall()
    except (CannotRead, duckdb.Error):
        return []
