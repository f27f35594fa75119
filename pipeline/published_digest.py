"""The digest kept beside a published file, and the removal of its write permission."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.atomic import write_atomically

_DIGEST = re.compile(r"^([0-9a-f]{64})  ", re.MULTILINE)


def write_ahead_log(live: Path) -> Path:
    """Where DuckDB keeps changes to a file that are not yet merged into it."""
    return live.with_name(live.name + ".wal")


def make_read_only(file: Path) -> None:
    """Remove the write permission, so that no program changes a published file by accident."""
    file.chmod(file.stat().st_mode & 0o444)


def published_digests(live: Path) -> set[str]:
    """The recorded sha256 of the file published as ``live``; empty if there was none, or it is lost.

    While one file replaces another there are two. The format is that of ``sha256sum --check``.
    """
    try:
        return set(_DIGEST.findall(_digest_file(live).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def _digest_file(live: Path) -> Path:
    return live.with_name(f"{live.name}.sha256")


def keep_digests(live: Path, digests: Sequence[str]) -> None:
    """Record the digests of what is, or is about to be, published as ``live``. Raises OSError."""
    write_atomically(_digest_file(live), "".join(f"{digest}  {live.name}\n" for digest in digests).encode())
