"""Thirty nights of the real nightly job against publishers that release, revise and fail, with a clock that moves.

    make thirty-nights              # or: python -m tests.nightly.thirty_nights FOLDER [--seed N] [--nights few|sixty]

``sixty`` is about room on the disk: sixty nights, on six of which one table is revised, and what is kept after each ten.

Each night is told in one line, and every night the published file is held against what the publishers really gave. The
program ends with 1 when anything is not as it should be. The nights are processes of their own (``one_night.py``) in a
checkout of their own (``checkout.py``); which night has which fault, revision or kill is drawn from the seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Self

from pipeline.compare.version import FIRST_VERSION, Kind, Version
from pipeline.settings import PROJECT_ROOT
from tests.nightly import judge
from tests.nightly.checkout import Checkout, Merger
from tests.nightly.publishers import FED_BY, HARMLESS, NO_FILES, Delivered, Ledger, Series, World
from tests.standin.faults import NAMES, SILENT
from tests.standin.server import StandIn

START = datetime(2026, 12, 1, 3, 17, tzinfo=UTC)
KEY = "0xplantedkeythatmustnotshow"
KEEP_SNAPSHOTS, KEEP_RELEASES = 3, 4
INCOME, PAY, CLAIMANTS = "gross-disposable-household-income-per-head", "gross-median-weekly-pay", "claimant-count"
OUTPUT, POVERTY = "gross-value-added-per-hour-worked", "children-in-relative-poverty-before-housing"
REVISED = (
    INCOME,
    PAY,
    OUTPUT,
    POVERTY,
    CLAIMANTS,
    "employment-rate",
    "no-qualifications-great-britain",
    "modelled-unemployment",
)
RATES = (POVERTY, CLAIMANTS)  # of which 140 percent cannot be
NEW_DISTRICT = Merger(
    "E08000098", "Bolton and Bury", ("E08000001", "E08000002"), "E12000002", "E11000001", "2026-12-20"
)
# `zero_ghosts` is how Nomis answers of older maps; the catalogue asks for today's.
FAULTS = sorted(NAMES - {"zero_ghosts", *HARMLESS})

# What is sure to happen, and when; everything else is drawn.
THIRTY: Mapping[int, str] = {
    1: "first", 2: "calm", 4: "release", 5: "kill", 7: "month", 9: "twins", 10: "other unit", 11: "unit mended", 12: "silence",
    13: "other layout", 15: "damaged snapshot", 16: "kill", 18: "clock back", 20: "new map", 22: "damaged file",
    24: "new codes", 25: "kill", 27: "column goes", 29: "calm", 30: "calm",
}  # fmt: skip
FEW: Mapping[int, str] = {1: "twins", 2: "kill", 3: "", 4: "new map"}  # fmt: skip
SIXTY: Mapping[int, str] = {night: "revision" if night % 10 == 5 else "calm" for night in range(1, 61)}
PLANS = {"thirty": THIRTY, "few": FEW, "sixty": SIXTY}
MOST_GROWTH = 1.05  # of all that is kept, once as many releases are kept as are asked for


HEADING = f"""\
What happened is what publishers did, or was done to the machine, on that day. A publisher is asked two small questions a
night, so what no calendar announces can be found some nights later: what changed may be of an earlier day. Exit 0:
published or nothing new; 3: a gate refused, the file before it stays; 4: a source gave no figures, the last good ones are used.

