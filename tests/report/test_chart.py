"""What a page holds of a chart is safe and complete."""

from __future__ import annotations

import json

import pytest

from pipeline.report import downloads
from pipeline.report.chart import Chart, Column, plain_json, rounded
from pipeline.report.specs import compiled_specs


def test_no_text_can_end_the_script_it_stands_in() -> None:
    evil = "</script><!-- <script>alert('x')</script> & \u2028"
    made = plain_json({"name": evil})
    assert not {"<", ">", "&", "\u2028"} & set(made)
    assert json.loads(made)["name"] == evil


def test_a_figure_that_is_no_number_is_refused_rather_than_shipped() -> None:
    with pytest.raises(ValueError, match="JSON"):
        plain_json([float("nan")])


def test_numbers_are_shipped_no_longer_than_they_are_printed() -> None:
    assert rounded(38.15402350610546, 1) == 38.2
    assert rounded(38.0, 1) == 38
    assert rounded(None, 1) is None


def test_the_payload_holds_all_that_drawing_needs() -> None:
    chart = Chart("c", "trend", "Title", "Caption", "Source", (Column("year", "Year"),), {"points": []})
    assert set(json.loads(chart.payload)) == {
        "spec", "title", "source", "file", "rows", "text", "signals", "height", "breaks", "columns",
    }  # fmt: skip


def test_every_chart_compiles_to_vega_without_figures_or_addresses_in_it() -> None:
    specs = compiled_specs()
    assert set(specs) == {
        "quadrant", "beeswarm", "caterpillar", "trend", "lines", "incidence", "ranges", "growths", "contributions", "cartogram",
    }  # fmt: skip
    for name, spec in specs.items():
        assert spec["$schema"].startswith("https://vega.github.io/schema/vega/"), name
        named = {data["name"]: data for data in spec["data"]}
        assert "values" not in named["points"], name
        assert not any("url" in data for data in spec["data"]), name


def test_no_cell_of_a_download_is_a_formula() -> None:
    rows = [["=cmd|'/c calc'!A1", -1.5, "-2+3", "Preston", None]]
    text = downloads._csv(("a", "b", "c", "d", "e"), iter(rows))
    assert text.splitlines()[1] == "'=cmd|'/c calc'!A1,-1.5,'-2+3,Preston,"
