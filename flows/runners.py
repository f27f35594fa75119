"""On what a flow's tasks run, by one setting: ``IG_TASK_RUNNER``.

    threads              in this process (default; a laptop, and any single machine)
    processes            in processes of this machine, one a processor
    dask                 on a Dask cluster that is started on this machine for the run
    dask:tcp://HOST:8786 on a Dask cluster that is already there

All but threads need a Prefect server (``PREFECT_API_URL``): with none, every process would start a temporary one of its
own, which takes longer than the work. Dask needs the package ``prefect-dask`` beside the locked ones. See docs/scaling.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from pipeline.run.runner import FETCH_THREADS
from pipeline.settings import SettingsError

Kind = Literal["threads", "processes", "dask"]
VARIABLE = "IG_TASK_RUNNER"


@dataclass(frozen=True)
class Choice:
    """What ``IG_TASK_RUNNER`` asks for; ``address`` is that of a Dask scheduler, None for a cluster of the run's own."""

    kind: Kind
    address: str | None = None

    @property
    def crosses_processes(self) -> bool:
        """Whether tasks run in other processes, so that what they are given must travel."""
        return self.kind != "threads"

    def task_runner(self) -> TaskRunner[Any]:
        """The task runner. Raises SettingsError where it needs a Prefect server or a package that is not there."""
        if self.kind == "threads":
            return cast(TaskRunner[Any], ThreadPoolTaskRunner(max_workers=FETCH_THREADS))
        if not os.environ.get("PREFECT_API_URL"):
            raise SettingsError(
                f"{VARIABLE} asks for {self.kind}, which needs a Prefect server: set PREFECT_API_URL to its address "
                "(docs/scaling.md tells how to start one), or set the variable to threads"
            )
        if self.kind == "processes":
            return cast(TaskRunner[Any], ProcessPoolTaskRunner(max_workers=os.cpu_count() or 1))
        try:
            from prefect_dask.task_runners import DaskTaskRunner
        except ImportError:
            raise SettingsError(
                f"{VARIABLE} asks for Dask, which needs a package that is not installed; add it with "
                "`.venv/bin/python -m pip install --constraint requirements-dev.lock prefect-dask`, or set the variable to threads or processes"
            ) from None
        own_cluster = {"processes": True, "dashboard_address": None}
        runner = DaskTaskRunner(address=self.address) if self.address else DaskTaskRunner(cluster_kwargs=own_cluster)
        return cast(TaskRunner[Any], runner)


def chosen_runner(environ: Mapping[str, str] | None = None) -> Choice:
    """What the environment asks for. Raises SettingsError for anything that is none of the kinds."""
    asked = ((os.environ if environ is None else environ).get(VARIABLE) or "threads").strip()
    kind, _, address = asked.partition(":")
    if kind == "dask" and (not address or "://" in address):
        return Choice("dask", address or None)
    if kind in ("threads", "processes") and not address:
        return Choice(cast(Kind, kind))
    raise SettingsError(f"{VARIABLE} is {asked!r}; it can be threads, processes, dask or dask:tcp://host:port")
