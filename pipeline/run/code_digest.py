"""Which code made a file: digests of the project's own files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from pipeline import __version__
from pipeline.settings import PROJECT_ROOT

_CODE_FOLDERS = ("pipeline", "schemas")
_CODE_SUFFIXES = {".py", ".sql", ".yaml", ".csv"}


@cache
def code_fingerprint() -> str:
    """A digest of the code and facts that turn payloads into marts, so that a changed method rebuilds the file."""
    return hashlib.sha256(f"{__version__} {digest_of_code(PROJECT_ROOT)}".encode()).hexdigest()


def digest_of_code(root: Path, leaving_out: Collection[str] = ()) -> str:
    """A digest of all code, SQL, YAML and CSV files of the project at ``root``, except in the rooms left out.

    ``leaving_out``: files and folders, written from ``root``. Any changed byte changes it, even in a comment.
    """
    digest = hashlib.sha256()
    for folder in _CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.suffix in _CODE_SUFFIXES and not any(name.is_relative_to(room) for room in leaving_out):
                digest.update(name.as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
