"""`python -m pipeline refresh`: the main job without Prefect."""

from __future__ import annotations

import argparse

from pipeline.run.stopped import reported_if_stopped
from pipeline.stopping import beside_the_main_thread
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Fetch every indicator, check it, score it, and publish a new DuckDB file if anything has changed.

Each figure comes from its publisher if the publisher answers. Otherwise it comes from the last good answer in
data/raw, or from the figures shipped with the project; the summary says which. A file that fails its checks is
not published. Publishers are first asked whether anything has changed. Only tables that are due and a few
others in turn are asked about, with at most two requests per source, so that every table has its turn within
IG_LOOK_WITHIN_DAYS days (10). --ask all asks about every table now. If nothing is new, nothing is read or
built, and the run takes seconds. `make refresh` does the same work and also keeps Prefect's record of it.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "refresh", "fetch the figures, score them and publish the DuckDB file", ABOUT, run)
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a refresh, shared with `flows/refresh.py`."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="fetch every figure again, and rebuild and publish even if nothing has changed",
    )
    parser.add_argument(
        "--ask",
        choices=("due", "all"),
        default="due",
        help="ask publishers about tables that are due and a few others in turn (default), or about all of them",
    )
    parser.add_argument(
        "--offline", action="store_true", help="ask no publisher; use the figures that are held or shipped"
    )
    parser.add_argument(
        "--draws",
        type=int,
        default=None,
        metavar="N",
        help="draws of the survey errors for each interval (default 100, thorough 2000; 0 for no intervals)",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="for figures to be quoted: 2,000 draws, and a study of how each framework's choices affect its ranks; "
        "takes about a minute",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 4 if a source gave no figures today")


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
