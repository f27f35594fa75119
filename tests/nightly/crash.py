"""Kill real runs at random moments, again and again, and look at what readers would find: a program for the tests.

    python -m tests.nightly.crash FOLDER KILLS [SEED]

Each run is a fork of this process, which has everything imported and has scored already, so that the moments fall into
what leaves traces: an answer written into the raw store, the new file built, compared and swapped, the release kept, old
ones pruned. One kill in two is at any moment of the run, the other within a step that is drawn, since most are short.
Runs alternate between two kinds that give different files, so that *previous* and *new* can be told apart. After each
kill the file is opened in a fork of its own and must be one of the two, whole, and the raw store must hold what it held
or one answer more. Prints one line of JSON at the end.
"""

from __future__ import annotations

import functools
import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.http.payload import Payload
from pipeline.raw import RawStore, SnapshotKey
from pipeline.releases import ReleaseStore
from pipeline.run import job, nightly, rebuild, refresh, runner
from pipeline.run.context import Run, open_run
from pipeline.run.job import JobOptions
from pipeline.settings import Settings
from tests.nightly.checkout import scored_catalogue
from tests.quick import quickest

KINDS = {"one": 0, "other": 2}  # the number of draws the file says it has
STEPS = ("raw", "build", "publish", "keep", "prune")
KEEP = 3  # answers and minor releases, so that there is something to prune each time
# Answers of a publisher as large as those of ELS, other in each run: so many that a kill can fall between two.
KEYS = [SnapshotKey("ons_els", f"indicator_{number}", "main", {"slug": "claimant-count"}) for number in range(15)]
REMEMBERED: dict[str, Any] = {}  # by name, what a function of the run gave
HISTORY = ("meta_re", "mart_revision")
ROWS = b"".join(b"E%08d,2025-01-01/P1Y,3.%d,\n" % (number, number) for number in range(20_000))


@dataclass(frozen=True)
class Ended:
    """How a run ended: in which step it was, and whether it was killed."""

    step: str
    was_killed: bool


def in_fork(work: Callable[[], None]) -> int:
    """Start ``work`` in a fork; return its process id. The fork exits 0 when the work is done, 1 when it raises."""
    process = os.fork()
    if process:
        return process
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - a fork must never run on into its parent's code
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)
    os._exit(0)


