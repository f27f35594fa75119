"""`python -m pipeline store`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_INCOMPLETE, EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

if TYPE_CHECKING:
    from pipeline.settings import Settings

ABOUT = """Show the bucket that machines share (IG_STORE_URL): what it holds, and how it and this machine differ.

  python -m pipeline store            what the bucket holds, what this machine holds, and who is at work
  python -m pipeline store sync       download what is only there, and upload what is only here, without a refresh

A refresh does the same before and after its work, so use sync on a new machine, or to catch up by hand.
To read the bucket without this project, see docs/scaling.md.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "store", "show the bucket that machines share, or synchronise with it", ABOUT, run)
    parser.add_argument("action", nargs="?", choices=["show", "sync"], default="show", help="show is the default")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.settings import settings_from_environment

    settings = settings_from_environment()
    if settings.store_url is None:
        raise VerbError("no bucket is set: IG_STORE_URL=s3://bucket/prefix names one (docs/scaling.md)")
    return _sync(settings) if arguments.action == "sync" else _show(settings, settings.store_url)


def _show(settings: Settings, url: str) -> int:
    from pipeline.releases.finding import live_version
    from pipeline.storage import lease as claim
    from pipeline.storage import publishing, snapshots
    from pipeline.storage.bucket import open_bucket

    bucket = open_bucket(url)
    bucket.require()
    newest = publishing.latest(bucket)
    there = bucket.list("")
    only_there = snapshots.missing_here(bucket, settings.raw_dir)
    holders = claim.holders(bucket)
    held = snapshots.sidecars(list(there))
    only_here = [name for name in snapshots.sidecars(list(snapshots.names_here(settings.raw_dir))) if name not in there]
    total = sum(held_object.byte_count for held_object in there.values())
    print(f"{url}: {len(there):,} objects, {total / 1e6:,.1f} MB")
    print(f"newest release there: {f'{newest.version}, {newest.released_at}' if newest else 'none yet'}")
    print(f"newest release here:  {live_version(settings.database) or 'none yet'}")
    print(f"snapshots there: {len(held):,}; not here: {len(only_there):,}; only here: {len(only_here):,}")
    for who in holders:
        print(f"at work: {who}")
    return EXIT_OK


def _sync(settings: Settings) -> int:
    from pipeline.run.lock import one_at_a_time
    from pipeline.run.shared_bucket import with_bucket

    try:
        with one_at_a_time(settings.marts_dir), with_bucket(settings, print) as shared:
            pass
    except OSError as error:
        raise VerbError(f"{error.filename or 'a file'} cannot be written: {error.strerror or error}") from error
    if not shared.notes and not shared.problems:
        print("This machine and the bucket hold the same.")
    return EXIT_INCOMPLETE if shared.problems else EXIT_OK
