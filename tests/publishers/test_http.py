"""The client is polite, patient for a while, quick about unreachable hosts, and never shows the key."""

from __future__ import annotations

import contextlib
import email.utils
import logging
import socket
import threading
import time

import pytest

from pipeline.http import client as http
from pipeline.http import hosts
from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused, WrongContent
from pipeline.http.waiting import LONGEST_RETRY_AFTER_SECONDS
from pipeline.settings import SettingsError, settings_from_environment
from tests.publishers.conftest import ClientFor
from tests.standin.server import StandIn

EMPLOYMENT = "data/employment-rate.csv"
KEY = "0x5ec4e7c0de5ec4e7"


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def nowhere() -> dict[str, str]:
    return {"ons_els": f"http://127.0.0.1:{unused_port()}", "nomis": f"http://127.0.0.1:{unused_port()}"}


def test_it_says_who_is_asking(standin: StandIn, client_for: ClientFor) -> None:
    client_for(standin).get("ons_els", EMPLOYMENT)
    agent = standin.requests[0].headers["User-Agent"]
    assert agent.startswith("inclusive-growth-pipeline/")
    assert agent.endswith("(whoever runs this gave no contact)")  # never an address nobody answers
    assert agent.isascii()


@pytest.mark.parametrize(
    "fault", ["unavailable_once", "rate_limited_once", "dropped_connection_once", "internal_error_once"]
)
def test_a_passing_trouble_is_waited_out(standin: StandIn, client_for: ClientFor, fault: str) -> None:
    whole = client_for(standin).get("ons_els", EMPLOYMENT).content
    standin.faults.switch_on(fault)
    again = client_for(standin).get("ons_els", EMPLOYMENT)
    assert again.content == whole
    assert standin.count("data/") == 3


