"""Nomis slices arrive complete through the 25,000-row cut, or a named failure says what is missing."""

from __future__ import annotations

import pytest

from pipeline import sources
from pipeline.sources.base import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.tidy import nomis
from tests.sources.conftest import ClientFor, nomis_query
from tests.standin.server import StandIn

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


def test_sixty_thousand_rows_arrive_complete_through_the_cut(standin: StandIn, client_for: ClientFor) -> None:
    payload = sources.fetch(CLAIMANTS, client_for(standin))
    parsed = nomis.parse(payload.content, CLAIMANTS)
    months, districts, regions = 13 * 12, 350, 12
    assert payload.row_count == len(parsed.figures) == months * (districts + regions)
    assert payload.row_count > 56_000
    assert max(page.row_count or 0 for page in payload.pages) == 25_000
    assert not parsed.figures.duplicated(["area_code", "period"]).any()
    assert payload.content.count(b'"DATE"') == 1


@pytest.mark.parametrize("key", [None, "0x5ec4e7"])
def test_a_key_changes_nothing_but_the_request(standin: StandIn, client_for: ClientFor, key: str | None) -> None:
    payload = sources.fetch(nomis_query(), client_for(standin, nomis_uid=key))
    assert payload.row_count == 20 * 350 * 2
    assert not any("uid" in page.url or "uid" in page.parameters for page in payload.pages)


def test_only_december_periods_are_asked_for(standin: StandIn, client_for: ClientFor) -> None:
    payload = sources.fetch(REGIONS, client_for(standin))
    assert payload.parameters["date"].split(",") == [f"{year}-12" for year in range(2004, 2024)]


def test_last_updated_is_the_data_sets_own_mark(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin)
    assert sources.last_updated(REGIONS, client) == "2026-07-21 09:30:00"
    assert sources.fetch(REGIONS, client).publisher_updated == "2026-07-21 09:30:00"
    assert standin.count("NM_17_5.def.sdmx.json") == 1


def test_a_code_known_from_memory_is_looked_up_by_name(standin: StandIn, client_for: ClientFor) -> None:
    recalled = nomis_query(
        dates={"from_year": 2022, "months": [12]},
        dimensions={"variable": {"code": 45, "name": "% with RQF3+ - aged 16-64"}},
    )
    payload = sources.fetch(recalled, client_for(standin))
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
    assert sources.fetch(unknown, client_for(standin)).parameters["variable"] == "1908"


def test_a_discontinued_series_ends_where_it_ended(standin: StandIn, client_for: ClientFor) -> None:
    ended = nomis_query(dates={"from_year": 2019, "to_year": 2021, "months": [12]})
    assert sources.fetch(ended, client_for(standin)).parameters["date"] == "2019-12,2020-12,2021-12"


def test_a_name_the_data_set_does_not_have_is_an_error_naming_both(standin: StandIn, client_for: ClientFor) -> None:
    wrong = nomis_query(dimensions={"variable": {"code": 84, "name": "% who are economically inactive - of any age"}})
    with pytest.raises(
        RequestRefused, match=r"no variable named '% who are .* any age' \(its code 84 is named 'Unemployment rate"
    ):
        sources.fetch(wrong, client_for(standin))


def test_a_trailing_blank_in_a_name_is_no_mismatch(standin: StandIn, client_for: ClientFor) -> None:
    unemployment = nomis_query(
        geography=["TYPE480"], dimensions={"variable": {"code": 84, "name": "Unemployment rate - aged 16-64"}}
    )
    assert sources.fetch(unemployment, client_for(standin)).row_count == 20 * 12 * 2


def test_a_wrong_measure_is_named_as_an_empty_answer(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(WrongContent, match="empty body with status 200"):
        sources.fetch(nomis_query(geography=["TYPE480"], value_measure=20100), client_for(standin))


def test_a_year_beyond_the_data_set_is_refused(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(RequestRefused, match=r"no period from 2090 on.*the last 2023-12"):
        sources.fetch(nomis_query(geography=["TYPE480"], dates={"from_year": 2090}), client_for(standin))


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
        sources.fetch(REGIONS, client_for(standin))


@pytest.mark.parametrize(
    "fault", ["unavailable_once", "rate_limited_once", "dropped_connection_once", "extra_column", "redirect"]
)
def test_a_fault_that_can_be_lived_with_changes_no_figure(standin: StandIn, client_for: ClientFor, fault: str) -> None:
    undisturbed = nomis.parse(sources.fetch(REGIONS, client_for(standin)).content, REGIONS).figures
    standin.faults.switch_on(fault, r"data\.csv")
    figures = nomis.parse(sources.fetch(REGIONS, client_for(standin)).content, REGIONS).figures
    assert figures.equals(undisturbed)


def test_zeros_of_abolished_districts_do_not_become_figures(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("zero_ghosts")
    parsed = nomis.parse(sources.fetch(nomis_query(), client_for(standin)).content, nomis_query())
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
        sources.fetch(REGIONS, client)


def test_pages_shorter_than_asked_for_are_followed_to_the_end(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sources.fetch(REGIONS, client_for(standin))
    monkeypatch.setattr("tests.standin.nomis.GUEST_ROWS", 100)
    in_pieces = sources.fetch(REGIONS, client_for(standin))
    assert len(in_pieces.pages) == 5
    assert in_pieces.content == whole.content
