"""Run nights in the checkout this is started in: a program for the simulation, that imports nothing of the tests.

    PYTHONPATH=CHECKOUT python tests/nightly/one_night.py < orders > answers

Each line of input is an order as JSON: ``now`` (what the clock says), ``said`` (a file for all the night prints) and
``dies_after`` (seconds until SIGKILL, or null). Each night is a fork of this process, which has everything imported and
has opened nothing, so a night is a process of its own without the seconds of its start. The answer is a line of JSON:
``code``, null where the process was killed, and ``seconds``.

The job is the real one, ``pipeline.run.nightly``. What is otherwise than at night: the pace of requests, no draws, no
report site, and scores from 2024 on.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import time_machine

from pipeline.http import client as http
from pipeline.marts import build
from pipeline.notify import send
from pipeline.publishers.nomis import fetch as nomis
from pipeline.publishers.ons_els import fetch as ons_els
from pipeline.run import job, nightly, refresh
from pipeline.run.context import open_run
from pipeline.run.job import JobOptions
from pipeline.settings import Settings
from pipeline.tidy import delimited

WARM = (build, delimited, nomis, ons_els)  # imported by a run when first needed
FIRST_SCORED_YEAR = "2024"


def at_a_test_s_pace() -> None:
    """Ask without pauses, and score few years."""
    job.open_run = functools.partial(open_run, throttle=False, backoff_seconds=0.01)  # type: ignore[attr-defined]
    os.environ["IG_FIRST_SCORED_YEAR"] = FIRST_SCORED_YEAR
    http.retry_after_seconds = lambda value: 0.01 if value else None


def refresh_without_draws(options: JobOptions, settings: Settings) -> int:
    return job.run_job(refresh.refresh, replace(options, draws=0), settings=settings)


def night(now: str) -> int:
    """One night; returns its exit code."""
    steps = replace(nightly.plain_steps(), refresh=refresh_without_draws, tell=send)
    with time_machine.travel(datetime.fromisoformat(now), tick=True):
        return nightly.run_night(steps, nightly.NightlyOptions(is_quick=True, has_report=False)).code


def in_a_fork(order: dict[str, Any]) -> int:
    process = os.fork()
    if process:
        return process
    with Path(order["said"]).open("ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    code = 1
    try:
        code = night(order["now"])
    except BaseException:  # noqa: BLE001 - a fork must never run on into its parent's code
        sys.excepthook(*sys.exc_info())  # as the interpreter would tell of it
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def obey(order: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    process = in_a_fork(order)
    if order["dies_after"] is not None:
        timer = threading.Timer(order["dies_after"], os.kill, (process, signal.SIGKILL))
        timer.start()
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if order["dies_after"] is not None:
        timer.cancel()
        timer.join()
    return {"code": None if code == -signal.SIGKILL else code, "seconds": round(time.monotonic() - began, 2)}


if __name__ == "__main__":
    at_a_test_s_pace()
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)
