"""End this process early, in one place for every reason: Ctrl-C, a system signal, a night's time limit.

A run works in its own thread, while the main thread only waits for it or for a signal. So no library, stalled publisher
or long calculation can delay the end, and none has to cooperate. Whatever the run has open is registered with `closing`
while it is open. At the end each of these is closed, within a time limit, and the process exits as if killed, which
every step of a run can withstand. Other verbs are stopped by an exception in the main thread.

A command imports this first, so it imports little: before that, a key still ends Python with a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import NamedTuple, NoReturn, TypeVar

T = TypeVar("T")

EXIT_BY_HAND = 128 + 2  # the shell's convention: 128 plus the signal's number
EXIT_BY_SYSTEM = 128 + 15
EXIT_TERMINAL_CLOSED = 128 + 1
STOPPED = (EXIT_BY_HAND, EXIT_BY_SYSTEM, EXIT_TERMINAL_CLOSED)

# Time limit for notifying people, since the fault may be in the disk or the network that this needs too.
SECONDS_TO_TELL = 60.0
_SECONDS_TO_CLOSE = 5.0  # for anything else that is closed
_SECONDS_TO_REPORT = 20.0  # the code that writes it may not be imported yet
_SECONDS_TO_UNWIND = 5.0  # for a verb that is stopped by an exception
_SECONDS_OF_ONE_KEY = 0.5  # our parent process may forward a Ctrl-C that we also received
# What is closed, in this order. People are notified once the run report is complete; the server is needed until then.
_ORDER = ("screen", "file", "claim", "lock", "report", "record", "people", "server")


class Ending(NamedTuple):
    """Why a process ends early. ``doings`` says what each thread was doing, if that is useful."""

    sentence: str
    exit_code: int
    doings: tuple[str, ...] = ()


BY_HAND = Ending("stopped by hand before it ended", EXIT_BY_HAND)
BY_SYSTEM = Ending("stopped by the system (SIGTERM) before it ended", EXIT_BY_SYSTEM)
_ENDINGS: Mapping[str, Ending] = {
    "SIGINT": BY_HAND,
    "SIGTERM": BY_SYSTEM,
    "SIGHUP": Ending("stopped before it ended, since its terminal was closed (SIGHUP)", EXIT_TERMINAL_CLOSED),
}
Closer = Callable[[Ending], str | None]


class Stopped(KeyboardInterrupt):
    """A signal asks a verb to stop; ``ending`` says which."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.sentence)
        self.ending = ending


class _Closing(threading.Thread):
    """A thread that closes something at the end; `uninterrupted` does not block it."""


_closers: dict[str, Closer] = {}
_floor = threading.RLock()
_ended = threading.Lock()
_asked: list[tuple[Ending, float]] = []  # the endings requested by signals, and when
_unwinds = False  # whether a signal may raise Stopped in the main thread
_held_by_main = 0  # how many `uninterrupted` blocks the main thread is in


def ending_of(error: BaseException) -> Ending:
    """The ending for an exception that no step of a run raises: a key, or Prefect's exception for SIGTERM."""
    if isinstance(error, Stopped):
        return error.ending
    return BY_HAND if isinstance(error, KeyboardInterrupt) else BY_SYSTEM


@contextmanager
def closing(name: str, closer: Closer) -> Iterator[None]:
    """While inside, ``closer`` is called if the process is ended; it may return a sentence to print.

    The first word of ``name`` is one of _ORDER. A name already in use is replaced for good: the later closer knows
    more.
    """
    context = copy_context()
    _closers[name] = lambda ending: context.run(closer, ending)
    try:
        yield
    finally:
        closed(name)


