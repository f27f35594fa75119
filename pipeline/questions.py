"""The questions of ``docs/questions.yaml``, each in SQL, pandas and ibis, some in R, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from pipeline.settings import PROJECT_ROOT

QUESTIONS = PROJECT_ROOT / "docs" / "questions.yaml"

PANDAS_START = """import duckdb
import pandas

file = duckdb.connect("data/marts/inclusive_growth.duckdb", read_only=True)


def table(name):
    return file.table(name).df()
"""
IBIS_START = """import ibis
from ibis import _

file = ibis.duckdb.connect("data/marts/inclusive_growth.duckdb", read_only=True)
table = file.table
"""
R_START = """library(duckdb)
file <- dbConnect(duckdb(), "data/marts/inclusive_growth.duckdb", read_only = TRUE)
table_of <- function(name) dbReadTable(file, name)
"""
_HEAD = """# Twenty questions, answered

`python -m pipeline docs` makes this page from `docs/questions.yaml`. Each question is answered in SQL, in pandas and in
ibis. A test runs all three on the file that `python -m pipeline refresh --offline` makes. It compares their answers with
each other and with those printed here. Some are answered in R as well; a test runs these on exported CSV files.

The pandas forms begin with

{pandas}

The ibis forms (`pip install 'ibis-framework[duckdb]'`; `answer.to_pandas()` runs one) begin with

{ibis}

The R forms, which use the package `duckdb`, begin with

{r}
"""


class Question(BaseModel):
    """One question. Every form gives the same rows in the same order; the code of each form except SQL sets ``answer``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str
    note: str = ""
    sql: str
    pandas: str
    ibis: str
    r: str | None = None


def questions(path: Path = QUESTIONS) -> tuple[Question, ...]:
    """The questions in order. Raises pydantic.ValidationError for an invalid entry."""
    return tuple(Question(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))


def questions_page(entries: Sequence[Question]) -> str:
    """The page ``docs/questions.md``, with answers still empty (see ``documents.with_answers``)."""
    head = _HEAD.format(pandas=_code("python", PANDAS_START), ibis=_code("python", IBIS_START), r=_code("r", R_START))
    return head + "".join(_section(number, entry) for number, entry in enumerate(entries, 1))


def _section(number: int, entry: Question) -> str:
    forms = [("python", "pandas", entry.pandas), ("python", "ibis", entry.ibis), ("r", "R", entry.r)]
    folded = "".join(
        f"\n<details>\n<summary>The same in {name}</summary>\n\n{_code(language, code)}\n\n</details>\n"
        for language, name, code in forms
        if code
    )
    note = f"\n{entry.note}\n" if entry.note else ""
    return (
        f"\n## {number}. {entry.question}\n{note}\n{_code('sql', entry.sql)}\n\n<!-- answer -->\n<!-- end -->\n{folded}"
    )


def _code(language: str, code: str) -> str:
    return f"```{language}\n{code.rstrip()}\n```"
