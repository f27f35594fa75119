"""A night without news: few small questions, nothing parsed, and whatever is not as it was left ends the short cut.

The whole work of a run but for scoring and building, over HTTP against the stand-in; the clock is the run's own.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.catalogue import Catalogue
from pipeline.catalogue.release_calendar import Calendar, load_release_calendar
from pipeline.run import freshness as news
from pipeline.run.check_schedule import MOST_REQUESTS
from pipeline.run.context import Run, open_run
from pipeline.run.freshness import nothing_new
from pipeline.run.refresh import acquire_all
from pipeline.run.results import Outcome, Timings
from pipeline.run.run_state import FILE, write_run_state
from pipeline.settings import DEFAULT_LOOK_WITHIN_DAYS, Settings
from tests.remembered import remembered
from tests.standin.figures import Cell, Figures, NomisEdition, Table
from tests.standin.server import StandIn
from tests.standin.short import short_catalogue

# One indicator of each of five tables of Nomis, and two of Explore Local Statistics, which answers for all at once.
NAMES = (
    "claimant_rate",
    "gva_per_hour",
    "no_qualifications_rate",
    "jobs_density",
    "population",
    "workless_households",
    "pay_weekly_median",
)
TABLES = 5
A_TABLE = "NM_57_1"
# Not one of the stand-in's figures is due before this day.
QUIET = datetime.fromisoformat("2024-03-01T03:17:00+00:00")
NO_FILES = Path("no files of the publishers")


class Revised(Figures):
    """The figures as they were, but for one table of Nomis that says it was updated, and has a figure that was missing."""

    def nomis_edition(self, dataset_id: str) -> NomisEdition | None:
        return NomisEdition("2026-11-21 09:30:00", "2023") if dataset_id == A_TABLE else None

    def table(self, slug: str) -> Table:
        """Where there are claimants, the stand-in has jobs: of Hartlepool also in 2000, which no other table asks for."""
        table = super().table(slug)
        if slug != "claimant-count":
            return table
        return dataclasses.replace(table, cells={**table.cells, ("E06000001", "2000-01-01/P1Y"): Cell(1.0)})


class Nights:
    """One data folder, night after night, and what the stand-in was asked on each."""

    def __init__(self, standin: StandIn, folder: Path) -> None:
        whole = short_catalogue()
        self.catalogue: Catalogue = dataclasses.replace(
            whole, indicators={name: whole.indicators[name] for name in NAMES}
        )
        self.standin, self.settings, self.now = standin, Settings(folder, base_urls=standin.base_urls), QUIET
        self.calendar = load_release_calendar()
        self.settings.marts_dir.mkdir(parents=True)
        self.settings.database.write_bytes(b"a file that was published")

    def context(self, **options: bool) -> Run:
        manners = {"throttle": False, "backoff_seconds": 0.01}
        given = open_run(self.settings, catalogue=self.catalogue, draws=0, **manners, **options)  # type: ignore[arg-type]
        inputs = dataclasses.replace(given.inputs, calendar=self.calendar)
        return dataclasses.replace(given, started_at=self.now, inputs=inputs)

    def pass_one(self, **options: bool) -> tuple[Outcome, list[str]]:
        """A night as `pipeline.run.refresh.refresh` spends it, and the paths it asked for."""
        self.now += timedelta(days=1)
        before, context = len(self.standin.requests), self.context(**options)
        outcome = nothing_new(context, Timings())
        if outcome is None:
            outcome = remembered(context, Outcome(True, tuple(acquire_all(context)), {}, Timings()))
        context.client.close()
        return outcome, [request.path for request in self.standin.requests[before:]]


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(NO_FILES) as running:
        yield running


@pytest.fixture
def nights(standin: StandIn, tmp_path: Path, first_night: Path) -> Iterator[Nights]:
    """The nights that follow a first one, on which everything was fetched."""
    given = Nights(standin, tmp_path / "own")
    shutil.copytree(first_night, given.settings.data_dir, dirs_exist_ok=True)
    given.now += timedelta(days=1)
    yield given
    standin.hold(Figures(NO_FILES))


@pytest.fixture(scope="module")
def first_night(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder as the first night leaves it."""
    given = Nights(standin, tmp_path_factory.mktemp("first") / "data")
    outcome, asked = given.pass_one()
    assert outcome.is_new
    assert {result.tier for result in outcome.results} == {"live"}
    assert sum(map(is_data, asked)) > len(NAMES)
    return given.settings.data_dir


def is_data(path: str) -> bool:
    return path.endswith(".csv")


def by_source(paths: list[str]) -> Counter[str]:
    return Counter("nomis" if "/dataset/" in path else "ons_els" for path in paths)


def test_without_news_each_source_gets_two_small_questions_at_most(nights: Nights) -> None:
    for _ in range(3):
        outcome, asked = nights.pass_one()
        assert not outcome.is_new
        assert not any(map(is_data, asked))
        assert by_source(asked) == {"ons_els": 1, "nomis": MOST_REQUESTS}
        assert {result.tier for result in outcome.results} == {"live"}


def test_nothing_is_read_and_yet_everything_is_told(nights: Nights) -> None:
    outcome, _ = nights.pass_one()
    assert {result.accepted for result in outcome.results} == {None}
    for result in outcome.results:
        assert result.account is not None
        assert result.account.district_count > 290
        assert result.age_in_days(nights.now + timedelta(days=2000)) is not None
    assert {a.outcome for result in outcome.results for a in result.attempts} == {"unchanged", "not due"}


