"""How a run asks publishers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.run.check_schedule import CheckSchedule

if TYPE_CHECKING:  # it takes the network, which an offline run does without
    from pipeline.http.client import HttpClient


@dataclass(frozen=True)
class Publishers:
    """The one HTTP client of a run, and which tables it asks about; an offline run has no such value.

    With ``force`` no publisher is asked whether anything has changed: every figure is pulled anew.
    """

    client: HttpClient
    schedule: CheckSchedule
    force: bool = False
