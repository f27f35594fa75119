"""The only access to the network: polite, bounded, and silent about keys.

It follows the rules that ONS sets for bots: a plain ASCII User-Agent with name, version and contact address
(WIRE_FORMATS section 3.4). It also keeps to what Nomis clients found workable: two requests a second (section 1.3).
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from pipeline import __version__
from pipeline.catalogue.model import Source
from pipeline.http.exchange import Allowance, OutOfTime, Session, body_of, host_of, redirected_to, within
from pipeline.http.failures import MAX_ATTEMPTS, MAX_REDIRECTS, BrokenError, translated_errors, unreachable
from pipeline.http.hosts import Host, is_loopback
from pipeline.http.once import OncePerRun, SpoolFolder
from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused
from pipeline.http.response import HttpResponse
from pipeline.http.waiting import retry_after_seconds, wait_in_words
from pipeline.settings import Settings

MAX_WAIT_SECONDS = 60.0  # total pauses of one request, whatever Retry-After says
# A publisher whose answer takes longer than this, however steadily it trickles in, will not finish tonight. The limit
# covers all attempts at one request, from the first connection to the last byte.
MAX_ANSWER_SECONDS = 900.0
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
KEY_PLACEHOLDER = "(key)"


class _KeyFilter(logging.Filter):
    """Keeps the key out of urllib3's debug lines, which print every request with its parameters."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        if self._secret in (text := record.getMessage()):
            record.msg, record.args = text.replace(self._secret, KEY_PLACEHOLDER), ()
        return True


def user_agent(contact: str | None) -> str:
    """The User-Agent in the form that ONS asks of bots: name, version and contact, or that no contact was given."""
    whom = f"+{contact}" if contact else "whoever runs this gave no contact"
    return f"inclusive-growth-pipeline/{__version__} ({whom})"


