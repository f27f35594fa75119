"""What every step of one run shares."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.catalogue import Catalogue, Indicator, Part, load_catalogue
from pipeline.catalogue.release_calendar import Calendar, load_release_calendar
from pipeline.http.payload import SourceError
from pipeline.publishers.baseline.store import Baseline, ShippedFile
from pipeline.raw import RawStore
from pipeline.run.check_schedule import Ask, CheckSchedule, Question, check_schedule
from pipeline.run.run_state import RunState, read_run_state
from pipeline.settings import PROJECT_ROOT, Settings, settings_from_environment

if TYPE_CHECKING:  # what takes pandas or the network is loaded when it is first wanted: see RunContext
    from pipeline.geography import Register
    from pipeline.http.client import HttpClient
    from pipeline.marts.declaration import Table
    from pipeline.run.published_before import PublishedBefore

# Draws of the survey errors behind each interval. A hundred settle an end of a 90% interval to about an eighth of its half-width;
# a thorough run draws as often as figures that will be quoted deserve.
DEFAULT_DRAWS = 100
THOROUGH_DRAWS = 2000

_one_client = threading.Lock()
_one_reading = threading.Lock()
_CODE_FOLDERS = ("pipeline", "schemas")
_CODE_SUFFIXES = {".py", ".sql", ".yaml", ".csv"}


@dataclass(frozen=True)
class RunContext:
    """Settings, catalogue, release calendar, stores, options, when the run began, and what is loaded once it is wanted.

    ``ask`` is whether publishers are asked about what is due and a few others in turn, or about all. Where another
    process decides that, ``stands`` holds what it left out. ``facts`` is a folder of the register's tables in the place
    of the project's own.
    """

    settings: Settings
    catalogue: Catalogue
    calendar: Calendar
    raw: RawStore
    baseline: Baseline
    started_at: datetime
    offline: bool = False
    force: bool = False
    draws: int = DEFAULT_DRAWS
    is_thorough: bool = False
    ask: Ask = "due"
    stands: Mapping[Question, datetime] | None = None
    throttle: bool = True
    backoff_seconds: float = 1.0
    facts: Path | None = None

    @cached_property
    def register(self) -> Register:
        """The register of areas."""
        from pipeline.geography import load_register

        return load_register() if self.facts is None else load_register(self.facts)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The declared tables. Raises CatalogueError when the declaration is wrong."""
        from pipeline.marts.declaration import declared_tables

        return declared_tables(self.catalogue.indicators)

    @cached_property
    def client(self) -> HttpClient:
        """The one HTTP client of the run, whichever thread wants it first."""
        from pipeline.http.client import HttpClient

        with _one_client:
            made: HttpClient | None = self.__dict__.get("client")
            return made or HttpClient(
                self.catalogue.sources, self.settings, throttle=self.throttle, backoff_seconds=self.backoff_seconds
            )

    @cached_property
    def run_state(self) -> RunState | None:
        """What the last run knew, as it stood when this one began."""
        return read_run_state(self.settings.marts_dir)

    @cached_property
    def published_before(self) -> PublishedBefore | None:
        """The newest release as it stood when it was first asked about, whichever thread asks first."""
        from pipeline.run.published_before import read_published_before

        with _one_reading:
            made: PublishedBefore | None = self.__dict__.get("published_before")
            return made or read_published_before(self.settings)

    @cached_property
    def check_schedule(self) -> CheckSchedule:
        """Which tables this run asks about."""
        if self.stands is not None:
            return CheckSchedule(self.stands)
        within = self.settings.look_within_days
        return check_schedule(self.parts, self.run_state, self.calendar, self.started_at, within, self.ask)

    @property
    def parts(self) -> list[tuple[Indicator, Part]]:
        """Every part to get, in the order of the catalogue."""
        return [(indicator, part) for indicator in self.catalogue.collected for part in indicator.parts]

    def shipped_entry(self, indicator_id: str, part_id: str) -> ShippedFile | None:
        """What the manifest says of the figures shipped for a part; None without, or where it cannot be read.

        `verify` reports a manifest that cannot be read, and so does a part that needs the baseline.
        """
        try:
            return self.baseline.entry(indicator_id, part_id)
        except SourceError:
            return None

    def districts_today(self, code: str) -> frozenset[str]:
        """Today's districts on the ground of an area code, if it is or was a district's; empty for any other text."""
        return _districts_today(self.register, code)


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
) -> RunContext:
    """Load what a run needs; nothing is fetched and nothing is written.

    With ``offline`` no source is asked at all: figures come from snapshots and the baseline. With ``force`` every figure
    is pulled anew, also where the publisher says that nothing has changed. ``draws`` is the number
    of times survey errors are drawn through the scores; with 0 there are no intervals. An ``is_thorough`` run also makes
    the study of what each framework's choices do to its ranks. ``ask`` is explained in `pipeline.run.check_schedule`. ``throttle``
    and ``backoff_seconds`` (the first pause before a retry) are the manners of the HTTP client; only tests against a
    stand-in have reason to change them.
    Raises CatalogueError when the catalogue is wrong.
    """
    settings = settings or settings_from_environment()
    return RunContext(
        settings=settings,
        catalogue=catalogue or load_catalogue(),
        calendar=load_release_calendar(),
        raw=RawStore(settings.raw_dir),
        baseline=Baseline(settings.baseline_dir),
        started_at=datetime.now(UTC),
        offline=offline,
        force=force,
        draws=draws,
        is_thorough=is_thorough,
        ask=ask,
        throttle=throttle,
        backoff_seconds=backoff_seconds,
    )


@lru_cache(maxsize=4096)
def _districts_today(register: Register, code: str) -> frozenset[str]:
    from pipeline.geography.errors import UnknownAreaError

    try:
        return frozenset(register.current_codes(code)) & frozenset(register.districts())
    except UnknownAreaError:
        return frozenset()


@cache
def code_fingerprint() -> str:
    """A digest of the code and facts that turn payloads into marts, so that a changed method rebuilds the file."""
    return hashlib.sha256(f"{__version__} {digest_of_code(PROJECT_ROOT)}".encode()).hexdigest()


def digest_of_code(root: Path, leaving_out: Collection[str] = ()) -> str:
    """A digest of every file of code, SQL, YAML and CSV of the project at ``root``, but for rooms to leave out.

    ``leaving_out``: files and folders, written from ``root``. Any changed byte moves it, also one in a comment.
    """
    digest = hashlib.sha256()
    for folder in _CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.suffix in _CODE_SUFFIXES and not any(name.is_relative_to(room) for room in leaving_out):
                digest.update(name.as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
