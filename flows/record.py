"""Prefect's record of a run has an end, whatever ends the run: a key, a signal, its time, or the death of its machine.

Who can still act closes its own record (`closed_if_stopped`). What a process that was killed left open is closed by the next
run, once it is proved that nobody is at work on it: every run holds a lock in PREFECT_HOME for as long as it lives, and
the system takes it away from the dead. What a worker runs is left to the worker and to the automation in docs/recipes.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from httpx import HTTPError
from prefect import tags
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_HOME
from prefect.states import Cancelled, Crashed

from pipeline import stopping
from pipeline.stopping import STOPPED, Ending

if TYPE_CHECKING:
    from uuid import UUID

FLOWS = ["refresh", "nightly"]
LOCK_FILE = "inclusive-growth-runs.lock"
_OPEN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
_FOREIGN_DATABASE = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
_SECONDS_TO_ANSWER = 4.0
# A task's beginning reaches the record a moment after the task began.
_SECONDS_FOR_THE_LAST_TASKS = 2.0
_SECONDS_BETWEEN_LOOKS = 0.3
_NO_END = "Its process ended without closing its record; the next run on {} closed it."


@contextmanager
def closed_if_stopped() -> Iterator[None]:
    """Inside a flow: should the process be ended meanwhile, the flow run and its task runs end as Cancelled or Crashed."""
    run = getattr(FlowRunContext.get(), "flow_run", None)
    if run is None or run.deployment_id is not None:
        yield
        return
    with stopping.closing(f"record {run.id}", partial(_end_run, run.id)):
        yield


@contextmanager
def at_work(*, is_temporary: bool) -> Iterator[None]:
    """Be known to be at work with this PREFECT_HOME; first close what dead runs left open, where none else is at work.

    On a temporary server's own database that is every open run of this project, on a team's server only those that were
    begun by hand with this very PREFECT_HOME, which their tag says. Flows called inside carry that tag.
    """
    if sys.platform == "win32":
        yield  # without flock nobody can be proved to be dead
        return
    import fcntl

    is_own = is_temporary and not any(os.environ.get(name) for name in _FOREIGN_DATABASE)
    with ExitStack() as stack:
        try:
            PREFECT_HOME.value().mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((PREFECT_HOME.value() / LOCK_FILE).open("a+"))
        except OSError:  # a home that cannot be written proves nothing either
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = True
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_SH)
            is_alone = False
        place = _place(lock)
        if is_alone:
            with suppress(HTTPError, ValueError):  # a record that cannot be closed now is closed by a later run
                _close_abandoned(None if is_own else place)
            fcntl.flock(lock, fcntl.LOCK_SH)
        stack.enter_context(nullcontext() if is_own else tags(place))
        yield


def _place(lock: Any) -> str:
    """The tag of runs that are begun here: the machine, and a name that only this PREFECT_HOME has."""
    lock.seek(0)
    name = lock.read().strip()
    if not name:
        name = uuid.uuid4().hex[:12]
        lock.write(name)
        lock.flush()
    return f"begun on {platform.node()} ({name})"


def _end_run(flow_run_id: UUID, ending: Ending) -> None:
    """Close one flow run and its task runs with the sentence of the ending."""
    state = Cancelled if ending.exit_code in STOPPED else Crashed
    this_run = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    with _client() as client:
        client.set_flow_run_state(flow_run_id, state(message=ending.sentence), force=True)
        until, is_quiet = time.monotonic() + _SECONDS_FOR_THE_LAST_TASKS, False
        while time.monotonic() < until and not is_quiet:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            is_quiet = not _end_tasks(client, ending.sentence, state, flow_run_filter=this_run)


def _close_abandoned(place: str | None) -> None:
    """Close every run that is open although none is alive; with a ``place``, only those begun there."""
    sentence = _NO_END.format(platform.node())
    flow = FlowFilter(name=FlowFilterName(any_=FLOWS))
    of_here = {
        "deployment_id": FlowRunFilterDeploymentId(is_null_=True),
        "tags": FlowRunFilterTags(all_=[place]) if place else None,
    }
    is_open = FlowRunFilterState(type=FlowRunFilterStateType(any_=_OPEN))
    with _client() as client:
        for run in client.read_flow_runs(flow_filter=flow, flow_run_filter=FlowRunFilter(state=is_open, **of_here)):
            client.set_flow_run_state(run.id, Crashed(message=sentence), force=True)
        _end_tasks(client, sentence, Crashed, flow_filter=flow, flow_run_filter=FlowRunFilter(**of_here))


def _end_tasks(client: SyncPrefectClient, sentence: str, state: Any, **which: Any) -> Sequence[object]:
    """Close task runs that are open; return them."""
    is_open = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=_OPEN)))
    found = client.read_task_runs(task_run_filter=is_open, **which)
    for run in found:
        client.set_task_run_state(run.id, state(message=sentence), force=True)
    return found


def _client() -> SyncPrefectClient:
    return get_client(sync_client=True, httpx_settings={"timeout": _SECONDS_TO_ANSWER})
