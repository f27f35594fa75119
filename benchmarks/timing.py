"""Runs of commands and of functions, timed; two that are compared take turns, so that a change of the machine's mood hits both."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Sample

PROJECT = Path(__file__).resolve().parent.parent


class CommandFailed(RuntimeError):
    """A command that is measured ended with an error: its figures would mean nothing."""


def run_command(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Sample:
    """One run of a whole process, by the operating system's account of it and its children.

    Raises CommandFailed with the end of what it printed.
    """
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            list(arguments),
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            stdout=printed,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            printed.seek(0)
            end = printed.read().decode("utf-8", "replace")[-2000:]
            raise CommandFailed(f"{' '.join(arguments)} ended with exit code {process.returncode}:\n{end}")
    return Sample(wall, used.ru_utime + used.ru_stime, _megabytes(used.ru_maxrss))


def take_turns(
    first: Callable[[], Any], second: Callable[[], Any] | None, repeats: int, *, warm_up: bool = True
) -> tuple[list[Any], list[Any]]:
    """What ``first`` and ``second`` give in ``repeats`` rounds; who begins changes with every round."""
    both = [work for work in (first, second) if work is not None]
    if warm_up:
        for work in both:
            work()
    given: list[list[Any]] = [[] for _ in both]
    for turn in range(repeats):
        order = range(len(both)) if turn % 2 == 0 else reversed(range(len(both)))
        for number in order:
            given[number].append(both[number]())
    return given[0], given[1] if len(given) > 1 else []


def time_call(work: Callable[[], object]) -> Sample:
    """One run of a function in this process, after the garbage of the one before was collected."""
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Sample(time.perf_counter() - began, time.process_time() - cpu)


def peak_of_this_process() -> float:
    """The most memory this process has held, in MB.

    Linux lets a new process inherit its parent's peak in rusage, so its own note of itself is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _megabytes(ru_maxrss: int) -> float:
    """Linux counts in KiB, macOS in bytes."""
    return ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
