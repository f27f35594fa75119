"""The R of docs/questions.md, run by Debian's R on exported CSV files; R's own duckdb package is not packaged for Debian.

Skips where Rscript is absent; ``apt-get install r-base-core`` gives it.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from pipeline.questions import Question, questions

IN_R = [question for question in questions() if question.r]
# What docs/questions.md reads with dbReadTable() is read here from CSV files; true and false are R's own after that.
START = """
table_of <- function(name) {
  rows <- read.csv(paste0(name, ".csv"), na.strings = "", encoding = "UTF-8", check.names = FALSE)
  is_logical <- sapply(rows, function(column) all(column %in% c("true", "false", NA)))
  rows[is_logical] <- lapply(rows[is_logical], function(column) column == "true")
  rows
}
"""
END = """
write.csv(answer, "answer.csv", row.names = FALSE, na = "")
"""


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not installed (Debian: r-base-core)")
@pytest.mark.parametrize("question", IN_R, ids=lambda question: question.id)
def test_r_answers_as_sql_does(question: Question, published: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    code = str(question.r)
    for name in re.findall(r'table_of\("(\w+)"\)', code):
        published.execute(f"copy (select * from {name}) to '{tmp_path / name}.csv' (header)")
    (tmp_path / "ask.R").write_text(START + code + END, encoding="utf-8")
    run = subprocess.run(
        ["Rscript", "--vanilla", "ask.R"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    sql = published.execute(question.sql)
    names = [column[0] for column in sql.description or []]
    with (tmp_path / "answer.csv").open(encoding="utf-8", newline="") as stream:
        head, *answer = csv.reader(stream)
    assert head == names
    assert [list(map(plain, row)) for row in answer] == [list(map(plain, row)) for row in sql.fetchall()]


def plain(cell: object) -> object:
    if cell is None or cell == "":
        return None
    try:
        return round(float(str(cell)), 6)
    except ValueError:
        return str(cell)
