"""`python -m pipeline nightly`: the unattended job without Prefect."""

from __future__ import annotations

import argparse

from pipeline.run.stopped import reported_if_stopped, told_if_stopped
from pipeline.stopping import beside_the_main_thread
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """The whole unattended night: ask every publisher, publish what is new, build the report site,
delete old snapshots and releases, and tell people (see IG_WEBHOOK_URL, IG_MAIL_TO, IG_NOTIFY in
docs/recipes). Draws 2,000 times and studies the framework, since what a night publishes is quoted.
The same work with Prefect's record of it: make nightly.

exit codes:
  0  published, or nothing new
  1  failed; or published, and then the report or the pruning failed (the last lines say which)
  3  the new file was refused by a check or a gate; the one before it stays
  4  published or nothing new, but a source did not give its figures today
  5  another run is at work; nothing was done
  130, 143, 129  stopped by hand, by the system (SIGTERM), or since its terminal was closed; people are told
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "nightly", "the unattended job: refresh, report site, pruning, messages", ABOUT, run)
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a night, shared with `flows/nightly.py`."""
    parser.add_argument("--offline", action="store_true", help="ask no publisher; use what is held and what is shipped")
    parser.add_argument("--no-report", action="store_true", help="do not build the report site")
    parser.add_argument("--quick", action="store_true", help="100 draws and no studies: half a minute less")


def run(arguments: argparse.Namespace) -> int:
    with reported_if_stopped(), told_if_stopped():
        return beside_the_main_thread(lambda: run_here(arguments))


def run_here(arguments: argparse.Namespace) -> int:
    """The night, in this thread."""
    from pipeline.run.nightly import NightlyOptions, plain_steps, run_night

    options = NightlyOptions(arguments.offline, arguments.quick, not arguments.no_report)
    return run_night(plain_steps(), options).code
