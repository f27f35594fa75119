"""The folder of kept releases: keep one, list them, delete old ones, rebuild one as a file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from pipeline.compare.compared_files import NEWEST_FIRST, digests, first_row
from pipeline.compare.version import Version
from pipeline.marts.build import STORAGE_VERSION
from pipeline.releases.finding import named
from pipeline.releases.manifest import MANIFEST, SCHEMA, Part, Release, ReleaseProblem, read_manifest
from pipeline.releases.schema import schema_sql
from pipeline.setting_aside import set_aside

FOLDER = "releases"
# The two newest always stay: the live one, and the one it is compared with.
_ALWAYS_KEPT = 2
_ALIAS = "release_file"
# An eighth larger than at the default level, but a fifth faster, in a step that every publication waits for.
_COMPRESSION = "compression zstd, compression_level 1"

_RELEASE = f"""
select release_version, released_at, kind, explanation, previous_version, run_id, code_version, content_hash
from meta_release
order by {NEWEST_FIRST}
limit 1
"""
_COLUMNS = """
select table_name, column_name, case when data_type like 'ENUM(%' then 'ENUM' else data_type end
from duckdb_columns()
where not internal and table_name in (select table_name from duckdb_tables() where not internal)
order by table_name, column_index
"""


class ReleaseStore:
    """Releases kept in ``releases/`` beside the ``live`` file.

    ``keep_releases``: how many minor versions to keep, each as its newest patch; at least 1.
    """

    def __init__(self, live: Path, keep_releases: int) -> None:
        self._live = live
        self._keep_releases = max(1, keep_releases)
        self.folder = live.parent / FOLDER

    def kept(self) -> list[Release]:
        """Every readable kept release, oldest first."""
        return sorted(
            (found for path in self._folders() if isinstance(found := _try_manifest(path), Release)),
            key=lambda release: release.version,
        )

    def problems(self) -> list[str]:
        """A sentence for each release folder that cannot be read."""
        return [found for path in self._folders() if isinstance(found := _try_manifest(path), str)]

    def newest(self) -> Release | None:
        """The kept release with the highest version; None if none is kept."""
        return max(self.kept(), key=lambda release: release.version, default=None)

    def noted_version(self) -> Version | None:
        """The version in the ``release.json`` beside the live file; None if there is none to read."""
        try:
            noted = json.loads((self._live.parent / MANIFEST).read_text(encoding="utf-8"))
            return Version.parse(noted["version"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def can_read(self, database: Path) -> tuple[bool, str]:
        """Whether a file can be opened and its tables counted, and if not, why."""
        if not database.exists():
            return False, "it is not there"
        try:
            with duckdb.connect(str(database), read_only=True) as connection:
                for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                    connection.execute(f'select count(*) from "{name}"').fetchall()
        except duckdb.Error as error:
            return False, _first_line(error)
        return True, ""

    def keep(self) -> Release | None:
        """Keep the live file as a release unless it is already kept; write ``release.json`` beside it; delete old ones.

        Returns None for a file without a version. Raises ReleaseProblem if the file cannot be read and OSError if the
        folder cannot be written.
        """
        try:
            with duckdb.connect(str(self._live), read_only=True) as connection:
                described = _described(connection)
                if described is None:
                    return None
                held = next((release for release in self.kept() if release.run_id == described["run_id"]), None)
                release = held or self._write(connection, described)
        except duckdb.Error as error:
            raise ReleaseProblem(f"{self._live.name} cannot be kept as a release: {_first_line(error)}") from error
        text = json.dumps(release.described(), indent=2, ensure_ascii=False) + "\n"
        _write_whole(self._live.parent / MANIFEST, text)
        self.prune()
        return release

    def prune(self) -> list[Version]:
        """Delete old releases; return their versions.

        The two newest stay, and the newest patch of each of the newest ``keep_releases`` minor versions.
        """
        folders = {release.version: release.folder for release in self.kept()}
        gone = to_delete(list(folders), self._keep_releases)
        for version in gone:
            shutil.rmtree(folders[version])
        return gone

    def rebuild(self, release: Release, path: Path) -> None:
        """Rebuild a kept release as a DuckDB file with its tables, keys, views and comments.

        The file appears complete or not at all. Raises FileExistsError if ``path`` exists, and ReleaseProblem naming
        the file of the release that is missing or altered.
        """
        if path.exists():
            raise FileExistsError(f"{path} exists already")
        check(release)
        building = path.with_name(f".{path.stem}.{os.getpid()}.building{path.suffix}")
        try:
            _build(release, building)
            building.replace(path)
        except (duckdb.Error, pa.ArrowException) as error:
            raise ReleaseProblem(f"release {release.version} cannot be rebuilt: {_first_line(error)}") from error
        finally:
            building.unlink(missing_ok=True)
            building.with_name(building.name + ".wal").unlink(missing_ok=True)

    def restore(self, as_of: str, path: Path | None = None) -> tuple[Version, Path]:
        """Rebuild the release of a version or a day as a file, by default beside the live one; return both.

        Raises FileExistsError and ReleaseProblem as ``rebuild`` and ``pipeline.releases.finding.named`` do.
        """
        release = named(self.kept(), self._live, as_of, self.problems())
        target = path or self._live.with_name(f"{self._live.stem}-{release.version}{self._live.suffix}")
        self.rebuild(release, target)
        return release.version, target

    def bytes_on_disk(self) -> int:
        """The size of the kept releases, with files that several share counted once."""
        found = (path.stat() for folder in self._folders() for path in folder.iterdir())
        return sum({(stat.st_dev, stat.st_ino): stat.st_size for stat in found}.values())

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _write(self, connection: duckdb.DuckDBPyConnection, described: dict[str, Any]) -> Release:
        """Write the release into a hidden folder, flush it, and rename it in one step."""
        target = self.folder / described["version"]
        building = self.folder / f".{described['version']}.{os.getpid()}.building"
        self._remove_leftovers()
        building.mkdir(parents=True)
        try:
            parts = self._write_tables(connection, building)
            schema = schema_sql(connection).encode()
            _write_whole(building / SCHEMA, schema.decode())
            parts[SCHEMA] = Part(SCHEMA, len(schema), hashlib.sha256(schema).hexdigest())
            release = _release(described, parts, target)
            _write_whole(building / MANIFEST, release.manifest())
            if target.exists():  # damaged, or left by a run whose file was never published
                shutil.rmtree(target)
            building.replace(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return release

    def _write_tables(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Part]:
        """A Parquet file for each table; a table with the same rows as in the newest kept release shares its file."""
        before = self.newest()
        columns: dict[str, dict[str, str]] = {}
        for table, column, kind in connection.execute(_COLUMNS).fetchall():
            columns.setdefault(table, {})[column] = kind
        parts = {}
        for table, (row_count, total) in digests(connection, "main", columns).items():
            shape = json.dumps([duckdb.__version__, columns[table], row_count, total])
            digest = hashlib.sha256(shape.encode()).hexdigest()
            path = folder / f"{table}.parquet"
            old = before.parts.get(table) if before else None
            if before and old and old.digest == digest and share_file(before.folder / old.file, path, old.sha256):
                parts[table] = old
                continue
            connection.execute(f"copy main.\"{table}\" to '{_quoted(path)}' (format parquet, {_COMPRESSION})")
            _flush(path)
            parts[table] = Part(path.name, path.stat().st_size, _sha256(path), row_count, digest)
        return parts

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob(".*.building") if self.folder.is_dir() else ():
            shutil.rmtree(path, ignore_errors=True)


def to_delete(versions: Sequence[Version], keep_releases: int) -> list[Version]:
    """Of versions in order, oldest first, those that are not kept: see ``ReleaseStore.prune``."""
    newest_patch = {(version.major, version.minor): version for version in versions}
    wanted = {*list(newest_patch.values())[-keep_releases:], *versions[-_ALWAYS_KEPT:]}
    return [version for version in versions if version not in wanted]


def check(release: Release) -> None:
    """Check every file of a release against its manifest. Raises ReleaseProblem naming the first that was altered."""
    for part in release.parts.values():
        path = release.folder / part.file
        if not path.is_file():
            raise ReleaseProblem(f"release {release.version} is incomplete: {part.file} is missing; {_ADVICE}")
        if path.stat().st_size != part.byte_count or _sha256(path) != part.sha256:
            raise ReleaseProblem(f"release {release.version} is damaged: {part.file} has been altered; {_ADVICE}")


_ADVICE = "restore its folder from a backup, or read another release (python -m pipeline releases lists them)"


def _build(release: Release, path: Path) -> None:
    schema = (release.folder / SCHEMA).read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{_quoted(path)}' as {_ALIAS} (storage_version '{STORAGE_VERSION}')")
        connection.execute(f"use {_ALIAS}")
        connection.execute("begin transaction")
        connection.execute(schema)
        for name, part in release.parts.items():
            if name != SCHEMA:
                connection.register("arrow_rows", _batches(release.folder / part.file))
                connection.execute(f'insert into "{name}" by name from arrow_rows')
                connection.unregister("arrow_rows")
        connection.execute("commit")
        connection.execute(f"checkpoint {_ALIAS}")
        connection.execute("use memory")
        connection.execute(f"detach {_ALIAS}")


def _batches(path: Path) -> pa.RecordBatchReader:
    """The rows of a Parquet file as Arrow reads them, with every text as text.

    DuckDB 2.0's own reader leaves texts in the dictionary of their column, and now and then its cast of that dictionary to
    an enumeration failed at an empty text that no row holds.
    """
    file = parquet.ParquetFile(path)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())


def _described(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """The newest release that a file lists, which is its own; None for a file without versions."""
    held = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
    row = first_row(connection, _RELEASE) if "meta_release" in held else None
    names = ("version", "released_at", "kind", "explanation", "previous", "run_id", "code_version", "content_hash")
    return dict(zip(names, row, strict=True)) if row else None


def _release(described: dict[str, Any], parts: dict[str, Part], folder: Path) -> Release:
    previous = described["previous"]
    known = described | {
        "version": Version.parse(described["version"]),
        "previous": Version.parse(previous) if previous else None,
    }
    return Release(**known, parts=parts, folder=folder)


def _try_manifest(folder: Path) -> Release | str:
    try:
        return read_manifest(folder)
    except ReleaseProblem as problem:
        return str(problem)


def share_file(source: Path, target: Path, sha256: str) -> bool:
    """Hard-link a file of another release if it is unaltered; return whether that was done."""
    if not source.is_file() or _sha256(source) != sha256:
        return False
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _write_whole(path: Path, text: str) -> None:
    """Write a small file that appears complete or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if path.is_dir():  # a folder with the file's name would block it for ever
        set_aside(path)
    part.replace(path)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
