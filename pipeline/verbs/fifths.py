"""`python -m pipeline fifths`."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from pipeline.errors import EXIT_OK, VerbError
from pipeline.published.scores import CHANGE_WINDOW_YEARS, DEFAULT_FRAMEWORK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Show which districts are clearly in the top and bottom fifth of a ranking, and how few they are.

A district is clearly in a fifth if at least 95 of 100 draws of the survey errors put it there. If less than half of the
weight of a score has a known error, this is not known, and the list says so.

  python -m pipeline fifths                                the index, growth and sharing: level, and change over ten years
  python -m pipeline fifths participation                  a pillar, or an indicator such as employment_rate
  python -m pipeline fifths prosperity --framework jrf_monitor
"""
HEADLINE_DEPTH = 1
_ROWS = """
select
    fifth.node_title,
    fifth.flavour,
    fifth.window_years,
    fifth.year,
    fifth.basis,
    fifth.fifth,
    fifth.rank_count,
    fifth.fifth_count,
    fifth.known_count,
    fifth.sure_count,
    fifth.possible_count,
    fifth.sure_area_names,
    fifth.weight_with_error
from mart_fifth as fifth
inner join dim_node as node using (framework_id, node_id)
where
    fifth.framework_id = $framework
    and ((node.depth <= $depth and fifth.window_years in (0, $window)) or $node is not null)
    and ($node is null or lower($node) in (lower(fifth.node_id), lower(fifth.node_title)))
order by node.position, fifth.flavour desc, fifth.window_years desc, fifth.basis desc, fifth.fifth desc
"""
_NODES = "select distinct node_id from mart_fifth where framework_id = ? order by node_id"


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "fifths", "show which districts are clearly in the top and bottom fifth", ABOUT, run)
    parser.add_argument(
        "node", nargs="?", help="node or indicator of the framework (default: the index and its domains)"
    )
    parser.add_argument(
        "--framework", default=DEFAULT_FRAMEWORK, metavar="ID", help=f"framework (default {DEFAULT_FRAMEWORK})"
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.reading import published
    from pipeline.settings import settings_from_environment

    asked = {"framework": arguments.framework, "node": arguments.node, "depth": HEADLINE_DEPTH}
    asked |= {"window": CHANGE_WINDOW_YEARS}
    with published(settings_from_environment().database) as connection:
        rows = connection.execute(_ROWS, asked).fetchall()
        nodes = [row[0] for row in connection.execute(_NODES, [arguments.framework]).fetchall()]
    if not nodes:
        raise VerbError(f"no ranking of a framework '{arguments.framework}' is in the published file")
    if not rows:
        raise VerbError(f"'{arguments.node}' is no node of {arguments.framework}; there are: {', '.join(nodes)}")
    print("\n".join(line for row in rows for line in _lines(*row)))
    return EXIT_OK


def _lines(
    title: str,
    flavour: str,
    window: int,
    year: int,
    basis: str,
    fifth: str,
    ranked: int,
    inside: int,
    known: int,
    sure: int,
    possible: int,
    names: str | None,
    weight: float,
) -> list[str]:
    """One end of one ranking: a sentence, and the names."""
    when = f"level of {year}" if flavour == "level" else f"change over the {window} years to {year}"
    how = "" if basis == "draws" else " (by its confidence set for the rank)"
    head = f"{title}, {when}, {fifth} fifth{how}: "
    if not known:
        return [head + f"not known; an error is known for {weight:.0%} of the weight, and half is needed"]
    said = f"{sure} of the {inside} districts ranked in it are clearly in it; {possible} of {ranked} may be"
    if known < ranked:
        said += f"; for {ranked - known} it is not known"
    if weight < 1:
        said += f"; an error is known for only {weight:.0%} of the weight, so fewer are really certain"
    listed: list[Any] = textwrap.wrap(names, 112, initial_indent="    ", subsequent_indent="    ") if names else []
    return [head + said, *listed]
