"""A series of small areas goes from the publisher's pages to a published file of its own, and every row is accounted for.

Small here: 2,000 areas. The whole, 35,000 areas x 160 months with its limits on time and memory, is
``python -m benchmarks small-areas``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.made import small_area_months, store_small_areas
from pipeline.catalogue.small_area_series import AreaCount, load_small_areas
from pipeline.cli import main
from pipeline.http.client import HttpClient
from pipeline.http.response import HttpResponse
from pipeline.run.context import Run, open_run
from pipeline.run.publish_small_areas import NothingHeld, SmallAreaOutcome, database_of, publish_small_areas
from pipeline.settings import Settings

AREAS, MONTHS = 2_000, 26
SERIES = load_small_areas()["claimants_by_small_area"].model_copy(update={"areas": AreaCount(min=1_900, max=2_100)})


def offline(folder: Path) -> Run:
    return open_run(Settings(folder), offline=True)


def publish(run: Run) -> SmallAreaOutcome:
    """The series, from whatever the run has: its publisher, or what is held."""
    client = None if run.options.offline else run.client
    return publish_small_areas(SERIES, run.inputs, run.stores.raw, run.settings.marts_dir, client)


def ask(context: Run, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database_of(context.settings.marts_dir, SERIES)), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def lines(areas: int = AREAS, months: int = MONTHS) -> list[str]:
    return b"".join(small_area_months(areas, months)).decode().splitlines()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Run:
    context = offline(tmp_path_factory.mktemp("small_areas"))
    store_small_areas(context.settings.raw_dir, SERIES, AREAS, MONTHS)
    publish(context)
    return context


def test_every_figure_of_the_payload_is_published_once(published: Run) -> None:
    sent = {line.split('"')[7]: 0 for line in lines()[1:]}
    total = sum(int(line.split(',"A",')[0].rpartition(",")[2]) for line in lines()[1:])
    [(rows, areas, months, value)] = ask(
        published,
        "select count(*), count(distinct area_code), count(distinct period_start), sum(value) from fct_small_area",
    )
    assert (rows, areas, months, value) == (AREAS * MONTHS, len(sent), MONTHS, total)


def test_a_small_area_is_told_the_district_of_today_by_its_name(published: Run) -> None:
    district = dict(
        ask(
            published,
            "select regexp_extract(area_name, '^(.*) [0-9]{3}A$', 1), any_value(district_name) from dim_small_area group by 1",
        )
    )
    assert district["Allerdale"] == "Cumberland"
    assert district["Oldham"] == "Oldham"


def test_the_mart_gives_the_latest_figure_its_change_and_a_rank_in_its_district(published: Run) -> None:
    [(latest, before, change, mean)] = ask(
        published,
        "select latest_value, year_before_value, change_on_year, mean_of_latest_12 from mart_small_area where area_code = 'E01000007'",
    )
    series = [
        value
        for (value,) in ask(
            published, "select value from fct_small_area where area_code = 'E01000007' order by period_start"
        )
    ]
    assert (latest, before, change) == (series[-1], series[-13], series[-1] - series[-13])
    assert mean == pytest.approx(sum(series[-12:]) / 12)
    assert (
        ask(
            published,
            "select distinct min(rank_in_district), max(rank_count) from mart_small_area group by district_code having max(rank_count) <> count(*)",
        )
        == []
    )


def test_the_file_explains_itself_and_says_where_its_figures_came_from(published: Run) -> None:
    assert ask(published, "select tier, map_year, rows_read, rows_set_aside from meta_series") == [
        ("snapshot", 2011, AREAS * MONTHS, 0)
    ]
    [(without,)] = ask(published, "select count(*) from duckdb_columns() where not internal and comment is null")
    assert without == 0


def test_nothing_new_leaves_the_file_as_it_is(published: Run) -> None:
    before = database_of(published.settings.marts_dir, SERIES).stat().st_mtime_ns
    assert not publish(published).is_new
    assert database_of(published.settings.marts_dir, SERIES).stat().st_mtime_ns == before


class Pages(HttpClient):
    """Nomis's answers for one table, in pages; what is told of the network is only that it was asked."""

    def __init__(self, context: Run, table: list[str], updated: str = "2026-11-17 07:00:00") -> None:
        super().__init__(context.inputs.catalogue.sources, context.settings, throttle=False)
        self.table, self.updated, self.pages = table, updated, 0

    def get(self, source_id: str, path_or_url: str, params: Any = None, **_: object) -> HttpResponse:  # type: ignore[override]
        def definition(text: str) -> HttpResponse:
            return HttpResponse(text.encode(), 200, {}, path_or_url, {})

        if "time.def" in path_or_url:
            months = dict.fromkeys(line.split('"')[1] for line in self.table[1:])
            codes = ",".join(f'{{"value":"{month}","description":{{"value":""}}}}' for month in months)
            return definition(f'{{"structure":{{"codelists":{{"codelist":[{{"code":[{codes}]}}]}}}}}}')
        if path_or_url.endswith(".json"):
            note = f'[{{"annotationtitle":"LastUpdated","annotationtext":"{self.updated}"}}]'
            return definition(
                f'{{"structure":{{"keyfamilies":{{"keyfamily":[{{"annotations":{{"annotation":{note}}}}}]}}}}}}'
            )
        self.pages += 1
        first, rows = int(params["RecordOffset"]), int(params["RecordLimit"])
        body = "\n".join([self.table[0], *self.table[1:][first : first + rows]]) + "\n"
        return HttpResponse(body.encode(), 200, {}, path_or_url, dict(params))


