"""The figures shipped with the project: the last resort if no publisher answers and no snapshot is held."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from pipeline.http.payload import Payload, SourceError

MANIFEST = "manifest.json"
MEDIA_TYPE = "application/vnd.apache.parquet"
_REPAIR = "restore it with `git checkout -- data/raw/baseline`"


@dataclass(frozen=True)
class ShippedFile:
    """One entry of the manifest: a Parquet file, its contents and the origin of its figures.

    ``source_files`` maps each source file to its sha256. ``rows_set_aside`` and ``rows_out_of_scope`` count the rows of
    those files that did not become figures.
    """

    file: str
    indicator: str
    part: str
    publisher: str
    edition: str
    published: date
    licence: str
    source_url: str
    source_files: Mapping[str, str]
    row_count: int
    rows_set_aside: int
    rows_out_of_scope: int
    first_period: str
    last_period: str
    byte_count: int
    sha256: str


class Baseline:
    """The baseline in one folder. Reading is lazy: files are opened only when needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def entries(self) -> tuple[ShippedFile, ...]:
        """The files of the manifest, in its order; none if there is no manifest.

        Raises SourceError if there is a manifest but it cannot be read.
        """
        path = self.folder / MANIFEST
        if not path.exists():
            return ()
        try:
            files = json.loads(path.read_text(encoding="utf-8"))["files"]
            return tuple(_entry(raw) for raw in files)
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"baseline: {path} cannot be read as a manifest ({error!r}); {_REPAIR}") from error

    def entry(self, indicator_id: str, part_id: str = "main") -> ShippedFile | None:
        """The shipped file of one part of an indicator, or None if there is none."""
        wanted = (indicator_id, part_id)
        return next(
            (entry for entry in self.entries if (entry.indicator, entry.part) == wanted),
            None,
        )

    def payload(self, indicator_id: str, part_id: str = "main") -> Payload | None:
        """The bytes shipped for one part of an indicator, or None if there are none.

        ``fetched_at`` is the publisher's release date, so that age means the age of the figures. ``http_status`` is 0,
        since there was no HTTP. Raises SourceError if the file is missing or does not match the manifest.
        """
        entry = self.entry(indicator_id, part_id)
        if entry is None:
            return None
        path = self.folder / entry.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SourceError(f"baseline: {path} cannot be read ({error.strerror}); {_REPAIR}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != entry.sha256:
            raise SourceError(
                f"baseline: {path} does not match its manifest: "
                f"expected sha256 {entry.sha256}, found {found}; {_REPAIR}"
            )
        return Payload(
            body=content,
            media_type=MEDIA_TYPE,
            url=entry.source_url,
            parameters={},
            fetched_at=datetime(
                entry.published.year,
                entry.published.month,
                entry.published.day,
                tzinfo=UTC,
            ),
            http_status=0,
            headers={},
            row_count=entry.row_count,
            publisher_updated=entry.published.isoformat(),
            edition=entry.edition,
        )

    def verify(self) -> list[str]:
        """Check every file against the manifest; one sentence for each fault, none if all is well."""
        if not self.entries:
            return [f"baseline: no {MANIFEST} in {self.folder}; {_REPAIR}"]
        found = []
        for entry in self.entries:
            try:
                self.payload(entry.indicator, entry.part)
            except SourceError as error:
                found.append(str(error))
        named = {entry.file for entry in self.entries}
        found += [
            f"baseline: {path} is not in the manifest; delete it or build the baseline again"
            for path in sorted(self.folder.glob("*.parquet"))
            if path.name not in named
        ]
        return found


def _entry(raw: Mapping[str, object]) -> ShippedFile:
    wanted = {f.name for f in fields(ShippedFile)}
    if set(raw) != wanted:
        raise ValueError(f"fields {sorted(set(raw) ^ wanted)} are missing or unknown")
    values = dict(raw)
    values["published"] = date.fromisoformat(str(raw["published"]))
    return ShippedFile(**values)  # type: ignore[arg-type]
