"""Gates compare with what was published, whatever became of the live file; with nothing left to compare, they refuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.gates import Finding
from pipeline.run.context import Run, open_run
from pipeline.run.gate_check import hold_against_live
from pipeline.settings import Settings

_HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def published_folder(small_run: tuple, tmp_path: Path) -> Path:
    """A data folder as a run left it: the live file, its release and what it was made from."""
    shutil.copytree(small_run[0].settings.marts_dir, tmp_path / "data" / "marts")
    return tmp_path / "data"


@pytest.fixture
def doubled(published_folder: Path, tmp_path: Path) -> Path:
    """A new file that is the live one but for household income, which is doubled everywhere."""
    path = tmp_path / "candidate.duckdb"
    shutil.copy(published_folder / "marts" / "inclusive_growth.duckdb", path)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update fct_observation set value = 2 * value where indicator_id = 'gdhi_per_head'")
        connection.execute(
            "update mart_typical set typical_value = 2 * typical_value where indicator_id = 'gdhi_per_head'"
        )
    return path


def refusals(folder: Path, candidate: Path) -> list[Finding]:
    context: Run = open_run(Settings(data_dir=folder), offline=True, draws=0)
    found = hold_against_live(context.inputs.calendar, context.stores, context.started_at.date(), candidate)
    return [finding for finding in found if finding.severity == "refuse"]


def _as_it_was(live: Path) -> None:
    """Nothing happens to it."""


def _edited(live: Path) -> None:
    live.chmod(0o644)
    with duckdb.connect(str(live)) as connection:
        connection.execute("update mart_typical set typical_value = 2 * typical_value")


def _cut_short(live: Path) -> None:
    live.chmod(0o644)
    with live.open("r+b") as stream:
        stream.truncate(live.stat().st_size // 2)


def _deleted(live: Path) -> None:
    live.unlink()


@pytest.mark.parametrize("happens", [_as_it_was, _edited, _cut_short, _deleted])
def test_a_doubled_table_is_refused_whatever_became_of_the_live_file(
    published_folder: Path, doubled: Path, happens: Callable[[Path], None]
) -> None:
    happens(published_folder / "marts" / "inclusive_growth.duckdb")
    found = refusals(published_folder, doubled)
    assert {finding.gate_id for finding in found} == {"median_moved"}
    assert all(finding.subject.startswith("gdhi_per_head ") for finding in found)


def test_it_is_refused_also_while_another_program_has_the_live_file_open_for_writing(
    published_folder: Path, doubled: Path, held_open: Callable[[Path], None]
) -> None:
    live = published_folder / "marts" / "inclusive_growth.duckdb"
    live.chmod(0o644)
    held_open(live)
    assert {finding.gate_id for finding in refusals(published_folder, doubled)} == {"median_moved"}


@pytest.fixture
def held_open() -> Iterator[Callable[[Path], None]]:
    started: list[subprocess.Popen] = []

    def hold(path: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"

    yield hold
    for process in started:
        process.communicate(timeout=30)


def test_with_nothing_readable_to_compare_with_the_file_is_refused_and_it_says_how_to_start_anew(
    published_folder: Path, doubled: Path
) -> None:
    _cut_short(published_folder / "marts" / "inclusive_growth.duckdb")
    shutil.rmtree(published_folder / "marts" / "releases")
    [finding] = refusals(published_folder, doubled)
    assert finding.gate_id == "nothing_to_compare_with"
    assert "To start anew, accept it" in finding.sentence


def test_a_first_file_has_nothing_to_be_compared_with_and_passes(doubled: Path, tmp_path: Path) -> None:
    assert refusals(tmp_path / "new", doubled) == []


def test_shipped_figures_never_take_the_place_of_newer_ones_that_were_published(
    published_folder: Path, tmp_path: Path
) -> None:
    """The raw store was lost: what was published came from an answer that is no longer held."""
    live = published_folder / "marts" / "inclusive_growth.duckdb"
    candidate = tmp_path / "candidate.duckdb"
    shutil.copy(live, candidate)
    shutil.rmtree(published_folder / "marts" / "releases")
    (published_folder / "marts" / "made_from.json").unlink()
    live.chmod(0o644)
    with duckdb.connect(str(live)) as connection:
        connection.execute(
            "update meta_source set tier = 'live' where indicator_id in ('gdhi_per_head', 'gva_per_hour')"
        )
        connection.execute(
            "update fct_observation set value = 1.01 * value where indicator_id = 'gdhi_per_head' and year = 2023"
        )
    [finding] = refusals(published_folder, candidate)
    assert (finding.gate_id, finding.subject) == ("went_back", "gdhi_per_head")
    assert "are no longer held (data/raw)" in finding.sentence
