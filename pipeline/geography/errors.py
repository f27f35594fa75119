"""The ways in which a question about areas can fail; each message is one sentence a person can act on."""

from __future__ import annotations

from pipeline.errors import PipelineError


class GeographyError(PipelineError, ValueError):
    """Something about areas cannot be right or cannot be answered."""


class UnknownAreaError(GeographyError):
    """No area has this code or name; near matches are in the text."""


class AmbiguousAreaError(GeographyError):
    """Several areas answer to this name; they are listed in the text."""


class UnknownVintageError(GeographyError):
    """The register holds no map of this year."""


class RegisterError(GeographyError):
    """The facts tables contradict themselves; the message lists every problem, one a line."""


class LedgerError(GeographyError):
    """Rows went in that came out nowhere: a fault of this program, never of the data."""
