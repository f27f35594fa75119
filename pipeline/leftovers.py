"""Remove the unfinished files of runs that were ended: nothing else knows of them.

Only this project's own file names are touched, and nothing that a running process is still writing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

# `.NAME.PROCESS.building`, with DuckDB's own endings for its log and its spill folder; `old` is a site while a newer
# one
# replaces it. A release from the bucket has random letters instead of a process number.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.(?P<process>[a-z0-9_]+)\.(building|old)(\.duckdb)?(\.wal|\.tmp)?")
# Temporary files of `pipeline.raw.write_atomically`.
_HALF_WRITTEN = re.compile(r"\..+\.(json|md|csv|xlsx|ods|xls|parquet|body|bin|sha256)\.[a-z0-9_]{8}")


def remove_unfinished(folder: Path, name: str | None = None) -> list[str]:
    """Remove unfinished files and folders of dead processes in ``folder``, all or those of ``name``; return their names."""
    found = ((path, _UNFINISHED.fullmatch(path.name)) for path in sorted(folder.glob(".*")))
    return [
        _removed(path)
        for path, match in found
        if match and name in (None, match["name"]) and not _is_running(match["process"])
    ]


def remove_leftovers(marts_dir: Path, raw_dir: Path) -> list[str]:
    """Remove everything that ended runs left unfinished in a data folder; return the names.

    The caller must hold the lock on ``marts_dir``. Raises OSError if something cannot be removed.
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
    """Whether another process with this number is running."""
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
