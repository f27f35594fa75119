"""Whole refreshes one after the other, each on another edition of the shipped figures: what is said of each."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from pipeline.cli import main
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import refresh
from tests.compare.releasing import published, rows
from tests.quick import quick
from tests.shipped import edition, shipped, with_value
from tests.small_world import World

PRESTON = "E07000123"
GVA_2023 = "2023-01-01/P1Y"


@pytest.fixture(scope="module")
def told(in_small_world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The first release, the same again, the same by force, and one with one baseline figure changed."""
    folder = tmp_path_factory.mktemp("releases")
    other = edition(folder / "edition", {"gva_per_hour": with_value(PRESTON, GVA_2023, 44.4)})
    lines = [published(folder, shipped()), published(folder, shipped())]
    lines += [published(folder, shipped(), force=True), published(folder, other)]
    return folder, lines


def test_the_first_release_says_that_it_is_the_first(told: tuple[Path, list[str]]) -> None:
    assert told[1][0] == "1.0.0: the first release; there is nothing to compare it with"


def test_the_same_figures_again_are_nothing_new_and_by_force_a_patch(told: tuple[Path, list[str]]) -> None:
    assert told[1][1:3] == ["nothing new", "patch 1.0.0 → 1.0.1: the same tables with the same rows, rebuilt"]


def test_one_baseline_figure_changed_is_one_revision_a_minor_version_and_one_line(told: tuple[Path, list[str]]) -> None:
    folder, lines = told
    assert lines[3].startswith(
        "minor 1.0.1 → 1.1.0: 1 figure revised (Preston, Gross value added per hour worked, 2023: 33.5 to 44.4); "
    )
    assert "\n" not in lines[3]
    assert rows(folder, "select * exclude (unit) from mart_revision where not is_derived") == [
        (
            "1.1.0", PRESTON, "Preston", "district", "gva_per_hour", "Gross value added per hour worked", GVA_2023, 2023,
            "revised", "publisher", False, 33.5, 44.4, pytest.approx(10.9), pytest.approx(100 * 10.9 / 33.5), "ok", "ok",
        )
    ]  # fmt: skip
    [(score, by_revision, rank)] = rows(
        folder,
        "select score_change, score_by_revision, rank_change from mart_movement where area_name = 'Preston' "
        "and framework_id = 'shared_growth' and flavour = 'level' and node_id = 'productivity'",
    )
    assert score == by_revision > 10
    assert rank is None, "output per hour has no known error, so no rank is given"


def test_the_file_tells_its_history_and_a_small_file_beside_it_its_version(told: tuple[Path, list[str]]) -> None:
    folder = told[0]
    assert rows(folder, "select release_version, previous_version, kind from meta_release order by released_at") == [
        ("1.0.0", None, "first"),
        ("1.0.1", "1.0.0", "patch"),
        ("1.1.0", "1.0.1", "minor"),
    ]
    beside = json.loads((folder / "marts" / "release.json").read_text())
    assert (beside["version"], beside["kind"]) == ("1.1.0", "minor")
    assert {path.name for path in (folder / "marts" / "releases").iterdir()} == {"1.0.1", "1.1.0"}


def test_diff_says_it_in_words_and_as_json(
    told: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, lines = told
    monkeypatch.setenv("IG_DATA_DIR", str(folder))
    assert main(["diff", "--area", "Preston", "--limit", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(lines[3])
    assert "Preston, Gross value added per hour worked, 2023: 33.5 to 44.4 GBP per hour; +10.9, +32.5%" in out
    assert main(["diff", "--json"]) == 0
    told_as_data = json.loads(capsys.readouterr().out)
    assert told_as_data["line"] == lines[3]
    assert [row["new_value"] for row in told_as_data["revisions"] if not row["is_derived"]] == [44.4]
    assert main(["diff", "--to", "1.0.1"]) == 0
    assert capsys.readouterr().out.strip() == lines[2]


def test_diff_of_two_releases_or_of_a_candidate_is_worked_out_from_the_files(
    told: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = told[0]
    monkeypatch.setenv("IG_DATA_DIR", str(folder))
    assert main(["diff", "--from", "1.1.0", "--to", "1.0.1", "--limit", "0"]) == 0
    assert (
        "1 figure revised (Preston, Gross value added per hour worked, 2023: 44.4 to 33.5)" in capsys.readouterr().out
    )
    candidate = tmp_path / "refused.duckdb"
    candidate.write_bytes((folder / "marts" / "inclusive_growth.duckdb").read_bytes())
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("delete from mart_gate")
    assert main(["diff", "--candidate", str(candidate)]) == 0
    assert capsys.readouterr().out.startswith("minor live → refused.duckdb: different rows in mart_gate")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "7.0.0"], "there is no release 7.0.0"),
        (["--from", "2001-01-01"], "nothing was published by 2001-01-01; the first release is of 20"),
        (["--from", "yesterday"], "'yesterday' is neither a version (1.3.0) nor a day (2026-11-01)"),
        (["--candidate", "nowhere.duckdb"], "nowhere.duckdb is not there"),
        (["--candidate", "x.duckdb", "--to", "1.0.1"], "give --candidate or --to, not both"),
    ],
)
def test_diff_says_what_it_cannot_do(
    told: tuple[Path, list[str]],
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(told[0]))
    assert main(["diff", *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_the_job_prints_the_line_and_the_report_has_it(
    in_small_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_job(refresh, JobOptions(offline=True, draws=0), settings=quick(tmp_path)) == 0
    assert "What changed: 1.0.0: the first release" in capsys.readouterr().out
    report = json.loads((tmp_path / "marts" / "run_report.json").read_text())
    assert report["release"]["version"] == "1.0.0"
    assert "## What changed\n\n1.0.0: the first release" in (tmp_path / "marts" / "run_report.md").read_text()


def test_a_live_file_that_cannot_be_read_is_compared_in_the_shape_it_was_kept(
    in_small_world: World, tmp_path: Path
) -> None:
    published(tmp_path, shipped())
    live = tmp_path / "marts" / "inclusive_growth.duckdb"
    live.chmod(0o644)
    live.write_bytes(b"damaged")
    other = edition(tmp_path / "edition", {"gva_per_hour": with_value(PRESTON, GVA_2023, 44.4)})
    line = published(tmp_path, other)
    assert line.startswith("minor 1.0.0 → 1.1.0: 1 figure revised (Preston")
    assert "so release 1.0.0, which is kept, was compared" in line
