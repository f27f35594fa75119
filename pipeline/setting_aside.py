"""Move whatever blocks a file aside, under a name that says so."""

from __future__ import annotations

from itertools import count
from pathlib import Path

_WORD = "set-aside"


def set_aside(path: Path) -> Path:
    """Rename ``path`` to ``NAME.set-aside`` and return the new path. Only the newest file of a kind is kept.

    A folder with that name keeps it, and the next free number is used. Raises OSError if it cannot be moved.
    """
    aside = aside_of(path)
    path.replace(aside)
    return aside


def aside_of(path: Path) -> Path:
    """The name that ``path`` would get."""
    names = (f"{path.name}.{_WORD}{'' if number == 1 else f'-{number}'}" for number in count(1))
    places = (path.with_name(name) for name in names)
    return next(place for place in places if not place.exists() or (place.is_file() and path.is_file()))
