"""The written study of modelled figures is what its tool makes."""

from __future__ import annotations

import pytest

from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT
from tools.error_study.study_tables import with_tables
from tools.model_study.model_study_tables import study

PAGE = PROJECT_ROOT / "docs" / "studies" / "modelled.md"


@pytest.mark.slow
def test_every_table_of_the_study_of_models_is_what_the_tool_makes(offline_run: tuple[Run, Outcome]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = study(offline_run[0].settings.database)
    assert all(f"<!-- table: {name} -->" in page for name in tables)
    assert with_tables(page, tables) == page, "run python -m tools.model_study --into docs/studies/modelled.md"
