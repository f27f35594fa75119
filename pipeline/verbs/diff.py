"""`python -m pipeline diff`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb
from pipeline.verbs.releases import store_holding

if TYPE_CHECKING:
    from pipeline.compare import Difference
    from pipeline.settings import Settings

ABOUT = """Show what changed: new periods, revised figures, areas and indicators added or removed, and scores and
ranks that moved, with the reasons.

  python -m pipeline diff                               the live file against the release before it
  python -m pipeline diff --area Preston                the same, for one area
  python -m pipeline diff --to 1.2.0                    what release 1.2.0 changed when it was published
  python -m pipeline diff --from 1.0.0 --to 1.3.0       any two kept releases; --to live is the default
  python -m pipeline diff --from 2026-06-01             everything since a date
  python -m pipeline diff --candidate                   the file that a quality gate refused, against the live one
  python -m pipeline diff --candidate FILE              any file that was built but not published, against the live one

The movement of a score is the sum of three parts: method (the code, the catalogue, the frameworks), revision (figures
that publishers changed) and new data. docs/what-changed.md explains how they are separated.
"""
# Stands for the file that a gate refused, whose place is known once the settings are.
REFUSED = Path("refused")


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "diff", "show what changed between two releases, and why", ABOUT, run)
    parser.add_argument(
        "--from", dest="before", metavar="RELEASE", help="a version or a date (default: the release before --to)"
    )
    parser.add_argument("--to", dest="after", metavar="RELEASE", help="a version or a date (default: the live file)")
    parser.add_argument("--as-of", metavar="RELEASE", help="the same as --to alone: what that release changed")
    parser.add_argument(
        "--candidate",
        type=Path,
        nargs="?",
        const=REFUSED,
        metavar="FILE",
        help="an unpublished DuckDB file (default: the one that a quality gate refused)",
    )
    parser.add_argument("--area", metavar="NAME", help="only the figures and scores of one area (name or GSS code)")
    parser.add_argument(
        "--limit", type=int, default=15, metavar="N", help="number of figures and scores to list (default 15)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.compare.telling import as_data, as_text, of_area
    from pipeline.settings import settings_from_environment

    if arguments.candidate and arguments.after:
        raise VerbError("give --candidate or --to, not both: either says what to compare with --from")
    if arguments.as_of and (arguments.before or arguments.after or arguments.candidate):
        raise VerbError("--as-of stands alone: it tells what that release changed when it was published")
    settings = settings_from_environment()
    if arguments.candidate == REFUSED:
        arguments.candidate = _refused(settings)
    version = _name(arguments.as_of or arguments.after)
    found = _worked_out(settings, arguments) if arguments.before or arguments.candidate else _stored(settings, version)
    if arguments.area:
        found = of_area(found, _codes(settings, arguments.area))
    if arguments.json:
        print(json.dumps(as_data(found), indent=2, ensure_ascii=False))
    else:
        print(as_text(found, most=max(0, arguments.limit)))
        if arguments.area and not (found.revisions or found.movements):
            print(f"\nNo figure and no headline score of {arguments.area} changed.")
    return EXIT_OK


def _stored(settings: Settings, as_of: str | None) -> Difference:
    """What a release recorded of itself when it was published."""
    from pipeline.compare import stored_difference
    from pipeline.reading import published
    from pipeline.releases import database_as_of

    with (
        database_as_of(store_holding(settings, as_of), settings.database, as_of) as database,
        published(database) as connection,
    ):
        found = stored_difference(connection)
    if found is None:
        raise VerbError(f"{database.name} was made before releases had numbers; run `make refresh` first")
    return found


def _worked_out(settings: Settings, arguments: argparse.Namespace) -> Difference:
    """Compare two files now."""
    from pipeline.compare import as_difference, compare
    from pipeline.releases import database_as_of
    from pipeline.run.release import rescorer_for

    before, after = _name(arguments.before), _name(arguments.after)
    store, live = store_holding(settings, before, after), settings.database
    with database_as_of(store, live, before) as old, database_as_of(store, live, after) as new:
        chosen = arguments.candidate or new
        comparison = compare(old, chosen, rescorer_for(settings, chosen))
    name = arguments.candidate.name if arguments.candidate else after or "live"
    return as_difference(comparison, before or "live", name)


def _refused(settings: Settings) -> Path:
    from pipeline.publish import refused_path

    path = refused_path(settings.database)
    if not path.exists():
        raise VerbError(f"no refused file is kept ({path.name}); give --candidate a FILE to look at another")
    return path


def _name(release: str | None) -> str | None:
    return None if release in (None, "live") else release


def _codes(settings: Settings, name: str) -> list[str]:
    """The codes of an area of today, of a named group, or of what holds the ground of an area of the past.

    Raises VerbError for a name nobody has or had.
    """
    from pipeline.geography import load_register
    from pipeline.published.profile import find_published

    code = find_published(settings.database, name)
    if code is not None:
        return [code]
    register = load_register()
    return register.ground_today(register.find(name).code)
