"""Nomis slices arrive complete through the 25,000-row cut, or a named failure says what is missing."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.http.payload import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.http.response import HttpResponse
from pipeline.publishers.nomis import parse as nomis
from pipeline.publishers.nomis.query import NomisQuery
from pipeline.publishers.ons_els import parse as els
from pipeline.publishers.ons_els.query import ElsQuery
from tests import ask
from tests.publishers.conftest import ClientFor, nomis_query
from tests.standin import nomis as standin_nomis
from tests.standin import nomis_datasets
from tests.standin.figures import Figures
from tests.standin.server import StandIn

CATALOGUE = load_catalogue()
CLAIMANTS = nomis_query(
    dataset="NM_162_1",
    dates={"from_year": 2012},
    dimensions={
        "gender": {"code": 0, "name": "Total"},
        "age": {"code": 0, "name": "All categories: Age 16+"},
        "measure": {"code": 2, "name": "Claimants as a proportion of residents aged 16-64"},
    },
    geography=["TYPE424", "TYPE480"],
    value_measure=20100,
    error_measure=None,
    error_form=None,
)

REGIONS = nomis_query(geography=["TYPE480"])
EMPLOYMENT = ElsQuery(source="ons_els", slug="employment-rate")


def test_months_of_claimants_arrive_complete_in_blocks_of_periods(standin: StandIn, client_for: ClientFor) -> None:
    payload = ask.fetch(CLAIMANTS, client_for(standin))
    parsed = nomis.parse(payload.content, CLAIMANTS)
    months, districts, regions = 13 * 12, 361, 12
    assert payload.row_count == len(parsed.figures) == months * (districts + regions)
    assert payload.row_count > 56_000
    assert max(page.row_count or 0 for page in payload.pages) == 25_000
    assert not parsed.figures.duplicated(["area_code", "period"]).any()
    assert payload.content.count(b'"DATE"') == 1


@pytest.mark.parametrize("key", [None, "0x5ec4e7"])
def test_a_key_changes_nothing_but_the_request(standin: StandIn, client_for: ClientFor, key: str | None) -> None:
    payload = ask.fetch(nomis_query(), client_for(standin, nomis_uid=key))
    assert payload.row_count == 20 * 361 * 2
    assert not any("uid" in page.url or "uid" in page.parameters for page in payload.pages)


def test_counties_and_combined_authorities_are_asked_for_by_the_newest_type_the_data_set_lists(
    standin: StandIn, client_for: ClientFor
) -> None:
    query = nomis_query(geography=["TYPE424", "counties", "combined_authorities"])
    payload = ask.fetch(query, client_for(standin))
    asked = [dict(request.query)["geography"] for request in standin.requests if "data.csv" in request.path]
    numbers = [[int(number) for number in text.split(",")] for text in asked[1:]]
    assert (asked[0], [len(text) for text in numbers]) == ("TYPE424", [21, 15])
    assert [{number >> 22 for number in text} for text in numbers] == [{423}, {419}], "not the older list, TYPE442"
    parsed = nomis.parse(payload.content, query)
    assert parsed.set_aside.empty
    warwickshire = parsed.figures.set_index(["area_code", "period"]).loc[("E10000031", "2023-01-01/P1Y")]
    published = els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content).figures
    assert warwickshire["value"] == published.set_index(["area_code", "period"]).loc[warwickshire.name, "value"]
    levels = parsed.figures["area_code"].str[:3].value_counts()
    assert (levels["E10"], levels["E47"], levels["N09"]) == (20 * 21, 20 * 15, 20 * 11)


@pytest.mark.parametrize("fault", ["html_200", "unavailable", "no such type"])
def test_districts_come_without_wider_areas_that_are_not_listed(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "no such type":
        monkeypatch.delitem(standin_nomis.TYPES, "TYPE423")
    else:
        standin.faults.switch_on(fault, "geography/TYPE.def")
    payload = ask.fetch(nomis_query(geography=["TYPE424", "counties"]), client_for(standin))
    assert payload.row_count == 20 * 361 * 2


def test_only_december_periods_are_asked_for(standin: StandIn, client_for: ClientFor) -> None:
    payload = ask.fetch(REGIONS, client_for(standin))
    assert payload.parameters["date"].split(",") == [f"{year}-12" for year in range(2004, 2024)]


def test_last_updated_is_the_data_sets_own_mark(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin)
    assert ask.last_updated(REGIONS, client) == "2026-07-21 09:30:00"
    assert ask.fetch(REGIONS, client).publisher_updated == "2026-07-21 09:30:00"
    assert standin.count("NM_17_5.def.sdmx.json") == 1


def test_a_code_known_from_memory_is_looked_up_by_name(standin: StandIn, client_for: ClientFor) -> None:
    recalled = nomis_query(
        dates={"from_year": 2022, "months": [12]},
        dimensions={"variable": {"code": 45, "name": "% with RQF3+ - aged 16-64"}},
    )
    payload = ask.fetch(recalled, client_for(standin))
    assert payload.parameters["variable"] == "1908"
    figures = nomis.parse(payload.content, recalled).figures
    kirklees = figures[(figures["area_code"] == "E08000034") & (figures["period"] == "2023-01-01/P1Y")]
    assert len(kirklees) == 1
    assert 40 < kirklees["value"].item() < 90


@pytest.mark.parametrize("code", [None, 99999])
def test_a_code_not_known_or_not_there_is_looked_up_by_name(
    standin: StandIn, client_for: ClientFor, code: int | None
) -> None:
    unknown = nomis_query(
        dates={"from_year": 2022, "months": [12]},
        dimensions={"variable": {"code": code, "name": "% with RQF3+ - aged 16-64"}},
    )
    assert ask.fetch(unknown, client_for(standin)).parameters["variable"] == "1908"


def test_a_discontinued_series_ends_where_it_ended(standin: StandIn, client_for: ClientFor) -> None:
    ended = nomis_query(dates={"from_year": 2019, "to_year": 2021, "months": [12]})
    assert ask.fetch(ended, client_for(standin)).parameters["date"] == "2019-12,2020-12,2021-12"


def test_a_name_the_data_set_does_not_have_is_an_error_naming_both(standin: StandIn, client_for: ClientFor) -> None:
    wrong = nomis_query(dimensions={"variable": {"code": 84, "name": "% who are economically inactive - of any age"}})
    with pytest.raises(
        RequestRefused, match=r"no variable named '% who are .* any age' \(its code 84 is named 'Unemployment rate"
    ):
        ask.fetch(wrong, client_for(standin))


def test_a_trailing_blank_in_a_name_is_no_mismatch(standin: StandIn, client_for: ClientFor) -> None:
    unemployment = nomis_query(
        geography=["TYPE480"], dimensions={"variable": {"code": 84, "name": "Unemployment rate - aged 16-64"}}
    )
    assert ask.fetch(unemployment, client_for(standin)).row_count == 20 * 12 * 2


def test_a_wrong_measure_is_named_as_an_empty_answer(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(WrongContent, match="empty body with status 200"):
        ask.fetch(nomis_query(geography=["TYPE480"], value_measure=20100), client_for(standin))


def test_a_year_beyond_the_data_set_is_refused(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(RequestRefused, match=r"no period from 2090 on.*the last 2023-12"):
        ask.fetch(nomis_query(geography=["TYPE480"], dates={"from_year": 2090}), client_for(standin))


NAMED_FAILURES: list[tuple[str, type[SourceError], str]] = [
    ("truncated_body", Incomplete, "broke off"),
    ("dropped_connection", Incomplete, "broke off"),
    ("html_200", WrongContent, "HTML page"),
    ("empty_200", WrongContent, "empty body"),
    ("wrong_column", WrongContent, "OBS_VALUE"),
    ("duplicate_rows", Incomplete, "481 rows arrived of 480"),
    ("unknown_code", Incomplete, "areas x periods x measures"),
    ("unavailable", RequestRefused, "503"),
]


@pytest.mark.parametrize(("fault", "failure", "words"), NAMED_FAILURES)
def test_a_fault_ends_in_a_named_failure(
    standin: StandIn, client_for: ClientFor, fault: str, failure: type[SourceError], words: str
) -> None:
    standin.faults.switch_on(fault, r"data\.csv")
    with pytest.raises(failure, match=words):
        ask.fetch(REGIONS, client_for(standin))


@pytest.mark.parametrize(
    "fault", ["unavailable_once", "rate_limited_once", "dropped_connection_once", "extra_column", "redirect"]
)
def test_a_fault_that_can_be_lived_with_changes_no_figure(standin: StandIn, client_for: ClientFor, fault: str) -> None:
    undisturbed = nomis.parse(ask.fetch(REGIONS, client_for(standin)).content, REGIONS).figures
    standin.faults.switch_on(fault, r"data\.csv")
    figures = nomis.parse(ask.fetch(REGIONS, client_for(standin)).content, REGIONS).figures
    assert figures.equals(undisturbed)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("count_of_the_page", "no rows for 4 of the 12 areas it lists|no rows for measure|different rows where"),
        ("grown_between_pages", "100 of 480 rows arrived, then a page of a table of 481 rows"),
    ],
)
def test_a_count_that_lies_or_changes_between_pages_is_found_out(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setattr("tests.standin.nomis.GUEST_ROWS", 100)
    standin.faults.switch_on(fault)
    with pytest.raises(Incomplete, match=words):
        ask.fetch(REGIONS, client_for(standin))


def test_without_a_list_of_areas_the_count_and_the_product_are_the_proof(
    standin: StandIn, client_for: ClientFor
) -> None:
    standin.faults.switch_on("html_200", "geography/TYPE")
    assert ask.fetch(REGIONS, client_for(standin)).row_count == 20 * 12 * 2


def test_a_numerator_that_is_the_denominator_is_no_numerator(standin: StandIn, client_for: ClientFor) -> None:
    swapped = nomis_query(geography=["TYPE480"], numerator_measure=21002, denominator_measure=21001)
    with pytest.raises(WrongContent, match=r"measure 2100[12] should be named '\w+tor' but came back as '\w+tor'"):
        ask.fetch(swapped, client_for(standin))
    error_as_value = nomis_query(geography=["TYPE480"], value_measure=21003, error_measure=None, error_form=None)
    with pytest.raises(
        WrongContent, match="measure 21003 should be named 'Value or the like' but came back as 'Confid"
    ):
        ask.fetch(error_as_value, client_for(standin))


def test_zeros_of_abolished_districts_do_not_become_figures(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("zero_ghosts")
    parsed = nomis.parse(ask.fetch(nomis_query(), client_for(standin)).content, nomis_query())
    ghosts = parsed.set_aside[parsed.set_aside["area_code"] == "E07000163"]
    assert ghosts["reason"].str.contains("districts it lists were abolished").all()
    assert "2023-01-01/P1Y" in set(ghosts["period"])
    after = parsed.figures[parsed.figures["period"] == "2023-01-01/P1Y"]
    assert "E07000163" not in set(after["area_code"])
    assert not (after["value"] == 0).any()


def test_a_page_from_somewhere_else_is_not_taken(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.standin.nomis.GUEST_ROWS", 100)
    client = client_for(standin)
    real = client.get

    def always_the_first_page(source_id: str, path: str, params: dict[str, str] | None = None, **_: object) -> object:
        return real(source_id, path, (params or {}) | {"RecordOffset": "0"} if params else None)

    monkeypatch.setattr(client, "get", always_the_first_page)
    with pytest.raises(WrongContent, match="asked for rows from 100, got rows from '0'"):
        ask.fetch(REGIONS, client)


def test_pages_shorter_than_asked_for_are_followed_to_the_end(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask.fetch(REGIONS, client_for(standin))
    monkeypatch.setattr("tests.standin.nomis.GUEST_ROWS", 100)
    in_pieces = ask.fetch(REGIONS, client_for(standin))
    assert len(in_pieces.pages) == 5
    assert in_pieces.content == whole.content


PERCENTILES = [
    {"code": 6, "name": "10 percentile"},
    {"code": 2, "name": "Median"},
    {"code": 15, "name": "90 percentile"},
]


def pay_query(option: dict[str, object], **changes: object) -> NomisQuery:
    """Residents' weekly pay at one of three percentiles that are asked for together."""
    dimensions = {
        "sex": {"code": 7, "name": "Total"},
        "item": option,
        "pay": {"code": 1, "name": "Weekly pay - gross"},
    }
    return nomis_query(
        dataset="NM_30_1",
        geography=["TYPE480"],
        dates={"from_year": 2021},
        dimensions=dimensions,
        asked_together={"item": PERCENTILES},
        value_measure=20100,
        error_measure=20701,
        error_form="cv",
        **changes,
    )


