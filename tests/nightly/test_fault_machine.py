"""Nights on end with any faults, singly and together: no wrong figure is taken, nothing held is lost, every failure has a name.

A machine switches the stand-in's faults on and off, lets nights pass, starts anew as another process would, and damages
what is held. Each story ends with a whole refresh under the faults that are on by then, over a live file, and the
published file and the run report are looked at. ``IG_FAULT_EXAMPLES=200`` makes it go on for longer than the few stories
told by default.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.catalogue import Part, load_catalogue
from pipeline.errors import VerbError
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import refresh
from pipeline.run.results import PartResult
from tests.nightly.checkout import scored_catalogue
from tests.quick import quickest
from tests.standin.faults import NAMES
from tests.standin.server import StandIn

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("IG_FAULT_EXAMPLES") or 4)
CATALOGUE = load_catalogue()
# A part of Explore Local Statistics, one of Nomis with the other to fall back on, and one that is small.
PARTS = {"child_poverty_ahc": "main", "no_qualifications_rate": "main", "employment_rate": "northern_ireland"}
FIGURES = ["area_code", "period", "value", "lower", "upper", "status"]
INVENTED_CODE = "E99999999"  # the fault "unknown_code" gives a row to it; the map sets it aside by name
PATTERNS = ("", r"NM_", r"explore-local", r"\.csv", r"metadata|def\.sdmx", r"time=all", r"RecordOffset=0")

# What is published at the end of a story: the parts above, and what the frameworks score.
PUBLISHED = scored_catalogue({name: CATALOGUE.indicators[name] for name in PARTS})
_FIGURES = """
select area_code::varchar as area_code, period, value, source_id::varchar as source_id, source_area_codes
from fct_observation
where indicator_id = ? and level = 'district' and geography_rule = 'as_published' and value is not null
"""

standin = StandIn()


@pytest.fixture(scope="module", autouse=True)
def running() -> Any:
    with standin:
        yield


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Retry-After of a second, which is honoured elsewhere, is not waited out here."""
    monkeypatch.setattr("pipeline.http.client.retry_after_seconds", lambda value: 0.01 if value else None)
    monkeypatch.setattr(
        "pipeline.run.job.open_run", partial(open_run, catalogue=PUBLISHED, throttle=False, backoff_seconds=0.001)
    )


def open_folder(folder: Path, *, offline: bool = False) -> Run:
    where = quickest(data_dir=folder, base_urls=standin.base_urls)
    return open_run(where, catalogue=CATALOGUE, throttle=False, backoff_seconds=0.001, draws=0, offline=offline)


def the_part(indicator_id: str) -> Part:
    parts = CATALOGUE.indicators[indicator_id].parts
    return next(part for part in parts if part.id == PARTS[indicator_id])


def figures(result: PartResult) -> pd.DataFrame:
    assert result.observations is not None
    return result.observations[FIGURES].sort_values(["area_code", "period"], ignore_index=True)


@cache
def truth(indicator_id: str, source_id: str) -> pd.DataFrame:
    """The figures one source gives undisturbed; of ``baseline``, those that are shipped. Made before any fault is on."""
    part, indicator = the_part(indicator_id), CATALOGUE.indicators[indicator_id]
    live = tuple(query for query in part.live if query.source == source_id)
    with tempfile.TemporaryDirectory() as folder:
        context = open_folder(Path(folder), offline=source_id == "baseline")
        result = acquire_part(
            context.inputs, context.stores, context.publishers, indicator, part.model_copy(update={"live": live})
        )
        context.client.close()
    assert result.source_id == source_id
    return figures(result)


@cache
def live_file() -> Path:
    """A file published of undisturbed answers, made once."""
    folder = Path(tempfile.mkdtemp())
    code = run_job(refresh, JobOptions(draws=0), settings=quickest(folder, base_urls=standin.base_urls))
    assert code == 0
    return quickest(folder).database


def published_figures(database: Path, indicator_id: str) -> pd.DataFrame:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(_FIGURES, [indicator_id]).df()


