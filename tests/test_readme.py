"""README is true: its commands exist, its examples run, its generated parts are up to date."""

from __future__ import annotations

import re

import duckdb
import pytest

from pipeline.cli import VERBS
from pipeline.documents import readme_with_blocks
from pipeline.published.profile import profile_text
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
TOWER_HAMLETS = "E09000030"


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_generated_parts_are_up_to_date(offline_run: tuple[Run, Outcome]) -> None:
    context = offline_run[0]
    profile = profile_text(context.settings.database, TOWER_HAMLETS)
    assert readme_with_blocks(README, profile, context.inputs.tables) == README, "run `make refresh docs`"


def test_a_block_that_lost_its_mark_is_missed() -> None:
    with pytest.raises(ValueError, match="tables"):
        readme_with_blocks(README.replace("<!-- tables -->", ""), "profile", {})


def test_every_make_target_named_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in (PROJECT_ROOT / "README.md", PROJECT_ROOT / "CONTRIBUTING.md", *(PROJECT_ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"(?:`|^    )make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, path.name


def test_every_verb_named_in_readme_exists() -> None:
    named = {verb.replace("-", "_") for verb in re.findall(r"python -m pipeline ([a-z][a-z-]*)", README)}
    assert named <= {module.__name__.rsplit(".", 1)[1] for module in VERBS}


def test_the_sql_of_readme_runs(published: duckdb.DuckDBPyConnection) -> None:
    [sql] = code_blocks("sql")
    rows = published.execute(sql).fetchall()
    assert len(rows) >= 15
    assert {row[0] for row in rows} == {"Preston"}


def test_the_python_of_readme_runs(
    offline_run: tuple[Run, Outcome], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [source] = code_blocks("python")
    data = offline_run[0].settings.data_dir
    exec(compile(source.replace("data/marts", str(data / "marts")), "README.md", "exec"), {})  # noqa: S102
    assert "Birmingham" in capsys.readouterr().out


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (PROJECT_ROOT / target).exists(), target
