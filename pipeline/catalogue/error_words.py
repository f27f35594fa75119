"""What is told of a figure's sampling error: the one wording of the three states of ``dim_indicator.error_status``."""

from __future__ import annotations

from typing import Literal

ErrorStatus = Literal["published", "published_not_held", "not_published"]
WORDS: dict[ErrorStatus, str] = {
    "published": "a sampling error is published and used here",
    "published_not_held": "a sampling error is published but not held here",
    "not_published": "no sampling error is published",
}


def error_in_words(status: ErrorStatus) -> str:
    """One state of an indicator's error as a clause, without a full stop. Raises KeyError for another state."""
    return WORDS[status]


def figure_error_status(indicator_status: ErrorStatus, *, has_error: bool) -> ErrorStatus:
    """The state of one figure: that of its indicator, but for one that lacks the error others of the indicator have.

    Northern Ireland's districts, for one, come without the error that NISRA publishes of their pay.
    """
    if has_error:
        return "published"
    return "not_published" if indicator_status == "not_published" else "published_not_held"
