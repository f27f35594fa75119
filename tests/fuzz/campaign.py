"""Run many mutated payloads through the parsers and collect whatever breaks the promise.

The promise: a payload gives right rows, rows set aside with a reason, or an error of the declared kinds; never another
error, never a hang, never a row that its own line does not bear out.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.http.payload import SourceError
from pipeline.publishers.baseline.shipped_figures import Baseline
from pipeline.publishers.deprivation import iod_files
from pipeline.publishers.ons_els.query import ElsQuery
from pipeline.settings import BASELINE_DIR
from pipeline.tidy.observations import UnreadablePayload
from tests.fuzz import cells, mutations
from tests.fuzz.formats import CATALOGUE, Table, tables
from tests.fuzz.judging import believed, complaints, first, lost, misread
from tests.fuzz.recorded import Player, fetch, recorded
from tests.fuzz.spreadsheets import file_7, workbooks

SECONDS_A_CASE = 20


@dataclass
class Tally:
    """What became of the mutations of one form of payload."""

    name: str
    mutations: int = 0
    payloads: int = 0
    refused: int = 0
    rows_believed: int = 0
    rows_set_aside: int = 0
    seconds: float = 0.0
    breaches: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.name:<24} {self.mutations:>8,} mutations in {self.payloads:>6,} payloads: {self.refused:>6,} refused, "
            f"{self.rows_believed:>9,} rows right, {self.rows_set_aside:>8,} set aside, {self.seconds:6.1f} s, "
            f"{len(self.breaches)} breaches"
        )


class TooSlowError(Exception):
    """A case took longer than any payload of its size may."""


@contextlib.contextmanager
def limited(seconds: float = SECONDS_A_CASE) -> Iterator[None]:
    """Raise TooSlowError in this (the main) thread when the work takes longer."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _case(tally: Tally, seed: str, mutant: mutations.Mutant, run: Callable[[], str | None]) -> None:
    """One payload. ``run`` returns what is wrong with what came out, and raises a declared error for a refusal."""
    tally.payloads += 1
    tally.mutations += len(mutant.changes)
    started = time.perf_counter()
    try:
        with limited():
            wrong = run()
    except (UnreadablePayload, SourceError) as error:
        tally.refused += 1
        wrong = None if str(error).strip() else "refused without a word"
    except BaseException as error:  # a panic of a library is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        wrong = f"{type(error).__name__}: {error!s:.300}"
    tally.seconds += time.perf_counter() - started
    if wrong:
        tally.breaches.append(f"{tally.name}, seed {seed!r} ({', '.join(mutant.changes)[:200]}): {wrong}")


