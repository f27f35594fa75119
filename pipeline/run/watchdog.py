"""End a night that outlasts its limit: whatever hangs, the lock ends with the process, and a message is sent."""

from __future__ import annotations

import faulthandler
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline import stopping
from pipeline.errors import EXIT_FAILED
from pipeline.stopping import Ending


@contextmanager
def ended_after(seconds: float, sentence: str) -> Iterator[None]:
    """Do what is inside; after ``seconds`` end this process with exit code 1 and ``sentence``, wherever it stands.

    What is open is closed as `pipeline.stopping` does it; the run report says what each thread was doing. Where even
    Python's threads stand still, a watchdog beneath them ends the process, and writes that to standard error.
    """

    def end() -> None:
        stopping.end(Ending(sentence, EXIT_FAILED, tuple(_what_threads_do())))

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(seconds + 2 * stopping.SECONDS_TO_TELL, exit=True, file=sys.__stderr__)
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
