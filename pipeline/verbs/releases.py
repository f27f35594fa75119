"""`python -m pipeline releases`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

if TYPE_CHECKING:
    from pipeline.compare import Version
    from pipeline.releases import Release, ReleaseStore
    from pipeline.settings import Settings

ABOUT = """List the kept releases, or rebuild one as a file.

  python -m pipeline releases                                  newest first, with size and what changed
  python -m pipeline releases restore 1.2.0                    as data/marts/inclusive_growth-1.2.0.duckdb
  python -m pipeline releases restore 2026-11-01 --out FILE    the release live at the end of that day (UTC)

IG_KEEP_RELEASES sets how many minor versions are kept (default 12), each as its newest patch. The two newest releases
are always kept. To read an old release without rebuilding it, give --as-of to area, query, export or diff. With
IG_STORE_URL, the releases in the bucket are listed too, and downloaded when needed.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "releases", "list the kept releases, or rebuild one", ABOUT, run)
    parser.add_argument("action", nargs="?", choices=["list", "restore"], default="list", help="list is the default")
    parser.add_argument("release", nargs="?", metavar="RELEASE", help="the version or date to restore")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write; it must not exist yet")


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """The option of every verb that reads the published file: which release to read."""
    parser.add_argument(
        "--as-of", metavar="RELEASE", help="read a kept release: a version (1.2.0) or a date (2026-11-01)"
    )


@contextmanager
def database_to_read(settings: Settings, as_of: str | None) -> Iterator[Path]:
    """The live file, or a release that is kept, rebuilt as a file that is gone afterwards.

    Raises VerbError where there is no such release or it is damaged.
    """
    if as_of is None:
        yield settings.database
        return
    from pipeline.releases import database_as_of

    with ExitStack() as stack:
        path = stack.enter_context(database_as_of(store_holding(settings, as_of), settings.database, as_of))
        yield path


def store_holding(settings: Settings, *wanted: str | None) -> ReleaseStore:
    """The releases beside the live file; those that ``wanted`` names (versions or days) are brought from the bucket first.

    Where the bucket is away, what is on this machine must do, and standard error says so. Raises ReleaseProblem where a
    release is in neither place.
    """
    from pipeline.run.kept_releases import release_store

    store = release_store(settings)
    asked = [as_of for as_of in wanted if as_of is not None and as_of not in map(str, _versions(store))]
    if settings.store_url is None or not asked:
        return store
    from pipeline.storage.bucket import StoreProblem
    from pipeline.storage.session import bring_release

    try:
        for as_of in asked:
            bring_release(settings, settings.store_url, as_of)
    except StoreProblem as problem:
        print(f"{problem}; only releases on this machine can be read", file=sys.stderr)
    return store


def _versions(store: ReleaseStore) -> list[Version]:
    return [release.version for release in store.kept()]


def run(arguments: argparse.Namespace) -> int:
    from pipeline.settings import settings_from_environment

    settings = settings_from_environment()
    store = store_holding(settings, arguments.release)
    if arguments.action == "restore":
        if arguments.release is None:
            raise VerbError("say which release to restore, by version (1.2.0) or day (2026-11-01)")
        try:
            version, path = store.restore(arguments.release, arguments.out)
        except FileExistsError as error:
            raise VerbError(f"{error}; give another name with --out, or remove it first") from error
        except OSError as error:
            raise VerbError(
                f"{error.filename or arguments.out} cannot be written: {error.strerror or error}"
            ) from error
        print(f"Release {version} is rebuilt as {path}")
        return EXIT_OK
    releases, problems = store.kept(), store.problems()
    elsewhere = _only_in_bucket(settings, {release.version for release in releases})
    for release in sorted([*releases, *elsewhere], key=lambda release: release.version, reverse=True):
        print(_line(release) + (" (in the bucket)" if release in elsewhere else ""))
    for problem in problems:
        print(f"damaged: {problem}")
    if not releases and not problems and not elsewhere:
        print("No release is kept yet; `make refresh` makes the first.")
    elif releases:
        own = store.bytes_on_disk()
        print(
            f"\n{len(releases)} kept, {own / 1e6:.1f} MB on disk in {store.folder} (tables that did not change are shared)"
        )
    return EXIT_OK


def _only_in_bucket(settings: Settings, here: set[Version]) -> list[Release]:
    """Releases of the bucket that are not on this machine; none where there is no bucket or it is away, which is said."""
    if settings.store_url is None:
        return []
    from pipeline.storage.bucket import StoreProblem, open_bucket
    from pipeline.storage.publishing import releases_there

    try:
        return releases_there(open_bucket(settings.store_url), besides=here)
    except StoreProblem as problem:
        print(f"{problem}; only releases on this machine are listed", file=sys.stderr)
        return []


def _line(release: Release) -> str:
    return (
        f"{release.version!s:<8} {release.released_at:%Y-%m-%d %H:%M} UTC  {release.byte_count / 1e6:5.1f} MB  "
        f"{release.kind}: {release.explanation}"
    )