def closed(name: str) -> None:
    """Unregister this name, since there is nothing left to close."""
    _closers.pop(name, None)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Run the block as a unit: a requested end waits for it, and after an end no block is entered."""
    global _held_by_main
    if isinstance(threading.current_thread(), _Closing):
        yield
        return
    with _floor:
        if not _is_main():
            if _ended.locked():
                threading.Event().wait()
            yield
            return
        _held_by_main += 1
        try:
            yield
        finally:
            _held_by_main -= 1
    if _asked and _unwinds and not _held_by_main:
        raise Stopped(_asked[0][0])


def wait_if_ending() -> None:
    """Continue at once, or never if this process is being ended: any failure is then only a consequence."""
    with uninterrupted():
        pass


def end(ending: Ending) -> NoReturn:
    """Close everything open and exit with the ending's code, whatever the threads are doing."""
    if not _ended.acquire(blocking=False):
        threading.Event().wait()  # another thread is already doing it
    _floor.acquire(timeout=_SECONDS_TO_CLOSE)
    closers = sorted(_closers.items(), key=lambda item: _ORDER.index(item[0].split()[0]))
    for name, closer in closers:
        if name == "screen":
            _close(name, closer, ending)
    _say(ending.sentence)
    for name, closer in closers:
        if name == "server":
            _silence()
        if name != "screen":
            _close(name, closer, ending)
    _end_now(ending)


def stoppable(work: Callable[[], int]) -> int:
    """The exit code of a command's ``work``; a signal stops it with a sentence and the shell's exit code.

    Call it in the main thread. A signal that was ignored when the command started, as under nohup, stays ignored.
    """
    global _unwinds
    for name in _ENDINGS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    _unwinds = True
    code, failure = 0, None
    try:
        code = work()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a library may turn the stopping exception into any other
        failure = error
    finally:
        _unwinds = False
    if _asked:
        ending = _asked[0][0]
        _say(ending.sentence)
        return ending.exit_code
    if failure is not None:
        raise failure
    return code


def beside_the_main_thread(work: Callable[[], T]) -> T:
    """The result of ``work``, run in its own thread while the main one waits for a signal: see this module.

    Outside a command begun with `stoppable`, ``work`` is simply called.
    """
    global _unwinds
    if not (_unwinds and _is_main()):
        return work()
    done, results, failures = threading.Event(), list[T](), list[BaseException]()

    def do() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised in the main thread
            failures.append(error)
        finally:
            done.set()

    _unwinds = False
    threading.Thread(target=partial(copy_context().run, do), name="the work", daemon=True).start()
    while not done.wait(1):
        pass
    _unwinds = True
    if failures:
        raise failures[0]
    return results[0]


def _on_signal(number: int, _frame: object) -> None:
    ending = _ENDINGS[signal.Signals(number).name]
    _asked.append((ending, time.monotonic()))
    if len(_asked) > 1:
        if ending is BY_HAND and _asked[-1][1] - _asked[0][1] > _SECONDS_OF_ONE_KEY:
            if not _ended.locked():
                _say(_asked[0][0].sentence)
            _end_now(_asked[0][0])
        return
    if not _unwinds:
        end(ending)
    late = threading.Timer(_SECONDS_TO_UNWIND, end, (ending,))
    late.daemon = True
    late.start()
    if not _held_by_main:
        raise Stopped(ending)


def _close(name: str, closer: Closer, ending: Ending) -> None:
    """Close one thing within its time limit; a failure is a line on standard error."""

    def close() -> None:
        try:
            sentence = closer(ending)
        except Exception as error:  # noqa: BLE001 - the others must still be closed
            sentence = f"at the end, the {name} could not be closed: {type(error).__name__}: {error}"
        if sentence:
            _say(sentence)

    thread = _Closing(target=close, name=f"closing {name}", daemon=True)
    thread.start()
    limits = {"people": SECONDS_TO_TELL, "report": _SECONDS_TO_REPORT}
    until = time.monotonic() + limits.get(name, _SECONDS_TO_CLOSE)
    while thread.is_alive() and time.monotonic() < until:
        thread.join(0.1)


def _say(sentence: str) -> None:
    with suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)


def _silence() -> None:
    """Discard further output of threads: they do not know of the end, and would report it as a failure."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)


def _end_now(ending: Ending) -> NoReturn:
    for child in sys.modules["multiprocessing"].active_children() if "multiprocessing" in sys.modules else ():
        child.kill()  # the processes that share a run's work
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(ending.exit_code)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
