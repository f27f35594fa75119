"""`score` and `ranks` as people call them: a CSV out, reasons on the screen, a sentence for what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli import main

FRAMEWORK = """
id: mine
normalise: {method: min_max}
tree:
  id: index
  children:
    - {id: output, weight: 2, indicators: [{id: a}, {id: b, polarity: -1}]}
    - {id: skills, indicators: [c]}
"""
ROWS = [(area, name, float(n * k % 7)) for n, name in enumerate("abc", 1) for k, area in enumerate("XYZW", 1)]


@pytest.fixture
def framework(tmp_path: Path) -> Path:
    path = tmp_path / "framework.yaml"
    path.write_text(FRAMEWORK, encoding="utf-8")
    return path


def score(folder: Path, framework: Path, text: str, *more: str) -> tuple[int, Path]:
    values, out = folder / "values.csv", folder / "scores.csv"
    values.write_text(text, encoding="utf-8")
    return main(["score", "--values", str(values), "--framework", str(framework), "--out", str(out), *more]), out


def table(rows: list[tuple[str, str, float]] = ROWS, **more: object) -> str:
    return pd.DataFrame(rows, columns=["area_code", "indicator_id", "value"]).assign(**more).to_csv(index=False)


def test_scores_are_written_for_every_area_and_node(tmp_path: Path, framework: Path) -> None:
    code, out = score(tmp_path, framework, table())
    scores = pd.read_csv(out)
    assert code == 0
    assert list(scores) == ["area_code", "node_id", "depth", "score", "rank"]
    assert len(scores) == 4 * 6


def test_what_is_not_scored_is_said_with_its_reason(
    tmp_path: Path, framework: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constant = [(area, name, 7.0 if name == "c" else value) for area, name, value in ROWS]
    assert score(tmp_path, framework, table(constant[1:]))[0] == 0
    said = capsys.readouterr().out
    assert "c: displayed, not scored: no spread among districts" in said
    assert "(all areas)" in said
    assert "a: no value (X)" in said


def test_the_order_of_columns_others_beside_them_and_what_spreadsheets_add_do_not_matter(
    tmp_path: Path, framework: Path
) -> None:
    plain = pd.read_csv(score(tmp_path, framework, table())[1])
    other = pd.DataFrame(ROWS, columns=["area_code", "indicator_id", "value"]).assign(note="x")[
        ["note", "value", "indicator_id", "area_code"]
    ]
    text = "\ufeff" + other.to_csv(index=False, lineterminator="\r\n") + "\r\n,,,\r\n,,,\r\n"
    pd.testing.assert_frame_equal(pd.read_csv(score(tmp_path, framework, text)[1]), plain)


def test_a_file_in_another_encoding_is_refused_with_what_to_do(
    tmp_path: Path, framework: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = tmp_path / "welsh.csv"
    values.write_bytes("area_code,indicator_id,value\nYnys Môn,a,1\n".encode("latin-1"))
    assert (
        main(["score", "--values", str(values), "--framework", str(framework), "--out", str(tmp_path / "o.csv")]) == 1
    )
    assert "save it as CSV UTF-8" in capsys.readouterr().err


def test_blanks_around_codes_and_names_are_not_part_of_them(tmp_path: Path, framework: Path) -> None:
    plain = pd.read_csv(score(tmp_path, framework, table())[1])
    blank = table().replace("X,a", " X , a ").replace("area_code", " area_code ")
    pd.testing.assert_frame_equal(pd.read_csv(score(tmp_path, framework, blank)[1]), plain)


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (table([]), (), "values: the table has no rows"),
        (table(ROWS).replace("X,a", ",a"), (), "values: row 2: area_code is empty"),
        (table(), ("--seed", "-1"), "--seed must be 0 or more"),
        (table(), ("--draws", "-1"), "--draws must be 0 or more"),
        (table(), ("--draws", "1"), "--draws 1 are too few for 90% intervals"),
        ("", (), "cannot be read as a CSV"),
        (",,\n", (), "it is empty"),
        (table().replace("X,a,1.0", "X,a,1,234"), (), "Expected 3 fields in line 2, saw 4"),
        (table(again=1).replace("again", " value "), (), "column value is there twice"),
        (table() + "X,a,3\n", (), "area_code X, indicator_id a is given twice"),
        (table().replace("X,a,1.0", "X,a,inf"), (), "area_code X, indicator_id a: value is infinite"),
        (table().replace("X,a,1.0", "X,a,many"), (), "line 2, column value: 'many' is not a number"),
    ],
)
def test_a_table_that_cannot_be_scored_ends_in_a_sentence(
    tmp_path: Path, framework: Path, capsys: pytest.CaptureFixture[str], text: str, more: tuple[str, ...], message: str
) -> None:
    assert score(tmp_path, framework, text, *more)[0] == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("area_code,estimate,standard_error\n", "estimates: the table has no rows"),
        ("area_code,estimate,standard_error\n,1,1\n", "estimates: row 2: area_code is empty"),
        ("area_code,estimate,standard_error\nX,1,\n", "area_code X: standard_error must be 0 or more"),
    ],
)
def test_estimates_that_cannot_be_ranked_end_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    estimates = tmp_path / "estimates.csv"
    estimates.write_text(text, encoding="utf-8")
    assert main(["ranks", "--estimates", str(estimates), "--out", str(tmp_path / "ranks.csv")]) == 1
    assert message in capsys.readouterr().err
