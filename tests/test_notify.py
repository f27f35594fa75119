"""People are told of a run by webhook and e-mail, when they asked to be, and no address leaks when that fails."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pipeline.notify import Message, Recipients, recipients_from_environment, send
from pipeline.settings import SettingsError

FAILED = Message("Refresh failed", "nomis sent HTML\nthe file of yesterday stays", "failures")
PUBLISHED = Message("Published 1.4.0", "12 figures revised", "changes")


class Webhook(ThreadingHTTPServer):
    """A local receiver that keeps what was posted and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.posted: list[dict[str, Any]] = []
        self.status = 200
        self.behaviour = "answers"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/T0/B0/secret-token"


class _Receiver(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append({"type": self.headers["Content-Type"], **json.loads(body)})
        if self.server.behaviour == "says nothing":
            threading.Event().wait(1)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        with suppress(OSError):  # the other end has heard enough
            while self.server.behaviour == "never ends":
                self.wfile.write(b"x" * 65536)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Mailbox:
    """What a real SMTP server was handed."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received.append(envelope)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, auth_require_tls=False
    )
    controller.start()
    yield box, port
    controller.stop()


def test_nobody_is_told_by_default() -> None:
    assert recipients_from_environment({}) == Recipients()
    assert send(FAILED, recipients_from_environment({})) == []


def test_a_failure_is_posted_as_slack_takes_it(webhook: Webhook) -> None:
    recipients = recipients_from_environment({"IG_WEBHOOK_URL": webhook.url})
    assert send(FAILED, recipients) == []
    assert webhook.posted == [
        {"type": "application/json", "text": "*Refresh failed*\nnomis sent HTML\nthe file of yesterday stays"}
    ]


@pytest.mark.parametrize(("when", "told"), [("failures", 1), ("changes", 2), ("always", 3)])
def test_only_what_was_asked_for_is_told(webhook: Webhook, when: str, told: int) -> None:
    recipients = recipients_from_environment({"IG_WEBHOOK_URL": webhook.url, "IG_NOTIFY": when})
    for message in (FAILED, PUBLISHED, Message("Nothing new", "", "always")):
        assert send(message, recipients) == []
    assert len(webhook.posted) == told


def test_a_mail_reaches_everyone_named_with_user_and_password(mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    recipients = recipients_from_environment(
        {
            "IG_SMTP_URL": f"smtp://analyst:p%40ss@127.0.0.1:{port}",
            "IG_MAIL_TO": "one@council.example, two@council.example",
            "IG_MAIL_FROM": "pipeline@council.example",
        }
    )
    assert send(FAILED, recipients) == []
    (envelope,) = box.received
    assert envelope.rcpt_tos == ["one@council.example", "two@council.example"]
    assert isinstance(envelope.content, bytes)
    text = message_from_bytes(envelope.content)
    assert text["Subject"] == "Refresh failed"
    assert abs((parsedate_to_datetime(text["Date"]) - datetime.now(UTC)).total_seconds()) < 60
    assert text["Message-ID"]
    assert "the file of yesterday stays" in str(text.get_payload())
    assert box.logins == [(b"analyst", b"p@ss")]


def test_what_cannot_be_delivered_is_a_sentence_without_the_secret(webhook: Webhook) -> None:
    webhook.status = 403
    (sentence,) = send(FAILED, recipients_from_environment({"IG_WEBHOOK_URL": webhook.url}))
    assert sentence == "the message could not be sent to the webhook: 127.0.0.1 answered 403"
    away = recipients_from_environment(
        {
            "IG_WEBHOOK_URL": f"http://127.0.0.1:{free_port()}/secret-token",
            "IG_SMTP_URL": f"smtp://analyst:hunter2@127.0.0.1:{free_port()}",
            "IG_MAIL_TO": "one@council.example",
        }
    )
    sentences = " ".join(send(FAILED, away))
    assert sentences.count("could not be") == 2
    assert "secret-token" not in sentences + repr(away)
    assert "hunter2" not in sentences + repr(away)


@pytest.mark.parametrize(
    ("behaviour", "status", "says"),
    [
        ("answers", 500, ["the message could not be sent to the webhook: 127.0.0.1 answered 500"]),
        ("answers", 302, ["the message could not be sent to the webhook: 127.0.0.1 answered 302"]),
        ("says nothing", 200, ["the message could not be sent to the webhook: ReadTimeout from 127.0.0.1"]),
        ("never ends", 200, []),
    ],
)
def test_a_receiver_that_is_broken_or_slow_holds_nobody_up(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, behaviour: str, status: int, says: list[str]
) -> None:
    monkeypatch.setattr("pipeline.notify._TIMEOUT_SECONDS", 0.2)
    webhook.behaviour, webhook.status = behaviour, status
    assert send(FAILED, recipients_from_environment({"IG_WEBHOOK_URL": webhook.url})) == says
    assert len(webhook.posted) == 1  # a redirect is not followed


def test_what_a_publisher_wrote_is_no_command_to_slack(webhook: Webhook) -> None:
    told = Message("Refresh failed", "nomis sent <!channel> & <https://evil.example|click>", "failures")
    send(told, recipients_from_environment({"IG_WEBHOOK_URL": webhook.url}))
    assert webhook.posted[0]["text"].endswith("nomis sent &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;")


@pytest.mark.parametrize(
    "environment",
    [
        {"IG_WEBHOOK_URL": "https://a..b/secret-token"},
        {"IG_SMTP_URL": "smtp://analyst:secret-token@a..b", "IG_MAIL_TO": "one@council.example"},
        {"IG_SMTP_URL": "smtp://127.0.0.1:9", "IG_MAIL_TO": "one@council.example\nBcc: all@council.example"},
    ],
)
def test_an_address_no_computer_can_have_costs_the_message_and_not_the_night(environment: dict[str, str]) -> None:
    (sentence,) = send(FAILED, recipients_from_environment(environment))
    assert "could not be" in sentence
    assert "secret-token" not in sentence


def test_a_password_is_never_sent_over_an_open_line_to_another_machine(
    mail: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, port = mail
    monkeypatch.setattr("pipeline.notify._THIS_MACHINE", ())
    environment = {"IG_SMTP_URL": f"smtp://analyst:p%40ss@127.0.0.1:{port}", "IG_MAIL_TO": "one@council.example"}
    assert len(send(FAILED, recipients_from_environment(environment))) == 1
    assert box.logins == []
    assert box.received == []


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"IG_NOTIFY": "sometimes"}, "IG_NOTIFY"),
        ({"IG_WEBHOOK_URL": "hooks.example/x"}, "IG_WEBHOOK_URL"),
        ({"IG_WEBHOOK_URL": "https://"}, "IG_WEBHOOK_URL"),
        ({"IG_WEBHOOK_URL": "https://[bad"}, "IG_WEBHOOK_URL"),
        ({"IG_WEBHOOK_URL": "http://hooks.example/x"}, "IG_WEBHOOK_URL must be an address that begins with https://"),
        ({"IG_MAIL_TO": "a@b.example"}, "IG_SMTP_URL and IG_MAIL_TO"),
        ({"IG_SMTP_URL": "mail.example:25", "IG_MAIL_TO": "a@b.example"}, "IG_SMTP_URL"),
        ({"IG_SMTP_URL": "smtp://mail.example:abc", "IG_MAIL_TO": "a@b.example"}, "IG_SMTP_URL"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        recipients_from_environment(environment)


@pytest.mark.parametrize("kind", ["webhook", "mail"])
def test_a_receiver_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("pipeline.notify._MOST_SECONDS", 0.5)
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        port = receiver.getsockname()[1]

        def trickle() -> None:
            connection, _ = receiver.accept()
            with connection, suppress(OSError):
                for _ in range(100):
                    connection.sendall(b"2")
                    if is_over.wait(0.1):
                        return

        server = threading.Thread(target=trickle, daemon=True)
        server.start()
        server_url = {
            "webhook": {"IG_WEBHOOK_URL": f"http://127.0.0.1:{port}/services/secret-token"},
            "mail": {"IG_SMTP_URL": f"smtp://127.0.0.1:{port}", "IG_MAIL_TO": "team@example.org"},
        }[kind]
        began = time.monotonic()
        [sentence] = send(FAILED, recipients_from_environment(server_url))
        assert time.monotonic() - began < 2
        is_over.set()
        server.join(timeout=2)
    assert sentence.endswith("had not finished responding after 0.5 s")
    assert "secret-token" not in sentence
