"""What the person who starts a run asks for."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.run.check_schedule import Ask

# Draws of the survey errors behind each interval. A hundred settle an end of a 90% interval to about an eighth of its half-width;
# a thorough run draws as often as figures that will be quoted deserve.
DEFAULT_DRAWS = 100
THOROUGH_DRAWS = 2000


@dataclass(frozen=True)
class Options:
    """How publishers are asked.

    An ``offline`` run asks none. With ``force`` every figure is pulled anew. ``ask`` is explained in
    `pipeline.run.check_schedule`.
    """

    offline: bool = False
    force: bool = False
    ask: Ask = "due"


@dataclass(frozen=True)
class ScoreOptions:
    """How scores are made: from which year on, with how many draws of survey error (0: no intervals), how thoroughly.

    An ``is_thorough`` run also studies what the choices of each framework do to its ranks.
    """

    first_year: int
    draws: int = DEFAULT_DRAWS
    is_thorough: bool = False
