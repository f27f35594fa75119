"""`python -m pipeline audit` on the shipped figures: exit code and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome

TWICE = """
id: twice
base_year: 2019
tree:
  id: index
  children:
    - {id: prosperity, children: [{id: output, indicators: [gva_per_hour]}, {id: pay, indicators: [pay_median_weekly]}]}
    - {id: sharing, children: [{id: jobs, indicators: [gva_per_job]}, {id: claims, indicators: [claimant_rate]}]}
"""


@pytest.fixture
def data(offline_run: tuple[Run, Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(offline_run[0].settings.database.parent.parent))


@pytest.mark.usefixtures("data")
def test_a_framework_that_has_output_on_both_sides_fails_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "twice.yaml", tmp_path / "audit.csv"
    path.write_text(TWICE, encoding="utf-8")
    assert main(["audit", str(path), "--out", str(out)]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("twice: fails, by ")
    assert "level, 2025: output and jobs, rank correlation +0.9" in printed
    assert "is_failure" in out.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.usefixtures("data")
def test_a_shipped_framework_passes_and_its_notes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "shared_growth"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Shared growth: passes\n")
    assert "household_income and housing_affordability_ratio, rank correlation -0.84" in printed
    assert "arithmetic and geometric means rank a district 11 places apart (median)" in printed
