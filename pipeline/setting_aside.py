"""Move what is in the way of a file aside, under a name that tells of it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

_WORD = "set-aside"


def set_aside(path: Path) -> Path:
    """Give ``path`` the name ``NAME.set-aside`` and return it. One file of a kind is kept: the newest.

    A folder that has the name keeps it, and the next free number is taken. Raises OSError where it cannot be moved.
    """
    aside = aside_of(path)
    path.replace(aside)
    return aside


def aside_of(path: Path) -> Path:
    """The name ``path`` would be set aside under."""
    names = (f"{path.name}.{_WORD}{'' if number == 1 else f'-{number}'}" for number in count(1))
    places = (path.with_name(name) for name in names)
    return next(place for place in places if not place.exists() or (place.is_file() and path.is_file()))
