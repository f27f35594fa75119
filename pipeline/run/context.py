"""One run as a whole. Only what arranges the steps takes it: every step takes what it reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.release_calendar import load_release_calendar
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.raw import RawStore
from pipeline.run.check_schedule import Ask, CheckSchedule, Question, check_schedule
from pipeline.run.inputs import Inputs
from pipeline.run.options import DEFAULT_DRAWS, Options, ScoreOptions
from pipeline.run.publishers import Publishers
from pipeline.run.stores import Stores
from pipeline.settings import Settings, settings_from_environment

if TYPE_CHECKING:  # the network is loaded when a publisher is first asked
    from pipeline.http.client import HttpClient

_one_client = threading.Lock()


@dataclass(frozen=True)
class Run:
    """What was asked for, what the project knows, where things lie, when the run began, and how publishers are asked.

    Another process may decide what is asked: ``skipped`` then holds the tables it left out. ``throttle`` and
    ``backoff_seconds`` are the manners of the HTTP client.
    """

    options: Options
    scoring: ScoreOptions
    inputs: Inputs
    stores: Stores
    started_at: datetime
    skipped: Mapping[Question, datetime] | None = None
    throttle: bool = True
    backoff_seconds: float = 1.0

    @property
    def settings(self) -> Settings:
        return self.stores.settings

    @property
    def publishers(self) -> Publishers | None:
        """How publishers are asked; None in an offline run."""
        return None if self.options.offline else Publishers(self.client, self.schedule, self.options.force)

    @cached_property
    def client(self) -> HttpClient:
        """The one HTTP client of the run, whichever thread wants it first."""
        from pipeline.http.client import HttpClient

        with _one_client:
            made: HttpClient | None = self.__dict__.get("client")
            return made or HttpClient(
                self.inputs.catalogue.sources,
                self.settings,
                throttle=self.throttle,
                backoff_seconds=self.backoff_seconds,
            )

    @cached_property
    def schedule(self) -> CheckSchedule:
        """Which tables this run asks about."""
        if self.skipped is not None:
            return CheckSchedule(self.skipped)
        within = self.settings.look_within_days
        state, inputs = self.stores.run_state, self.inputs
        return check_schedule(inputs.parts, state, inputs.calendar, self.started_at, within, self.options.ask)


def open_run(
    settings: Settings | None = None,
    *,
    catalogue: Catalogue | None = None,
    offline: bool = False,
    force: bool = False,
    draws: int = DEFAULT_DRAWS,
    is_thorough: bool = False,
    ask: Ask = "due",
    throttle: bool = True,
    backoff_seconds: float = 1.0,
) -> Run:
    """Load what a run needs; nothing is fetched and nothing is written.

    With ``offline`` no source is asked at all: figures come from snapshots and the baseline. With ``force`` every figure
    is pulled anew, even where the publisher says that nothing has changed. ``draws`` is the number of times survey errors
    are drawn through the scores; with 0 there are no intervals. An ``is_thorough`` run also studies what each framework's
    choices do to its ranks. ``ask`` is explained in `pipeline.run.check_schedule`. ``throttle`` and ``backoff_seconds``
    (the first pause before a retry) are the manners of the HTTP client; only tests against a stand-in change them.
    Raises CatalogueError when the catalogue is wrong.
    """
    settings = settings or settings_from_environment()
    return Run(
        options=Options(offline, force, ask),
        scoring=ScoreOptions(settings.first_scored_year, draws, is_thorough),
        inputs=Inputs(catalogue or load_catalogue(), load_release_calendar()),
        stores=Stores(settings, RawStore(settings.raw_dir), Baseline(settings.baseline_dir)),
        started_at=datetime.now(UTC),
        throttle=throttle,
        backoff_seconds=backoff_seconds,
    )
