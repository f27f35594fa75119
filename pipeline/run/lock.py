"""One refresh at a time: a lock on the data folder that names its owner and dies with it.

The operating system holds the lock (the `filelock` package: ``flock`` on Unix), so a killed process cannot leave one
behind. Beside it stands ``refresh.owner.json``, which says who holds it and since when. Where that is still there
although nobody holds the lock, its process stopped without finishing; the next run says so and goes on.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline import stopping
from pipeline.atomic import write_atomically
from pipeline.errors import EXIT_LOCKED, PipelineError
from pipeline.setting_aside import set_aside

_WORDS_OF_COMMAND = 8
_held_here: set[Path] = set()


@dataclass(frozen=True)
class Owner:
    """The process that holds a lock, or held it: ``since`` is an ISO 8601 time in UTC."""

    process: int
    host: str
    command: str
    since: str

    @classmethod
    def this_process(cls, now: datetime) -> Owner:
        words = [Path(sys.argv[0]).name, *sys.argv[1:_WORDS_OF_COMMAND]]
        return cls(os.getpid(), platform.node(), " ".join(words), now.astimezone(UTC).isoformat(timespec="seconds"))

    def words(self, now: datetime) -> str:
        """For people: "process 123 on host-a (refresh --force), since 02:58 UTC, 14 minutes ago"."""
        since = datetime.fromisoformat(self.since)
        # a clock that was set back must not make an age negative
        minutes = max(int((now - since).total_seconds() // 60), 0)
        age = f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes < 120 else f"{minutes // 60} hours"
        return f"process {self.process} on {self.host} ({self.command}), since {since:%Y-%m-%d %H:%M} UTC, {age} ago"


class Locked(PipelineError):
    """Another run holds the data folder; the message names its owner and age, and what to do if it hangs."""

    exit_code = EXIT_LOCKED


@contextmanager
def one_at_a_time(folder: Path, *, now: datetime | None = None) -> Iterator[Owner | None]:
    """Hold ``folder`` (the folder of the published file) for this process alone.

    Gives the owner that ended without releasing the lock, if one did. Raises Locked when another process holds it,
    OSError when the folder cannot be written.
    """
    now = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "refresh.owner.json"
    if (folder / "refresh.lock").is_dir():  # nobody can hold it, and nobody ever could
        set_aside(folder / "refresh.lock")
    lock = FileLock(folder / "refresh.lock", timeout=0, mode=0o644)
    try:
        lock.acquire()
    except Timeout:
        raise Locked(_who_holds(folder, record, datetime.now(UTC))) from None
    try:
        left_behind = _read(record)
        write_atomically(record, (json.dumps(asdict(Owner.this_process(now)), indent=2) + "\n").encode())
        _held_here.add(folder)
        # the lock itself goes with the process; its record would tell of one that stopped without finishing
        with stopping.closing("lock", lambda _: record.unlink(missing_ok=True)):
            yield left_behind
    finally:
        _held_here.discard(folder)
        record.unlink(missing_ok=True)
        lock.release()


def is_held_here(folder: Path) -> bool:
    """Whether this process holds the lock on ``folder``."""
    return folder in _held_here


def holder(folder: Path) -> Owner | None:
    """Who holds the lock on ``folder`` at this moment, as far as is recorded; None where nobody does."""
    lock = FileLock(folder / "refresh.lock", timeout=0, mode=0o644)
    if not folder.is_dir():
        return None
    try:
        with lock:
            return None
    except Timeout:
        return _read(folder / "refresh.owner.json")


def _who_holds(folder: Path, record: Path, now: datetime) -> str:
    owner = _read(record)
    who = "another process" if owner is None else owner.words(now)
    stop = "" if owner is None else f" If that one hangs, stop it on {owner.host} with: kill {owner.process}"
    return f"another run is at work on {folder}: {who}. Nothing was done; the lock goes when that run ends.{stop}"


def _read(record: Path) -> Owner | None:
    """The recorded owner; None where there is none, or the record is unreadable (it is words for people, not the lock)."""
    try:
        owner = Owner(**json.loads(record.read_text(encoding="utf-8")))
        is_whole = datetime.fromisoformat(owner.since).tzinfo is not None
    except (OSError, ValueError, TypeError):
        return None
    return owner if is_whole else None
