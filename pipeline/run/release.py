"""Number a new file against the one it replaces, and keep what is published."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pandas as pd

from pipeline import compare, publish
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework
from pipeline.compare import CannotRescore, Rescore, Stamp, Version, made_by
from pipeline.releases import ReleaseProblem
from pipeline.releases.manifest import MANIFEST
from pipeline.run.assemble import scoring_input
from pipeline.run.code_digest import digest_of_code
from pipeline.run.context import open_run
from pipeline.run.inputs import Inputs
from pipeline.run.kept_releases import release_store
from pipeline.run.mart_inputs import area_rows
from pipeline.run.run_state import RunState
from pipeline.run.stores import Stores
from pipeline.scoring import ScoringInputError, indicator_specs
from pipeline.scoring.headline import headline_scores
from pipeline.settings import PROJECT_ROOT, Settings

# The rooms that only present, compare, move or keep what is published. All other code counts as able to decide a figure
# or a score, and so does every file that is new.
ONLY_PRESENT = (
    "pipeline/cli.py",
    "pipeline/compare",
    "pipeline/console.py",
    "pipeline/export",
    "pipeline/notify.py",
    "pipeline/published",
    "pipeline/releases",
    "pipeline/report",
    "pipeline/run/progress.py",
    "pipeline/storage",
    "pipeline/verbs",
)


@cache
def method_fingerprint(root: Path = PROJECT_ROOT) -> str:
    """A digest of all code, SQL, catalogue, frameworks and facts that could decide a figure or a score.

    It rather counts too much than too little: a comment that changes counts as another method, which costs a second of
    scoring again and finds no movement.
    """
    return digest_of_code(root, leaving_out=ONLY_PRESENT)


def method_in_use(settings: Settings) -> str:
    """The method fingerprint of files that this code makes with these settings.

    The first scored year is part of the method: an indicator's reliability is judged over all scored years, and decides
    whether it is scored at all.
    """
    return hashlib.sha256(f"{method_fingerprint()} {settings.first_scored_year}".encode()).hexdigest()


def rescorer(inputs: Inputs, first_year: int) -> Rescore:
    """Scores any figures with today's code, catalogue, frameworks and map, every year from ``first_year`` on.

    What it returns raises CannotRescore where it cannot score.
    """

    def rescore(figures: pd.DataFrame, years: Mapping[tuple[str, str, int], int]) -> pd.DataFrame:
        known = inputs.catalogue.indicators
        areas = area_rows(inputs.register)[["area_code", "level", "nation_code", "is_scored"]]
        specs = indicator_specs(known)
        yearly = scoring_input(figures)
        tables = []
        for name in DEFAULT_FRAMEWORKS:
            wanted = {(flavour, window): year for (id_, flavour, window), year in years.items() if id_ == name}
            framework = load_framework(name, known_indicators=known)
            try:
                tables.append(headline_scores(framework, yearly, areas, specs, wanted, first_year=first_year))
            except ScoringInputError as error:
                raise CannotRescore(str(error)) from error
        return pd.concat(tables, ignore_index=True)

    return rescore


def rescorer_for(settings: Settings, database: Path) -> Rescore | None:
    """What scores again with today's code, if that is the code that made a file; otherwise None."""
    if made_by(database) != method_in_use(settings):
        return None
    return rescorer(open_run(settings, offline=True).inputs, settings.first_scored_year)


def number_release(stores: Stores, rescore: Rescore, candidate: Path) -> Stamp:
    """Compare the new file with the live one, write into it what differs and which release it is; return the release."""
    with file_before(stores) as (before, version, problem):
        return compare.stamp(
            candidate,
            before,
            method_fingerprint=method_in_use(stores.settings),
            rescore=rescore,
            last_version=version,
            problem=problem,
        )


@contextmanager
def file_before(stores: Stores) -> Iterator[tuple[Path | None, Version | None, str | None]]:
    """The file to compare with, the highest version given so far, and a sentence if anything is wrong with either.

    The file is the live one. If that is gone, cannot be read or has been changed, it is the newest kept release; if that
    cannot be read either, None. Gates and release numbers compare with the same file.
    """
    store, live = release_store(stores.settings), stores.settings.database
    newest = store.newest()
    highest = newest.version if newest else store.noted_version()
    is_readable, why = store.can_read(live)
    if is_readable and live_was_changed(stores.run_state, live):
        is_readable, why = False, "its bytes are not those that were published"
    if is_readable:
        yield live, highest, None
        return
    lost = f"the file before it cannot be read ({why})" if live.exists() else "the file before it is gone"
    if newest is None:
        yield None, highest, f"{lost}, and no release is kept to compare with" if live.exists() or highest else None
        return
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = Path(folder) / live.name
        try:
            store.rebuild(newest, rebuilt)
        except ReleaseProblem as error:
            yield None, highest, f"{lost}, and neither can the newest one kept ({error})"
            return
        yield rebuilt, highest, f"{lost}, so release {newest.version}, which is kept, was compared with"


def live_was_changed(state: RunState | None, live: Path) -> bool:
    """Whether the live file claims to be the one the last run left but has other bytes: damaged, or edited."""
    return state is not None and publish.live_fingerprint(live) == state.inputs and not state.is_of(live)


def kept_as(settings: Settings) -> tuple[str, ...]:
    """The files, by name beside the live one, that show that it is kept as a release; none where no release is."""
    newest = release_store(settings).newest()
    if newest is None:
        return ()
    manifest = (newest.folder / MANIFEST).relative_to(settings.marts_dir)
    return MANIFEST, manifest.as_posix()


def keep_release(settings: Settings) -> str | None:
    """Keep the live file as a release; return what went wrong, if anything.

    What is published stays published: a full disk costs the record, not the release.
    """
    if not settings.database.exists():
        return None
    try:
        release_store(settings).keep()
    except (ReleaseProblem, OSError) as error:
        return f"the release could not be kept for later: {error}"
    return None
