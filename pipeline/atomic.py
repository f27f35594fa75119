"""Write files that appear completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.setting_aside import set_aside


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that appears completely or not at all: beside the target, flushed to disk, then renamed."""
    write_blocks_atomically(path, (content,))


def write_blocks_atomically(path: Path, blocks: Iterable[bytes]) -> None:
    """As ``write_atomically``, for content that comes in blocks; if these raise an error, nothing is written."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            for block in blocks:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        if path.is_dir():  # a folder with the file's name would block it for ever
            set_aside(path)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # the error for a full disk does not name the file
        raise


def _umask() -> int:
    """The process's file mode mask: temporary files start private, and the published one must not stay so."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
