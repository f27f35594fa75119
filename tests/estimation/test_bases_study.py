"""The written study of bases is what its tool makes."""

from __future__ import annotations

import pytest

from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT
from tools.bases_study import study
from tools.error_study.study_tables import with_tables

PAGE = PROJECT_ROOT / "docs" / "studies" / "bases.md"


@pytest.mark.slow
def test_every_table_of_the_study_of_bases_is_what_the_tool_makes(offline_run: tuple[Run, Outcome]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = study(offline_run[0])
    assert all(f"<!-- table: {name} -->" in page for name in tables)
    assert with_tables(page, tables) == page, "run python -m tools.bases_study --into docs/studies/bases.md"
