"""Remove what runs that were ended had begun to write: nothing else knows it, and nobody reads it.

Only names that this project itself gives are touched, and nothing that a running process is still writing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

# `.NAME.PROCESS.building`, with DuckDB's own endings for its log and its folder of what does not fit into memory; `old`
# is a site while a newer one takes its place. Instead of a process's number a release from the bucket has random letters.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.(?P<process>[a-z0-9_]+)\.(building|old)(\.duckdb)?(\.wal|\.tmp)?")
# What `pipeline.raw.write_atomically` has begun to write.
_HALF_WRITTEN = re.compile(r"\..+\.(json|md|csv|xlsx|ods|xls|parquet|body|bin|sha256)\.[a-z0-9_]{8}")


def remove_unfinished(folder: Path, name: str | None = None) -> list[str]:
    """Remove files and folders that dead processes left unfinished in ``folder``, all or those of ``name``; return names."""
    found = ((path, _UNFINISHED.fullmatch(path.name)) for path in sorted(folder.glob(".*")))
    return [
        _removed(path)
        for path, match in found
        if match and name in (None, match["name"]) and not _is_running(match["process"])
    ]


def remove_leftovers(marts_dir: Path, raw_dir: Path) -> list[str]:
    """Remove all that ended runs left unfinished or half written in a data folder; return the names.

    To be called by who holds the lock on ``marts_dir``. Raises OSError where something cannot be removed.
    """
    folders = (marts_dir, marts_dir / "releases")
    removed = [name for folder in folders if folder.is_dir() for name in remove_unfinished(folder)]
    places = (marts_dir.glob(".*"), raw_dir.glob("*/*/.*"), raw_dir.glob("*/*/rejected/.*"))
    return removed + [_removed(path) for path in _half_written(path for place in places for path in place)]


def _half_written(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if _HALF_WRITTEN.fullmatch(path.name) and path.is_file()]


def _removed(path: Path) -> str:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return path.name


def _is_running(process: str) -> bool:
    """Whether another process of this number runs."""
    if not process.isdigit() or int(process) == os.getpid():
        return False
    if os.name == "nt":
        return True  # Windows has no harmless signal to ask with
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
