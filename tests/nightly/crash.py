"""Kill a real refresh at random moments, again and again, and look at what readers would find: a program for the tests.

    python -m tests.nightly.crash FOLDER KILLS [SEED]

Each run is a fork of this process, which has everything imported, so that the moments fall into the work itself:
reading, scoring, building, checking, swapping. Runs alternate between two kinds that give different files, so that
*previous* and *new* can be told apart. After each kill the file is opened in a fork of its own and must be one of the
two, whole. Prints one line of JSON at the end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipeline.run.context import RunContext, open_run
from pipeline.run.refresh import refresh
from pipeline.settings import Settings

KINDS = {"one": 0, "other": 2}  # draws of the survey errors


def context_of(folder: Path, kind: str) -> RunContext:
    return open_run(Settings(data_dir=folder), offline=True, draws=KINDS[kind])


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


def published(folder: Path, kind: str) -> None:
    refresh(context_of(folder, kind), force=True)


def counts(folder: Path) -> dict[str, int]:
    """Row counts of every table, each table read to its last row."""
    path = Settings(data_dir=folder).database
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        for table in tables:
            connection.execute(f"select count(*), max(hash(t)) from {table} as t").fetchall()
        found = connection.execute("select draw_count from meta_run").fetchone()
        rows = {t: (connection.execute(f"select count(*) from {t}").fetchone() or (0,))[0] for t in tables}
    return {**rows, "draw_count": found[0] if found else -1}


def expect(folder: Path, kind: str) -> dict[str, int]:
    """What a whole file of this kind holds, from a run that nobody kills."""
    if exit_code(in_fork(lambda: published(folder, kind))) != 0:
        raise SystemExit(f"an undisturbed run of the kind {kind!r} failed")
    record = folder / f"{kind}.json"
    if exit_code(in_fork(lambda: record.write_text(json.dumps(counts(folder))) and None)) != 0:
        raise SystemExit("the file of an undisturbed run cannot be read")
    found: dict[str, int] = json.loads(record.read_text())
    return found


def look(folder: Path, whole: dict[str, dict[str, int]]) -> None:
    """Raise unless the live file is one of the two, whole. Tables of the history grow, so they are left out."""
    found = counts(folder)
    for expected in whole.values():
        if all(found.get(name) == count for name, count in expected.items() if not name.startswith("meta_re")):
            return
    raise AssertionError(f"neither the previous nor the new file: {found}")


def main(folder: Path, kills: int, seed: int) -> dict[str, object]:
    moments = random.Random(seed)  # noqa: S311
    whole = {kind: expect(folder, kind) for kind in KINDS}
    began = time.perf_counter()
    if exit_code(in_fork(lambda: published(folder, "one"))) != 0:
        raise SystemExit("an undisturbed run failed")
    seconds = time.perf_counter() - began
    ends: Counter[str] = Counter()
    for number in range(kills):
        kind = list(KINDS)[number % 2]
        process = in_fork(lambda kind=kind: published(folder, kind))
        time.sleep(moments.uniform(0, seconds * 1.02))
        os.kill(process, signal.SIGKILL)
        ends["killed" if exit_code(process) == -signal.SIGKILL else "had ended"] += 1
        if exit_code(in_fork(lambda: look(folder, whole))) != 0:
            raise SystemExit(f"after kill {number + 1} of {kills} the file is not whole")
    if exit_code(in_fork(lambda: published(folder, "other"))) != 0:
        raise SystemExit("the run after the last kill failed")
    left = sorted(path.name for path in Settings(data_dir=folder).marts_dir.iterdir() if "building" in path.name)
    return {"kills": kills, **ends, "seconds_a_run": round(seconds, 2), "left_behind": left}


if __name__ == "__main__":
    _, place, how_many, *rest = sys.argv
    print(json.dumps(main(Path(place), int(how_many), int(rest[0]) if rest else 1)))
