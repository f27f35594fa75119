"""The pages of docs/ are true: their queries answer as printed, their snippets run, what they name is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.catalogue.frameworks import parse_framework
from pipeline.cli import VERBS, main
from pipeline.documents import data_dictionary, with_answers
from pipeline.reading import run_query
from pipeline.run.context import RunContext
from pipeline.run.refresh import Outcome
from pipeline.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
RENEW = "run `python -m pipeline docs` on a file made by `python -m pipeline refresh --offline`"


def blocks(language: str) -> list[tuple[str, str]]:
    """Every fenced block of a language at the margin, with a name for it: page and place on it."""
    return [
        (f"{page} {place}", block)
        for page, text in PAGES.items()
        for place, block in enumerate(re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE), 1)
    ]


def each(language: str) -> pytest.MarkDecorator:
    found = blocks(language)
    return pytest.mark.parametrize("block", [block for _, block in found], ids=[name for name, _ in found])


@pytest.fixture
def database(offline_run: tuple[RunContext, Outcome]) -> Path:
    return offline_run[0].settings.database


@each("sql")
def test_a_query_of_the_documents_has_rows(block: str, published: duckdb.DuckDBPyConnection) -> None:
    assert published.execute(block).fetchall()


@pytest.mark.parametrize("page", PAGES)
def test_the_answers_printed_below_queries_are_up_to_date(page: str, database: Path) -> None:
    assert with_answers(PAGES[page], lambda sql: run_query(database, sql)) == PAGES[page], RENEW


def test_the_scores_worked_out_by_hand_are_the_published_ones(published: duckdb.DuckDBPyConnection) -> None:
    by_hand = [block for name, block in blocks("sql") if name.startswith("methodology") and "by_hand" in block]
    answers = [row for block in by_hand for row in published.execute(block).fetchall()]
    assert len(answers) == 6
    assert all(row[-1] == row[-2] for row in answers)


@each("python")
def test_the_python_of_the_documents_runs(
    block: str, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(block.replace("data/marts", str(database.parent)), "docs", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("line", re.findall(r"^python -m pipeline query.*", PAGES["querying.md"], re.MULTILINE))
def test_the_commands_for_a_spreadsheet_give_csv(
    line: str, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(database.parent.parent))
    words = shlex.split(line.partition(" > ")[0])
    assert main(words[3:]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert "area_code" in head.split(",")
    assert len(rows) > 300


@each("yaml")
def test_a_framework_of_the_documents_can_be_scored(block: str) -> None:
    assert parse_framework(yaml.safe_load(block)).tree.children


def test_every_verb_the_documents_name_exists() -> None:
    verbs = {module.__name__.rsplit(".", 1)[1] for module in VERBS}
    for page, text in PAGES.items():
        assert set(re.findall(r"python -m pipeline ([a-z]+)", text)) <= verbs, page


def test_every_test_and_module_the_documents_name_exists() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "tests").rglob("test_*.py"))
    for page, text in PAGES.items():
        for name in set(re.findall(r"`(test_\w+)`", text)):
            assert f"def {name}(" in tests, f"{page}: {name}"
        for path in set(re.findall(r"`((?:pipeline|tests|docs)/[\w/.-]*)`", text)):
            assert (PROJECT_ROOT / path).exists(), f"{page}: {path}"


def test_what_methodology_says_a_module_does_is_in_that_module() -> None:
    scoring = PROJECT_ROOT / "pipeline" / "scoring"
    modules = {path.stem: path.read_text(encoding="utf-8") for path in scoring.glob("*.py")}
    in_brackets = " ".join(re.findall(r"\(([^()]*)\)", PAGES["methodology.md"]))
    named = re.findall(r"`(\w+)\.(\w+)`", in_brackets)
    functions = [(module, name) for module, name in named if module in modules]
    assert len(functions) > 10
    for module, name in functions:
        assert f"def {name}(" in modules[module], f"{module}.{name}"


def test_links_of_the_documents_lead_somewhere() -> None:
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (DOCS / target).exists(), f"{page}: {target}"


def test_the_data_dictionary_is_up_to_date(offline_run: tuple[RunContext, Outcome]) -> None:
    assert data_dictionary(offline_run[0].catalogue.indicators) == PAGES["data-dictionary.md"], RENEW


def test_the_data_dictionary_has_the_columns_of_the_file(
    offline_run: tuple[RunContext, Outcome], published: duckdb.DuckDBPyConnection
) -> None:
    in_file: dict[str, list[tuple[str, str, bool]]] = {}
    for table, name, kind, is_nullable in published.execute(
        "select table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal order by all"
    ).fetchall():
        in_file.setdefault(table, []).append((name, kind.partition("(")[0], is_nullable))
    in_pages: dict[str, list[tuple[str, str, bool]]] = {}
    for section in PAGES["data-dictionary.md"].split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| ([A-Z]+) \| [^|]* \| (no|yes) \|", section, re.MULTILINE)
        repeated = re.findall(r"^\| `\w+` \| `(\w+)` \| `(\w+)` \|", section, re.MULTILINE)
        columns = [(name, kind, null == "yes") for name, kind, null in rows]
        columns += [(figure, "DOUBLE", True) for figure, _ in repeated] + [
            (year, "INTEGER", True) for _, year in repeated
        ]
        in_pages[section.split("\n", 1)[0]] = sorted(columns)
    assert in_pages == in_file