nt  day         exit  version  {"what changed":<52}  what happened"""


@dataclass
class Line:
    """What one night came to, for the log."""

    night: int
    day: str
    happened: list[str] = field(default_factory=list)
    faults: str = ""
    code: int | None = None
    version: str = ""
    changed: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        told = "; ".join([*self.happened, *([f"faults met: {self.faults}"] if self.faults else [])]) or "nothing"
        changed = shortened(self.changed, 52)
        ended = f"{self.night:>2}  {self.day}  {self.code!s:>4}  {self.version:<7}  {changed:<52}  {told}"
        return "\n".join([ended, *(f"      WRONG: {sentence}" for sentence in self.wrong)])


def shortened(text: str, most: int) -> str:
    """A text of clauses that fits, cut after a whole clause or word where it is too long."""
    if len(text) <= most:
        return text
    clauses = text.split("; ")
    kept = clauses[0]
    for clause in clauses[1:]:
        if len(kept) + len(clause) + 7 > most:
            break
        kept += f"; {clause}"
    return f"{kept}; ..." if len(kept) + 5 <= most else f"{kept[: most - 4].rsplit(' ', 1)[0]} ..."


class Nights:
    """The deployment: its checkout, its data folder, and the process that runs its nights."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.data = folder, folder / "data"
        self.checkout = Checkout(folder / "checkout")
        self._environment = {**os.environ, **environment, "IG_DATA_DIR": str(self.data)}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.update()

    def update(self) -> None:
        """The checkout has changed: nights to come run other code."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=60)
            self._process = None

    def start(self, now: datetime, *, dies_after: float | None = None) -> None:
        said = self.folder / "said" / f"{now:%Y-%m-%d}.txt"
        said.parent.mkdir(exist_ok=True)
        if self._process is None:
            self._process = self._new_process()
        assert self._process.stdin is not None
        order = {"now": now.isoformat(), "said": str(said), "dies_after": dies_after}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def ended(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def run_beside(self, now: datetime) -> int:
        """A second night while one is at work; returns its exit code."""
        owner = self.data / "marts" / "refresh.owner.json"
        while not owner.exists():
            time.sleep(0.01)
        other = self._new_process()
        order = {"now": now.isoformat(), "said": str(self.folder / "said" / "beside.txt"), "dies_after": None}
        answer, _ = other.communicate(json.dumps(order) + "\n")
        return int(json.loads(answer)["code"])

    def _new_process(self) -> subprocess.Popen[str]:
        environment = {**self._environment, "PYTHONPATH": str(self.checkout.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, str(PROJECT_ROOT / "tests" / "nightly" / "one_night.py")]
        return subprocess.Popen(
            command, cwd=self.checkout.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )


class Simulation:
    """The nights one after the other, with what should be in the file after each."""

    def __init__(self, folder: Path, plan: Mapping[int, str], seed: int) -> None:
        self.folder, self.plan, self.rng = folder, plan, random.Random(seed)  # noqa: S311
        self.world = World(months_until="2025-10")
        self.standin = StandIn(NO_FILES)
        self.delivered: dict[Series, Delivered] = {}  # what each publisher last gave whole
        self.live: dict[Series, Delivered] = {}  # the same at the time of what is published
        self.stale: set[Series] = set()  # what the published file says could not be had when it was made
        self.version: Version | None = None
        self.slowest = 10.0
        self.to_revise = cycle(REVISED)
        self.kept_bytes: dict[int, int] = {}  # in the data folder, by night
        self.lines: list[Line] = []

    def run(self) -> list[Line]:
        environment = {
            **self.standin.environment,
            "NOMIS_UID": KEY,
            "IG_KEEP_SNAPSHOTS": str(KEEP_SNAPSHOTS),
            "IG_KEEP_RELEASES": str(KEEP_RELEASES),
            "IG_WEBHOOK_URL": f"{self.standin.origin}/{KEY}/nobody-listens",
        }
        with self.standin, Nights(self.folder, environment) as self.nights:
            self.ledger = Ledger(self.nights.checkout.catalogue, self.standin.faults, self.world.edition)
            self.standin.tell(self.ledger.note)
            self.reader: judge.Reader | None = None
            print(HEADING, flush=True)
            for number in range(1, max(self.plan) + 1):
                line = self.night(number)
                self.kept_bytes[number] = size_of(self.nights.data)
                print(line, flush=True)
                self.lines.append(line)
                if self.reader is None:  # from the first night on there is a file to read
                    self.reader = judge.Reader(self.database)
                    self.reader.start()
            self.reads, self.torn = self.reader.stop()
        return self.lines

    @property
    def database(self) -> Path:
        return self.nights.data / "marts" / "inclusive_growth.duckdb"

    def night(self, number: int) -> Line:
        plan = self.plan.get(number, "")
        now = START + timedelta(days=number - 1)
        if plan == "clock back":
            now -= timedelta(days=4)
        line = Line(number, f"{now:%Y-%m-%d}")
        self.ledger.new_night()
        self.publish_and_fail(plan, now, line)
        self.standin.hold(self.world.edition)
        before = self.version
        code, seconds = self.go(plan, now, line)
        line.code, line.seconds = code, seconds
        self.judge(plan, code, line, before)
        line.faults = ", ".join(f"{name} ({count})" for name, count in sorted(self.ledger.met.items()))
        for name in self.standin.faults.names():
            self.standin.faults.switch_off(name)
        return line

    # --- what happens -------------------------------------------------------------------------------------------------

    def publish_and_fail(self, plan: str, now: datetime, line: Line) -> None:
        """What a planned night brings; a night without a plan is drawn."""
        if plan == "":
            self.draw(now, line)
        else:
            line.happened += self.by_publishers(plan, now.date()) + self.to_the_deployment(plan)

    def by_publishers(self, plan: str, day: date) -> list[str]:
        world, new = self.world, NEW_DISTRICT
        match plan:
            case "release":
                return [world.release(INCOME, day), world.release(OUTPUT, day)]
            case "month":
                return [world.release_month("2025-11", day)]
            case "other unit":
                return [world.multiply(PAY, 2, day)]
            case "unit mended":
                return [world.multiply(PAY, 0.5, day)]
            case "other layout":
                self.standin.faults.switch_on("extra_column", POVERTY)
                return [world.upload_again(POVERTY, day)]
            case "silence":
                self.standin.faults.switch_on(SILENT, OUTPUT)
                return [world.revise(OUTPUT, day, self.rng)]
            case "new codes":
                return [world.merge(CLAIMANTS, new.parts, new.code, new.name, day)]
            case "revision":
                return [world.revise(next(self.to_revise), day, self.rng)]
            case "kill" | "twins":
                return [world.revise(INCOME, day, self.rng)]
        return []

    def to_the_deployment(self, plan: str) -> list[str]:
        match plan:
            case "new map":
                self.nights.checkout.merge_districts(NEW_DISTRICT)
                self.nights.update()
                return [f"the map: {NEW_DISTRICT.name}"]
            case "column goes":
                self.nights.checkout.take_out_of_profile("gva_per_job")
                self.nights.update()
                return ["the catalogue: a column goes"]
            case "damaged snapshot":
                return [self.damage_a_snapshot()]
            case "damaged file":
                os.truncate(self.database, self.database.stat().st_size // 2)
                return ["the live file cut in half"]
            case "clock back":
                return ["the clock four days back"]
        return []

    def draw(self, now: datetime, line: Line) -> None:
        """A night like any other: perhaps a revision, perhaps faults, most often where there is something to fetch."""
        changed = self.rng.sample(REVISED, self.rng.choice((0, 0, 1, 1, 2)))
        line.happened += [self.world.revise(slug, now.date(), self.rng) for slug in changed]
        for name in self.rng.sample(FAULTS, self.rng.choice((0, 1, 1, 2, 3))):
            where = RATES if name == "value_140_percent" else tuple(changed) or REVISED
            slug = self.rng.choice(where)
            self.standin.faults.switch_on(name, rf"data/{slug}|{FED_BY.get(slug, 'NM_30_1')}\.data")

    def damage_a_snapshot(self) -> str:
        path = self.rng.choice(sorted((self.nights.data / "raw" / "ons_els" / "payloads").iterdir()))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        return "a byte of a snapshot changed on disk"

    def go(self, plan: str, now: datetime, line: Line) -> tuple[int, float]:
        """Let the night run, twice where the first is killed; returns the last exit code and all seconds."""
        dies_after = self.slowest * self.rng.uniform(0.1, 0.9) if plan == "kill" else None
        self.nights.start(now, dies_after=dies_after)
        if plan == "twins":
            code = self.nights.run_beside(now)
            line.happened.append(f"a second run at once ended with {code}")
            line.wrong += [] if code == 5 else ["a second run at once did not end with 5"]
        ended = self.nights.ended()
        seconds = float(ended["seconds"])
        if ended["code"] is None:
            line.happened.append(f"killed after {dies_after:.1f} s, started again")
            line.wrong += self.unreadable()
            self.nights.start(now + timedelta(hours=1))
            ended = self.nights.ended()
        elif plan not in ("first", "kill"):
            self.slowest = max(self.slowest if self.slowest != 10.0 else 0, seconds)
        return int(ended["code"]), seconds

    def unreadable(self) -> list[str]:
        try:
            judge.read(self.database)
        except Exception as error:  # noqa: BLE001 - whatever a reader meets is the finding
            return [f"the file cannot be read after the kill: {error}"]
        return []

    # --- what should be -----------------------------------------------------------------------------------------------

    def judge(self, plan: str, code: int, line: Line, before: Version | None) -> None:
        held = [f"ELS {PAY}"] if plan == "other unit" else []  # by the gates on answers: nothing doubles overnight
        faulty = [*self.ledger.faulty(), *held]
        given = {series: now for series, now in self.ledger.delivered(self.world.edition).items() if series not in held}
        self.delivered |= given
        expected_code = 4 if faulty else 0
        if code != expected_code:
            line.wrong.append(f"exit code {code}, expected {expected_code} (faulty: {', '.join(faulty) or 'nothing'})")
        kind = self.kind(plan, faulty)
        if kind is not None:
            self.live, self.stale = dict(self.delivered), set(faulty)
            self.version = FIRST_VERSION if before is None else before.after(kind)
        found = judge.read(self.database)
        line.version = found.version
        if found.version != str(self.version):
            line.wrong.append(f"version {found.version}, expected {self.version} ({kind} after {before})")
        catalogue = self.nights.checkout.catalogue
        line.wrong += judge.differences(judge.expected_figures(catalogue, self.live, found.districts), found.figures)
        report = json.loads((self.database.parent / "run_report.json").read_text(encoding="utf-8"))
        line.wrong += judge.held_too_much(self.nights.data / "raw", KEEP_SNAPSHOTS + 1)
        if code != 3:
            line.wrong += judge.unnamed(report, catalogue, faulty) + judge.baseline_used(report, catalogue)
        line.changed = told(report, code)

    def kind(self, plan: str, faulty: list[Series]) -> Kind | None:
        """The kind of release that is to be expected: by what the publishers gave, and by what was done to the project.

        The file says of each source whether it gave its figures, so one that goes away or comes back makes a patch.
        """
        if plan == "column goes":
            return "major"
        if plan == "new map" or any(
            series not in self.live or self.live[series].cells != now.cells for series, now in self.delivered.items()
        ):
            return "minor"
        is_other = any(self.live[series].form != now.form for series, now in self.delivered.items())
        return "patch" if is_other or set(faulty) != self.stale or plan == "damaged file" else None


def told(report: Mapping[str, Any], code: int) -> str:
    """What the run report says of the night, for a line of the log."""
    if code == 3:
        worst = report["gates"][0]
        return f"refused by {worst['gate_id']}: {worst['subject']}"
    release = report["release"]
    if release is None:
        return "nothing new"
    return str(release["what_changed"]).split(": ", 1)[-1]


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; a file held under two names counts once."""
    found = {
        (entry.st_dev, entry.st_ino): entry.st_size for entry in map(Path.stat, filter(Path.is_file, folder.rglob("*")))
    }
    return sum(found.values())


