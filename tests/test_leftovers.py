"""What ended runs left half written goes; what is whole, what is still being written and what others wrote stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.leftovers import remove_leftovers

DEAD, RUNNING = 999_999_999, os.getppid()
GONE = (
    f"marts/.inclusive_growth.{DEAD}.building.duckdb",
    f"marts/.inclusive_growth.{DEAD}.building.duckdb.wal",
    f"marts/.inclusive_growth.{DEAD}.building.duckdb.tmp/spilled",
    f"marts/.inclusive_growth.{os.getpid()}.building.duckdb",
    f"marts/.report.{DEAD}.building/index.html",
    f"marts/.report.{DEAD}.old/index.html",
    f"marts/releases/.1.2.0.{DEAD}.building/manifest.json",
    "marts/releases/.1.2.0.ab3_x9qz.building/release/manifest.json",
    "marts/.run_report.json.abcd1234",
    "raw/nomis/payloads/.0a1b.csv.abcd1234",
    "raw/nomis/employment_rate/.main.20260101.json.abcd1234",
    "raw/nomis/employment_rate/rejected/.main.20260101.json.abcd1234",
)
STAYS = (
    f"marts/.inclusive_growth.{RUNNING}.building.duckdb",
    f"marts/.report.{RUNNING}.building/index.html",
    "marts/.of_another_program",
    "marts/inclusive_growth.duckdb",
    "marts/releases/1.2.0/manifest.json",
    "raw/.gitkeep",
    "raw/nomis/employment_rate/main.20260101.json",
)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_what_the_project_itself_left_unfinished_goes(tmp_path: Path) -> None:
    for name in (*GONE, *STAYS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("half")
    removed = remove_leftovers(tmp_path / "marts", tmp_path / "raw")
    assert files(tmp_path) == set(STAYS)
    assert len(removed) == len(GONE)
    assert remove_leftovers(tmp_path / "marts", tmp_path / "raw") == []


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_leftovers_or_not_yet_there_is_fine(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "marts").mkdir()
    assert remove_leftovers(tmp_path / "marts", tmp_path / "raw") == []
