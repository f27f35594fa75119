"""The ways in which a question about areas can fail; each message is one sentence that a person can act on."""

from __future__ import annotations

from pipeline.errors import PipelineError


class GeographyError(PipelineError, ValueError):
    """Something about areas is inconsistent or has no answer."""


class UnknownAreaError(GeographyError):
    """No area has this code or name; near matches are in the text."""


class AmbiguousAreaError(GeographyError):
    """Several areas have this name; they are listed in the text."""


class UnknownVintageError(GeographyError):
    """The register has no map for this year."""


class RegisterError(GeographyError):
    """The facts tables contradict themselves; the message lists every problem, one a line."""


class LedgerError(GeographyError):
    """Input rows are missing from the output: a fault of this program, never of the data."""
