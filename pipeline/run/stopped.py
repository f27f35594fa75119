"""Report a run that is stopped before it can report itself: during imports, or while its server starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pipeline import stopping
from pipeline.stopping import Ending


@contextmanager
def reported_if_stopped() -> Iterator[None]:
    """While inside, an end is in the run report, until a run itself takes that over."""
    began = datetime.now(UTC)

    def report(ending: Ending) -> None:
        from pipeline.run.job import report_end
        from pipeline.settings import SettingsError, settings_from_environment

        try:
            report_end(settings_from_environment(), began, ending)
        except SettingsError:
            return  # there is no telling where the report would be

    with stopping.closing("report", report):
        yield


@contextmanager
def told_if_stopped() -> Iterator[None]:
    """While inside, an end is reported, until the night itself takes over reporting."""
    began = datetime.now(UTC)

    def tell(ending: Ending) -> None:
        from pipeline.notify import recipients_from_environment
        from pipeline.run.nightly import tell_of_the_end
        from pipeline.settings import SettingsError, settings_from_environment

        try:
            tell_of_the_end(settings_from_environment(), recipients_from_environment(), began, ending)
        except SettingsError:
            return  # there is no telling whom to tell

    with stopping.closing("people", tell):
        yield
