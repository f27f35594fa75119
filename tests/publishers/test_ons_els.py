"""ELS figures arrive whole in either generation of the API, or a named failure says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.http.payload import Incomplete, RequestRefused, SourceError, WrongContent
from pipeline.publishers.ons_els import fetch as ons_els
from pipeline.publishers.ons_els import parse as els
from pipeline.publishers.ons_els.query import ElsQuery
from tests import ask
from tests.publishers.conftest import ClientFor
from tests.standin.server import StandIn

EMPLOYMENT = ElsQuery(source="ons_els", slug="employment-rate")
CLAIMANTS = ElsQuery(source="ons_els", slug="claimant-count")


@pytest.mark.parametrize("generation", ["A", "B"])
def test_both_generations_give_the_same_figures(client_for: ClientFor, generation: str) -> None:
    with StandIn(els_generation=generation) as standin:
        payload = ask.fetch(EMPLOYMENT, client_for(standin))
    parsed = els.parse(payload.content)
    assert len(parsed.figures) == payload.row_count == 8040
    assert parsed.set_aside.empty
    assert standin.count("data.csv") == (1 if generation == "A" else 0)


def test_a_payload_says_where_it_came_from(standin: StandIn, client_for: ClientFor) -> None:
    payload = ask.fetch(EMPLOYMENT, client_for(standin))
    assert payload.url.startswith(standin.origin)
    assert payload.url.endswith("includeStatus=true")
    areas = "ltla,utla,cauth,rgn,ctry,K03000001,K04000001"
    assert payload.parameters == {"time": "all", "geo": areas, "includeStatus": "true"}
    assert payload.http_status == 200
    assert payload.pages[0].byte_count == len(payload.content)
    assert payload.publisher_updated == ask.last_updated(EMPLOYMENT, client_for(standin))


def test_the_description_has_unit_and_caveats(shared_data: Path, standin: StandIn, client_for: ClientFor) -> None:
    described = ons_els.metadata(ElsQuery(source="ons_els", slug="gross-median-weekly-pay"), client_for(standin))
    assert described["unit"] == "£"
    assert described["caveats"][0].startswith("For Great Britain data, 2025 estimates are provisional")


@pytest.mark.parametrize("generation", ["A", "B"])
def test_an_unknown_slug_is_refused_with_the_servers_words(client_for: ClientFor, generation: str) -> None:
    with (
        StandIn(els_generation=generation) as standin,
        pytest.raises(RequestRefused, match=r"no-such-thing.*(not found|No data)"),
    ):
        ask.fetch(ElsQuery(source="ons_els", slug="no-such-thing"), client_for(standin))


def test_figures_without_their_description_are_kept_but_carry_no_date(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("html_200", "metadata")
    payload = ask.fetch(CLAIMANTS, client_for(standin))
    assert payload.publisher_updated is None
    assert payload.row_count == 10325
    with pytest.raises(WrongContent, match="no description"):
        ask.last_updated(CLAIMANTS, client_for(standin))


NAMED_FAILURES: list[tuple[str, type[SourceError], str]] = [
    ("truncated_body", Incomplete, "cut off"),
    ("dropped_connection", Incomplete, "broke off"),
    ("html_200", WrongContent, "HTML page"),
    ("empty_200", WrongContent, "empty body"),
    ("wrong_column", WrongContent, "without the column"),
    ("unavailable", RequestRefused, "503"),
    ("internal_error", RequestRefused, "Internal Error"),
    ("moved_file", RequestRefused, "404"),
]


@pytest.mark.parametrize(("fault", "failure", "words"), NAMED_FAILURES)
def test_a_fault_ends_in_a_named_failure(
    standin: StandIn, client_for: ClientFor, fault: str, failure: type[SourceError], words: str
) -> None:
    standin.faults.switch_on(fault, "/data")
    with pytest.raises(failure, match=words):
        ask.fetch(EMPLOYMENT, client_for(standin))


@pytest.mark.parametrize("fault", ["unavailable_once", "dropped_connection_once", "extra_column", "redirect"])
def test_a_fault_that_can_be_lived_with_changes_no_figure(standin: StandIn, client_for: ClientFor, fault: str) -> None:
    undisturbed = els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content).figures
    standin.faults.switch_on(fault, "/data")
    figures = els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content).figures
    assert figures.equals(undisturbed)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("duplicate_rows", "given twice"),
        ("value_140_percent", "outside its own 95% interval"),
        ("negative_pay", "outside its own 95% interval"),
        ("not_a_number", "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_believed_is_set_aside(
    standin: StandIn, client_for: ClientFor, fault: str, reason: str
) -> None:
    standin.faults.switch_on(fault, "/data")
    parsed = els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content)
    assert len(parsed.set_aside) == 1
    assert reason in parsed.set_aside["reason"][0]
    assert parsed.rows_read == len(parsed.figures) + 1


def test_a_table_that_stops_before_the_newest_period_is_incomplete(standin: StandIn, client_for: ClientFor) -> None:
    whole = ask.fetch(EMPLOYMENT, client_for(standin)).content.decode().split("\n")
    older = [line for line in whole if "2023-01-01" not in line]
    with pytest.raises(Incomplete, match="runs to 2023-01-01/P1Y, but the newest period it sent is 2022-01-01/P1Y"):
        ons_els._check_last_period(older, {"periodDomain": ["2004-01-01/P1Y", "2023-01-01/P1Y"]}, EMPLOYMENT)
