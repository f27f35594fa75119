"""The digest that is kept beside a published file, and the right to write that is taken from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.atomic import write_atomically

_DIGEST = re.compile(r"^([0-9a-f]{64})  ", re.MULTILINE)


def write_ahead_log(live: Path) -> Path:
    """Where DuckDB keeps what a program wrote into a file and has not yet put in its place."""
    return live.with_name(live.name + ".wal")


def make_read_only(file: Path) -> None:
    """Take away the right to write, which a program that opens a published file must not find by accident."""
    file.chmod(file.stat().st_mode & 0o444)


def published_digests(live: Path) -> set[str]:
    """The sha256 of what was published as ``live``, as it was noted when it was; empty where it was not, or is lost.

    While a file is put in the place of another there are two. The note is in the form that ``sha256sum --check`` reads.
    """
    try:
        return set(_DIGEST.findall(_digest_file(live).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def _digest_file(live: Path) -> Path:
    return live.with_name(f"{live.name}.sha256")


def keep_digests(live: Path, digests: Sequence[str]) -> None:
    """Note the digests of what is, or is about to be, published as ``live``. Raises OSError."""
    write_atomically(_digest_file(live), "".join(f"{digest}  {live.name}\n" for digest in digests).encode())
