"""A second run on an unchanged folder: what it loads, what it says, and what it leaves as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.run.context import Run
from pipeline.run.notes import notes_of
from pipeline.run.results import Outcome
from pipeline.run.run_report import run_report
from tests.small_world import DISTRICTS, World

# duckdb is loaded: every run opens the published file as a reader would.
HEAVY = ("pandas", "numpy", "pyarrow", "pandera", "scipy", "requests")
SCRIPT = """
import sys
from pipeline.cli import main
code = main(["refresh", "--offline"])
print("loaded:", *sorted({name.split(".")[0] for name in sys.modules}))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def folder(small_run: tuple[Run, Outcome], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a finished run, in a place of its own."""
    return Path(shutil.copytree(small_run[0].settings.data_dir, tmp_path_factory.mktemp("quiet") / "data"))


@pytest.fixture(scope="module")
def quiet_run(folder: Path, in_small_world: World) -> subprocess.CompletedProcess[str]:
    """A real process that finds nothing new in it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IG_")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=in_small_world.folder,
        env=environment | {"IG_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def report(folder: Path) -> dict:
    found: dict = json.loads((folder / "marts" / "run_report.json").read_text())
    return found


def test_it_finds_nothing_new_without_loading_what_reads_scores_and_builds(
    quiet_run: subprocess.CompletedProcess[str],
) -> None:
    assert quiet_run.returncode == 0, quiet_run.stderr
    assert "Nothing new" in quiet_run.stdout
    (loaded,) = [line for line in quiet_run.stdout.splitlines() if line.startswith("loaded:")]
    assert not set(HEAVY) & set(loaded.split())


def test_it_tells_ages_and_what_is_overdue(quiet_run: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert "shipped baseline" in quiet_run.stdout
    assert "Overdue:" in quiet_run.stdout
    told = report(folder)
    assert (told["status"], told["figures_were_read"]) == ("nothing new", False)
    assert {part["age_days"] is None for part in told["parts"] if part["tier"] == "baseline"} == {False}
    assert any(sentence.startswith("Annual Population Survey") for sentence in told["overdue"])


def test_its_report_has_the_figures_of_the_file_as_they_were_last_time(
    quiet_run: subprocess.CompletedProcess[str], folder: Path, small_run: tuple[Run, Outcome]
) -> None:
    told, first = report(folder), small_run[1]
    assert told["figures"] == told["figures_before"] == first.counts.figures
    assert told["figures"]["gva_per_hour"] > len(DISTRICTS)
    assert told["row_counts"] == first.counts.tables
    assert told["row_counts"]["mart_score"] == first.row_counts["mart_score"]
    assert "0 of " in (folder / "marts" / "run_report.md").read_text()


def test_the_published_file_is_left_as_it_was(
    quiet_run: subprocess.CompletedProcess[str], folder: Path, small_run: tuple[Run, Outcome]
) -> None:
    live = small_run[0].settings.database
    assert (folder / "marts" / live.name).read_bytes() == live.read_bytes()


def test_a_first_report_says_that_there_is_nothing_to_compare_with(small_run: tuple[Run, Outcome]) -> None:
    run, outcome = small_run
    told = run_report(run.settings, notes_of(run, outcome.results), outcome)
    assert told["figures_before"] == {}
    assert sum(told["set_aside_because"].values()) <= told["row_counts"]["meta_quarantine"]


def test_verify_rehashes_the_releases_and_the_published_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(folder))
    assert main(["verify"]) == 0
    assert "1 release and" in capsys.readouterr().out
    (kept,) = folder.glob("marts/releases/*/mart_score.parquet")
    live = folder / "marts" / "inclusive_growth.duckdb"
    for path, said in ((kept, "mart_score.parquet has been altered"), (live, f"{live.name} holds other bytes")):
        whole = path.read_bytes()
        path.chmod(0o644)
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        assert main(["verify"]) == 1
        assert said in capsys.readouterr().err
        if path == kept:
            path.write_bytes(whole)
    assert main(["verify"]) == 0  # the published file was put right
