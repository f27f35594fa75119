"""The main job as a Prefect flow: each step is a task with its own record, and so is each part that is fetched.

``make refresh`` runs it, as ``python -m flows.refresh``. The same steps without Prefect:
``python -m pipeline refresh``.
"""

from __future__ import annotations

if __name__ == "__main__":  # before the imports, so that the server starts meanwhile and a key can stop them
    import sys

    from flows.command import run

    sys.exit(run("refresh"))

import argparse
import time
from functools import partial

_BEFORE_PREFECT = time.perf_counter()

from prefect import Flow, flow  # timed, to separate Prefect's start from the work
from prefect.task_runners import ThreadPoolTaskRunner

_PREFECT_IMPORTED = time.perf_counter()

from flows.record import closed_if_stopped
from flows.prefect_runner import PrefectRunner
from flows.runners import chosen_runner
from flows.server import Server, on_server
from pipeline.run.check_schedule import Ask
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import refresh as steps
from pipeline.run.runner import FETCH_THREADS
from pipeline.verbs import refresh as verb


@flow(name="refresh", task_runner=ThreadPoolTaskRunner(max_workers=FETCH_THREADS))  # type: ignore[arg-type]
def refresh(
    force: bool = False,
    offline: bool = False,
    strict: bool = False,
    draws: int | None = None,
    thorough: bool = False,
    ask: Ask = "due",
    called_at: float | None = None,
) -> int:
    """Get every indicator, score, build, check and publish; return the exit code of ``pipeline.cli``.

    ``called_at`` is the caller's ``time.perf_counter()``, from which Prefect's own start is measured.
    Raises PipelineError for an expected failure, so that the flow run ends as Failed with its sentence.
    """
    started = None
    if called_at is not None:
        started = _PREFECT_IMPORTED - _BEFORE_PREFECT + time.perf_counter() - called_at
    options = JobOptions(force, offline, strict, draws, thorough, ask)
    with closed_if_stopped():
        return run_job(partial(steps, runner=PrefectRunner()), options, prefect_seconds=started)


def refresh_flow() -> Flow[..., int]:
    """The flow on the task runner that ``IG_TASK_RUNNER`` asks for. Raises SettingsError when there is none such."""
    return refresh.with_options(task_runner=chosen_runner().task_runner())


def on(server: Server, arguments: argparse.Namespace) -> int:
    """The flow with the options of the command line, on a server that has begun to start. Raises PipelineError."""
    called_at = time.perf_counter()
    flow_of_the_runner = refresh_flow()
    return on_server(
        server,
        lambda: flow_of_the_runner(
            force=arguments.force,
            offline=arguments.offline,
            strict=arguments.strict,
            draws=arguments.draws,
            thorough=arguments.thorough,
            ask=arguments.ask,
            called_at=called_at,
        ),
        otherwise=lambda: verb.run_here(arguments),
    )
