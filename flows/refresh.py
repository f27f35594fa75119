"""The main job as a Prefect flow: each step is a task with its own record, and so is each part that is fetched.

``make refresh`` runs it, as ``python -m flows.refresh``. The same steps without Prefect:
``python -m pipeline refresh``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

from flows.server import Server, begin, on_server

_BEFORE_PREFECT = time.perf_counter()
# A server needs as long to start as this process to import Prefect and what follows: they do so side by side.
_SERVER: Server | None = begin() if __name__ == "__main__" else None

from prefect import Flow, flow  # noqa: E402 - timed, so that Prefect's start can be told apart from the work
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402

_PREFECT_IMPORTED = time.perf_counter()

from flows.runner import PrefectRunner  # noqa: E402
from flows.runners import chosen_runner  # noqa: E402
from pipeline.errors import PipelineError  # noqa: E402
from pipeline.run.check_schedule import Ask  # noqa: E402
from pipeline.run.job import JobOptions, run_job  # noqa: E402
from pipeline.run.refresh import refresh as steps  # noqa: E402
from pipeline.run.runner import FETCH_THREADS  # noqa: E402
from pipeline.verbs import refresh as verb  # noqa: E402


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
    return run_job(partial(steps, runner=PrefectRunner()), options, prefect_seconds=started)


def refresh_flow() -> Flow[..., int]:
    """The flow on the task runner that ``IG_TASK_RUNNER`` asks for. Raises SettingsError when there is none such."""
    return refresh.with_options(task_runner=chosen_runner().task_runner())


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of ``make refresh``: the options of ``python -m pipeline refresh``."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.refresh", description=verb.ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.add_options(parser)
    arguments = parser.parse_args(argv)
    called_at = time.perf_counter()
    try:
        flow_of_the_runner = refresh_flow()
        return on_server(
            _SERVER or begin(),
            lambda: flow_of_the_runner(
                force=arguments.force,
                offline=arguments.offline,
                strict=arguments.strict,
                draws=arguments.draws,
                thorough=arguments.thorough,
                ask=arguments.ask,
                called_at=called_at,
            ),
            otherwise=lambda: verb.run(arguments),
        )
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