def test_retry_after_in_seconds_is_kept(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("rate_limited_once")
    started = time.monotonic()
    client_for(standin).get("ons_els", EMPLOYMENT)
    assert time.monotonic() - started >= 1.0


def test_retry_after_may_be_a_date() -> None:
    in_ten_seconds = email.utils.formatdate(time.time() + 10, usegmt=True)
    assert http.retry_after_seconds(in_ten_seconds) == pytest.approx(10, abs=2)
    assert http.retry_after_seconds("7") == 7
    assert http.retry_after_seconds(in_ten_seconds.removesuffix(" GMT")) == pytest.approx(10, abs=2)
    assert http.retry_after_seconds(email.utils.formatdate(0, usegmt=True)) == 0
    assert http.retry_after_seconds("soon") is None
    assert http.retry_after_seconds("-5") is None
    assert http.retry_after_seconds(None) is None


@pytest.mark.parametrize("absurd", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_retry_after_is_a_wait_too_long_and_not_a_crash(absurd: str) -> None:
    assert http.retry_after_seconds(absurd) == LONGEST_RETRY_AFTER_SECONDS


def test_a_retry_after_of_nothing_is_no_leave_to_ask_on_at_once(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "retry_after_seconds", lambda value: 0.0 if value else None)
    standin.faults.switch_on("rate_limited")
    started = time.monotonic()
    with pytest.raises(RequestRefused, match="answered 429 4 times"):
        client_for(standin, backoff_seconds=0.1).get("ons_els", EMPLOYMENT)
    assert time.monotonic() - started >= 0.1 + 0.2 + 0.4


def test_a_retry_after_beyond_the_limit_ends_the_request_at_once(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_WAIT_SECONDS", 0.5)  # the stand-in asks for one second
    standin.faults.switch_on("rate_limited")
    client = client_for(standin)
    with pytest.raises(RequestRefused, match="answered 429"):
        client.get("ons_els", EMPLOYMENT)
    assert len(standin.requests) == 1
    with pytest.raises(RequestRefused, match="asked for no requests for another 1 s"):
        client.get("ons_els", "data/claimant-count.csv")
    assert len(standin.requests) == 1


def test_when_one_request_is_asked_to_wait_all_threads_wait(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("rate_limited_once")
    client = client_for(standin, throttle=True)
    started = time.monotonic()
    first = threading.Thread(target=client.get, args=("ons_els", "metadata/indicators/claimant-count"))
    first.start()
    while not standin.requests:
        time.sleep(0.01)
    client.get("ons_els", "metadata/indicators/employment-rate")
    first.join()
    assert time.monotonic() - started >= 1.0
    assert len(standin.requests) == 3


def test_lasting_trouble_ends_with_the_servers_own_words(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("internal_error")
    with pytest.raises(RequestRefused, match=r"answered 500 4 times .*Internal Error"):
        client_for(standin).get("ons_els", EMPLOYMENT)
    assert len(standin.requests) == http.MAX_ATTEMPTS


def test_a_body_that_always_breaks_off_is_incomplete_and_not_short(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("dropped_connection")
    with pytest.raises(Incomplete, match="broke off"):
        client_for(standin).get("ons_els", EMPLOYMENT)


def test_a_redirect_is_followed_and_the_final_address_recorded(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("redirect", "employment")
    response = client_for(standin).get("ons_els", EMPLOYMENT)
    assert response.status == 200
    assert "/moved/" in response.url_without_secrets


def test_a_redirect_is_a_request_like_any_other(standin: StandIn, client_for: ClientFor) -> None:
    standin.faults.switch_on("redirect", "employment")
    client = client_for(standin, throttle=True)  # two a second
    started = time.monotonic()
    client.get("ons_els", EMPLOYMENT)
    assert time.monotonic() - started >= 0.5
    assert client.requests["ons_els"] == len(standin.requests) == 2


def test_a_document_can_be_asked_after_without_its_body(standin: StandIn, client_for: ClientFor) -> None:
    answer = client_for(standin).get("ons_els", EMPLOYMENT, without_body=True)
    assert (answer.status, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000
    assert standin.requests[0].method == "HEAD"


def test_a_body_larger_than_allowed_is_refused(standin: StandIn, client_for: ClientFor) -> None:
    with pytest.raises(WrongContent, match="more than 1,000 bytes"):
        client_for(standin, max_body_bytes=1000).get("ons_els", EMPLOYMENT, {"time": "all"})


def test_requests_to_one_host_keep_their_distance(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin, throttle=True)  # two a second
    started = time.monotonic()
    threads = [
        threading.Thread(target=client.get, args=("ons_els", "metadata/indicators/claimant-count")) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 1.0
    assert len(standin.requests) == 3


def test_a_document_needed_often_is_asked_for_once(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin)
    answers = {client.get_once("ons_els", "metadata/indicators/claimant-count").content for _ in range(3)}
    assert len(answers) == 1
    assert len(standin.requests) == 1


def test_an_unchanged_file_is_not_sent_again(shared_data: object, standin: StandIn, client_for: ClientFor) -> None:
    from tests.standin.files import FILES

    path = next(iter(FILES))
    first = client_for(standin).get("govuk", path)
    second = client_for(standin).get("govuk", path, etag=first.headers["ETag"])
    assert second.not_modified
    assert second.content == b""


# --- reachability -----------------------------------------------------------------------------------------------------


def test_an_unreachable_host_is_noticed_once_for_the_whole_run(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts: list[str] = []
    real = hosts.first_contact

    def counted(host: str, port: int) -> str:
        contacts.append(host)
        return real(host, port)

    monkeypatch.setattr(hosts, "first_contact", counted)
    client = client_for(base_urls=nowhere())
    failures: list[str] = []

    def ask() -> None:
        try:
            client.get("ons_els", EMPLOYMENT)
        except HostUnreachable as error:
            failures.append(str(error))

    started = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 2
    assert len(failures) == 8
    assert len(contacts) == 1
    assert "refused" in failures[0]
    assert "IG_ELS_URL" in failures[0]


def test_a_hanging_resolver_is_given_up_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> socket.socket:
        time.sleep(1.5)
        raise TimeoutError

    monkeypatch.setattr(hosts, "FIRST_CONTACT_DEADLINE_SECONDS", 0.2)
    started = time.monotonic()
    verdict = hosts.first_contact("www.example.org", 443, connect=hang)
    assert time.monotonic() - started < 1
    assert "resolver" in verdict


def test_an_unknown_name_and_a_silent_host_are_told_apart() -> None:
    def unknown(*_: object, **__: object) -> socket.socket:
        raise socket.gaierror(-2, "Name or service not known")

    def silent(*_: object, **__: object) -> socket.socket:
        raise TimeoutError

    assert "name is not known" in hosts.first_contact("www.example.org", 443, connect=unknown)
    assert "no connection within 3 s" in hosts.first_contact("www.example.org", 443, connect=silent)


def test_a_host_behind_a_proxy_is_judged_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert hosts.address_to_contact("https://www.ons.gov.uk/x") == ("proxy.example", 3128)
    monkeypatch.setenv("NO_PROXY", "www.ons.gov.uk")
    assert hosts.address_to_contact("https://www.ons.gov.uk/x") == ("www.ons.gov.uk", 443)


def test_a_stand_in_on_this_machine_is_asked_past_any_proxy(
    standin: StandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert client_for(standin).get("ons_els", EMPLOYMENT).status == 200


def test_a_host_that_takes_connections_but_never_answers_is_given_up_once(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = client_for(base_urls={"ons_els": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        source = client._sources["ons_els"].model_copy(update={"read_timeout_seconds": 0.3})
        monkeypatch.setattr(client, "_sources", {"ons_els": source})
        started = time.monotonic()
        with pytest.raises(Incomplete, match="sent nothing"):
            client.get("ons_els", EMPLOYMENT)
        with pytest.raises(HostUnreachable, match="sent nothing"):
            client.get("ons_els", EMPLOYMENT)
        assert time.monotonic() - started < 1


def test_a_host_that_closes_every_connection_is_given_up_once(client_for: ClientFor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    rude.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        client = client_for(base_urls={"ons_els": f"http://127.0.0.1:{rude.getsockname()[1]}"})
        with pytest.raises(HostUnreachable, match="closed the connection without answering"):
            client.get("ons_els", EMPLOYMENT)
        with pytest.raises(HostUnreachable, match="cannot be reached: it closed every connection"):
            client.get("ons_els", EMPLOYMENT)
        rude.shutdown(socket.SHUT_RDWR)


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_sent_to_nomis_only(standin: StandIn, client_for: ClientFor) -> None:
    client = client_for(standin, nomis_uid=KEY)
    client.get("nomis", "dataset/NM_17_5/time.def.sdmx.json")
    client.get("ons_els", EMPLOYMENT)
    assert [KEY in request.target for request in standin.requests] == [True, False]


@pytest.mark.parametrize("fault", [None, "unavailable", "dropped_connection", "echoed_address", "redirect"])
def test_the_key_shows_nowhere(
    standin: StandIn, client_for: ClientFor, caplog: pytest.LogCaptureFixture, fault: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        standin.faults.switch_on(fault)
    client = client_for(standin, nomis_uid=KEY)
    seen = [repr(client)]
    try:
        response = client.get("nomis", "dataset/NM_17_5.data.csv", {"geography": "TYPE480", "date": "latest"})
        seen += [
            str(response.content),
            repr(response),
            response.url_without_secrets,
            str(dict(response.headers)),
            response.message,
        ]
        seen += [str(dict(response.params_without_secrets))]
    except (RequestRefused, Incomplete) as error:
        seen += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    assert not any(KEY in text for text in seen)
    assert KEY not in caplog.text
    assert "dataset/NM_17_5" in caplog.text


@pytest.mark.parametrize(
    "wrong", ["e", "0", "0x12 34567", "NPK-1:0x5ec4e7c0de", "0x5ec4e7%2Bc0de", "0x5ec4e7+/c0de=", "0xé5ec4e7"]
)
def test_a_key_that_could_change_figures_or_be_spelt_two_ways_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(SettingsError, match="NOMIS_UID must be the key") as caught:
        settings_from_environment({"NOMIS_UID": wrong})
    assert len(wrong) < 3 or wrong not in str(caught.value)
    assert settings_from_environment({"NOMIS_UID": f" {KEY}\n"}).nomis_uid == KEY
    assert settings_from_environment({"NOMIS_UID": " "}).nomis_uid is None


def test_the_key_is_not_in_the_words_about_an_unreachable_host(client_for: ClientFor) -> None:
    with pytest.raises(HostUnreachable) as caught:
        client_for(base_urls=nowhere(), nomis_uid=KEY).get("nomis", "dataset/NM_17_5.data.csv")
    assert KEY not in str(caught.value)
