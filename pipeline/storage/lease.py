"""One run at a time on a bucket: each run writes a claim, renews it while at work, and removes it.

pyarrow does not offer S3's conditional writes (If-None-Match), so nothing here depends on them. It depends on S3
listing every object as soon as it is written (Amazon: since December 2020; MinIO, Ceph and Cloudflare R2 say the same).
A run writes a claim under a random name and *then* lists. If two begin at once, the one that lists later sees the
other, whatever their clocks say. A run that sees another backs off and tries again after a random pause.

A claim that has not been renewed for LAPSE_SECONDS, by the server's own times, belongs to a dead machine and is
removed. A machine that was only cut off finds its claim gone and uploads nothing (see ``Lease.confirm``). One case
remains: a machine may freeze between confirming and its last write for longer than a claim lasts, and then write after
another. The resulting newest release is still complete, and there is a record of both.
"""

from __future__ import annotations

import json
import os
import platform
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from pipeline import stopping
from pipeline.errors import PipelineError
from pipeline.storage.bucket import Bucket, Held, StoreProblem

FOLDER = "claims"
RENEW_SECONDS = 15.0
LAPSE_SECONDS = 60.0
_MOST_TRIES = 4
_LONGEST_PAUSE_SECONDS = 2.0


class TakenElsewhere(PipelineError):
    """Another machine is at work on the bucket; the message says which and since when."""


class Lease:
    """This run's claim on a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._name = f"{FOLDER}/{uuid.uuid4().hex}.json"
        who = f"process {os.getpid()} on {platform.node()}"
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._content = (json.dumps({"who": who, "since": since}) + "\n").encode()

    def lay_down(self) -> None:
        """Write the claim, or rewrite it to renew it."""
        self._bucket.write(self._name, self._content)

    def take_away(self) -> None:
        self._bucket.delete(self._name)

    def others(self) -> list[str]:
        """Names of other live claims; those of dead machines are removed.

        Call it after ``lay_down``, whose server time the others are compared with.
        """
        found = self._bucket.list(FOLDER)
        own = found.pop(self._name, None)
        if own is None:
            return list(found)
        lapsed = {name for name, held in found.items() if _has_lapsed(held, own)}
        for name in lapsed:
            self._bucket.delete(name)
        return [name for name in found if name not in lapsed]

    def confirm(self) -> bool:
        """Whether this run is still the only one, checked right before its results are uploaded."""
        if self._name not in self._bucket.list(FOLDER):
            return False
        self.lay_down()
        return not self.others()

    def renew_until(self, ended: threading.Event) -> None:
        """Renew the claim until ``ended`` is set or another machine has removed it. A failed renewal is retried."""
        while not ended.wait(RENEW_SECONDS):
            with suppress(StoreProblem):
                if self._name not in self._bucket.list(FOLDER):
                    return
                self.lay_down()


@contextmanager
def claimed(bucket: Bucket) -> Iterator[Lease]:
    """Hold ``bucket`` for this run alone. Raises TakenElsewhere while another run holds it, and StoreProblem."""
    claim = Lease(bucket)
    _take(claim, bucket)
    ended = threading.Event()
    beat = threading.Thread(target=claim.renew_until, args=(ended,), name="bucket claim", daemon=True)
    beat.start()

    def give_back(_: object = None) -> None:
        ended.set()
        beat.join()
        with suppress(StoreProblem):  # a claim left behind lapses
            claim.take_away()

    try:
        with stopping.closing("claim", give_back):
            yield claim
    finally:
        give_back()


def holders(bucket: Bucket) -> list[str]:
    """Who holds a claim, as far as it can be read, for people."""
    return [_words(bucket, name) for name in sorted(bucket.list(FOLDER))]


def _take(claim: Lease, bucket: Bucket) -> None:
    others: list[str] = []
    try:
        for tries in range(_MOST_TRIES):
            if tries:
                time.sleep(random.uniform(0.2, 1.0) * _LONGEST_PAUSE_SECONDS)  # noqa: S311 - to differ, not to be secret
            claim.lay_down()
            others = claim.others()
            if not others:
                return
            claim.take_away()
        who = _words(bucket, others[0])
    except StoreProblem:
        with suppress(StoreProblem):
            claim.take_away()
        raise
    raise TakenElsewhere(
        f"another run is at work on the bucket {bucket.url}: {who}. Nothing was done; its claim is released when that run ends, "
        f"or {LAPSE_SECONDS:.0f} seconds after its machine dies."
    )


def _has_lapsed(other: Held, own: Held) -> bool:
    return (own.modified - other.modified).total_seconds() > LAPSE_SECONDS


def _words(bucket: Bucket, name: str) -> str:
    try:
        held = json.loads(bucket.read(name))
        return f"{held['who']}, since {datetime.fromisoformat(held['since']):%Y-%m-%d %H:%M} UTC"
    except (StoreProblem, ValueError, KeyError, TypeError):
        return "an unidentified run"
