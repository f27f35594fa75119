"""`python -m pipeline areas`."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """List today's local authority districts, or show the history of one area.

  python -m pipeline areas                             today's 361 districts
  python -m pipeline areas "West Northamptonshire"     the districts it replaced, and when
  python -m pipeline areas E07000151                   what replaced an old code
  python -m pipeline areas "Core Cities"               the districts of a named group
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "areas", "list today's districts, or show the history of one area", ABOUT, run)
    parser.add_argument("name", nargs="?", help="current or former name or GSS code, or a named group")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.geography import describe_area, list_areas, load_register

    register = load_register()
    if arguments.name is not None:
        print("\n".join(describe_area(register, arguments.name)))
        return EXIT_OK
    for row in list_areas(register).fillna("").itertuples(index=False):
        print(f"{row.area_code}  {row.area_name:<36}  {row.region_name:<24}  {row.combined_authority_name}".rstrip())
    return EXIT_OK
