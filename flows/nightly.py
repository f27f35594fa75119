"""The unattended night as a Prefect flow: the refresh as a flow of its own, then the report, pruning and messages.

``make nightly`` runs it, as ``python -m flows.nightly``, with Prefect's temporary server; on a team's server it is the
deployment of ``prefect.yaml``. The same steps without Prefect: ``python -m pipeline nightly``.
"""

from __future__ import annotations

if __name__ == "__main__":  # before the imports, so that the server starts meanwhile and a key can stop them
    import sys

    from flows.command import run

    sys.exit(run("nightly"))

import argparse
import os
import time

from flows.refresh import refresh_flow  # first, since it times the import of Prefect

from prefect import flow, task  # isort: skip
from prefect.cache_policies import NO_CACHE  # isort: skip

from flows.record import closed_if_stopped
from flows.server import Server, on_server
from pipeline.errors import EXIT_FAILED
from pipeline.notify import Message, recipients_from_environment, send
from pipeline.run import nightly as steps
from pipeline.run.job import JobOptions
from pipeline.settings import Settings
from pipeline.verbs import nightly as verb

# A run that ends because its machine died is started again by the server (see prefect.yaml), but not for ever:
# a run that brings its worker down each time would keep a whole pool busy with dying.
MOST_ATTEMPTS = 3

build_report = task(name="build the report site", cache_policy=NO_CACHE, persist_result=False)(
    steps.build_report_if_other
)
prune = task(name="prune", cache_policy=NO_CACHE, persist_result=False)(steps.prune)
tell = task(name="tell people", cache_policy=NO_CACHE, persist_result=False)(send)


class NightFailed(Exception):
    """A night that did not end well; the message is the one sent to people, the exit code that of the command line."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


# On a team's server what is printed goes into the run's log there; on a laptop it is for the screen.
@flow(name="nightly", log_prints=bool(os.environ.get("PREFECT_API_URL")))
def nightly(
    offline: bool = False,
    quick: bool = False,
    report: bool = True,
    attempt: int = 1,
    called_at: float | None = None,
) -> int:
    """Do a night's work; return 0, or 4 where a source gave no figures today.

    ``attempt`` counts the runs after a crash; ``called_at`` is the caller's ``time.perf_counter()``, as in ``refresh``.
    Raises NightFailed with any other exit code, so that the flow run ends as Failed with its sentence.
    """
    if attempt > MOST_ATTEMPTS:
        sentence = f"The {MOST_ATTEMPTS} runs before this one died with their machines, so it is not tried again."
        tell(Message("Inclusive growth: given up for tonight", sentence, "failures"), recipients_from_environment())
        raise NightFailed(sentence, EXIT_FAILED)

    def refreshed(options: JobOptions, _settings: Settings) -> int:
        return refresh_flow()(
            offline=options.offline, strict=options.strict, thorough=options.thorough, called_at=called_at
        )

    night_steps = steps.NightlySteps(refreshed, build_report, prune, tell)
    with closed_if_stopped():
        night = steps.run_night(night_steps, steps.NightlyOptions(offline, quick, report))
    if night.code not in steps.WENT_WELL:
        raise NightFailed(night.failure or "; ".join(night.problems), night.code)
    return night.code


def on(server: Server, arguments: argparse.Namespace) -> int:
    """The night with the options of the command line, on a server that has begun to start. Raises SettingsError."""
    called_at = time.perf_counter()
    try:
        return on_server(
            server,
            lambda: nightly(
                offline=arguments.offline,
                quick=arguments.quick,
                report=not arguments.no_report,
                called_at=called_at,
            ),
            otherwise=lambda: verb.run_here(arguments),
        )
    except NightFailed as error:
        return error.exit_code