def test_percentiles_asked_together_come_in_one_request_and_each_reads_its_own(
    standin: StandIn, client_for: ClientFor
) -> None:
    client = client_for(standin)
    payloads = [ask.fetch(pay_query(option), client) for option in PERCENTILES]
    assert standin.count("NM_30_1.data.csv") == 1
    assert len({payload.sha256 for payload in payloads}) == 1
    alone = ask.fetch(pay_query(PERCENTILES[1]).model_copy(update={"asked_together": {}}), client)
    expected = nomis.parse(alone.content, pay_query(PERCENTILES[1])).figures.drop(columns="source_row")
    low, median, high = (nomis.parse(payloads[0].content, pay_query(option)).figures for option in PERCENTILES)
    assert median.drop(columns="source_row").equals(expected)
    assert len(low) == len(median) == len(high) == 5 * 12
    assert (low["value"].dropna() < median["value"][low["value"].dropna().index]).all()


def test_sixty_thousand_rows_of_one_table_arrive_complete_through_the_cut(
    standin: StandIn, client_for: ClientFor
) -> None:
    [part] = CATALOGUE.indicators["pay_weekly_p10"].parts
    [asked] = part.live
    assert isinstance(asked, NomisQuery)
    dates = asked.dates.model_copy(update={"from_year": 2018})
    query = asked.model_copy(update={"geography": ("TYPE424",), "dates": dates})
    payload = ask.fetch(query, client_for(standin))
    districts, years, percentiles, measures = 350, 8, 11, 2
    assert payload.row_count == districts * years * percentiles * measures == 61_600
    assert [page.row_count for page in payload.pages] == [25_000, 25_000, 11_600]
    assert payload.content.count(b"\n") == 61_601
    figures = nomis.parse(payload.content, query).figures
    assert len(figures) == districts * years
    assert not figures.duplicated(["area_code", "period"]).any()