class HttpClient:
    """GET requests to the catalogue's sources, for one run; safe to share between threads.

    Each thread keeps connections open in its own session. At most ``requests_per_second`` start on one host, counted
    over all threads. The first contact with a host decides, once, whether it can be reached at all. An answer may be as
    large as its source's ``largest_answer_megabytes`` in sources.yaml, or ``max_body_bytes``, and may take
    ``max_answer_seconds``. No request starts after half of ``settings.most_minutes``, which leaves the other half for
    the work. ``throttle=False`` and a smaller ``backoff_seconds`` are for tests against a stand-in.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        settings: Settings,
        *,
        throttle: bool = True,
        backoff_seconds: float = 1.0,
        max_body_bytes: int | None = None,
        max_answer_seconds: float = MAX_ANSWER_SECONDS,
    ) -> None:
        self._sources = sources
        self._base_urls = dict(settings.base_urls)
        self._secret = settings.nomis_uid
        self.has_nomis_key = bool(self._secret)
        self.requests: Counter[str] = Counter()  # sent so far, by source
        self.user_agent = user_agent(settings.contact)
        self.once = OncePerRun()
        self.spool = SpoolFolder()
        self._throttle = throttle
        self._backoff_seconds = backoff_seconds
        self._max_body_bytes = max_body_bytes
        self._max_answer_seconds = max_answer_seconds
        self._asks_until = time.monotonic() + settings.most_minutes * 60 / 2
        self._hosts: dict[tuple[str, str], Host] = {}
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._log_filter = _KeyFilter(self._secret) if self._secret else None
        if self._log_filter:
            logging.getLogger("urllib3.connectionpool").addFilter(self._log_filter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection of every thread, and delete the files of payloads that were not stored."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
            self._local = threading.local()
        for session in sessions:
            session.close()
        self.spool.close()
        if self._log_filter:
            logging.getLogger("urllib3.connectionpool").removeFilter(self._log_filter)

    def base_url(self, source_id: str) -> str:
        """The address in use for a source: from the environment, else the publisher's."""
        return self._base_urls.get(source_id) or str(self._sources[source_id].base_url).rstrip("/")

    def get(
        self,
        source_id: str,
        path_or_url: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        without_body: bool = False,
    ) -> HttpResponse:
        """Request ``path_or_url`` (relative to the source's base URL, or absolute) and return the complete answer.

        Answers of 429 and 5xx, broken connections and short bodies are retried, up to MAX_ATTEMPTS times and
        MAX_WAIT_SECONDS of waiting. Any other status is returned for the adapter to judge. With ``etag`` or
        ``last_modified``, an unchanged document comes back as ``not_modified`` without content. ``without_body`` only
        checks whether the document exists (HEAD).

        Raises HostUnreachable (no connection, now or at this run's first contact), RequestRefused (still 429 or 5xx at
        the end, or a host that the catalogue does not name), Incomplete (the body kept breaking off, or time ran out),
        WrongContent (the body is larger than allowed).
        """
        source = self._sources[source_id]
        url = path_or_url if "://" in path_or_url else f"{self.base_url(source_id)}/{path_or_url.lstrip('/')}"
        self._require_known_host(source, url)
        public = {name: str(value) for name, value in (params or {}).items()}
        sent = {**public, "uid": self._secret} if self._secret and source_id == "nomis" else public
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        host = self._host(source_id, url)
        if verdict := host.verdict(url):
            raise unreachable(source, verdict, url)

        waited = 0.0
        ends_at = min(time.monotonic() + self._max_answer_seconds, self._asks_until)
        method = "HEAD" if without_body else "GET"
        for attempt in range(1, MAX_ATTEMPTS + 1):
            allowance = self._allowance(source, url, ends_at)
            self._wait_for_turn(host, source)
            pause = self._backoff_seconds * 2 ** (attempt - 1)
            try:
                with within(allowance):
                    response = self._send_once(host, source, url, sent, public, headers, method, allowance)
            except OutOfTime as error:
                host.give_up(f"it did not finish an answer within {self._max_answer_seconds:g} s", for_good=True)
                raise Incomplete(str(error)) from None
            except BrokenError as broken:
                failure, attempts_worth_making = broken.as_source_error, broken.attempts_worth_making
            else:
                if response.status not in RETRIED_STATUSES:
                    return response
                asked = retry_after_seconds(response.headers.get("retry-after"))
                failure = RequestRefused(
                    f"{source.title} answered {response.status} {'once' if attempt == 1 else f'{attempt} times'} for "
                    f"{response.url_without_secrets}: {response.message}"
                    + (
                        f". It asks to wait {wait_in_words(asked)}; try again after that."
                        if asked
                        else ". Try again later."
                    )
                )
                attempts_worth_making = MAX_ATTEMPTS
                if asked is not None:
                    pause = max(pause, asked)  # "0", or a past date, does not mean that no pause is needed
                    host.hold_off(asked)
            if attempt >= attempts_worth_making or waited + pause > MAX_WAIT_SECONDS:
                break
            time.sleep(pause)
            waited += pause
        if isinstance(failure, HostUnreachable):
            host.give_up("it closed every connection without an answer")
        raise failure

    def get_once(
        self, source_id: str, path: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> HttpResponse:
        """``get`` for documents that many queries need (definitions, metadata, an index's file): requested once in a run."""

        def ask() -> HttpResponse:
            response = self.get(source_id, path, etag=etag, last_modified=last_modified)
            if (etag or last_modified) and not response.not_modified:  # a changed document need not be fetched twice
                self.once((source_id, path, None, None), lambda: response)
            return response

        return self.once((source_id, path, etag, last_modified), ask)

    def require_reachable(self, source_id: str) -> None:
        """Check once in a run that a source's host accepts connections, without a request.

        Raises HostUnreachable.
        """
        source, url = self._sources[source_id], self.base_url(source_id)
        if verdict := self._host(source_id, url).verdict(url):
            raise unreachable(source, verdict, url)

    # --- reachability and manners -------------------------------------------------------------------------------

    def _host(self, source_id: str, url: str) -> Host:
        """One host of one source: sources behind the same mirror or stand-in keep separate rates."""
        parts = urlsplit(url)
        with self._lock:
            return self._hosts.setdefault((source_id, f"{parts.scheme}://{parts.netloc}"), Host())

    def _wait_for_turn(self, host: Host, source: Source) -> None:
        """Wait until the next request to the host may be sent, and count it."""
        if host.held_for > MAX_WAIT_SECONDS:
            raise RequestRefused(
                f"{source.title} has asked for no requests for another {wait_in_words(host.held_for)}; try again after that."
            )
        if self._throttle:
            host.take_turn(source.requests_per_second)
        with self._lock:
            self.requests[source.id] += 1

    def _session(self) -> Session:
        """This thread's own."""
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = Session(self.user_agent)
            with self._lock:
                self._sessions.append(session)
        return session

    def _known_hosts(self, source: Source) -> set[str]:
        """The hosts that may be contacted for a source: its own, its replacement, and its other hosts in the catalogue."""
        own = {host_of(urlsplit(url)) for url in (str(source.base_url), self.base_url(source.id))}
        return own | set(source.other_hosts)

    def _require_known_host(self, source: Source, url: str) -> None:
        """Refuse hosts outside the catalogue, since a publisher's documents may contain addresses too."""
        try:
            is_known = host_of(urlsplit(url)) in self._known_hosts(source)
        except ValueError:
            is_known = False
        if not is_known:
            raise RequestRefused(
                f"{source.title} names an address that is not requested ({self._redacted(url)[:200]}): sources.yaml does not "
                "name its host among the source's other_hosts."
            )

    # --- one request --------------------------------------------------------------------------------------------

    def _allowance(self, source: Source, url: str, ends_at: float) -> Allowance:
        """The limits of one attempt. Raises Incomplete if there is no time left for requests."""
        allowance = Allowance(
            where=f"{source.title} ({self._redacted(url)})",
            most_bytes=self._max_body_bytes or source.largest_answer_megabytes * 1_000_000,
            ends_at=ends_at,
            seconds=self._max_answer_seconds,
        )
        if time.monotonic() >= self._asks_until:
            raise Incomplete(
                f"{allowance.where} was not requested: half of the night's time (IG_MOST_MINUTES) is up, and the rest is for "
                "processing what has arrived."
            )
        allowance.seconds_left()
        return allowance

    def _send_once(
        self,
        host: Host,
        source: Source,
        url: str,
        sent: Mapping[str, str],
        public: Mapping[str, str],
        headers: Mapping[str, str],
        method: str,
        allowance: Allowance,
    ) -> HttpResponse:
        with (
            translated_errors(host, source, self._redacted(url), self._redacted),
            self._followed(source, method, url, sent, headers, allowance) as answer,
        ):
            host.has_answered = True
            content = b"" if method == "HEAD" else self._body(answer, allowance)
            return HttpResponse(
                content=content,
                status=answer.status_code,
                headers=CaseInsensitiveDict({k: self._redacted(v) for k, v in answer.headers.items()}),
                url_without_secrets=self._redacted(answer.url),
                params_without_secrets=public,
                not_modified=answer.status_code == 304,
            )

    def _followed(
        self,
        source: Source,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        allowance: Allowance,
    ) -> requests.Response:
        """The answer after all redirects, with no body read. Each redirect is a request like any other."""
        known_hosts = self._known_hosts(source)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._session().request(
                method,
                url,
                params=params,
                headers=headers,
                timeout=(min(source.connect_timeout_seconds, allowance.seconds_left()), source.read_timeout_seconds),
                proxies={"no_proxy": "*"} if is_loopback(url) else None,
                stream=True,
                allow_redirects=False,
            )
            try:
                target = redirected_to(answer, known_hosts, self._secret)
            except requests.exceptions.InvalidURL:
                answer.close()
                raise
            if target is None:
                return answer
            answer.close()
            url, params = target, None
            self._wait_for_turn(self._host(source.id, url), source)
        raise requests.exceptions.TooManyRedirects

    def _body(self, answer: requests.Response, allowance: Allowance) -> bytes:
        """The complete body, checked against its declared length."""
        body = body_of(answer, allowance)
        promised = answer.headers.get("content-length", "")
        is_plain = answer.headers.get("content-encoding", "identity") == "identity"
        is_number = re.fullmatch(r"[0-9]{1,18}", promised) is not None
        if is_plain and is_number and len(body) != int(promised) and answer.status_code != 304:
            raise requests.exceptions.ChunkedEncodingError(f"{len(body):,} of {int(promised):,} bytes arrived")
        if self._secret:  # a page that quotes the requested address would carry the key into files and errors
            body = body.replace(self._secret.encode(), KEY_PLACEHOLDER.encode())
        return body

    def _redacted(self, text: str) -> str:
        """``text`` without the key. Nothing else removes it."""
        if not self._secret:
            return text
        without_parameter = re.sub(rf"([?&])uid={re.escape(self._secret)}(&|$)", _keep_separator, text)
        return without_parameter.replace(self._secret, KEY_PLACEHOLDER)


def _keep_separator(match: re.Match[str]) -> str:
    return match[1] if match[2] else ""
