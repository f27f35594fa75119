"""Runs on a disk that fills up, goes read-only, holds a damaged file, and under a clock that goes back: a program.

    unshare --map-root-user --mount python -m tests.nightly.bad_disk FOLDER

FOLDER becomes a small disk of its own (a tmpfs of DISK_MEGABYTES), seen by this process alone. What fills it is a real
file, so that every error is the system's own; only the moment is chosen. The catalogue is that of the thirty nights.
Prints one line of JSON: what each run came to, and what a reader would have found after it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import time_machine

from pipeline import publish
from pipeline.errors import VerbError
from pipeline.run import job, rebuild, refresh
from pipeline.run.acquire import acquire_part
from pipeline.run.context import open_run
from pipeline.run.job import JobOptions
from pipeline.settings import Settings
from tests.nightly.checkout import scored_catalogue
from tests.nightly.publishers import NO_FILES
from tests.quick import quickest
from tests.standin.server import StandIn

DISK_MEGABYTES = 400
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
CATALOGUE = scored_catalogue()


class Disk:
    """The small disk at ``folder``, with a data folder and, when it is full, a file that leaves no room."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.filler = folder / "filler"
        _mount("-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "none", str(folder))

    def fill(self) -> None:
        """Leave room for nothing: not a block."""
        with suppress(OSError), self.filler.open("ab", buffering=0) as stream:
            while True:
                stream.write(bytes(1 << 16))
        with suppress(OSError), self.filler.open("ab", buffering=0) as stream:
            while True:
                stream.write(b"x")

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)

    def make_read_only(self) -> None:
        _mount("-o", "remount,ro", str(self.folder))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def run(
    settings: Settings, steps: Callable[..., Any] = refresh.refresh, *, offline: bool = True, force: bool = True
) -> dict[str, Any]:
    """A refresh as a job: its exit code and what it says, and the state of the folder after it."""
    live = settings.database
    before = _digest(live)
    try:
        told: tuple[int, str] = (
            job.run_job(steps, JobOptions(offline=offline, force=force, draws=0), settings=settings),
            "",
        )
    except VerbError as error:
        told = error.exit_code, str(error)
    except Exception as error:  # noqa: BLE001 - what a person would see as a crash is a finding
        told = 1, f"CRASH {type(error).__name__}: {error}"
    return {
        "code": told[0],
        "said": told[1],
        "is_as_before": _digest(live) == before,
        "left_over": sorted(path.name for path in live.parent.glob(".*")) if live.parent.exists() else [],
        **_read(live),
    }


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _read(live: Path) -> dict[str, Any]:
    try:
        with duckdb.connect(str(live), read_only=True) as connection:
            releases = connection.execute(
                "select release_version, released_at::varchar from meta_release order by all"
            ).fetchall()
            held = connection.execute("select count(*) from fct_observation").fetchone()
    except duckdb.Error as error:
        return {"unreadable": str(error)}
    report = json.loads((live.parent / "run_report.json").read_text(encoding="utf-8"))
    return {"releases": releases, "figures": held[0] if held else 0, "report": report}


def just_before(module: Any, name: str, act: Callable[[], object]) -> Callable[[], None]:
    """Have ``act`` done when ``module.name`` is next called; returns what puts it back."""
    original = getattr(module, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        setattr(module, name, original)
        act()
        return original(*arguments, **options)

    setattr(module, name, wrapped)
    return lambda: setattr(module, name, original)


def just_after(module: Any, name: str, act: Callable[[], object]) -> None:
    original = getattr(module, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        setattr(module, name, original)
        result = original(*arguments, **options)
        act()
        return result

    setattr(module, name, wrapped)


def one_part(context: Any, **_: object) -> Any:
    """A refresh that gets as far as the raw store."""
    indicator = context.inputs.catalogue.indicators["claimant_rate"]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def main(folder: Path) -> dict[str, Any]:
    job.open_run = functools.partial(open_run, catalogue=CATALOGUE, throttle=False)  # type: ignore[attr-defined]
    disk = Disk(folder)
    settings = quickest(data_dir=disk.data)
    found: dict[str, Any] = {}
    with time_machine.travel(NOON, tick=True) as clock:
        back = functools.partial(clock.move_to, NOON - timedelta(hours=3))
        just_before(rebuild, "check_and_publish", back)
        found["the clock goes back while a run is at work"] = run(settings)

        with StandIn(NO_FILES) as standin:
            disk.fill()
            asking = quickest(data_dir=disk.data, base_urls=standin.base_urls)
            found["no room for an answer"] = run(asking, one_part, offline=False)
            disk.free()

        just_before(rebuild, "score", disk.fill)
        found["no room to build"] = run(settings)
        disk.free()

        put_back = just_before(rebuild, "check_and_publish", disk.fill)
        found["no room to compare and publish"] = run(settings)
        put_back()
        disk.free()

        clock.move_to(NOON - timedelta(days=2))
        live = settings.database
        live.chmod(0o644)
        live.write_bytes(live.read_bytes()[: live.stat().st_size // 2])
        # the first swap puts the kept release in the place of the damaged file, the second publishes
        just_after(publish, "swap", lambda: just_after(publish, "swap", disk.fill))
        found["a damaged file, and no room to keep the release"] = run(settings)
        disk.free()

        found["room again"] = run(settings, force=False)
        found["room again"]["kept"] = sorted(path.name for path in (live.parent / "releases").glob("[0-9]*"))
        disk.make_read_only()
        found["a folder that cannot be written"] = run(settings)
    return found


if __name__ == "__main__":
    result = main(Path(sys.argv[1]))
    print(json.dumps(result))
