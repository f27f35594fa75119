"""Write files that are either wholly there or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.setting_aside import set_aside


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either wholly there or not there: beside the target, flushed to disk, then renamed."""
    write_blocks_atomically(path, (content,))


def write_blocks_atomically(path: Path, blocks: Iterable[bytes]) -> None:
    """As ``write_atomically``, of a content that comes in blocks; where they end in an error, nothing is written."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            for block in blocks:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        if path.is_dir():  # a folder in the place of a file would be in the way for ever
            set_aside(path)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a disk that is full does not say what there was no room for
        raise


def _umask() -> int:
    """The process's file mode mask; a temporary file starts private, and the published one must not stay so."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
