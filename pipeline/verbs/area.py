"""`python -m pipeline area "Birmingham"`."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb
from pipeline.verbs.releases import add_as_of, database_to_read

MOST_PROFILES = 3  # of the areas of today on the ground of one of the past

ABOUT = """Print one area's profile from the published file: its scores with their uncertainty and what they are made of,
its latest figures beside those of the typical district, and what could not be scored and why.

Give a name or GSS code of a district, combined authority, county, region or nation, or a named group such as
"Core Cities". Old names and codes lead to the current area.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "area", "print an area's profile", ABOUT, run)
    parser.add_argument("name", help='name or GSS code, for example "Birmingham" or E08000025')
    add_as_of(parser)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.published.profile import find_published, profile_text
    from pipeline.settings import settings_from_environment

    with database_to_read(settings_from_environment(), arguments.as_of) as database:
        # Today's own name or code needs no register, which takes longer to read than all the rest.
        code = find_published(database, arguments.name)
        codes = [code] if code else _today(arguments.name)
        print("\n\n".join(profile_text(database, each) for each in codes))
    return EXIT_OK


def _today(text: str) -> list[str]:
    """The codes of today on the ground of an area of any time, by any of its names."""
    from pipeline.geography import load_register

    register = load_register()
    found = register.find(text)
    codes = register.ground_today(found.code)
    if not 0 < len(codes) <= MOST_PROFILES:
        names = ", ".join(f"{register.by_code[code].name} ({code})" for code in codes)
        where = f"its ground is today {names}: ask for one of these" if names else "no area of today has its ground"
        raise VerbError(f"{found.name} ({found.code}) is no area of today; {where}")
    return codes
