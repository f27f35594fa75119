"""Tables dressed otherwise than promised: read where that is safe, else refused with the first cause in the sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.http.bodies import without_footnotes
from pipeline.http.payload import RequestRefused, WrongContent
from pipeline.http.waiting import wait_in_words
from pipeline.publishers.nomis import parse as nomis
from pipeline.publishers.ons_els import parse as els
from pipeline.publishers.ons_els.query import ElsQuery
from tests import ask
from tests.publishers.conftest import ClientFor, nomis_query
from tests.standin.exchange import Reply, Request, json_reply
from tests.standin.server import StandIn

REGIONS = nomis_query(geography=["TYPE480"])
EMPLOYMENT = ElsQuery(source="ons_els", slug="employment-rate")
NOTES = b'"Source: Annual Population Survey, people asked"\n"* Estimate unreliable"\n'
QUERIES = (REGIONS, EMPLOYMENT)


@pytest.fixture
def send_changed(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[bytes], bytes]], None]:
    """Let the stand-in change the body of every table it sends."""

    def change_with(change: Callable[[bytes], bytes]) -> None:
        def apply(request: Request, reply: Reply) -> Reply:
            return replace(reply, body=change(reply.body)) if ".csv" in request.path and reply.status == 200 else reply

        monkeypatch.setattr(standin.faults, "apply", apply)

    return change_with


@pytest.mark.parametrize("query", QUERIES, ids=["nomis", "els"])
def test_footnotes_under_a_table_are_left_out_with_a_warning_and_change_no_figure(
    standin: StandIn, client_for: ClientFor, send_changed: Callable, query: object
) -> None:
    plain = ask.fetch(query, client_for(standin))  # type: ignore[arg-type]
    send_changed(lambda body: body.rstrip(b"\n") + b"\n\n" + NOTES)
    noted = ask.fetch(query, client_for(standin))  # type: ignore[arg-type]
    assert noted.row_count == plain.row_count
    [warning] = noted.warnings
    assert "2 lines of words under the table" in warning
    assert "Source: Annual Population Survey" in warning

    def figures(content: bytes) -> object:
        parsed = els.parse(content) if query is EMPLOYMENT else nomis.parse(content, REGIONS)
        assert parsed.set_aside.empty
        return parsed.figures

    assert figures(noted.content).equals(figures(plain.content))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "last", [b"E06000001,2024", b"E06000", b"Employment rate", b"Employment rate,E0600", b'"Employment rate', b""]
)
def test_a_row_that_was_cut_off_is_no_footnote(last: bytes) -> None:
    start = b"indicator,areacd,period,value\nEmployment rate here,E06000001,2024-01-01/P1Y,70\n"
    content = start + last
    assert without_footnotes(content) == (content, [])


@pytest.mark.parametrize("query", QUERIES, ids=["nomis", "els"])
def test_a_header_again_in_the_middle_is_told_as_that(
    standin: StandIn, client_for: ClientFor, send_changed: Callable, query: object
) -> None:
    def again(body: bytes) -> bytes:
        lines = body.split(b"\n")
        return b"\n".join([*lines[:20], lines[0], *lines[20:]])

    send_changed(again)
    with pytest.raises(
        WrongContent, match=r"header.* repeated in line 21: two answers were joined .*try again"
    ) as caught:
        ask.fetch(query, client_for(standin))  # type: ignore[arg-type]
    assert "indicators.yaml" not in str(caught.value)


def test_names_of_columns_in_capitals_are_read_and_those_of_elsewhere_are_not(
    standin: StandIn, client_for: ClientFor, send_changed: Callable
) -> None:
    plain = els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content).figures

    def capitals(body: bytes) -> bytes:
        header, _, rows = body.partition(b"\n")
        return b"\xef\xbb\xbf" + header.upper() + b"\n" + rows

    send_changed(capitals)
    assert els.parse(ask.fetch(EMPLOYMENT, client_for(standin)).content).figures.equals(plain)


def test_an_empty_body_is_told_first_though_the_definition_is_gone_too(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("empty_200", r"data\.csv")
    standin.faults.switch_on("moved_file", r"variable\.def")
    with pytest.raises(RequestRefused, match=r"^Nomis NM_17_5 TYPE480 .*an empty body with status 200.*status 404"):
        ask.fetch(REGIONS, client_for(standin))


def test_an_area_that_is_listed_and_has_no_row_is_named_and_costs_nothing_else(
    standin: StandIn, client_for: ClientFor
) -> None:
    whole = ask.fetch(REGIONS, client_for(standin))
    standin.faults.switch_on("missing_area", r"data\.csv")
    payload = ask.fetch(REGIONS, client_for(standin))
    [absent] = payload.areas_without_rows
    assert whole.areas_without_rows == ()
    kept = nomis.parse(payload.content, REGIONS).figures
    before = nomis.parse(whole.content, REGIONS).figures
    assert set(before["area_code"]) - set(kept["area_code"]) == {absent}
    assert len(kept) == len(before) * 11 // 12


def test_an_hour_s_wait_is_said(standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(request: Request, reply: Reply) -> Reply:
        return replace(json_reply({"message": "Too many requests"}, 429), headers={"retry-after": "3600"})

    monkeypatch.setattr(standin.faults, "apply", busy)
    client = client_for(standin)
    with pytest.raises(RequestRefused, match=r"answered 429 once .*It asks to wait 1 hour; try again after that"):
        client.get("ons_els", "data/employment-rate.csv")
    with pytest.raises(RequestRefused, match=r"no requests for another (1 hour|60 minutes)"):
        client.get("ons_els", "data/employment-rate.csv")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (45, "45 seconds"), (90, "2 minutes"), (3600, "1 hour"), (7200, "2 hours"), (172_800, "2 days")],
)
def test_a_wait_is_said_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert wait_in_words(seconds) == words
