"""Which releases are overdue today by the published file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from pipeline.catalogue.release_calendar import load_release_calendar
from pipeline.reading import CannotRead, published
from pipeline.run.overdue_releases import overdue_sentences

_LATEST = """
select distinct release_id, latest_period_end
from meta_source
where release_id is not null and latest_period_end is not null
order by latest_period_end
"""


def overdue(database: Path, today: date) -> list[str]:
    """A sentence for each release that is later today than its calendar and grace allow.

    The file's own column ``release_status`` is of the day it was made; on a night without news the calendar goes on.
    """
    releases = {release.id: release for release in load_release_calendar().releases}
    held = [(releases[id_], latest) for id_, latest in _rows(database, _LATEST) if id_ in releases]
    return overdue_sentences(held, today)


def _rows(database: Path, sql: str) -> Iterable[tuple]:
    """The rows of a query; none where the file cannot be read or is of an edition without the table."""
    try:
        with published(database) as connection:
            return connection.execute(sql).fetchall()
    except (CannotRead, duckdb.Error):
        return []