def exit_code(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def settings_of(folder: Path) -> Settings:
    return quickest(data_dir=folder, keep_snapshots=KEEP, keep_releases=KEEP)


def night(folder: Path, kind: str, say: int | None = None) -> None:
    """A night of a kind: refresh and pruning. ``say`` is a pipe that is told of each step as it begins."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    tell_of_steps(functools.partial(os.write, say) if say is not None else lambda _: None)
    code = job.run_job(
        refresh.refresh, JobOptions(offline=True, force=True, draws=KINDS[kind]), settings=settings_of(folder)
    )
    nightly.prune(settings_of(folder))
    if code != 0:
        raise SystemExit(f"the run ended with {code}")


def tell_of_steps(say: Callable[[bytes], object]) -> None:
    """Have the steps of a run announce themselves, and an answer that differs from run to run come before the others."""

    def announced(module: Any, name: str, step: str) -> None:
        original = getattr(module, name)

        @functools.wraps(original)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            say(f"{step}\n".encode())
            return original(*arguments, **options)

        setattr(module, name, wrapped)

    def with_an_answer(inline: runner.Inline, context: Run, *arguments: Any) -> Any:
        say(b"raw\n")
        for key in KEYS:
            body = b"areacd,period,value,status\n%s%d\n" % (ROWS, time.time_ns())
            payload = Payload(body, "text/csv", "https://publisher.example", {}, datetime.now(UTC), 200, {})
            context.stores.raw.put(key, payload, licence="OGL-UK-3.0", code_version="test")
        say(b"build\n")
        return acquired

    acquired = REMEMBERED["acquire_all"]
    runner.Inline.fetch_all = with_an_answer  # type: ignore[assignment, method-assign]
    announced(rebuild, "check_and_publish", "publish")
    announced(ReleaseStore, "keep", "keep")
    announced(nightly, "prune", "prune")


def remember(folder: Path) -> None:
    """Acquire and score once; the runs to come are given the same, since neither leaves a trace on disk."""
    catalogue = scored_catalogue()
    job.open_run = functools.partial(open_run, catalogue=catalogue)  # type: ignore[attr-defined]
    context = open_run(settings_of(folder), catalogue=catalogue, offline=True, draws=0)
    REMEMBERED["acquire_all"] = refresh.acquire_all(context)
    assembled = rebuild.assemble(context.inputs, context.stores, REMEMBERED["acquire_all"])
    known = context.inputs.catalogue.indicators, context.inputs.register, assembled.yearly, context.scoring
    scores = {name: rebuild.score(name, *known) for name in rebuild.DEFAULT_FRAMEWORKS}
    studies = rebuild.study(*known)
    rebuild.assemble = lambda inputs, stores, results: assembled
    rebuild.score = lambda framework_id, *known: scores[framework_id]
    rebuild.study = lambda *known: studies


def counts(folder: Path) -> dict[str, int]:
    """Row counts of every table, each table read to its last row."""
    path = quickest(data_dir=folder).database
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        for table in tables:
            connection.execute(f"select count(*), max(hash(t)) from {table} as t").fetchall()
        found = connection.execute("select draw_count from meta_run").fetchone()
        rows = {t: (connection.execute(f"select count(*) from {t}").fetchone() or (0,))[0] for t in tables}
    return {**rows, "draw_count": found[0] if found else -1}


def expect(folder: Path, kind: str) -> dict[str, int]:
    """What a whole file of this kind holds, from a run that nobody kills."""
    if exit_code(in_fork(lambda: night(folder, kind))) != 0:
        raise SystemExit(f"an undisturbed run of the kind {kind!r} failed")
    record = folder / f"{kind}.json"
    if exit_code(in_fork(lambda: record.write_text(json.dumps(counts(folder))) and None)) != 0:
        raise SystemExit("the file of an undisturbed run cannot be read")
    found: dict[str, int] = json.loads(record.read_text())
    return found


def look(folder: Path, whole: dict[str, dict[str, int]]) -> None:
    """Raise unless the live file is one of the two, whole, and every answer held is. Tables of the history grow, so they
    are left out."""
    store = RawStore(settings_of(folder).raw_dir)
    number, problems = store.verify()
    if problems or any(store.latest_good(key)[0] is None for key in KEYS):
        raise AssertionError(f"{number} answers are held, of which {problems} are damaged")
    found = counts(folder)
    for expected in whole.values():
        if all(found.get(name) == count for name, count in expected.items() if not name.startswith(HISTORY)):
            return
    raise AssertionError(f"neither the previous nor the new file: {found}")


def kill(folder: Path, kind: str, seconds: dict[str, float], moments: random.Random, number: int) -> Ended:
    """One run and its death: at any moment, or (every second time) at one within a step that is drawn."""
    receive, say = os.pipe()
    process = in_fork(lambda: night(folder, kind, say))
    os.close(say)
    awaited = STEPS[(number // 2) % len(STEPS)] if number % 2 else None
    reached = _wait_for(receive, awaited) if awaited else []
    within = seconds[awaited] if awaited else sum(seconds.values())
    reached += _heard(receive, moments.uniform(0, within))
    os.kill(process, signal.SIGKILL)
    was_killed = exit_code(process) == -signal.SIGKILL
    reached += _heard(receive, 0)
    os.close(receive)
    return Ended(reached[-1] if reached else "start", was_killed)


def _wait_for(receive: int, step: str) -> list[str]:
    """The steps told of until ``step`` is, or until the run is over."""
    told: list[str] = []
    while step not in told and (heard := os.read(receive, 4096)):
        told += heard.decode().split()
    return told


def _heard(receive: int, seconds: float) -> list[str]:
    """The steps told of in the next ``seconds``."""
    told: list[str] = []
    until = time.monotonic() + seconds
    while select.select([receive], [], [], max(0.0, until - time.monotonic()))[0]:
        heard = os.read(receive, 4096)
        if not heard:
            time.sleep(max(0.0, until - time.monotonic()))
            break
        told += heard.decode().split()
    return told


def durations(folder: Path, kind: str) -> dict[str, float]:
    """How many seconds each step of an undisturbed run takes; what comes before the first is of the first."""
    receive, say = os.pipe()
    process = in_fork(lambda: night(folder, kind, say))
    os.close(say)
    took, step, since = dict.fromkeys(STEPS, 0.0), STEPS[0], time.monotonic()
    while heard := os.read(receive, 4096):
        for name in heard.decode().split():
            now = time.monotonic()
            took[step] += now - since
            step, since = name, now
    took[step] += time.monotonic() - since
    os.close(receive)
    if exit_code(process) != 0:
        raise SystemExit("an undisturbed run failed")
    return took


def main(folder: Path, kills: int, seed: int) -> dict[str, object]:
    began = time.monotonic()
    moments = random.Random(seed)  # noqa: S311
    remember(folder)
    whole = {kind: expect(folder, kind) for kind in KINDS}
    seconds = durations(folder, "one")
    ends: Counter[str] = Counter()
    for number in range(kills):
        ended = kill(folder, list(KINDS)[number % 3 % 2], seconds, moments, number)
        ends[ended.step if ended.was_killed else "had ended"] += 1
        if exit_code(in_fork(lambda: look(folder, whole))) != 0:
            raise SystemExit(f"after kill {number + 1} of {kills}, in step {ended.step}, something is not whole")
    if exit_code(in_fork(lambda: night(folder, "other"))) != 0:
        raise SystemExit("the run after the last kill failed")
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob(".*") if path.name != ".gitkeep")
    return {
        "kills": kills,
        "killed_in": dict(ends),
        "seconds_of_steps": {name: round(value, 2) for name, value in seconds.items()},
        "left_behind": left,
        "seconds": round(time.monotonic() - began),
    }


if __name__ == "__main__":
    _, place, how_many, *rest = sys.argv
    print(json.dumps(main(Path(place), int(how_many), int(rest[0]) if rest else 1)))