def test_an_option_that_does_not_come_is_a_shortfall(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin)
    real = client.get

    def without_medians(source_id: str, path: str, params: dict[str, str] | None = None, **_: object) -> HttpResponse:
        answer = real(source_id, path, params)
        if ".data.csv" not in path:
            return answer
        lines = [line for line in answer.content.split(b"\n") if b'"Median"' not in line]
        return replace(answer, content=b"\n".join(lines).replace(b",360\n", b",240\n").replace(b",360", b",240"))

    client.get = without_medians  # type: ignore[method-assign]
    with pytest.raises(
        Incomplete, match=r"no rows for Median.*240 different rows where areas x periods x measures x item"
    ):
        ask.fetch(pay_query(PERCENTILES[0]), client)


def test_a_rate_comes_with_its_numerator_and_denominator(standin: StandIn, client_for: ClientFor) -> None:
    query = nomis_query(geography=["TYPE480"], numerator_measure=21001, denominator_measure=21002)
    payload = ask.fetch(query, client_for(standin))
    assert payload.parameters["measures"] == "20599,21003,21001,21002"
    parsed = nomis.parse(payload.content, query)
    figures = parsed.figures.dropna(subset="value")
    assert len(figures) > 100
    assert (100 * figures["numerator"] / figures["denominator"] - figures["value"]).abs().max() < 1e-9
    assert parsed.rows_read == len(parsed.figures) + len(parsed.set_aside)