def _drawn(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - nothing secret is drawn


def fuzz_tables(count: int, seed: int) -> list[Tally]:
    """``count`` mutations over all forms of table, several in each payload, each row judged by its own line."""
    tallies = []
    for form in tables():
        tally = Tally(form.name)
        original = believed(form.parse(form.content), form.indicator)
        number = 0
        while tally.mutations < count * form.share:
            fuzz_table(form, original, tally, f"{seed}:{form.name}:{number}")
            number += 1
        tallies.append(tally)
    return tallies


def fuzz_table(form: Table, original: pd.DataFrame, tally: Tally, seed: str) -> None:
    """One payload of one form; ``seed`` alone makes it again."""
    mutant = mutations.table(form.content, _drawn(seed), form.changes)

    def run() -> str | None:
        parsed = form.parse(mutant.content)
        kept = believed(parsed, form.indicator)
        tally.rows_believed += len(kept)
        tally.rows_set_aside += parsed.rows_read - parsed.out_of_scope - len(kept)
        wrong = [*complaints(parsed, kept, form.indicator)]
        if form.read is not None:
            wrong += misread(kept, mutant.content, form.read)
            wrong += lost(kept, original, form.content, mutant.content, form.read)
        return first(wrong) or None

    _case(tally, seed, mutant, run)


def fuzz_answers(count: int, seed: int) -> list[Tally]:
    """``count`` mutations of the documents and tables that services answer with, put through the adapters."""
    nomis = next(
        query for part in CATALOGUE.indicators["no_qualifications_rate"].parts for query in part.live
        if query.source == "nomis"
    )  # fmt: skip
    short = nomis.model_copy(update={"dates": nomis.dates.model_copy(update={"from_year": 2023})})
    queries = {
        "ELS": ElsQuery(source="ons_els", slug="employment-rate-ni"),
        "Nomis": short,
        "Open Geography": "district_names",
    }
    tallies = []
    for name, query in queries.items():
        recording = recorded(query)
        for place, answer in enumerate(recording.answers):
            kind = "document" if answer.content.lstrip()[:1] in (b"{", b"[") else "table"
            tally = Tally(f"{name}, {kind} {place + 1}")
            number = 0
            while tally.mutations < count / 14:
                key = f"{seed}:{tally.name}:{number}"
                rng, number = _drawn(key), number + 1
                change = mutations.document if kind == "document" else mutations.blob
                mutant = change(answer.content, rng)

                def run(place: int = place, mutant: mutations.Mutant = mutant) -> str | None:
                    with Player(recording, place, mutant.content) as player:  # noqa: B023 - run at once
                        return storable(fetch(query, player))  # noqa: B023

                _case(tally, key, mutant, run)
            tallies.append(tally)
    return tallies


def fuzz_small_areas(count: int, seed: int) -> Tally:
    """``count`` mutations of File 7 of an English index: every small area read stands in a line of its own, as read."""
    tally = Tally("IoD File 7")
    content = file_7()
    number = 0
    while tally.mutations < count:
        key = f"{seed}:IoD File 7:{number}"
        mutant, number = mutations.table(content, _drawn(key), 1), number + 1

        def run(mutant: mutations.Mutant = mutant) -> str | None:
            areas = iod_files.small_areas(mutant.content)
            tally.rows_believed += len(areas)
            text = mutant.content.decode("utf-8-sig").replace(",", " ").replace('"', " ")
            lines = {cell: line.split() for line in text.splitlines()[1:] for cell in line.split() if cell[:3] == "E01"}
            for area in areas.itertuples(index=False):
                said = lines.get(area.small_area, [])
                if not all(any(_is(cell, value) for cell in said) for value in area):
                    return f"{area} was read, its line says {said}"
            return None

        _case(tally, key, mutant, run)
    return tally


def _is(cell: str, value: object) -> bool:
    if isinstance(value, str):
        return cell == value
    with contextlib.suppress(ValueError):
        return float(cell) == value
    return False


def fuzz_workbooks(count: int, seed: int) -> list[Tally]:
    """``count`` damaged workbooks of each form: refused with a sentence, or the figures of the undamaged one."""
    tallies = []
    for name, content, read in workbooks():
        tally, undamaged = Tally(name), read(content)
        for number in range(count):
            key = f"{seed}:{name}:{number}"
            mutant = mutations.blob(content, _drawn(key))

            def run(mutant: mutations.Mutant = mutant) -> str | None:
                found = read(mutant.content)  # noqa: B023 - run at once
                # A legacy workbook has no checksums: a flipped bit in a cell is that cell, for all anyone can tell.
                is_checked = mutant.content.startswith(b"PK")
                return "another figure passed" if is_checked and not found.equals(undamaged) else None  # noqa: B023

            _case(tally, key, mutant, run)
        tallies.append(tally)
    return tallies


def fuzz_cells(count: int, seed: int) -> list[Tally]:
    """``count`` mutations of what cells of workbooks say: every figure that is read stands in a row that says so."""
    tallies = []
    legacy = cells.legacy_ashe()
    with cells.read_here():
        for form in cells.forms():
            tally, number = Tally(form.name), 0
            while tally.mutations < count / 4:
                key = f"{seed}:{form.name}:{number}"
                (rows, mutant), number = cells.with_changed_cells(form, _drawn(key)), number + 1

                def run(rows: cells.Rows = rows, mutant: mutations.Mutant = mutant) -> str | None:
                    found = form.read(mutant.content)  # noqa: B023 - run at once
                    tally.rows_believed += len(found)  # noqa: B023
                    return cells.judged(form, rows, found)  # noqa: B023

                _case(tally, key, mutant, run)
            tallies.append(tally)
        if legacy is not None:
            tally = Tally("ASHE cells, xls")
            for number in range(max(2, count // 300)):
                key = f"{seed}:ASHE cells, xls:{number}"
                mutant = cells.with_changed_numbers(legacy, _drawn(key))

                def read(mutant: mutations.Mutant = mutant) -> None:
                    tally.rows_believed += len(cells.ashe_claims(mutant.content))

                _case(tally, key, mutant, read)
            tallies.append(tally)
    return tallies


def fuzz_baseline(count: int, seed: int, folder: Path) -> Tally:
    """``count`` damaged files of the baseline: each refused by its sha256 before anything reads a figure from it."""
    name = "claimant_rate.parquet"
    content = (BASELINE_DIR / name).read_bytes()
    (folder / "manifest.json").write_bytes((BASELINE_DIR / "manifest.json").read_bytes())
    tally = Tally("baseline")
    for number in range(count):
        key = f"{seed}:baseline:{number}"
        mutant = mutations.blob(content, _drawn(key))
        (folder / name).write_bytes(mutant.content)

        def run(mutant: mutations.Mutant = mutant) -> str | None:
            payload = Baseline(folder).payload("claimant_rate")
            return None if payload is None or payload.content == content else "a changed file passed"

        _case(tally, key, mutant, run)
    return tally


def storable(payload: object) -> str | None:
    """Why a payload could not be stored with its provenance; None where it can."""
    described = getattr(payload, "description", None)
    words = [getattr(payload, name) for name in ("url", "publisher_updated", "edition", "media_type")]
    words += [] if described is None else [described.unit, *described.caveats]
    for word in words:
        if word is not None and not isinstance(word, str):
            return f"{word!r:.60} stands where a text must"
        if word is not None:
            word.encode("utf-8")
    json.dumps(words)
    return None
