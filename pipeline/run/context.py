"""What every step of one run shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache

from pipeline import __version__
from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.release_calendar import Calendar, load_release_calendar
from pipeline.geography import Register, load_register
from pipeline.geography.errors import UnknownAreaError
from pipeline.marts.declaration import Table, declared_tables
from pipeline.raw import RawStore
from pipeline.settings import PROJECT_ROOT, Settings, settings_from_environment
from pipeline.sources.baseline import Baseline
from pipeline.sources.http import HttpClient

# Draws of the survey errors behind each interval. A hundred settle an end of a 90% interval to about an eighth of its half-width;
# a thorough run draws as often as figures that will be quoted deserve.
DEFAULT_DRAWS = 100
THOROUGH_DRAWS = 2000

_CODE_FOLDERS = ("pipeline", "schemas")
_CODE_SUFFIXES = {".py", ".sql", ".yaml", ".csv"}


@dataclass(frozen=True)
class RunContext:
    """Settings, catalogue, release calendar, declared tables, register of areas, the one HTTP client, the stores, and when the run began."""

    settings: Settings
    catalogue: Catalogue
    calendar: Calendar
    tables: Mapping[str, Table]
    register: Register
    client: HttpClient
    raw: RawStore
    baseline: Baseline
    started_at: datetime
    offline: bool = False
    force: bool = False
    draws: int = DEFAULT_DRAWS
    is_thorough: bool = False

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
    throttle: bool = True,
    backoff_seconds: float = 1.0,
) -> RunContext:
    """Load what a run needs; nothing is fetched and nothing is written.

    With ``offline`` no source is asked at all: figures come from snapshots and the baseline. With ``force`` every figure
    is pulled anew, also where the publisher says that nothing has changed. ``draws`` is the number
    of times survey errors are drawn through the scores; with 0 there are no intervals. An ``is_thorough`` run also makes
    the study of what each framework's choices do to its ranks. ``throttle`` and
    ``backoff_seconds`` (the first pause before a retry) are the manners of the HTTP client; only tests against a
    stand-in have reason to change them.
    Raises CatalogueError when the catalogue or the declaration of the tables is wrong.
    """
    settings = settings or settings_from_environment()
    catalogue = catalogue or load_catalogue()
    return RunContext(
        settings=settings,
        catalogue=catalogue,
        calendar=load_release_calendar(),
        tables=declared_tables(catalogue.indicators),
        register=load_register(),
        client=HttpClient(catalogue.sources, settings, throttle=throttle, backoff_seconds=backoff_seconds),
        raw=RawStore(settings.raw_dir),
        baseline=Baseline(settings.baseline_dir),
        started_at=datetime.now(UTC),
        offline=offline,
        force=force,
        draws=draws,
        is_thorough=is_thorough,
    )


@lru_cache(maxsize=4096)
def _districts_today(register: Register, code: str) -> frozenset[str]:
    try:
        return frozenset(register.current_codes(code)) & frozenset(register.districts())
    except UnknownAreaError:
        return frozenset()


@cache
def code_fingerprint() -> str:
    """A digest of the code and facts that turn payloads into marts, so that a changed method rebuilds the file."""
    digest = hashlib.sha256(__version__.encode())
    for folder in _CODE_FOLDERS:
        for path in sorted((PROJECT_ROOT / folder).rglob("*")):
            if path.suffix in _CODE_SUFFIXES:
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
