"""Output and household income come without an error; two editions of them give one, and one edition does not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.http.payload import Payload
from pipeline.raw import RawStore, SnapshotKey
from pipeline.run.context import Run, open_run
from pipeline.run.input_fingerprint import fingerprint
from pipeline.run.rebuild import is_published
from pipeline.run.refresh import acquire_all, refresh
from pipeline.run.run_state import read_run_state
from tests.quick import quick

OUTPUT = "gva_per_hour"
REVISED_BY = {
    0: 0.015,
    1: 0.0075,
}  # standard deviation of the logarithm, by the figure's age in years; older ones stand


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The newest edition: the figures shipped with the project."""
    context = open_run(quick(tmp_path_factory.mktemp("empty")), offline=True, draws=0)
    result = next(r for r in acquire_all(context) if r.indicator_id == OUTPUT)
    assert result.observations is not None
    return result.observations[["area_code", "period", "year", "value", "status"]]


def edition_before(newest: pd.DataFrame) -> pd.DataFrame:
    """A year earlier: without the newest year, its youngest figures as yet unrevised."""
    older = newest[newest["year"] < newest["year"].max()]
    age = older["year"].max() - older["year"]
    noise = np.random.default_rng(1).normal(size=len(older)) * age.map(REVISED_BY).fillna(0.0)
    return older.assign(
        value=older["value"] * np.exp(noise) * 0.985
    )  # 0.985: what moves all places alike moves no position


def store(context: Run, figures: pd.DataFrame, day: int) -> None:
    indicator = context.inputs.catalogue.indicators[OUTPUT]
    [part] = indicator.parts
    query = part.live[0]
    columns = {"area_code": "areacd", "period": "period", "value": "value", "status": "status"}
    marks = {"ok": "", "not_available": "x", "unreliable": "u", "suppressed": "c"}
    table = figures.assign(status=figures["status"].map(marks).fillna(""))[list(columns)].rename(columns=columns)
    payload = Payload(
        table.to_csv(index=False).encode(),
        "text/csv",
        "http://127.0.0.1/data.csv",
        {},
        datetime(2026, 1, day, tzinfo=UTC),
        200,
        {},
    )
    key = SnapshotKey(query.source, OUTPUT, part.id, query.model_dump(mode="json"))
    RawStore(context.settings.raw_dir).put(key, payload, licence="OGL-UK-3.0", code_version="test")


def published_after(folder: Path, *editions: pd.DataFrame) -> tuple[Run, duckdb.DuckDBPyConnection]:
    context = open_run(quick(folder), offline=True, draws=50)
    for day, edition in enumerate(editions, start=1):
        store(context, edition, day)
    refresh(context)
    return context, duckdb.connect(str(context.settings.database), read_only=True)


def test_two_editions_held_give_output_an_error_by_the_age_of_the_figure(figures: pd.DataFrame, tmp_path: Path) -> None:
    context, published = published_after(tmp_path, edition_before(figures), figures)
    with published:
        newest = int(figures["year"].max())
        relative = published.execute(
            "select year, median(standard_error / value) from fct_observation "
            "where indicator_id = ? and level = 'district' and source_id = 'ons_els' group by year",
            [OUTPUT],
        )
        spread = {newest - year: error for year, error in relative.fetchall()}
        assert spread[0] == pytest.approx(REVISED_BY[0], rel=0.1)
        assert spread[1] == pytest.approx(REVISED_BY[1], rel=0.1)
        assert spread[5] == pytest.approx(0.0, abs=1e-6)
        bounds = "select count(lower) + count(upper) from fct_observation where indicator_id = ?"
        assert published.execute(bounds, [OUTPUT]).fetchall() == [(0,)], (
            "a spread of revisions is no published interval"
        )
        gate = published.execute(
            "select is_scored, districts_with_error > 300, reliability between 0.9 and 1 from mart_gate "
            "where framework_id = 'shared_growth' and flavour = 'level' and indicator_id = ? and year = ?",
            [OUTPUT, newest],
        )
        assert gate.fetchall() == [(True, True, True)]
        widths = published.execute(
            "select count(*) > 300, median(score_upper - score_lower) > 0.5 from mart_score "
            "where framework_id = 'shared_growth' and flavour = 'level' and node_id = 'productivity' and year = ?",
            [newest],
        )
        assert widths.fetchall() == [(True, True)]
    again = fingerprint(context.inputs.catalogue, context.stores, context.scoring, acquire_all(context))
    state = read_run_state(context.settings.marts_dir)
    assert is_published(context.settings.database, again, state), "the same editions make the same file"


def test_with_one_edition_the_shipped_revisions_are_the_error_and_figures_show_none(
    figures: pd.DataFrame, tmp_path: Path
) -> None:
    repeat = figures.iloc[::-1]  # the same figures in other bytes are no second edition
    _, published = published_after(tmp_path, repeat, figures)
    with published:
        errors = "select count(standard_error) from fct_observation where indicator_id = ?"
        assert published.execute(errors, [OUTPUT]).fetchall() == [(0,)]
        kinds = published.execute(
            "select distinct reason, error_kind from mart_gate where framework_id = 'shared_growth' and flavour = 'level' "
            "and indicator_id = ? and year = 2023",
            [OUTPUT],
        ).fetchall()
        assert kinds == [("scored", "from_vintages")]