def live(folder: Path, client: Any, **changes: Any) -> Run:
    context = open_run(Settings(folder), **changes)
    context.__dict__["client"] = client(context)  # where the run keeps the one it would make at first need
    return context


def test_a_live_series_comes_page_by_page_and_is_not_fetched_again_until_it_changes(tmp_path: Path) -> None:
    context = live(tmp_path, lambda opened: Pages(opened, lines()))
    assert publish(context).row_counts["fct_small_area"] == AREAS * MONTHS
    assert context.client.pages == 3  # type: ignore[attr-defined]
    again = live(tmp_path, lambda opened: Pages(opened, lines()))
    assert not publish(again).is_new
    assert again.client.pages == 0  # type: ignore[attr-defined]


def test_an_answer_without_most_areas_is_refused_and_the_file_before_it_stays(tmp_path: Path) -> None:
    publish(live(tmp_path, lambda opened: Pages(opened, lines())))
    cut = live(tmp_path, lambda opened: Pages(opened, lines(areas=300), "2026-12-15 07:00:00"))
    outcome = publish(cut)
    assert outcome.stale_because is not None
    assert "300 small areas came, at least 1,900 are expected (kept as nomis/" in outcome.stale_because
    assert ask(cut, "select count(*) from dim_small_area") == [(AREAS,)]


def test_a_publisher_that_is_away_leaves_the_last_good_answer_in_use(tmp_path: Path) -> None:
    context = offline(tmp_path)
    store_small_areas(context.settings.raw_dir, SERIES, AREAS, 2)
    nowhere = Settings(tmp_path, base_urls={"nomis": "http://127.0.0.1:9"})
    outcome = publish(open_run(nowhere, backoff_seconds=0))
    assert outcome.is_new
    assert outcome.stale_because is not None


def test_without_any_answer_the_message_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NothingHeld, match=r"no answer of nomis is held in data/raw, and the run asks no publisher"):
        publish(offline(tmp_path))


def changed(tmp_path: Path, table: list[str]) -> Run:
    context = live(tmp_path, lambda opened: Pages(opened, table))
    publish(context)
    return context


def with_count(line: str, text: str) -> str:
    """A line of the table with another text in the place of its count."""
    return re.sub(r',[0-9]+,"A"', f',{text},"A"', line)


def test_a_row_that_cannot_be_believed_is_set_aside_with_its_line(tmp_path: Path) -> None:
    table = lines(months=2)
    table[5], table[9] = with_count(table[5], "35x"), with_count(table[9], "99999")
    context = changed(tmp_path, table)
    found = ask(context, "select source_row, reason from meta_quarantine order by source_row")
    assert found == [(6, "a number cannot be read"), (10, "the value is outside the plausible range 0 to 5,000")]
    [(published, left)] = ask(
        context, "select (select count(*) from fct_small_area), rows_read - rows_set_aside from meta_series"
    )
    assert published == left == 2 * AREAS - 2


def test_other_kinds_of_area_in_the_same_answer_are_counted_and_left_out(tmp_path: Path) -> None:
    table = [line.replace('"E01000', '"E05000') if '"E01000003"' in line else line for line in lines(months=2)]
    context = changed(tmp_path, table)
    assert ask(context, "select rows_out_of_scope, (select count(*) from dim_small_area) from meta_series") == [
        (2, AREAS - 1)
    ]


@pytest.mark.parametrize("wrong", ["counts", "columns"])
def test_a_payload_that_is_no_such_table_is_refused(wrong: str, tmp_path: Path) -> None:
    table = lines(months=2)
    if wrong == "counts":
        table = [with_count(line, "many") for line in table]
        expected = "4,000 of its 4,000 rows fail their checks, most often: a number cannot be read"
    else:
        table[0] = table[0].replace("OBS_VALUE", "WERT")
        expected = "OBS_VALUE"
    with pytest.raises(NothingHeld, match=expected):
        publish(live(tmp_path, lambda opened: Pages(opened, table)))
    assert not database_of(tmp_path / "marts", SERIES).exists()


def test_the_verb_lists_the_series_and_says_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IG_DATA_DIR", str(tmp_path))
    assert main(["small-areas"]) == 0
    assert (
        "claimants_by_small_area: Claimants by month and small area (persons); small areas of 2011"
        in capsys.readouterr().out
    )
    assert main(["small-areas", "claimants"]) == 1
    assert "no series 'claimants' in small_areas.yaml" in capsys.readouterr().err
    assert main(["small-areas", "claimants_by_small_area", "--offline"]) == 1
    assert "nothing published: claimants_by_small_area: no answer of nomis is held" in capsys.readouterr().err
