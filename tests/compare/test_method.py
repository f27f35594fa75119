"""Whether the method may have changed is told by every file that could decide a figure, also by one that is new."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.run.release import ONLY_PRESENT, method_fingerprint
from pipeline.settings import PROJECT_ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for room in ("pipeline", "schemas"):
        shutil.copytree(PROJECT_ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def with_a_changed_byte(tree: Path, name: str) -> str:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n")
    method_fingerprint.cache_clear()
    return method_fingerprint(tree)


@pytest.mark.parametrize(
    "name",
    [
        "pipeline/run/revision_errors.py",
        "pipeline/run/rebuild.py",
        "pipeline/publishers/deprivation/official.py",
        "pipeline/run/assemble.py",
        "pipeline/run/a_step_of_tomorrow.py",
        "pipeline/a_room_of_tomorrow/rules.yaml",
        "schemas/observations.py",
        "pipeline/publishers/baseline/shipped_figures.py",
        "pipeline/publishers/ons_els/parse.py",
        "pipeline/scoring/tree.py",
        "pipeline/marts/sql/50_answers/50_mart_indicator_trend.sql",
        "pipeline/catalogue/indicators.yaml",
        "pipeline/catalogue/frameworks/shared_growth.yaml",
        "pipeline/geography/groups.yaml",
    ],
)
def test_one_byte_in_what_could_decide_a_figure_is_another_method(tree: Path, name: str) -> None:
    assert with_a_changed_byte(tree, name) != method_fingerprint(PROJECT_ROOT)


@pytest.mark.parametrize(
    "name",
    ["pipeline/report/sentences.py", "pipeline/export/workbook.py", "pipeline/verbs/area.py", "pipeline/notify.py"],
)
def test_one_byte_in_what_only_presents_is_the_same_method(tree: Path, name: str) -> None:
    assert (PROJECT_ROOT / name).exists()
    assert with_a_changed_byte(tree, name) == method_fingerprint(PROJECT_ROOT)


def test_every_room_that_only_presents_is_there() -> None:
    assert [room for room in ONLY_PRESENT if not (PROJECT_ROOT / room).exists()] == []
