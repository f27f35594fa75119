"""What was published before this run, part by part: the figures that stand where no answer as new is held any more.

Read from the live file where it is as it was published, else from the newest kept release. Only what a part got from its
publisher counts; figures shipped with the project are at hand anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.run.healing import is_as_published
from pipeline.settings import Settings

if TYPE_CHECKING:  # a run that finds nothing new reads no figures
    import pandas as pd

    from pipeline.releases.manifest import Release

_TIERS_OF_PUBLISHERS = ("live", "snapshot", "release")
_TABLES = ("dim_indicator", "fct_observation", "meta_release", "meta_source")
_PARTS = f"""
select
    indicator_id::varchar, part_id, source_id, edition, publisher_updated, retrieved_on, url, payload_sha256, last_year,
    latest_period_end
from meta_source
where tier in {_TIERS_OF_PUBLISHERS} and payload_sha256 <> '' and retrieved_on is not null
"""
_MEANINGS = "select indicator_id::varchar, title, unit, description, kind from dim_indicator"
_VERSION = (
    "select release_version from meta_release order by string_split(release_version, '.')::integer[] desc limit 1"
)
_FIGURES = """
select
    area_code::varchar as area_code,
    indicator_id::varchar as indicator_id,
    period,
    period_start,
    period_end,
    year,
    value,
    lower,
    upper,
    standard_error,
    numerator,
    denominator,
    status::varchar as status,
    source_id::varchar as source_id,
    edition::varchar as edition,
    payload_sha256::varchar as payload_sha256,
    source_row,
    geography_rule::varchar as geography_rule,
    source_area_codes::varchar as source_area_codes
from fct_observation
where indicator_id::varchar = $indicator and ($payload is null or payload_sha256::varchar = $payload)
    and ($with_made or (geography_rule::varchar not like 'aggregate_%' and geography_rule::varchar <> 'published_for_same_area'))
order by area_code, period_start, period_end
"""


@dataclass(frozen=True)
class PublishedPart:
    """Where the published figures of one part came from."""

    indicator_id: str
    part_id: str
    source_id: str
    edition: str
    publisher_updated: str | None
    retrieved_on: date
    url: str
    payload_sha256: str
    last_year: int | None
    latest_period_end: date | None


@dataclass(frozen=True)
class PublishedBefore:
    """The newest release: its version, the parts it has from publishers, and what its indicators mean.

    ``meanings`` gives title, unit, description and kind of each indicator.
    """

    version: str
    parts: Mapping[tuple[str, str], PublishedPart]
    meanings: Mapping[str, tuple[str, ...]]
    place: Path | Release

    def figures(self, indicator_id: str, payload_sha256: str | None = None, *, with_made: bool = False) -> pd.DataFrame:
        """An indicator's figures, or those of one payload: OBSERVATION_COLUMNS, ``geography_rule`` and ``source_area_codes``.

        They are on the map of then; ``with_made`` also those of wider areas and groups that were made from others. Raises
        duckdb.Error where they cannot be read.
        """
        given = {"indicator": indicator_id, "payload": payload_sha256, "with_made": with_made}
        with _opened(self.place) as connection:
            return connection.execute(_FIGURES, given).df()


def read_published_before(settings: Settings) -> PublishedBefore | None:
    """The newest release; None where nothing was published, or nothing of it can be read."""
    for place in _places(settings):
        try:
            with _opened(place) as connection:
                rows = connection.execute(_PARTS).fetchall()
                meanings = connection.execute(_MEANINGS).fetchall()
                version = connection.execute(_VERSION).fetchall()
        except (duckdb.Error, OSError):
            continue
        if version:
            parts = {(row[0], row[1]): _part(row) for row in rows}
            meant = {str(name): tuple(words) for name, *words in meanings}
            return PublishedBefore(str(version[0][0]), parts, meant, place)
    return None


def _part(row: Sequence[Any]) -> PublishedPart:
    return PublishedPart(**dict(zip((field.name for field in fields(PublishedPart)), row, strict=True)))


def _places(settings: Settings) -> Iterator[Path | Release]:
    """Where the newest release may be read: the live file, else what is kept of it."""
    if is_as_published(settings):
        yield settings.database
    from pipeline.releases import ReleaseStore  # only where the live file is damaged or gone

    newest = ReleaseStore(settings.database, settings.keep_releases).newest()
    if newest is not None and all(_is_whole(newest, table) for table in _TABLES):
        yield newest


def _is_whole(release: Release, table: str) -> bool:
    """Whether the file of a kept table holds the bytes that were kept."""
    part = release.parts.get(table)
    if part is None:
        return False
    try:
        with (release.folder / part.file).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == part.sha256
    except OSError:
        return False


@contextmanager
def _opened(place: Path | Release) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which the tables of a release have their names."""
    if isinstance(place, Path):
        with duckdb.connect(str(place), read_only=True) as connection:
            yield connection
        return
    with duckdb.connect() as connection:
        for table in _TABLES:
            path = str(place.folder / place.parts[table].file).replace("'", "''")
            connection.execute(f"create view {table} as select * from read_parquet('{path}')")
        yield connection