class Nights(RuleBasedStateMachine):
    """One data folder, through as many nights as the story has."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.context: Run | None = None
        self.has_held: set[tuple[str, str]] = set()  # (indicator, source) with a whole good answer in the folder
        self.results: dict[str, PartResult] = {}

    @initialize()
    def know_the_truth(self) -> None:
        for name in NAMES:
            standin.faults.switch_off(name)
        live_file()
        for indicator_id in PARTS:
            for source_id in ("baseline", *(query.source for query in the_part(indicator_id).live)):
                truth(indicator_id, source_id)
        self.start_anew()

    @rule(name=st.sampled_from(sorted(NAMES)), pattern=st.sampled_from(PATTERNS))
    def a_fault_begins(self, name: str, pattern: str) -> None:
        standin.faults.switch_on(name, pattern)

    @rule(name=st.sampled_from(sorted(NAMES)))
    def a_fault_ends(self, name: str) -> None:
        standin.faults.switch_off(name)

    @rule()
    def all_is_well_again(self) -> None:
        for name in NAMES:
            standin.faults.switch_off(name)

    @rule()
    def start_anew(self) -> None:
        """A new process: nothing is remembered but what is in the folder."""
        if self.context is not None:
            self.context.client.close()
        self.context = open_folder(self.folder)

    @precondition(lambda self: self.has_held)
    @rule(data=st.data())
    def a_snapshot_is_damaged(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.folder.glob("raw/*/payloads/*"))))
        with path.open("r+b") as file:
            file.seek(data.draw(st.integers(0, max(0, path.stat().st_size - 1))))
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        self.has_held = {(part, source) for part, source in self.has_held if source != path.parent.parent.name}

    @rule()
    def a_night_passes(self) -> None:
        self.start_anew()
        assert self.context is not None
        for indicator_id in PARTS:
            result = acquire_part(
                self.context.inputs,
                self.context.stores,
                self.context.publishers,
                CATALOGUE.indicators[indicator_id],
                the_part(indicator_id),
            )
            self.results[indicator_id] = result
            self.check(indicator_id, result)
            if result.tier == "live" and figures(result).equals(truth(indicator_id, result.source_id)):
                self.has_held.add((indicator_id, result.source_id))

    def check(self, indicator_id: str, result: PartResult) -> None:
        """One part after one night: right, or set aside by name; what was held is still there."""
        expected, came = truth(indicator_id, result.source_id), figures(result)
        held = [source for part, source in self.has_held if part == indicator_id]
        if held:
            assert result.tier in ("live", "snapshot"), f"{indicator_id}: {held} was held, and the baseline was used"
        if (indicator_id, result.source_id) in self.has_held:
            assert came.equals(expected), f"{indicator_id}: figures held before are otherwise or gone"
            return
        if came.equals(expected):
            return
        both = expected.merge(came, how="outer", indicator=True)
        gone, strange = both[both["_merge"] == "left_only"], both[both["_merge"] == "right_only"]
        assert set(strange["area_code"]) <= {INVENTED_CODE}, f"{indicator_id}: figures nobody published: {strange}"
        assert result.accepted is not None
        quarantined = result.accepted.quarantine
        assert len(gone) <= len(quarantined) + len(strange), f"{indicator_id}: figures lost without a word"
        assert (quarantined["reason"].str.len() > 20).all()

    @invariant()
    def every_failure_has_a_name(self) -> None:
        for indicator_id, result in self.results.items():
            assert result.tier != "none"
            if result.tier != "live":
                assert result.failures, f"{indicator_id}: {result.tier} was used and nobody knows why"
            for sentence in result.failures:
                assert sentence.startswith(indicator_id)
                assert len(sentence) > 40
                assert "Traceback" not in sentence

    def teardown(self) -> None:
        if self.context is not None:
            self.context.client.close()
        try:
            self.publish()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> None:
        """The end of the story: a whole refresh over a live file, under whatever is wrong by now."""
        where = quickest(self.folder, base_urls=standin.base_urls)
        where.marts_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(live_file(), where.database)
        before = where.database.read_bytes()
        try:
            code = run_job(refresh, JobOptions(strict=True, draws=0), settings=where)
        except VerbError as refused:
            code = refused.exit_code
        if code == 3:
            assert where.database.read_bytes() == before, "refused, and yet the live file is another"
            return
        report = json.loads((where.marts_dir / "run_report.json").read_text(encoding="utf-8"))
        for indicator_id in PARTS:
            self.check_published(where.database, indicator_id, report)
        told = [*report["failures"], *report["sources_unreachable"]]
        away = [part for part in report["parts"] if part["tier"] != "live" and "live: " in "".join(part["attempts"])]
        assert code == (4 if away else 0)
        for part in away:
            assert any(part["indicator_id"] in words or part["source_id"] in words for words in told), part

    def check_published(self, database: Path, indicator_id: str, report: dict[str, Any]) -> None:
        """No wrong figure of an indicator is in the file, and no district that had one has lost it."""
        now, live = published_figures(database, indicator_id), published_figures(live_file(), indicator_id)
        for source_id, figures_now in now.groupby("source_id"):
            given = truth(indicator_id, str(source_id)) if self.is_of_the_part(indicator_id, str(source_id)) else None
            if given is None:
                continue
            both = figures_now.merge(given, on=["area_code", "period"], how="left", suffixes=("", "_given"))
            known = both[both["value_given"].notna() | (both["source_area_codes"] == both["area_code"])]
            wrong = known[known["value"] != known["value_given"]]
            assert wrong.empty, f"{indicator_id}: figures nobody published: {wrong.head(3).to_dict('records')}"
        part_id = PARTS[indicator_id]
        (part,) = (p for p in report["parts"] if (p["indicator_id"], p["part_id"]) == (indicator_id, part_id))
        lost = set(live["area_code"]) - set(now["area_code"])
        assert len(lost) <= part["rows_set_aside"], f"{indicator_id}: {sorted(lost)} lost without a word"

    @staticmethod
    def is_of_the_part(indicator_id: str, source_id: str) -> bool:
        """Whether all figures of an indicator from a source come through the part whose truth is known."""
        parts = [p for p in CATALOGUE.indicators[indicator_id].parts if source_id in {q.source for q in p.live}]
        return len(CATALOGUE.indicators[indicator_id].parts) == 1 or [p.id for p in parts] == [PARTS[indicator_id]]


Nights.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    derandomize="IG_FAULT_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestNights = Nights.TestCase
