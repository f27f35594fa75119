"""`python -m pipeline refresh`: the main job without Prefect."""

from __future__ import annotations

import argparse

from pipeline.run.stopped import reported_if_stopped
from pipeline.stopping import beside_the_main_thread
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Get every indicator, check it, score it, and publish a new DuckDB file if anything changed.

Each figure comes from its publisher where that answers, else from the last good answer held in
data/raw, else from the figures shipped with the project; the summary says which. A file that fails
its checks is not published. Publishers are first asked whether anything has changed: about tables for
which a release is due and a few others in turn, at most two questions each, so that every table is
asked about within IG_LOOK_WITHIN_DAYS days (10); --ask all asks about every table now. Where nothing
is new, nothing is read or built, which takes seconds. The same work with Prefect's record of it: make refresh.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "refresh", "get the figures, score them and publish the DuckDB file", ABOUT, run)
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a refresh, shared with `flows/refresh.py`."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="pull every figure anew, and rebuild and publish even where nothing has changed",
    )
    parser.add_argument(
        "--ask",
        choices=("due", "all"),
        default="due",
        help="ask publishers about tables that are due and a few others in turn (default), or about all of them",
    )
    parser.add_argument("--offline", action="store_true", help="ask no publisher; use what is held and what is shipped")
    parser.add_argument(
        "--draws",
        type=int,
        default=None,
        metavar="N",
        help="draws of the survey errors behind each interval (default 100, thorough 2000; 0 for no intervals)",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="for figures to be quoted: 2,000 draws, and a study of what the choices of each framework do to its ranks; "
        "about a minute",
    )
    parser.add_argument("--strict", action="store_true", help="exit 4 where a source did not give its figures today")


def run(arguments: argparse.Namespace) -> int:
    with reported_if_stopped():
        return beside_the_main_thread(lambda: run_here(arguments))


def run_here(arguments: argparse.Namespace) -> int:
    """The refresh, in this thread."""
    from pipeline.run.job import JobOptions, run_job
    from pipeline.run.refresh import refresh

    options = JobOptions(
        arguments.force, arguments.offline, arguments.strict, arguments.draws, arguments.thorough, arguments.ask
    )
    return run_job(refresh, options)
