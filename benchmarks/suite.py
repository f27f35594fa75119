"""The benchmarks by name: what each measures, and how it is started.

This module and what it imports stay light, so that the processes it starts inherit little memory.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.case import measure_cases
from benchmarks.timing import PROJECT, CommandFailed
from benchmarks.workshop import Workshop

Told = Callable[[str], None]


def of_figures(name: str) -> Callable[[Workshop, Told], dict[str, Any]]:
    """A benchmark whose module has a ``measure(workshop)``: commands timed as whole processes."""

    def run(workshop: Workshop, tell: Told) -> dict[str, Any]:
        found = []
        for figure in importlib.import_module(f"benchmarks.bench_{name}").measure(workshop):
            tell(line(figure))
            found.append(figure.as_json())
        return {"figures": found}

    return run


def of_cases(name: str) -> Callable[[Workshop, Told], dict[str, Any]]:
    """A benchmark whose module has CASES: functions timed in turns in one process, their memory in one process each."""

    def run(workshop: Workshop, tell: Told) -> dict[str, Any]:
        found = []
        for figure in measure_cases(name, quick=workshop.quick):
            tell(line(figure))
            found.append(figure.as_json())
        return {"figures": found}

    return run


def of_process(name: str, what: str) -> Callable[[Workshop, Told], dict[str, Any]]:
    """A benchmark whose module, run as a program, prints what it found as JSON."""

    def run(workshop: Workshop, tell: Told) -> dict[str, Any]:
        command = [sys.executable, "-m", f"benchmarks.bench_{name}", *(["--quick"] if workshop.quick else [])]
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode:
            raise CommandFailed(f"benchmark {name} ended with exit code {ended.returncode}:\n{ended.stderr[-2000:]}")
        found = json.loads(ended.stdout.splitlines()[-1])
        for each in found:
            tell(told(each))
        return {what: found}

    return run


def with_pages(workshop: Workshop, tell: Told) -> dict[str, Any]:
    """The parsers, and how memory grows with the number of pages fetched, each number in a process of its own."""
    from benchmarks.measure import Figure, Limit, single

    found = of_cases("sources")(workshop, tell)
    few_pages, many_pages = 4, 8 if workshop.quick else 40
    few, many = (_peak_of(pages) for pages in (few_pages, many_pages))
    figure = Figure(
        "memory-by-pages",
        f"Memory grown for each further page of 25,000 rows fetched, proved complete and stored ({few_pages} to {many_pages} pages)",
        "MB",
        "python -m benchmarks sources",
        1,
        single("here", (many - few) / (many_pages - few_pages)),
        limits=(Limit(at_most=0.5),),
    )
    tell(line(figure))
    return {"figures": [*found["figures"], figure.as_json()]}


def _peak_of(pages: int) -> float:
    command = [sys.executable, "-m", "benchmarks.bench_sources", "pages", str(pages)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S603
    return float(ended.stdout)


# In the order of the page. Each gives its part of results.json, apart from when and where.
BENCHMARKS: dict[str, tuple[str, Callable[[Workshop, Told], dict[str, Any]]]] = {
    "rebuild": ("a whole offline rebuild", of_figures("rebuild")),
    "startup": ("help, one area, nothing new, Prefect", of_figures("startup")),
    "scoring": ("replications, the default framework, a large index", of_cases("scoring")),
    "geography": ("ten million rows on today's map", of_cases("geography")),
    "queries": ("the twenty questions, warm and cold", of_figures("queries")),
    "sources": ("each publisher's parser, memory by pages", with_pages),
    "site": ("the report site and the exports", of_figures("site")),
    "small-areas": ("35,000 areas x 160 months from raw to mart", of_figures("small_areas")),
    "growth": ("cost against areas, periods, indicators and draws", of_process("growth", "curves")),
    "profile": ("where the time of each main path goes", of_process("profile", "profiles")),
}

# A quick look at all leaves these out; they can be asked for by name.
NOT_QUICK = frozenset({"site", "profile"})


def line(figure: Any) -> str:
    """One figure for a terminal."""
    spread = f" ({figure.here.lowest:,.4g} to {figure.here.highest:,.4g})" if figure.runs > 1 else ""
    peak = f", {figure.here.peak_megabytes:,.0f} MB" if figure.here.peak_megabytes else ""
    ratio = f"; {times(figure.ratio)} {figure.peer.title}" if figure.ratio else ""
    verdict = f"  [{figure.verdict}]" if figure.verdict else ""
    return f"{figure.title}: {figure.here.value:,.4g} {figure.unit}{spread}{peak}{ratio}{verdict}"


def times(ratio: float) -> str:
    """``12 times as fast as`` or, the other way, ``takes 3.4 times as long as``."""
    return f"{ratio:,.3g} times as fast as" if ratio >= 1 else f"takes {1 / ratio:,.3g} times as long as"


def told(found: dict[str, Any]) -> str:
    """A curve or a profile for a terminal."""
    if "exponent" in found:
        sizes = ", ".join(
            f"{size:,}: {seconds:.2f}" for size, seconds in zip(found["sizes"], found["cpu_seconds"], strict=True)
        )
        return f"{found['title']} by {found['along']}: exponent {found['exponent']:.2f} ({sizes} s)"
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found["steps"].items())
    largest = ", ".join(f"{name} {share:.0%}" for name, share in found["functions"][:3])
    return f"{found['title']}: {found['seconds']:.1f} s{f' ({steps})' if steps else ''}; most in {largest}"
