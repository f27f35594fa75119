"""Consoles for the command line: a terminal, or plain lines in a log."""

from __future__ import annotations

from rich.console import Console

LOG_WIDTH = 120


def make_console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; without a terminal, LOG_WIDTH columns of plain text."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=LOG_WIDTH)
