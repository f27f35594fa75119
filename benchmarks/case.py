"""Two ways to do one thing in one process, and how a worker process measures them.

The program that starts the workers imports nothing heavy, so that no process inherits memory that is not its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.measure import Figure, Limit, Sample, ratios, side
from benchmarks.timing import PROJECT, CommandFailed, peak_of_this_process, take_turns, time_call


@dataclass(frozen=True)
class Case:
    """``prepare(quick)`` makes what ``ours`` and ``peer`` are given; either is timed as a whole.

    ``amount(given)`` is how much work a run of ours does (draws, rows; 1 by default), ``peer_amount`` a run of the
    peer's; the figure is ``unit`` for each of it (``scale`` seconds each), or where ``is_rate`` how many a second.
    """

    id: str
    title: str
    prepare: Callable[[bool], Any]
    ours: Callable[[Any], object]
    peer: Callable[[Any], object] | None = None
    peer_title: str = ""
    unit: str = "s"
    scale: float = 1.0
    is_rate: bool = False
    amount: Callable[[Any], float] = lambda given: 1.0
    peer_amount: Callable[[Any], float] | None = None
    limits: tuple[Limit, ...] = ()
    repeats: int = 5
    has_memory: bool = True
    in_quick: bool = True
    note: str = ""

    @property
    def is_alone(self) -> bool:
        """Whether it is run once and beside nothing: its time and its memory then come from one process."""
        return self.repeats == 1 and self.peer is None


def measure_cases(name: str, *, quick: bool) -> Iterator[Figure]:
    """Every case of ``benchmarks.bench_<name>``: timed in one worker process, memory in one process for each side.

    A quick look leaves memory out.
    """
    for id_, found in _worker(name, "time", quick=quick).items():
        if found is None:
            yield Figure.from_json(_worker(name, "alone", id_, quick=quick))
        else:
            yield _with_memory(name, found, quick=quick)


def _with_memory(name: str, found: dict[str, Any], *, quick: bool) -> Figure:
    has_memory = found.pop("has_memory") and not quick
    for who in ("here", "peer") if has_memory else ():
        if found[who] is not None:
            found[who]["peak_megabytes"] = _worker(name, who, found["id"], quick=quick)
    return Figure.from_json(found)


def _worker(name: str, *what: str, quick: bool) -> Any:
    command = [sys.executable, "-m", f"benchmarks.bench_{name}", *what, *(["--quick"] if quick else [])]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise CommandFailed(f"{' '.join(command[1:])} ended with exit code {ended.returncode}:\n{ended.stderr[-2000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def work(name: str, cases: Sequence[Case], arguments: Sequence[str]) -> None:
    """What a worker process does: time the cases (``time``), time one and tell its memory (``alone``), or run one side of
    one once and tell its memory (``here``, ``peer``). It prints what it found as JSON."""
    quick, words = "--quick" in arguments, [word for word in arguments if word != "--quick"]
    if words[0] == "time":
        wanted = [case for case in cases if case.in_quick or not quick]
        print(json.dumps({case.id: None if case.is_alone else _timed(name, case, quick=quick) for case in wanted}))
        return
    [case] = [case for case in cases if case.id == words[1]]
    given = case.prepare(quick)
    if words[0] == "alone":
        sample = time_call(lambda: case.ours(given))
        sample = replace(sample, peak_megabytes=peak_of_this_process() if case.has_memory else None)
        print(json.dumps(_figure(name, case, given, [sample], []).as_json()))
        return
    (case.ours if words[0] == "here" or case.peer is None else case.peer)(given)
    print(json.dumps(peak_of_this_process()))


def _timed(name: str, case: Case, *, quick: bool) -> dict[str, Any]:
    given = case.prepare(quick)
    peer = case.peer
    here, theirs = take_turns(
        lambda: time_call(lambda: case.ours(given)),
        None if peer is None else lambda: time_call(lambda: peer(given)),
        min(case.repeats, 2) if quick else case.repeats,
        warm_up=case.repeats > 1,
    )
    return {**_figure(name, case, given, here, theirs).as_json(), "has_memory": case.has_memory}


def _figure(name: str, case: Case, given: Any, here: list[Sample], theirs: list[Sample]) -> Figure:
    amount = case.amount(given)
    peer_amount = amount if case.peer_amount is None else case.peer_amount(given)
    ratio = ratios(here, theirs, amount / peer_amount) if theirs else (None, None, None)
    return Figure(
        id=case.id,
        title=case.title,
        unit=case.unit,
        command=f"python -m benchmarks {name}",
        runs=len(here),
        here=side("here", here, of_seconds=_in_unit(case, amount)),
        peer=side(case.peer_title, theirs, of_seconds=_in_unit(case, peer_amount)) if theirs else None,
        ratio=ratio[0],
        ratio_lowest=ratio[1],
        ratio_highest=ratio[2],
        limits=case.limits,
        note=case.note,
    )


def _in_unit(case: Case, amount: float) -> Callable[[float], float]:
    return (lambda seconds: amount / seconds) if case.is_rate else (lambda seconds: case.scale * seconds / amount)


def measure_commands(
    id_: str,
    title: str,
    ours: Callable[[], Sample],
    peer: Callable[[], Sample] | None,
    *,
    peer_title: str = "",
    command: str,
    repeats: int,
    limits: tuple[Limit, ...] = (),
    warm_up: bool = True,
    note: str = "",
) -> Figure:
    """Two whole processes in turns; each gives a Sample by the operating system's account."""
    here, theirs = take_turns(ours, peer, repeats, warm_up=warm_up)
    ratio = ratios(here, theirs) if theirs else (None, None, None)
    return Figure(
        id=id_,
        title=title,
        unit="s",
        command=command,
        runs=repeats,
        here=side("here", here),
        peer=side(peer_title, theirs) if theirs else None,
        ratio=ratio[0],
        ratio_lowest=ratio[1],
        ratio_highest=ratio[2],
        limits=limits,
        note=note,
    )
