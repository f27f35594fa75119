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
from pipeline.dictionary import html_dictionary, markdown_dictionary
from pipeline.documents import with_answers
from pipeline.marts.build import dictionary_rows
from pipeline.marts.declaration import declared_tables
from pipeline.questions import questions, questions_page
from pipeline.reading import run_query
from pipeline.run.context import Run
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


# Pages whose blocks are proved elsewhere: in tests/clients, catalogue, geography and scale, and in a test of their own
# below.
PROVED_ELSEWHERE = {
    "python": ("questions", "add-a-publisher", "scaling"),
    "yaml": ("add-an-indicator", "add-a-publisher", "geography"),
}


def each(language: str) -> pytest.MarkDecorator:
    """Every such block of every page that is not proved elsewhere."""
    elsewhere = PROVED_ELSEWHERE.get(language, ())
    found = [(name, text) for name, text in blocks(language) if not name.startswith(elsewhere)]
    return pytest.mark.parametrize("block", [block for _, block in found], ids=[name for name, _ in found])


@pytest.fixture
def database(offline_run: tuple[Run, Outcome]) -> Path:
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
        named = {verb.replace("-", "_") for verb in re.findall(r"python -m pipeline ([a-z][a-z-]*)", text)}
        assert named <= verbs, page


def test_every_test_and_module_the_documents_name_exists() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "tests").rglob("test_*.py"))
    modules = {
        path.name for room in ("pipeline", "flows", "schemas", "tests") for path in (PROJECT_ROOT / room).rglob("*.py")
    }
    for page, text in PAGES.items():
        for name in set(re.findall(r"`(test_\w+)`", text)):
            assert f"def {name}(" in tests, f"{page}: {name}"
        for module in set(re.findall(r"`(\w+\.py)`", text)) - {"query.py", "publisher.py", "fetch.py", "parse.py"}:
            assert module in modules, f"{page}: {module}"
        for path in set(re.findall(r"`((?:pipeline|tests|docs)/[\w/.-]*)`", text)):
            if not path.startswith("pipeline/publishers/example/"):  # what the reader of that page makes
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


def test_the_data_dictionary_is_up_to_date(offline_run: tuple[Run, Outcome]) -> None:
    indicators = offline_run[0].inputs.catalogue.indicators
    assert markdown_dictionary(indicators) == PAGES["data-dictionary.md"], RENEW
    rows = dictionary_rows(declared_tables(indicators).values()).to_pylist()
    assert html_dictionary(rows) == (DOCS / "data-dictionary.html").read_text(encoding="utf-8"), RENEW


def test_the_page_of_questions_is_up_to_date(database: Path) -> None:
    page = with_answers(questions_page(questions()), lambda sql: run_query(database, sql))
    assert page == PAGES["questions.md"], RENEW


def test_there_are_twenty_questions_in_three_forms_and_some_in_r() -> None:
    entries = questions()
    assert len(entries) == len({entry.id for entry in entries}) == 20
    assert sum(entry.r is not None for entry in entries) >= 4


def test_the_dictionary_as_html_says_what_the_file_holds(published: duckdb.DuckDBPyConnection) -> None:
    """A stranger can make the page from the file alone, and it has every table, column, type, unit and meaning."""
    held = published.execute("select * from meta_dictionary")
    names = [column[0] for column in held.description or []]
    page = html_dictionary(dict(zip(names, row, strict=True)) for row in held.fetchall())
    in_file = published.execute(
        "select table_name, count(*) from duckdb_columns() where not internal group by 1 order by 1"
    ).fetchall()
    sections = {
        name: section.count('<th scope="row">')
        for name, section in re.findall(r'<h2 id="(\w+)">(.*?)</table>', page, re.DOTALL)
    }
    assert sorted(sections.items()) == in_file
    assert "<td>points, 0 to 100</td>" in page


def test_the_data_dictionary_has_the_columns_of_the_file(
    offline_run: tuple[Run, Outcome], published: duckdb.DuckDBPyConnection
) -> None:
    in_file: dict[str, set[tuple[str, str]]] = {}
    for table, name, kind in published.execute(
        "select table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        in_file.setdefault(table, set()).add((name, kind.partition("(")[0]))
    in_page: dict[str, set[tuple[str, str]]] = {}
    for section in PAGES["data-dictionary.md"].split("\n## ")[1:]:
        plain = re.findall(r"^\| `(\w+)` \| ([A-Z]+) \|", section, re.MULTILINE)
        patterns = re.findall(r"^\| `([^`]*\{\w+\}[^`]*)` \| ([A-Z]+) \|", section, re.MULTILINE)
        shown = re.findall(r"^\| `(\w+)` \| `(\w+)` \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
        repeated = {
            (pattern.format(indicator=indicator, column=column), kind)
            for pattern, kind in patterns
            for indicator, column in shown
        }
        in_page[section.split("\n", 1)[0]] = {*plain, *repeated}
    assert in_page == in_file