def test_a_withheld_numerator_is_missing_and_one_without_its_rate_is_set_aside() -> None:
    query = nomis_query(numerator_measure=21001, denominator_measure=21002)
    header = "DATE,GEOGRAPHY_CODE,VARIABLE_NAME,MEASURES,OBS_VALUE,OBS_STATUS,OBS_STATUS_NAME\n"
    row = "2023-12,{},Employment rate - aged 16-64,{},{},{}\n"
    text = header + "".join(
        row.format(*cells)
        for cells in (
            ("E08000034", 20599, "70", "A,Normal Value"),
            ("E08000034", 21003, "4", "A,Normal Value"),
            ("E08000034", 21001, "", "Q,These figures are missing."),
            ("E08000034", 21002, "1000", "A,Normal Value"),
            ("E08000035", 21001, "500", "A,Normal Value"),
        )
    )
    parsed = nomis.parse(text.encode(), query)
    [figure] = parsed.figures.to_dict("records")
    assert (figure["value"], figure["lower"], figure["denominator"]) == (70, 66, 1000)
    assert pd.isna(figure["numerator"])
    assert parsed.set_aside["reason"].tolist() == [
        "an error, numerator or denominator without the figure it belongs to"
    ]
    assert parsed.rows_read == 2


def test_with_a_key_larger_pages_are_asked_for_and_what_comes_is_counted(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = ask.fetch(CLAIMANTS, client_for(standin, nomis_uid="0x5ec4e7"))
    assert payload.pages[0].parameters["RecordLimit"] == "100000"
    assert [page.row_count for page in payload.pages] == [100 * 361, 56 * 361, 100 * 12, 56 * 12]
    monkeypatch.setattr("tests.standin.nomis.KEY_ROWS", 25_000)  # a key that lifts nothing after all
    again = ask.fetch(CLAIMANTS, client_for(standin, nomis_uid="0x5ec4e7"))
    assert len(again.pages) == 5
    assert again.sha256 == payload.sha256


def test_the_definitions_unit_and_notes_are_kept(standin: StandIn, client_for: ClientFor) -> None:
    description = ask.fetch(pay_query(PERCENTILES[0]), client_for(standin)).description
    assert description is not None
    assert description.unit == "GBP"
    assert description.caveats == (
        "The stand-in's annual survey of hours and earnings - resident analysis.",
        "Figures whose coefficient of variation is above 20 per cent are withheld.",
    )


def workless_query() -> NomisQuery:
    [part] = CATALOGUE.indicators["workless_households"].parts
    query = part.live[0]
    assert isinstance(query, NomisQuery)
    return query.model_copy(update={"geography": ("TYPE480",)})


def test_workless_households_are_found_by_name(standin: StandIn, client_for: ClientFor) -> None:
    payload = ask.fetch(workless_query(), client_for(standin))
    assert payload.parameters["combined_ea_status"] == "3,0"
    assert payload.parameters["households_children"] == "1"
    assert len(nomis.parse(payload.content, workless_query()).figures) == 22 * 12


def test_a_data_set_that_words_them_otherwise_is_a_failure_with_its_names(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    households = nomis_datasets.DATASETS["NM_136_1"]

    def reworded(figures: Figures) -> nomis_datasets.Dataset:
        dataset = households(figures)
        status = {"0": "All households", "3": "No one in work"}
        return replace(dataset, dimensions={**dataset.dimensions, "combined_ea_status": status})

    monkeypatch.setitem(nomis_datasets.DATASETS, "NM_136_1", reworded)
    nomis_datasets._made.cache_clear()
    try:
        with pytest.raises(
            RequestRefused,
            match="no combined_ea_status named 'Workless households'; it has 'All households', 'No one in work'; correct",
        ):
            ask.fetch(workless_query(), client_for(standin))
    finally:
        nomis_datasets._made.cache_clear()


def live_queries(indicator_id: str) -> list[NomisQuery]:
    """The catalogue's Nomis queries of an indicator, for few areas where it asks for several types."""
    queries = [query for part in CATALOGUE.indicators[indicator_id].parts for query in part.live]
    nomis_queries = [query for query in queries if isinstance(query, NomisQuery)]
    return [
        query.model_copy(update={"geography": query.geography[-2:-1] or query.geography}) for query in nomis_queries
    ]


@pytest.mark.parametrize("indicator_id", ["population", "population_16_64"])
def test_either_data_set_of_population_gives_the_same_people(
    standin: StandIn, client_for: ClientFor, indicator_id: str
) -> None:
    by_year, by_band = live_queries(indicator_id)
    assert (by_year.dataset, by_band.dataset) == ("NM_2002_1", "NM_31_1")
    one, other = (
        nomis.parse(ask.fetch(query, client_for(standin)).content, query).figures for query in (by_year, by_band)
    )
    assert len(one) == 25 * 12
    assert one.equals(other)


def test_households_by_dimensions_of_deprivation_come_in_one_request(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin)
    means = []
    for number in ("not_deprived", "deprived_in_one", "deprived_in_two", "deprived_in_three", "deprived_in_four"):
        [query] = live_queries(f"households_{number}")
        means.append(nomis.parse(ask.fetch(query, client).content, query).figures["value"].mean())
    assert standin.count("NM_2031_1.data.csv") == 1
    assert means == sorted(means, reverse=True)


def test_every_rate_of_the_population_survey_is_asked_for_with_its_confidence_and_counts() -> None:
    asked = [
        query
        for indicator in CATALOGUE.collected
        for part in indicator.parts
        for query in part.live
        if isinstance(query, NomisQuery) and query.dataset == "NM_17_5"
    ]
    assert len(asked) == 11
    assert {query.measures for query in asked} == {(20599, 21003, 21001, 21002)}
    assert {query.error_form for query in asked} == {"half_width"}
    names = {query.dimensions["variable"].name for query in asked}
    assert {f"% with RQF{level}+ - aged 16-64" for level in "234"} <= names
    assert {f"% with NVQ{level}+ - aged 16-64" for level in "234"} <= names
