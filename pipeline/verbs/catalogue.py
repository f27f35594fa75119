"""`python -m pipeline catalogue`."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Check the catalogue and list its indicators.

Errors are reported with file, line, entry and field. Run this after adding an indicator.
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "catalogue", "check the catalogue and list the indicators", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue import load_catalogue
    from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework
    from pipeline.gates import load_gate_policy

    catalogue = load_catalogue()
    for name in DEFAULT_FRAMEWORKS:
        load_framework(name, known_indicators=catalogue.indicators)
    load_gate_policy(catalogue.indicators)
    width = max(map(len, catalogue.indicators))
    for indicator in catalogue.indicators.values():
        print(f"{indicator.id:<{width}}  {indicator.theme:<14}  {indicator.title} ({indicator.unit})")
    print(f"\n{len(catalogue.indicators)} indicators, {len(catalogue.sources)} sources, all entries valid.")
    return EXIT_OK
