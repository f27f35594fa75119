"""Find the kept release for a version or a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import duckdb

from pipeline.compare.version import Version
from pipeline.releases.manifest import Release, ReleaseProblem


def history(live: Path) -> dict[Version, datetime]:
    """Every release that the live file lists, and when it was made (UTC); empty if it cannot be read."""
    try:
        with duckdb.connect(str(live), read_only=True) as connection:
            rows = connection.execute("select release_version, released_at from meta_release").fetchall()
    except duckdb.Error:
        return {}
    return {Version.parse(version): released_at for version, released_at in rows}


def live_version(live: Path) -> Version | None:
    """The version of the live file; None if it has none or cannot be read."""
    return max(history(live), default=None)


def version_meant(as_of: str, known: dict[Version, datetime]) -> Version:
    """The release of a version (1.3.0), or the one that was live when a day ended (2026-11-01, UTC).

    ``known`` gives when each release was made. Raises ReleaseProblem if there was none.
    """
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        return _version_named(as_of, known)
    end = datetime.combine(day, time.max)
    live_then = [version for version, released_at in known.items() if released_at <= end]
    if not live_then:
        first = min(known.values(), default=None)
        since = f"the first release is of {first:%Y-%m-%d}" if first else "there is no release yet"
        raise ReleaseProblem(f"nothing was published by {day}; {since}")
    return max(live_then, key=lambda version: (known[version], version))


def named(kept: Sequence[Release], live: Path, as_of: str, problems: Sequence[str] = ()) -> Release:
    """The kept release that ``as_of`` names, or the newest patch of its minor version, which has the same rows.

    ``problems`` are included in the error if there is none. Raises ReleaseProblem.
    """
    version = version_meant(as_of, history(live) | {release.version: release.released_at for release in kept})
    same_rows = {
        release.version: release
        for release in sorted(kept, key=lambda release: release.version)
        if (release.version.major, release.version.minor) == (version.major, version.minor)
    }
    if version in same_rows:
        return same_rows[version]
    if same_rows:
        return list(same_rows.values())[-1]
    held = ", ".join(str(release.version) for release in kept) or "none"
    raise ReleaseProblem("\n".join([f"release {version} cannot be read (kept: {held})", *problems]))


def _version_named(text: str, known: dict[Version, datetime]) -> Version:
    try:
        version = Version.parse(text)
    except ValueError:
        raise ReleaseProblem(f"{text!r} is neither a version (1.3.0) nor a day (2026-11-01)") from None
    if version not in known:
        raise ReleaseProblem(f"there is no release {version}; `python -m pipeline releases` lists those that are kept")
    return version
