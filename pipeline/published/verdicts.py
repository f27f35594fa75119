"""The four verdict words of the file: *clearly* and *probably* (with a side), *cannot say*, *not known*.

``meta_verdict`` of the file defines them. A score or figure is `clearly above`, `probably below` and so on. A direction
is `clearly improving`, `probably worsening` and so on.
"""

from __future__ import annotations

from typing import Final

CLEARLY: Final = "clearly"
PROBABLY: Final = "probably"
CANNOT_SAY: Final = "cannot say"
NOT_KNOWN: Final = "not known"
ABOVE, BELOW = "above", "below"


def sureness(verdict: str) -> str:
    """The verdict without its side: one of the four words."""
    first = verdict.split(" ", 1)[0]
    return first if first in (CLEARLY, PROBABLY) else verdict


def side(verdict: str) -> str | None:
    """The side in the verdict, such as ``above``; None if it has none."""
    first, _, named = verdict.partition(" ")
    return named if first in (CLEARLY, PROBABLY) else None
