"""An older answer never takes the place of newer figures: it is held back by name until a person accepts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.run.accept_held import accept_answers
from pipeline.run.acquire import acquire_part
from pipeline.run.context import Run, open_run
from pipeline.run.results import PartResult
from pipeline.run.todays_districts import districts_today
from pipeline.settings import Settings
from tests.standin.server import StandIn
from tests.standin.vintages import SERIES, OneVintage, Vintage, vintages_of

WHY = "ONS withdrew the latest year, see its notice"
Cell = tuple[str, int]


@pytest.fixture
def standin(publishers_files: Path) -> Iterator[StandIn]:
    with StandIn(publishers_files) as running:
        yield running


def open_live(standin: StandIn, folder: Path, **options: bool) -> Run:
    settings = Settings(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, throttle=False, backoff_seconds=0.01, draws=0, **options)


def acquire(standin: StandIn, folder: Path, indicator_id: str, **options: bool) -> PartResult:
    context = open_live(standin, folder, **options)
    indicator = context.inputs.catalogue.indicators[indicator_id]
    return acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])


def figures(standin: StandIn, folder: Path, result: PartResult) -> dict[Cell, float]:
    """Figures by area of today's map and year; the districts' under an older code count for today's."""
    context = open_live(standin, folder)
    assert result.observations is not None
    found: dict[Cell, float] = {}
    for area, year, value in result.observations[["area_code", "year", "value"]].itertuples(index=False):
        if value == value:
            for code in districts_today(context.inputs.register, area) or {area}:
                found[code, year] = value
    return found


@pytest.mark.parametrize("is_dated", [True, False], ids=["description rolled back too", "figures only"])
@pytest.mark.parametrize("series", SERIES)
def test_feeding_an_older_edition_after_the_newer_withdraws_nothing(
    standin: StandIn, publishers_files: Path, tmp_path: Path, series: str, is_dated: bool
) -> None:
    indicator_id = SERIES[series][1]
    newest = acquire(standin, tmp_path, indicator_id)
    before = figures(standin, tmp_path, newest)
    assert newest.tier == "live"
    assert len(before) > 1_000
    editions = vintages_of(publishers_files, series)
    today = newest.publisher_updated or ""
    older = [vintage for vintage in editions if vintage.day < today]
    assert older
    for vintage in reversed(older):
        standin.hold(OneVintage(publishers_files, vintage, is_dated=is_dated))
        result = acquire(standin, tmp_path, indicator_id, force=True)
        after = figures(standin, tmp_path, result)
        assert before.keys() - after.keys() == set(), f"{vintage.path.name}: {result.failures}"
        if is_dated:
            assert result.tier == "snapshot"
            assert after == before
            assert f'python -m pipeline accept ons_els/{indicator_id} "REASON"' in " ".join(result.failures)


# True breaks, which docs/gates.md explains: another basis, and a series rounded to one decimal. A person accepts them.
BREAKS = {"gdhi": ["2024-01-26"], "gva": ["2024-07-15"], "pay": []}


@pytest.mark.parametrize("series", ["gdhi", "gva", "pay"])
def test_each_newer_edition_is_taken_and_a_break_in_the_series_once_a_person_accepts_it(
    standin: StandIn, publishers_files: Path, tmp_path: Path, series: str
) -> None:
    (tmp_path / "none").mkdir()
    settings = Settings(data_dir=tmp_path, base_urls=standin.base_urls, baseline_dir=tmp_path / "none")
    for vintage in vintages_of(publishers_files, series):
        standin.hold(OneVintage(publishers_files, vintage, is_dated=True))
        context = open_run(settings, throttle=False, backoff_seconds=0.01, draws=0)
        indicator = context.inputs.catalogue.indicators[SERIES[series][1]]
        result = acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0])
        if vintage.day in BREAKS[series]:
            assert result.tier == "snapshot"
            assert "the held figures stay in use" in " ".join(result.failures)
            assert accept_answers(context.inputs, context.stores, "ons_els", indicator.id, "another basis, says ONS")
        else:
            assert (result.tier, result.failures) == ("live", [])


