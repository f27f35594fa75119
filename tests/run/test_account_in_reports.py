"""The run report shows where every row went, in the small world."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.run.assemble import ACCOUNT_IN, ACCOUNT_OUT, assemble
from pipeline.run.context import Run, open_run
from pipeline.run.job import JobOptions, run_job
from pipeline.run.refresh import acquire_all, refresh
from pipeline.run.results import PartResult
from tests.quick import quick
from tests.run.test_revisions import OUTPUT, store

pytestmark = pytest.mark.usefixtures("in_small_world")


def test_the_run_report_shows_the_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = quick(data_dir=tmp_path)
    run_job(refresh, JobOptions(offline=True, draws=0), settings=settings)
    capsys.readouterr()
    report = json.loads((settings.marts_dir / "run_report.json").read_text(encoding="utf-8"))
    account = report["account_of_rows"]
    assert sum(account[name] for name in ACCOUNT_IN) == sum(account[name] for name in ACCOUNT_OUT)
    words = (settings.marts_dir / "run_report.md").read_text(encoding="utf-8")
    assert f"| put on today's map | {account[ACCOUNT_OUT[0]]:,} |" in words


def test_rows_of_areas_not_held_are_counted_and_stop_no_run(tmp_path: Path) -> None:
    """ONS's service sends statistical regions beside districts."""
    context = open_run(quick(tmp_path), offline=True, draws=0)
    result = _output(context)
    assert result.observations is not None
    figures = result.observations[["area_code", "period", "year", "value", "status"]]
    store(context, figures, 1)
    region = figures.head(3).assign(area_code=["TLC41", "TLD3", "TLM50"])
    store(context, pd.concat([figures, region], ignore_index=True), 2)
    account = assemble(context.inputs, context.stores, acquire_all(context)).account
    assert account["of kinds of area not held"] == 3


def _output(context: Run) -> PartResult:
    return next(result for result in acquire_all(context) if result.indicator_id == OUTPUT)
