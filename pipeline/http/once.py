"""Shared by the requests of one run: answers fetched only once, and files that long tables are written to."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.http.payload import SourceError, StoredFile

Answer = TypeVar("Answer")


class OncePerRun:
    """Answers that many queries need, each made once however many threads ask.

    A failure is remembered and raised again, so that twenty indicators do not repeat the same request twenty times.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, tuple[threading.Lock, list[Any]]] = {}

    def __call__(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """The first result of ``make`` for ``key``. Raises the SourceError that it raised the first time."""
        with self._lock:
            lock, answers = self._answers.setdefault(key, (threading.Lock(), []))
        with lock:
            if not answers:
                try:
                    answers.append(make())
                except SourceError as error:
                    answers.append(error)
        answer: Answer | SourceError = answers[0]
        if isinstance(answer, SourceError):
            raise type(answer)(str(answer))
        return answer


class SpoolFolder:
    """A folder in the system's temporary directory (``TMPDIR``), deleted on closing or garbage collection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None

    def new_file(self) -> SpoolFile:
        with self._lock:
            if self._path is None:
                self._path = Path(tempfile.mkdtemp(prefix="inclusive-growth-"))
                self._remove = weakref.finalize(self, shutil.rmtree, self._path, ignore_errors=True)
            handle, name = tempfile.mkstemp(dir=self._path)
        return SpoolFile(Path(name), handle)

    def close(self) -> None:
        with self._lock:
            if self._path is not None:
                self._remove()
                self._path = None


class SpoolFile:
    """A file that is hashed while it is written from start to end."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._stream = open(handle, "wb", buffering=1 << 20)  # noqa: SIM115 - closed by __exit__
        self._digest = hashlib.sha256()
        self._byte_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, block: bytes | memoryview) -> None:
        self._stream.write(block)
        self._digest.update(block)
        self._byte_count += len(block)

    def stored(self) -> StoredFile:
        """The finished file. Nothing more is written to it."""
        self._stream.close()
        return StoredFile(self._path, self._digest.hexdigest(), self._byte_count)
