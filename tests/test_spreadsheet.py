"""No CSV that the project writes makes a spreadsheet run anything, and numbers stay numbers."""

from __future__ import annotations

import csv
import http.client
import io
import shutil
import threading
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.export import choose, export
from pipeline.report.serving import local_server
from pipeline.run.context import Run
from pipeline.run.refresh import Outcome
from pipeline.spreadsheet import disarmed, disarmed_in_sql
from pipeline.verbs.common import write_csv

EVIL = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+44 20 7946 0000", "-1.5.2"]
FINE = ["-1.5", "+3", "-2e-05", "Preston", "", "a=b", "'=1"]


@pytest.mark.parametrize("text", EVIL)
def test_text_that_would_be_run_gets_an_apostrophe(text: str) -> None:
    assert disarmed(text) == f"'{text}"


@pytest.mark.parametrize("cell", [*FINE, -1.5, -3, None, True])
def test_anything_else_stays_as_it_is(cell: object) -> None:
    assert disarmed(cell) is cell


def test_duckdb_disarms_what_python_does() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table cells (place integer, text varchar, score double)")
        connection.executemany(
            "insert into cells values (?, ?, ?)", [[n, t, -1.5] for n, t in enumerate([*EVIL, *FINE])]
        )
        found = connection.execute(disarmed_in_sql(["text"], "select place, text, score from cells")).fetchall()
    assert found == [(n, disarmed(t), -1.5) for n, t in enumerate([*EVIL, *FINE])]


def test_an_export_and_a_query_are_disarmed(
    offline_run: tuple[Run, Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    context = offline_run[0]
    database = tmp_path / "data" / "marts" / context.settings.database.name
    database.parent.mkdir(parents=True)
    shutil.copyfile(context.settings.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update dim_area set region_name = ? where area_name = 'Preston'", [EVIL[0]])
    with duckdb.connect(str(database), read_only=True) as connection:
        export(connection, choose(connection, context.inputs.tables, place="Preston"), ("csv",), tmp_path / "out")
    with (tmp_path / "out" / "csv" / "dim_area.csv").open(encoding="utf-8", newline="") as stream:
        assert f"'{EVIL[0]}" in {row["region_name"] for row in csv.DictReader(stream)}
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path / "data"))
    sql = "select region_name, -1.5 as score, '-1.5' as text from dim_area where area_name = 'Preston'"
    assert main(["query", sql, "--csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1] == [f"'{EVIL[0]}", "-1.5", "-1.5"]


def test_the_tables_of_score_and_ranks_are_disarmed(tmp_path: Path) -> None:
    table = pd.DataFrame({"area_code": ["=1+1", "E06000001", None], "score": [-1.5, 2.0, float("nan")]})
    write_csv(table, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "area_code,score\n'=1+1,-1.5\nE06000001,2.0\n,\n"


@pytest.mark.parametrize("path", ["/%00", "/a%00b/", "/%ed%a0%80"])
def test_an_address_that_no_file_can_have_is_a_bad_request(tmp_path: Path, path: str) -> None:
    (tmp_path / "index.html").write_text("here")
    with local_server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        for asked, status in ((path, 400), ("/index.html", 200)):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
            connection.request("GET", asked)
            assert connection.getresponse().status == status
            connection.close()
        server.shutdown()
