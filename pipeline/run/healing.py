"""See to it that a reader finds what was published: no stray log, no folder, no other program's figures.

DuckDB keeps a database in two files, itself and a write-ahead log beside it. A program that opens the published file for
writing and dies leaves such a log: readers then see its figures, or cannot open the file, while the file itself is as it was.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipeline.published_digest import make_read_only, published_digests, write_ahead_log
from pipeline.reading import CannotRead, first_line, published
from pipeline.run.run_state import read_run_state, sha256_of, write_run_state
from pipeline.setting_aside import aside_of, set_aside
from pipeline.settings import Settings

if TYPE_CHECKING:  # what can make a file takes pandas, and on most nights nothing has to be made
    from pipeline.releases import ReleaseStore
    from pipeline.releases.manifest import Release


def is_as_published(settings: Settings) -> bool:
    """Whether a reader finds the published file whole, with nothing beside it that does not belong there; changes nothing."""
    live = settings.database
    is_open, _ = _opened(live)
    return is_open and not write_ahead_log(live).exists() and sha256_of(live) in _known(settings)


def heal(settings: Settings) -> list[str]:
    """Put the published file right, and return a sentence for each thing that was wrong; nothing may run meanwhile.

    A stray log is set aside, the file is opened and its tables are counted as a reader would, and its bytes are held
    against the digest that was kept when it was published. Where it differs, cannot be opened or is gone, it is made
    again from the newest release that is kept. Raises OSError where the folder cannot be written.
    """
    live = settings.database
    said = _out_of_the_way(live)
    known = _known(settings)
    is_open, why = _opened(live)
    if is_open and sha256_of(live) in known:
        if live.stat().st_mode & 0o222:  # published before files were published read-only
            make_read_only(live)
        return said
    return said + _mended(settings, known, why)


def _mended(settings: Settings, known: set[str], why: str | None) -> list[str]:
    from pipeline import publish
    from pipeline.releases import ReleaseProblem
    from pipeline.run.kept_releases import release_store

    live, store = settings.database, release_store(settings)
    newest = store.newest()
    if newest is None and not live.exists():
        return []  # nothing was published yet
    if why is None and not known:
        if newest is None or publish.run_id(live) != newest.run_id:
            return []  # there is nothing to hold it against
        why = "has no digest beside it to be held against"
    wrong = f"{live.name} {why or 'holds other bytes than were published'}"
    if sha256_of(live) in known:
        _replace_by_a_copy(live)
        return [f"{wrong}; a copy with the same bytes took its place"]
    if newest is None:
        return [f"{wrong}, and no release is kept to heal it from: the next run makes it anew"]
    try:
        aside = _put_in_place(store, newest, live)
    except ReleaseProblem as problem:
        return [f"{wrong}, and cannot be healed ({problem}): the next run makes it anew"]
    _remember(settings)
    kept = f" (what it was is kept as {aside.name})" if aside else ""
    return [f"{wrong}; release {newest.version}, which is kept, took its place{kept}"]


def _out_of_the_way(live: Path) -> list[str]:
    said = []
    log = write_ahead_log(live)
    if log.exists():
        aside = set_aside(log)
        said.append(f"another program left a log of its changes beside {live.name}; it is kept as {aside.name}, unused")
    if live.is_dir():
        said.append(f"a folder was in the place of {live.name}; it is kept as {set_aside(live).name}")
    return said


def _known(settings: Settings) -> set[str]:
    """The digests kept beside the published file; where there are none, what the last run noted of the file it left."""
    state = None if (kept := published_digests(settings.database)) else read_run_state(settings.marts_dir)
    return {state.database_sha256} if state else kept


def _opened(live: Path) -> tuple[bool, str | None]:
    """Whether a reader can open the file and count its tables; if not, the end of a sentence on why."""
    if not live.exists():
        return False, "is gone"
    try:
        with published(live) as connection:
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f'select count(*) from "{name}"').fetchall()
    except CannotRead as error:
        return False, f"cannot be opened ({error})"
    except duckdb.Error as error:
        return False, f"cannot be read ({first_line(error)})"
    return True, None


def _replace_by_a_copy(live: Path) -> None:
    """Leave the file itself to the program that holds it."""
    from pipeline import publish

    building = publish.candidate_path(live)
    try:
        shutil.copyfile(live, building)
        publish.swap(building, live)
    finally:
        publish.discard(building)


def _put_in_place(store: ReleaseStore, release: Release, live: Path) -> Path | None:
    """Put a kept release in the place of the live file; return where that is kept. Raises ReleaseProblem."""
    from pipeline import publish

    building = publish.candidate_path(live)
    publish.discard(building)
    try:
        store.rebuild(release, building)
        aside = _kept_aside(live)
        publish.swap(building, live)
    finally:
        publish.discard(building)
    return aside


def _kept_aside(live: Path) -> Path | None:
    """Give the file another name beside its own, so that readers find one all the time; None where there is none."""
    if not live.exists():
        return None
    aside = aside_of(live)
    aside.unlink(missing_ok=True)
    try:
        os.link(live, aside)
    except OSError:  # a file system without hard links
        shutil.copyfile(live, aside)
    return aside


def _remember(settings: Settings) -> None:
    """Let the next run know the healed file again, where it is made of what the last run noted."""
    from pipeline import publish

    live, state = settings.database, read_run_state(settings.marts_dir)
    if state is not None and publish.live_fingerprint(live) == state.inputs:
        write_run_state(settings.marts_dir, replace(state, database_sha256=sha256_of(live) or ""))
