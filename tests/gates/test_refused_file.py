"""A file that a gate refuses: the live one stays, the refused one is kept, looked at, and published with a reason."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline import publish
from pipeline.cli import main
from pipeline.errors import VerbError
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import refresh
from tests.quick import quick
from tests.shipped import Row, edition
from tests.small_world import World

pytestmark = pytest.mark.usefixtures("in_small_world")
WHY = "ONS rebased the series on 1 October, see its notice"


def doubled_2023(rows: list[Row]) -> list[Row]:
    return [row | {"value": row["value"] * 2} if row["period"].startswith("2023") else row for row in rows]


@pytest.fixture(scope="module")
def refused(in_small_world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VerbError, bytes]:
    """A data folder with a live file, and a run with implausible household incomes refused after it."""
    folder = tmp_path_factory.mktemp("refused")
    options = JobOptions(offline=True, draws=0)
    assert run_job(refresh, options, settings=quick(folder)) == 0
    before = quick(folder).database.read_bytes()
    other = edition(folder / "edition", {"gdhi_per_head": doubled_2023})
    with pytest.raises(VerbError) as error:
        run_job(refresh, options, settings=quick(folder, baseline_dir=other))
    return folder, error.value, before


@pytest.fixture
def verb(refused: tuple[Path, VerbError, bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("IG_DATA_DIR", str(refused[0]))
    return lambda *words: main(list(words))


def test_it_exits_3_names_the_finding_and_says_how_to_look_and_to_accept(
    refused: tuple[Path, VerbError, bytes],
) -> None:
    _, error, _ = refused
    assert error.exit_code == 3
    assert "gdhi_per_head: the typical district of 2023 is" in str(error)
    assert "python -m pipeline diff --candidate" in str(error)
    assert 'python -m pipeline publish --accept "REASON"' in str(error)


def test_the_live_file_stays_byte_for_byte_and_the_refused_one_is_kept(
    refused: tuple[Path, VerbError, bytes],
) -> None:
    folder, _, before = refused
    assert quick(folder).database.read_bytes() == before
    assert (folder / "marts" / "inclusive_growth.refused.duckdb").exists()


def test_its_report_says_what_was_fetched_how_it_differs_from_last_time_and_what_the_gates_found(
    refused: tuple[Path, VerbError, bytes],
) -> None:
    folder = refused[0]
    report = json.loads((folder / "marts" / "run_report.json").read_text())
    assert (report["status"], report["exit_code"]) == ("refused", 3)
    assert "typical district" in report["error"]
    assert {part["indicator_id"] for part in report["parts"] if part["rows_read"]} >= {"gdhi_per_head", "gva_per_hour"}
    assert report["figures"]["gdhi_per_head"] == report["figures_before"]["gdhi_per_head"] > 0
    assert [finding["subject"] for finding in report["gates"] if finding["severity"] == "refuse"] == [
        "gdhi_per_head 2023"
    ]
    assert list(report["seconds"])[-1] == "compare and publish"
    assert report["library_versions"].keys() >= {"duckdb", "pandas"}
    text = (folder / "marts" / "run_report.md").read_text()
    assert "UTC: refused\n\n## Why it was refused\n" in text
    assert "* refuse: gdhi_per_head: the typical district of 2023 is" in text
    assert "## Where the figures came from" in text


def test_it_can_be_looked_at_before_it_is_accepted(verb: Callable[..., int], capsys: pytest.CaptureFixture) -> None:
    assert verb("diff", "--candidate", "--area", "Preston") == 0
    told = capsys.readouterr().out
    assert "Gross disposable household income per head" in told


@pytest.mark.parametrize("reason", ["ok", "", "           "])
def test_a_reason_has_to_be_one(verb: Callable[..., int], capsys: pytest.CaptureFixture, reason: str) -> None:
    assert verb("publish", "--accept", reason) == 1
    assert "give a sentence" in capsys.readouterr().err


def test_accepted_it_is_published_with_reason_name_and_time(
    refused: tuple[Path, VerbError, bytes], verb: Callable[..., int], capsys: pytest.CaptureFixture
) -> None:
    folder = refused[0]
    assert verb("publish", "--accept", WHY) == 0
    told = capsys.readouterr().out
    assert "accepted: gdhi_per_head: the typical district of 2023 is" in told
    assert "Published as minor 1.0.0 → 1.1.0" in told
    with duckdb.connect(str(quick(folder).database), read_only=True) as connection:
        accepted = connection.execute(
            "select subject, accepted_because, accepted_by, accepted_at is not null from meta_gate "
            "where severity = 'refuse'"
        ).fetchall()
    assert accepted == [("gdhi_per_head 2023", WHY, getpass.getuser(), True)]
    report = json.loads((folder / "marts" / "run_report.json").read_text())
    assert report["accepted"]["because"] == WHY
    assert f"because: {WHY}\n" in (folder / "marts" / "run_report.md").read_text()
    assert not (folder / "marts" / "inclusive_growth.refused.duckdb").exists()

    assert verb("publish", "--accept", WHY) == 1
    assert "nothing to accept" in capsys.readouterr().err
    assert verb("diff", "--candidate") == 1
    assert "no refused file is kept" in capsys.readouterr().err


def test_the_calendar_says_what_is_overdue(
    refused: tuple[Path, VerbError, bytes], verb: Callable[..., int], capsys: pytest.CaptureFixture
) -> None:
    assert verb("calendar") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["status", "expected", "publication"]
    assert lines[1].startswith("overdue")
    assert any("Annual Survey of Hours and Earnings" in line for line in lines)


def test_what_a_publisher_took_back_cannot_be_accepted_any_more(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A night that finds the figures that are live again takes the refused file away: it is overtaken."""
    options = JobOptions(offline=True, draws=0)
    assert run_job(refresh, options, settings=quick(tmp_path)) == 0
    settings = quick(tmp_path)
    settings.refused_file.write_bytes(settings.database.read_bytes())
    assert settings.refused_file == publish.refused_path(settings.database)
    assert run_job(refresh, options, settings=settings) == 0
    assert "The refused file was deleted" in capsys.readouterr().out
    assert not settings.refused_file.exists()
