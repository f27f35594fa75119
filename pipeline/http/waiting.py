"""How long a publisher asks to wait: read from its headers, and said in words."""

from __future__ import annotations

import email.utils
import math
import re
import time
from datetime import UTC

LONGEST_RETRY_AFTER_SECONDS = 86_400.0 * 365  # a cap: no run lasts this long


def wait_in_words(seconds: float) -> str:
    """A wait in words, rounded up: ``45 seconds``, ``5 minutes``, ``1 hour``, ``2 days``."""
    size, unit = next(
        (pair for pair in ((86_400, "day"), (3_600, "hour"), (60, "minute")) if seconds >= pair[0]), (1, "second")
    )
    count = math.ceil(round(seconds / size, 1))
    return f"{count} {unit}{'' if count == 1 else 's'}"


def retry_after_seconds(value: str | None) -> float | None:
    """``Retry-After`` as seconds from now: a number or an HTTP date (RFC 9110 section 10.2.3); None if neither."""
    if not value:
        return None
    if re.fullmatch(r"[0-9]+", value.strip(), re.ASCII):
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        # A date without a zone is GMT, as RFC 9110 requires.
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)
