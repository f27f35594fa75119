"""End a night that outlasts its limit: whatever hangs, the lock goes with the process, and somebody is told."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.errors import EXIT_FAILED

# How long telling may take, since what hangs may be the disk or the network that telling needs too.
SECONDS_TO_TELL = 60.0


@contextmanager
def ended_after(seconds: float, tell: Callable[[list[str]], None]) -> Iterator[None]:
    """Do what is inside; after ``seconds``, ``tell`` and end this process with exit code 1, wherever it stands.

    ``tell`` is given what each thread was doing. The process ends as if it were killed, which every step is made for:
    nothing half written counts, and the operating system lets the lock go. Where even Python's threads stand still, a
    watchdog beneath them ends the process, and writes to standard error what it was doing.
    """

    def end() -> None:
        teller = threading.Thread(target=tell, args=(_what_threads_do(),), daemon=True)
        teller.start()
        teller.join(SECONDS_TO_TELL)
        os._exit(EXIT_FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(seconds + 2 * SECONDS_TO_TELL, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _what_threads_do() -> list[str]:
    """The stack of each thread that was at work, the main one first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sorted(sys._current_frames().items(), key=lambda item: item[0] != threading.main_thread().ident)
    return [
        f"{names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in frames
        if ident != threading.get_ident()
    ]
