"""Whole refreshes, on real figures: offline from the baseline, and over HTTP from the stand-in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.catalogue import Catalogue, CatalogueError
from pipeline.errors import VerbError
from pipeline.run import job
from pipeline.run.context import RunContext, open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import Outcome, refresh
from pipeline.run.results import Timings
from tests.nightly.checkout import scored_catalogue
from tests.quick import quick
from tests.run.publishers import published_figures
from tests.standin.figures import SHARED_DATA, figures_of
from tests.standin.server import StandIn
from tests.standin.short import short_catalogue


def tiers(outcome: Outcome) -> dict[str, set[str]]:
    """Tier -> the indicators that came from it."""
    found: dict[str, set[str]] = {}
    for result in outcome.results:
        found.setdefault(result.tier, set()).add(result.indicator_id)
    return found


def read(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def live_run(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunContext, Outcome]:
    """One refresh over HTTP of the whole (shortened) catalogue."""
    context = live_context(standin, tmp_path_factory.mktemp("live"))
    return context, refresh(context)


def live_context(standin: StandIn, folder: Path, catalogue: Catalogue | None = None) -> RunContext:
    settings = quick(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, catalogue=catalogue or short_catalogue(), throttle=False, backoff_seconds=0.01, draws=0)


def test_offline_every_part_comes_from_the_baseline_and_says_so(offline_run: tuple[RunContext, Outcome]) -> None:
    outcome = offline_run[1]
    assert outcome.is_new
    assert set(tiers(outcome)) == {"baseline", "none"}
    assert not outcome.missing
    assert not outcome.failures


def test_a_second_refresh_finds_nothing_new_and_leaves_the_file_alone(tmp_path: Path) -> None:
    first = open_run(quick(data_dir=tmp_path), offline=True, draws=0)
    assert refresh(first).is_new
    before = first.settings.database.read_bytes()
    second = refresh(open_run(quick(data_dir=tmp_path), offline=True, draws=0))
    assert not second.is_new
    assert first.settings.database.read_bytes() == before


def test_over_http_every_live_query_answers_and_the_figures_are_the_publishers(
    standin: StandIn, live_run: tuple[RunContext, Outcome], publishers_files: Path
) -> None:
    context, outcome = live_run
    assert {(r.indicator_id, r.part_id): r.tier for r in outcome.results} == {
        (indicator.id, part.id): "live" if part.live else "baseline"
        for indicator in context.catalogue.collected
        for part in indicator.parts
    }
    recorded = (publishers_files / "els-api/data_csv/022_gross-median-weekly-pay-status.body").read_text()
    expected = {
        (area, float(value))
        for area, _, period, value, *_ in (line.split(",") for line in recorded.splitlines() if '"' not in line)
        if period == "2025-04-30" and value
    }
    published = set(
        read(
            context.settings.database,
            "select unnest(string_split(source_area_codes, '+')), value from fct_observation "
            "where indicator_id = 'pay_median_weekly' and year = 2025 and value is not null",
        )
    )
    assert {pair for pair in expected if pair[0][0] in "EWSN" and not pair[0].startswith("E08")} <= published
    again = refresh(live_context(standin, context.settings.data_dir))
    assert not again.is_new


def test_every_wider_area_and_district_has_the_published_figure_wherever_there_is_one(
    live_run: tuple[RunContext, Outcome],
) -> None:
    """Of Explore Local Statistics and of Nomis, as the stand-in speaks them (from today's source files, where at hand)."""
    context = live_run[0]
    published = published_figures(context, figures_of(SHARED_DATA))
    file = {
        (indicator, area, start.isoformat()): value
        for indicator, area, start, value in read(
            context.settings.database,
            "select indicator_id::varchar, area_code::varchar, period_start, value from fct_observation",
        )
    }
    differences = {
        cell: (value, file.get(cell)) for cell, value in published.items() if file.get(cell) != pytest.approx(value)
    }
    assert differences == {}
    levels = {area: context.register.by_code[area].level for _, area, _ in published}
    counts = Counter(levels[area] for _, area, _ in published)
    assert counts["district"] > 150_000
    for level in ("county", "combined_authority", "region", "nation", "country"):
        assert counts[level] > 1_500, level


def test_great_britains_pay_and_a_countys_are_the_official_ones_with_their_intervals(
    live_run: tuple[RunContext, Outcome], publishers_files: Path
) -> None:
    [(pay, lower, upper, rule)] = read(
        live_run[0].settings.database,
        "select value, round(lower, 1), round(upper, 1), geography_rule from fct_observation "
        "where indicator_id = 'pay_median_weekly' and area_code = 'K03000001' and year = 2025",
    )
    assert (pay, lower, upper, rule) == (644.9, 642.4, 647.4, "as_published")
    county = read(
        live_run[0].settings.database,
        "select value, geography_rule, source_id from fct_observation "
        "where indicator_id = 'pay_annual_median' and area_code = 'E10000031' and year = 2025",
    )
    assert county == [(35621, "as_published", "nomis")]


def test_northern_irelands_districts_keep_their_figures_beside_nomiss_blank_rows(
    live_run: tuple[RunContext, Outcome],
) -> None:
    counts = read(
        live_run[0].settings.database,
        "select indicator_id::varchar, count(value), count(*) from fct_observation where area_code like 'N09%' "
        "and indicator_id in ('employment_rate', 'economic_inactivity_rate', 'jobs_density') and year = 2023 "
        "group by 1 order by 1",
    )
    assert counts == [("economic_inactivity_rate", 11, 11), ("employment_rate", 11, 11), ("jobs_density", 0, 11)]
    aside = read(
        live_run[0].settings.database,
        "select count(distinct area_code) from meta_quarantine where indicator_id = 'employment_rate' "
        "and reason like 'this part of the indicator speaks for districts of England, Wales, Scotland only'",
    )
    assert aside == [(11,)]


def test_a_bad_night_keeps_the_last_good_answer_and_names_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = scored_catalogue()
    with StandIn() as standin:
        refresh(live_context(standin, tmp_path, catalogue))
        monkeypatch.setattr("pipeline.publishers.ons_els.fetch.last_updated", lambda query, client: "2099-01-01")
        standin.faults.switch_on("html_200", "claimant-count|gross-median-weekly-pay")
        outcome = refresh(live_context(standin, tmp_path, catalogue))
    by_id = {result.indicator_id: result for result in outcome.results}
    assert by_id["claimant_rate"].tier == by_id["pay_median_weekly"].tier == "snapshot"
    assert any("claimant_rate" in sentence for sentence in outcome.failures)


def test_unreachable_hosts_are_noticed_once_and_quickly(tmp_path: Path) -> None:
    closed = {"ons_els": "http://127.0.0.1:9/els", "nomis": "http://127.0.0.1:9/nomis"}
    context = open_run(quick(data_dir=tmp_path, base_urls=closed), draws=0)
    outcome = refresh(context)
    assert set(tiers(outcome)) == {"baseline", "none"}
    assert outcome.timings.seconds["fetch and validate"] < 15
    [(stale, why)] = read(
        context.settings.database,
        "select is_stale, why_not_live from meta_source where indicator_id = 'gva_per_hour'",
    )
    assert stale
    assert "cannot be reached" in why


def test_a_corrupted_baseline_file_fails_its_indicator_by_name(tmp_path: Path) -> None:
    import shutil

    from pipeline.settings import BASELINE_DIR

    broken = tmp_path / "baseline"
    shutil.copytree(BASELINE_DIR, broken)
    (broken / "gva_per_hour.parquet").write_bytes(b"not parquet")
    settings = quick(data_dir=tmp_path / "data", baseline_dir=broken)
    outcome = refresh(open_run(settings, offline=True, draws=0))
    assert [result.indicator_id for result in outcome.missing] == ["gva_per_hour"]
    assert "gva_per_hour" in outcome.failures[0]
    assert "git checkout" in outcome.failures[0]


def test_an_indicator_that_would_be_lost_keeps_the_published_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from pipeline.settings import BASELINE_DIR

    whole = quick(data_dir=tmp_path)
    refresh(open_run(whole, offline=True, draws=0))
    before = whole.database.read_bytes()
    broken = tmp_path / "baseline"
    shutil.copytree(BASELINE_DIR, broken)
    (broken / "gdhi_per_head.parquet").unlink()
    with pytest.raises(VerbError, match=r"has figures for gdhi_per_head \(main\)") as caught:
        run_job(refresh, JobOptions(offline=True, draws=0), settings=quick(tmp_path, baseline_dir=broken))
    assert caught.value.exit_code == 3
    assert whole.database.read_bytes() == before
    report = json.loads((tmp_path / "marts" / "run_report.json").read_text())
    assert (report["status"], report["exit_code"]) == ("refused", 3)
    assert "gdhi_per_head" in report["error"]


def test_the_job_prints_a_summary_and_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job(refresh, JobOptions(offline=True, draws=0), settings=quick(tmp_path)) == 0
    out = capsys.readouterr().out
    for heading in ("indicator", "source used", "years", "districts", "age"):
        assert heading in out
    assert "gva_per_hour" in out
    assert "shipped baseline" in out
    assert "Published inclusive_growth.duckdb" in out
    assert run_job(refresh, JobOptions(offline=True, draws=0), settings=quick(tmp_path)) == 0
    assert "Nothing new" in capsys.readouterr().out
    report = json.loads((tmp_path / "marts" / "run_report.json").read_text())
    assert report["status"] == "nothing new"
    assert (tmp_path / "marts" / "run_report.md").read_text().startswith("# Run of ")


def test_a_run_that_cannot_begin_or_is_stopped_leaves_its_own_report_not_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report() -> dict:
        text = (tmp_path / "marts" / "run_report.md").read_text()
        found: dict = json.loads((tmp_path / "marts" / "run_report.json").read_text())
        assert found["error"].splitlines()[0] in text
        return found

    def stopped(*_: object, on_part: Callable[[object], None], timings: Timings, **__: object) -> Outcome:
        with timings.step("fetch and validate"):
            raise KeyboardInterrupt

    options = JobOptions(offline=True, draws=0)
    with pytest.raises(KeyboardInterrupt):
        run_job(stopped, options, settings=quick(tmp_path))
    assert (report()["error"], report()["exit_code"]) == ("stopped by hand before it ended", 130)
    assert report()["status"] == "stopped"
    assert list(report()["seconds"]) == ["fetch and validate"]

    def wrong(*_: object, **__: object) -> RunContext:
        raise CatalogueError("indicators.yaml:7: no such unit")

    monkeypatch.setattr(job, "open_run", wrong)
    with pytest.raises(VerbError, match="no such unit"):
        run_job(refresh, options, settings=quick(tmp_path))
    assert (report()["status"], report()["error"]) == ("failed", "indicators.yaml:7: no such unit")


def test_strict_exits_4_where_a_live_source_did_not_answer(tmp_path: Path) -> None:
    assert run_job(refresh, JobOptions(offline=True, strict=True, draws=0), settings=quick(tmp_path)) == 4