def _without_newest_year(publishers_files: Path) -> Vintage:
    return next(vintage for vintage in vintages_of(publishers_files, "pay") if vintage.day == "2025-08-13")


def test_what_a_person_accepts_stands_against_all_that_was_held_then_and_on_later_nights(
    standin: StandIn,
    publishers_files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    indicator_id, vintage = "pay_median_weekly", _without_newest_year(publishers_files)
    acquire(standin, tmp_path, indicator_id)
    standin.hold(OneVintage(publishers_files, vintage, is_dated=True))
    held = acquire(standin, tmp_path, indicator_id)
    assert held.account is not None
    assert (held.tier, held.account.last_year) == ("snapshot", 2025)
    [sentence] = held.failures
    assert "its figures end in 2024, those held in 2025; the held figures stay in use" in sentence

    assert main(["accept", f"ons_els/{indicator_id}", WHY]) == 0
    capsys.readouterr()
    for _ in range(2):  # the night after, and the one after that, though the shipped figures reach 2025
        taken = acquire(standin, tmp_path, indicator_id)
        assert taken.account is not None
        assert (taken.tier, taken.account.last_year, taken.failures) == ("live", 2024, [])
    offline = acquire(standin, tmp_path, indicator_id, offline=True)
    assert offline.account is not None
    assert (offline.tier, offline.account.last_year) == ("snapshot", 2024)
    [sidecar] = [
        path for path in (tmp_path / "raw" / "ons_els" / indicator_id).glob("*.json") if WHY in path.read_text()
    ]
    assert json.loads(sidecar.read_text())["accepted_at"]


def test_the_shipped_figures_stand_against_a_first_answer_and_a_held_one_that_end_earlier(
    standin: StandIn, publishers_files: Path, tmp_path: Path
) -> None:
    indicator_id, vintage = "pay_median_weekly", _without_newest_year(publishers_files)
    standin.hold(OneVintage(publishers_files, vintage, is_dated=True))
    first = acquire(standin, tmp_path / "new", indicator_id)
    assert first.account is not None
    assert (first.tier, first.account.last_year) == ("baseline", 2025)
    assert "its figures end in 2024, the figures shipped with the project reach 2025" in " ".join(first.failures)

    before_it_shipped = Settings(tmp_path / "old", base_urls=standin.base_urls, baseline_dir=tmp_path / "none")
    context = open_run(before_it_shipped, throttle=False, backoff_seconds=0.01, draws=0)
    indicator = context.inputs.catalogue.indicators[indicator_id]
    assert (
        acquire_part(context.inputs, context.stores, context.publishers, indicator, indicator.parts[0]).tier == "live"
    )
    for offline in (False, True):  # the publisher says that nothing changed; nobody asks it
        held = acquire(standin, tmp_path / "old", indicator_id, offline=offline)
        assert held.account is not None
        assert (held.tier, held.account.last_year) == ("baseline", 2025)
        assert "is not used: its figures end in 2024" in " ".join(held.failures)


def test_a_second_choice_that_ends_earlier_than_another_query_of_the_part_is_not_used(
    standin: StandIn, publishers_files: Path, tmp_path: Path
) -> None:
    """Employment from Nomis to 2023; then Nomis is asked for less, as after a changed query, and ELS held goes further."""
    context = open_live(standin, tmp_path)
    indicator = context.inputs.catalogue.indicators["employment_rate"]
    part = indicator.parts[0]
    nomis, els = part.live
    acquire_part(
        context.inputs, context.stores, context.publishers, indicator, part.model_copy(update={"live": (els,)})
    )
    shorter = nomis.model_copy(update={"dates": nomis.dates.model_copy(update={"to_year": 2022})})  # type: ignore[union-attr]
    result = acquire_part(
        context.inputs, context.stores, context.publishers, indicator, part.model_copy(update={"live": (shorter, els)})
    )
    assert result.account is not None
    assert (result.source_id, result.account.last_year) == ("ons_els", 2023)
    assert "its figures end in 2022, held figures of Explore Local Statistics API reach 2023" in " ".join(
        result.failures
    )
