"""Failed requests: how they are reported, and how many attempts are worth making."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
import urllib3

from pipeline.catalogue.model import Source
from pipeline.http.hosts import Host
from pipeline.http.payload import HostUnreachable, Incomplete, RequestRefused, SourceError

MAX_ATTEMPTS = 4
MAX_ATTEMPTS_AFTER_SILENCE = 2  # a single read timeout takes minutes
MAX_REDIRECTS = 5


class BrokenError(Exception):
    """One failed attempt: its error, and how many attempts are worth making in all."""

    def __init__(self, as_source_error: SourceError, attempts_worth_making: int) -> None:
        super().__init__(str(as_source_error))
        self.as_source_error = as_source_error
        self.attempts_worth_making = attempts_worth_making


@contextmanager
def translated_errors(host: Host, source: Source, url: str, redacted: Callable[[str], str]) -> Iterator[None]:
    """Raise BrokenError for a failed request, without the library's text, which quotes the address with its key.

    ``url`` is already ``redacted``, which takes the key out of a text.
    """
    where = f"{source.title} ({url})"
    silence = f"sent nothing for {source.read_timeout_seconds:g} s"
    try:
        yield
    except requests.exceptions.SSLError:
        host.give_up("its certificate could not be verified")
        failure: SourceError = HostUnreachable(
            f"{where}: the certificate could not be verified; check the machine's clock and proxy."
        )
        raise BrokenError(failure, 1) from None
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
        reason = "the proxy refused" if isinstance(error, requests.exceptions.ProxyError) else "no connection in time"
        attempts = MAX_ATTEMPTS if host.has_answered else 1
        host.give_up(reason)
        raise BrokenError(HostUnreachable(f"{where}: {reason}; check the network."), attempts) from None
    except requests.exceptions.ReadTimeout:
        attempts = MAX_ATTEMPTS_AFTER_SILENCE if host.has_answered else 1
        host.give_up(f"it accepted the connection but {silence}")
        raise BrokenError(Incomplete(f"{where} {silence}; try again later."), attempts) from None
    except requests.exceptions.ChunkedEncodingError:
        failure = Incomplete(f"{where} broke off in the middle of its answer; none of it is used.")
        raise BrokenError(failure, MAX_ATTEMPTS) from None
    except requests.exceptions.TooManyRedirects:
        raise BrokenError(RequestRefused(f"{where} redirected more than {MAX_REDIRECTS} times."), 1) from None
    except requests.exceptions.ConnectionError:
        failure = HostUnreachable(f"{where} closed the connection without answering; try again later.")
        raise BrokenError(failure, MAX_ATTEMPTS) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise BrokenError(RequestRefused(f"{where}: {redacted(str(error))[:200]}"), 1) from None


def unreachable(source: Source, verdict: str, url: str) -> HostUnreachable:
    return HostUnreachable(
        f"{source.title} cannot be reached: {verdict} ({urlsplit(url).hostname}). "
        f"Check the network, a proxy, or {source.environment_variable}; nothing is known about its data."
    )