def unbounded(simulation: Simulation) -> list[str]:
    """What is kept must not grow once as many releases are kept as are asked for: told of runs over sixty nights."""
    kept = {night: size for night, size in simulation.kept_bytes.items() if night % 10 == 0}
    if len(kept) < 6:
        return []
    print("MB kept after each ten nights:", ", ".join(f"{night}: {size / 1e6:.0f}" for night, size in kept.items()))
    last, before = kept[60], kept[50]
    return [f"{last / 1e6:.0f} MB kept, {before / 1e6:.0f} ten nights before"] if last > MOST_GROWTH * before else []


def findings(simulation: Simulation) -> list[str]:
    """What is to be said of all nights together."""
    data = simulation.nights.data
    behind = [
        series
        for series, query in simulation.ledger.queries.items()
        if series not in simulation.live or simulation.live[series].cells != simulation.world.edition.cells(query)
    ]
    secrets = judge.holding(simulation.folder, KEY)
    raw_bytes = sum(path.stat().st_size for path in (data / "raw").rglob("*") if path.is_file())
    releases = [path for path in (data / "marts" / "releases").iterdir() if path.is_dir() and path.name[0].isdigit()]
    wrong = [f"in the end not as the publishers have it: {series}" for series in behind]
    wrong += [f"the key stands in {path}" for path in secrets]
    wrong += [] if simulation.standin.count(KEY) else ["the key was not even sent"]
    wrong += unbounded(simulation)
    if "damaged file" not in simulation.plan.values():
        wrong += [f"a reader met: {error}" for error in simulation.torn]
    print(
        f"\n{len(simulation.lines)} nights, {sum(bool(line.faults) for line in simulation.lines)} of them with faults; "
        f"the file read {simulation.reads:,} times meanwhile; {len(simulation.live)} series end as the publishers "
        f"have them; {raw_bytes / 1e6:.1f} MB of answers and {len(releases)} releases held; the key was sent "
        f"{simulation.standin.count(KEY):,} times and is in no file."
    )
    return wrong


def main(folder: Path, plan: Mapping[int, str], seed: int) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    simulation = Simulation(folder, plan, seed)
    lines = simulation.run()
    wrong = [sentence for line in lines for sentence in line.wrong] + findings(simulation)
    (folder / "log.txt").write_text("\n".join([HEADING, *map(str, lines)]) + "\n", encoding="utf-8")
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    print(f"{len(wrong)} things wrong, {time.perf_counter() - began:.0f} s; the log is {folder / 'log.txt'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make thirty-nights", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--nights", choices=tuple(PLANS), default="thirty")
    arguments = parser.parse_args()
    sys.exit(main(arguments.folder.resolve(), PLANS[arguments.nights], arguments.seed))
