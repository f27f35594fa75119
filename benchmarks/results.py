"""The committed record of what was measured: ``benchmarks/results.json``."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure
from benchmarks.timing import PROJECT

RESULTS = PROJECT / "benchmarks" / "results.json"
LIBRARIES = ("duckdb", "numpy", "pandas", "pandera", "prefect", "pyarrow")


def machine_facts() -> dict[str, Any]:
    """What decides how fast a machine is; nothing that says which one it is."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def section_of(found: dict[str, Any], *, seconds: float, load_before: float) -> dict[str, Any]:
    """One benchmark's part of the record: when, at which commit, how busy the machine was, how long it took, what it found.

    ``load_before`` and the load after are the mean number of processes at work over a minute, this benchmark's among them.
    """
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "load_before": round(load_before, 1),
        "load_after": round(os.getloadavg()[0], 1),
        "seconds": round(seconds, 1),
        **found,
    }


def read_results(path: Path = RESULTS) -> dict[str, Any]:
    """The record as it stands; one without any benchmark where there is none."""
    if not path.exists():
        return {"machine": {}, "benchmarks": {}}
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def write_results(results: dict[str, Any], path: Path = RESULTS) -> None:
    """Write the record, numbers to six digits, so that a diff shows what matters."""
    path.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")


def figures_of(section: dict[str, Any]) -> list[Figure]:
    """The figures of one benchmark's part of the record."""
    return [Figure.from_json(figure) for figure in section.get("figures", [])]


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.6g}")
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
    return value


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or sys.platform


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "describe", "--always", "--dirty", "--exclude", "*"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    return ended.stdout.strip() or "unknown"
