"""The bucket of a run, if it has one (``IG_STORE_URL``); a laptop without one imports nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.run.lock import Locked
from pipeline.run.run_state import FILE
from pipeline.settings import Settings
from pipeline.storage.session_record import Shared


@contextmanager
def with_bucket(settings: Settings, say: Callable[[str], object]) -> Iterator[Shared]:
    """Bring what other machines uploaded, let the run do its work, upload what is new, and ``say`` what came of it.

    Raises Locked where another machine is at work on the bucket. A bucket that is away or refuses is a problem of
    ``Shared``, which is complete once this has ended.
    """
    if settings.store_url is None:
        yield Shared()
        return
    from pipeline.storage.lease import TakenElsewhere
    from pipeline.storage.session import at_work

    shared = Shared()
    try:
        with at_work(settings, settings.store_url) as shared:
            if shared.brought_file:  # what the last run here noted is of the file before it
                (settings.marts_dir / FILE).unlink(missing_ok=True)
            yield shared
    except TakenElsewhere as error:
        raise Locked(str(error)) from error
    finally:
        for sentence in shared.notes + shared.problems:
            say(f"Bucket: {sentence}")