def test_a_revision_that_nobody_announced_is_found_within_the_days_that_are_promised(nights: Nights) -> None:
    nights.standin.hold(Revised(NO_FILES))
    for _ in range(DEFAULT_LOOK_WITHIN_DAYS):
        outcome, asked = nights.pass_one()
        if outcome.is_new:
            break
    assert outcome.is_new
    assert {path.split("/")[-1] for path in asked if is_data(path)} == {f"{A_TABLE}.data.csv"}
    assert by_source([path for path in asked if not is_data(path)])["ons_els"] == 1
    assert not nights.pass_one()[0].is_new


def test_every_table_is_asked_about_within_those_days(nights: Nights) -> None:
    asked = [path for _ in range(-(-TABLES // MOST_REQUESTS)) for path in nights.pass_one()[1]]
    assert len({path for path in asked if "/dataset/" in path}) == TABLES


def test_of_a_release_that_is_due_and_out_only_its_figures_are_fetched_on_the_same_night(nights: Nights) -> None:
    nights.calendar = Calendar([r for r in nights.calendar.releases if A_TABLE in r.covers.get("nomis", ())])
    nights.now = datetime.fromisoformat("2026-03-01T03:17:00+00:00")
    known = nights.context().stores.run_state
    assert known is not None
    asked_yesterday = {source: dict.fromkeys(tables, nights.now) for source, tables in known.looked_at.items()}
    write_run_state(nights.settings.marts_dir, dataclasses.replace(known, looked_at=asked_yesterday))
    nights.standin.hold(Revised(NO_FILES))
    outcome, asked = nights.pass_one()
    assert outcome.is_new
    assert {path.split("/")[-1] for path in asked if is_data(path)} == {f"{A_TABLE}.data.csv"}
    assert (
        sum(re.fullmatch(r".*/dataset/NM_\d+_1\.def\.sdmx\.json", path) is not None for path in asked) == MOST_REQUESTS
    )


def test_a_publisher_that_is_away_is_noticed_once_and_the_next_night_is_short_again(nights: Nights) -> None:
    closed = dict.fromkeys(nights.settings.base_urls, "http://127.0.0.1:9")
    nights.settings = dataclasses.replace(nights.settings, base_urls=closed)
    first, _ = nights.pass_one()
    assert first.is_new  # the same figures, but now they are called the last good ones
    assert {result.tier for result in first.results} == {"snapshot"}
    second, asked = nights.pass_one()
    assert (second.is_new, asked) == (False, [])
    assert {result.tier for result in second.results} == {"snapshot"}
    assert {a.outcome for r in second.results for a in r.attempts if a.tier == "live"} == {"unreachable"}


def test_after_an_outage_everything_is_asked_about_again(nights: Nights) -> None:
    addresses = nights.settings.base_urls
    nights.settings = dataclasses.replace(nights.settings, base_urls=dict.fromkeys(addresses, "http://127.0.0.1:9"))
    nights.pass_one()
    nights.settings = dataclasses.replace(nights.settings, base_urls=addresses)
    outcome, asked = nights.pass_one()
    assert {result.tier for result in outcome.results} == {"live"}
    assert not any(map(is_data, asked))
    assert by_source(asked) == {"ons_els": 1, "nomis": TABLES}


def test_offline_no_question_is_asked(nights: Nights) -> None:
    assert nights.pass_one(offline=True)[0].is_new  # from here on the figures are the last good ones
    outcome, asked = nights.pass_one(offline=True)
    assert (outcome.is_new, asked) == (False, [])


def payload(nights: Nights) -> Path:
    return max(nights.settings.raw_dir.glob("nomis/payloads/*"), key=lambda path: path.stat().st_size)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


SPOILED: dict[str, Callable[[Nights], object]] = {
    "the live file is gone": lambda nights: nights.settings.database.unlink(),
    "one byte of the live file is another": lambda nights: flip_a_byte(nights.settings.database),
    "the note is gone": lambda nights: (nights.settings.marts_dir / FILE).unlink(),
    "the note is damaged": lambda nights: (nights.settings.marts_dir / FILE).write_text('{"format": 1, "parts": ['),
    "the note is of another format": lambda nights: (nights.settings.marts_dir / FILE).write_text('{"format": 99}'),
    "one byte of what is held is another": lambda nights: flip_a_byte(payload(nights)),
    "what is held is gone": lambda nights: payload(nights).unlink(),
}


@pytest.mark.parametrize("what", SPOILED)
def test_whatever_is_not_as_it_was_left_ends_the_short_cut(nights: Nights, what: str) -> None:
    SPOILED[what](nights)
    assert nothing_new(nights.context(), Timings()) is None


def test_a_payload_that_was_only_touched_is_read_again_and_found_to_be_the_same(nights: Nights) -> None:
    os.utime(payload(nights))
    assert nothing_new(nights.context(), Timings()) is not None


@pytest.mark.parametrize("option", ["force", "is_thorough"])
def test_other_options_end_it_too(nights: Nights, option: str) -> None:
    assert nothing_new(nights.context(**{option: True}), Timings()) is None


def test_other_code_ends_it_too(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "code_fingerprint", lambda: "the code of tomorrow")
    assert nothing_new(nights.context(), Timings()) is None


def test_a_note_that_cannot_be_written_is_said_and_costs_nothing_else(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(news, "write_run_state", full)
    outcome = nothing_new(nights.context(), Timings())
    assert outcome is not None
    assert "No space left on device" in (outcome.keeping_problem or "")
