"""`python -m pipeline verify`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

if TYPE_CHECKING:
    from pipeline.settings import Settings

ABOUT = """Rehash everything held: every snapshot against its sidecar, every shipped figure against the manifest,
every file of the kept releases, and the published file against its digest. The published file is also opened
as a reader would open it.

If another program left a log beside the published file, the log is set aside. If the published file has
changed, it is rebuilt from the newest kept release. The command prints what it checked. It exits with 1 and
names each file that has changed since it was stored, even if it was repaired; the next call then finds it
intact. With --store it also reads every payload, release and published file in the bucket of IG_STORE_URL,
which causes traffic.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "verify", "check that everything held and published is unchanged", ABOUT, run)
    parser.add_argument("--store", action="store_true", help="also read everything in the bucket of IG_STORE_URL")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.publishers.baseline.shipped_figures import Baseline
    from pipeline.raw import RawStore
    from pipeline.settings import settings_from_environment

    settings = settings_from_environment()
    count, problems = RawStore(settings.raw_dir).verify()
    baseline = Baseline(settings.baseline_dir)
    problems += baseline.verify()
    shipped = len(baseline.entries)
    problems += _published(settings)
    releases = _releases(settings, problems)
    there = _there(settings, problems, is_asked=arguments.store)
    if problems:
        raise VerbError("\n".join(problems))
    kept = f"{releases} release{'' if releases == 1 else 's'}"
    print(f"{count} snapshots, {kept} and {shipped} shipped files are intact.")
    if there:
        print(there)
    return EXIT_OK


def _releases(settings: Settings, problems: list[str]) -> int:
    """How many releases are kept, every file of them rehashed; what is wrong is added to ``problems``."""
    from pipeline.releases import ReleaseProblem, ReleaseStore
    from pipeline.releases.release_folder import check

    store = ReleaseStore(settings.database, settings.keep_releases)
    kept = store.kept()
    problems += store.problems()
    for release in kept:
        try:
            check(release)
        except ReleaseProblem as problem:
            problems.append(str(problem))
    return len(kept)


def _published(settings: Settings) -> list[str]:
    """A sentence for each thing that was wrong with the published file; it is put right unless a run is at work."""
    from pipeline.run.healing import heal, is_as_published
    from pipeline.run.lock import Locked, one_at_a_time

    if not settings.marts_dir.is_dir() or is_as_published(settings):
        return []
    try:
        with one_at_a_time(settings.marts_dir):
            return heal(settings)
    except Locked as error:
        return [f"{settings.database.name} was not looked at: {error}"]
    except OSError as error:
        return [
            f"{settings.database.name} cannot be put right: {error.filename or 'a file'}: {error.strerror or error}"
        ]


def _there(settings: Settings, problems: list[str], *, is_asked: bool) -> str | None:
    """A sentence on the bucket, or None where there is none; what is wrong in it is added to ``problems``."""
    if settings.store_url is None:
        if is_asked:
            raise VerbError("no bucket is set: IG_STORE_URL=s3://bucket/prefix names one (docs/scaling.md)")
        return None
    if not is_asked:
        return f"The bucket {settings.store_url} was not looked at; --store reads it too."
    from pipeline.storage.bucket import StoreProblem, open_bucket
    from pipeline.storage.verifying import verify

    try:
        proved = verify(open_bucket(settings.store_url))
    except StoreProblem as error:
        problems.append(str(error))
        return None
    problems += [f"bucket: {problem}" for problem in proved.problems]
    return (
        f"In the bucket {settings.store_url}, {proved.snapshots} snapshots, {proved.releases} releases and "
        f"{proved.published} published files are intact ({proved.byte_count / 1e6:,.1f} MB)."
    )
