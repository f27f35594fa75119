"""Exit codes, and expected failures: a sentence for a person, not a traceback."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 3
EXIT_INCOMPLETE = 4
EXIT_LOCKED = 5


class PipelineError(Exception):
    """An expected failure. The message is for a person, ``exit_code`` for cron.

    Each package has its own subclass; the command line prints any of them as one sentence (`pipeline.cli.main`).
    """

    exit_code: int = EXIT_FAILED

    def __init__(self, message: object = "", exit_code: int | None = None) -> None:
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code


class VerbError(PipelineError):
    """A verb cannot do what was requested: wrong arguments, or nothing to work on."""
