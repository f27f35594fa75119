"""How runs end and what they leave, in the small world: published, nothing new, without a source, refused, stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.catalogue import CatalogueError
from pipeline.errors import VerbError
from pipeline.run import job
from pipeline.run.context import Run, open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import Outcome, refresh
from pipeline.run.results import Timings
from tests.quick import quick
from tests.standin.server import StandIn

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_small_world")]


def live_context(standin: StandIn, folder: Path) -> Run:
    settings = quick(data_dir=folder, base_urls=standin.base_urls)
    return open_run(settings, throttle=False, backoff_seconds=0.01, draws=0)


def test_a_second_refresh_finds_nothing_new_and_leaves_the_file_alone(tmp_path: Path) -> None:
    first = open_run(quick(data_dir=tmp_path), offline=True, draws=0)
    assert refresh(first).is_new
    before = first.settings.database.read_bytes()
    second = refresh(open_run(quick(data_dir=tmp_path), offline=True, draws=0))
    assert not second.is_new
    assert first.settings.database.read_bytes() == before


def test_a_bad_night_keeps_the_last_good_answer_and_names_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn() as standin:
        refresh(live_context(standin, tmp_path))
        monkeypatch.setattr("pipeline.publishers.ons_els.fetch.last_updated", lambda query, client: "2099-01-01")
        standin.faults.switch_on("html_200", "claimant-count|gross-median-weekly-pay")
        outcome = refresh(live_context(standin, tmp_path))
    by_id = {result.indicator_id: result for result in outcome.results}
    assert by_id["claimant_rate"].tier == by_id["pay_median_weekly"].tier == "snapshot"
    assert any("claimant_rate" in sentence for sentence in outcome.failures)


def test_unreachable_hosts_are_noticed_once_and_quickly(tmp_path: Path) -> None:
    closed = {"ons_els": "http://127.0.0.1:9/els", "nomis": "http://127.0.0.1:9/nomis"}
    context = open_run(quick(data_dir=tmp_path, base_urls=closed), draws=0)
    outcome = refresh(context)
    assert {result.tier for result in outcome.results} == {"baseline"}
    assert outcome.timings.seconds["fetch and validate"] < 15
    with duckdb.connect(str(context.settings.database), read_only=True) as connection:
        [(stale, why)] = connection.execute(
            "select is_stale, why_not_live from meta_source where indicator_id = 'gva_per_hour'"
        ).fetchall()
    assert stale
    assert "cannot be reached" in why


def test_a_corrupted_baseline_file_fails_its_indicator_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "baseline"
    shutil.copytree(quick(tmp_path).baseline_dir, broken)
    (broken / "gva_per_hour.parquet").write_bytes(b"not parquet")
    settings = quick(data_dir=tmp_path / "data", baseline_dir=broken)
    outcome = refresh(open_run(settings, offline=True, draws=0))
    assert [result.indicator_id for result in outcome.missing] == ["gva_per_hour"]
    assert "gva_per_hour" in outcome.failures[0]
    assert "git checkout" in outcome.failures[0]


def test_an_indicator_that_would_be_lost_keeps_the_published_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = quick(data_dir=tmp_path)
    refresh(open_run(whole, offline=True, draws=0))
    before = whole.database.read_bytes()
    broken = tmp_path / "baseline"
    shutil.copytree(quick(tmp_path).baseline_dir, broken)
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

    def wrong(*_: object, **__: object) -> Run:
        raise CatalogueError("indicators.yaml:7: no such unit")

    monkeypatch.setattr(job, "open_run", wrong)
    with pytest.raises(VerbError, match="no such unit"):
        run_job(refresh, options, settings=quick(tmp_path))
    assert (report()["status"], report()["error"]) == ("failed", "indicators.yaml:7: no such unit")


def test_strict_exits_4_where_a_live_source_did_not_answer(tmp_path: Path) -> None:
    assert run_job(refresh, JobOptions(offline=True, strict=True, draws=0), settings=quick(tmp_path)) == 4
