"""What takes long to make and is the same for every worker and every session of one state of the code, made once.

It is kept in ``.cache/tests`` under a digest of all it is made of: code, shipped figures, locked packages, Python. A
changed byte in any of these makes it anew. Workers use copies, so that no test can change what another reads.
"""

from __future__ import annotations

import fcntl
import hashlib
import pickle
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.settings import BASELINE_DIR, PROJECT_ROOT

KEPT = PROJECT_ROOT / ".cache" / "tests"
STATES_KEPT = 2  # of the code: this one, and the one a developer goes back to
ROOMS = ("pipeline", "schemas", "flows")
OTHER_INGREDIENTS = (
    BASELINE_DIR / "manifest.json",
    PROJECT_ROOT / "requirements-dev.lock",
    PROJECT_ROOT / "docs" / "methodology.md",
    PROJECT_ROOT / "tests" / "conftest.py",
    PROJECT_ROOT / "tests" / "small_world.py",
    Path(__file__),
)


@dataclass(frozen=True)
class Kept:
    """A folder of what is kept; a value of Python beside it, written last, says that it is complete."""

    folder: Path

    @property
    def is_complete(self) -> bool:
        return self._value.exists()

    def keep(self, value: Any) -> None:
        """Declare the folder complete, with a value that goes with it."""
        unfinished = self._value.with_suffix(".unfinished")
        unfinished.write_bytes(pickle.dumps(value))
        unfinished.rename(self._value)

    def kept_value(self) -> Any:
        return pickle.loads(self._value.read_bytes())  # noqa: S301 - written by `keep`

    @property
    def _value(self) -> Path:
        return self.folder / "value.pickle"


@contextmanager
def kept(name: str) -> Iterator[Kept]:
    """The folder kept under ``name``, empty unless it is complete, while no other worker or session uses it."""
    state = KEPT / _digest()
    folder = state / name
    state.mkdir(parents=True, exist_ok=True)
    state.touch()
    with (state / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = Kept(folder)
        if not found.is_complete:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _forget_old_states()
        yield found


def _forget_old_states() -> None:
    states = sorted(KEPT.iterdir(), key=lambda state: state.stat().st_mtime, reverse=True)
    for state in states[STATES_KEPT:]:
        shutil.rmtree(state, ignore_errors=True)


@cache
def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    code = [
        path
        for room in ROOMS
        for path in sorted((PROJECT_ROOT / room).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    ]
    for path in (*code, *OTHER_INGREDIENTS):
        digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
