"""Notify people about a run by webhook (JSON as Slack accepts) and e-mail. Both are off until they are set up.

Set through environment variables only, since the addresses are secrets::

    IG_WEBHOOK_URL   where to post {"text": "..."}
    IG_SMTP_URL      smtp://host[:port], smtps://host[:port]; user and password as user:password@
    IG_MAIL_TO       who gets the mail, separated by commas
    IG_MAIL_FROM     sender (default: the first of IG_MAIL_TO)
    IG_NOTIFY        failures (default): runs that did not succeed, and files published with a warning from the gates;
                     changes: also when a file was published; always

A message that cannot be delivered never fails a run: it becomes a line of the run report, without the secret.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal, cast, get_args
from urllib.parse import unquote, urlsplit

import requests

from pipeline import __version__
from pipeline.settings import SettingsError

When = Literal["failures", "changes", "always"]

_TIMEOUT_SECONDS = 10
_MOST_SECONDS = 30.0  # for a complete delivery, even if the server sends byte by byte
_SMTP_PORTS = {"smtp": 25, "smtps": 465}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Message:
    """A notification: ``subject`` is one line, ``text`` plain text. ``concerns`` is the lowest setting that sends it."""

    subject: str
    text: str
    concerns: When


@dataclass(frozen=True)
class MailServer:
    """The outgoing mail server. User and password never appear in ``repr``."""

    host: str
    port: int
    is_tls: bool
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Recipients:
    """Who is notified, and when. The webhook's address never appears in ``repr``."""

    when: When = "failures"
    webhook_url: str | None = field(default=None, repr=False)
    mail_server: MailServer | None = None
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""

    def want(self, message: Message) -> bool:
        """Whether a message of this kind was asked for."""
        order = get_args(When)
        return order.index(message.concerns) <= order.index(self.when)


def recipients_from_environment(environ: Mapping[str, str] | None = None) -> Recipients:
    """Read the recipients; none by default. Raises SettingsError naming the variable that cannot be used."""
    env = os.environ if environ is None else environ
    when = env.get("IG_NOTIFY") or "failures"
    if when not in get_args(When):
        raise SettingsError(f"IG_NOTIFY is {when!r}; it can be {', '.join(get_args(When))}")
    webhook = env.get("IG_WEBHOOK_URL") or None
    if webhook is not None and not _is_private_address(webhook):
        raise SettingsError(
            "IG_WEBHOOK_URL must be an address that begins with https:// (http:// is allowed only on this machine, "
            "since the address is the secret and would be sent unencrypted)"
        )
    to = tuple(address.strip() for address in (env.get("IG_MAIL_TO") or "").split(",") if address.strip())
    server = _mail_server(env.get("IG_SMTP_URL") or "")
    if bool(to) != (server is not None):
        raise SettingsError("IG_SMTP_URL and IG_MAIL_TO go together: set both for e-mail, or neither")
    sender = env.get("IG_MAIL_FROM") or (to[0] if to else "")
    return Recipients(cast(When, when), webhook, server, to, sender)


def _is_private_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)


def _mail_server(url: str) -> MailServer | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError("IG_SMTP_URL has a port that is not a number") from None
    if parts.scheme not in _SMTP_PORTS or not parts.hostname:
        raise SettingsError("IG_SMTP_URL must read smtp://host:port or smtps://host:port")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return MailServer(parts.hostname, port or _SMTP_PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def send(message: Message, recipients: Recipients) -> list[str]:
    """Deliver a message to everyone who asked for its kind; return a sentence for each delivery that failed."""
    if not recipients.want(message):
        return []
    found = []
    if (url := recipients.webhook_url) is not None:
        found += _in_time(
            lambda: _post(message, url), f"the message could not be sent to the webhook: {urlsplit(url).hostname}"
        )
    if (server := recipients.mail_server) is not None:
        found += _in_time(
            lambda: _mail(message, recipients, server), f"the mail could not be sent: {server.host}:{server.port}"
        )
    return found


def _in_time(deliver: Callable[[], list[str]], failure: str) -> list[str]:
    """The failures of a delivery, with a time limit on all of it: a library's timeout restarts with every byte."""
    came: list[list[str]] = []
    thread = threading.Thread(target=lambda: came.append(deliver()), name="telling", daemon=True)
    thread.start()
    thread.join(_MOST_SECONDS)
    return came[0] if came else [f"{failure} had not finished responding after {_MOST_SECONDS:g} s"]


def _post(message: Message, url: str) -> list[str]:
    body = {"text": _for_slack(f"*{message.subject}*\n{message.text}")}
    agent = {"User-Agent": f"inclusive-growth-pipeline/{__version__}"}
    try:
        # streamed and left unread: only the status matters, and a body may never end
        with requests.post(
            url, json=body, headers=agent, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except (requests.RequestException, OSError, ValueError) as error:
        # the error's text may contain the address, which is the secret
        return [f"the message could not be sent to the webhook: {type(error).__name__} from {urlsplit(url).hostname}"]
    return (
        [f"the message could not be sent to the webhook: {urlsplit(url).hostname} answered {status}"]
        if status >= 300
        else []
    )


def _for_slack(text: str) -> str:
    """Text without commands: Slack interprets `<!channel>` and `<address|words>`, even in a publisher's words."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mail(message: Message, recipients: Recipients, server: MailServer) -> list[str]:
    verified = ssl.create_default_context()
    try:
        mail = _letter(message, recipients)
        with (
            smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_SECONDS, context=verified)
            if server.is_tls
            else smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
        ) as connection:
            _hand_in(connection, mail, server, verified)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return [f"the mail could not be sent: {type(error).__name__} from {server.host}:{server.port}"]
    return []


def _letter(message: Message, recipients: Recipients) -> EmailMessage:
    """The mail, ready to send. Raises ValueError for an address that e-mail does not allow."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = recipients.mail_from
    mail["To"] = ", ".join(recipients.mail_to)
    mail["Date"] = format_datetime(datetime.now(UTC))
    # the default domain is this machine's name, whose lookup may be slow
    mail["Message-ID"] = make_msgid(domain="inclusive-growth-pipeline.invalid")
    mail.set_content(message.text)
    return mail


def _hand_in(connection: smtplib.SMTP, mail: EmailMessage, server: MailServer, verified: ssl.SSLContext) -> None:
    connection.ehlo()
    is_private = server.is_tls or server.host in _THIS_MACHINE
    if not server.is_tls and connection.has_extn("starttls"):
        connection.starttls(context=verified)
        connection.ehlo()
        is_private = True
    if server.user is not None:
        if not is_private:
            raise smtplib.SMTPNotSupportedError("no password is sent unencrypted")
        connection.login(server.user, server.password or "")
    connection.send_message(mail)
