"""`python -m pipeline nightly`: the unattended job without Prefect."""

from __future__ import annotations

import argparse

from pipeline.run.stopped import reported_if_stopped, told_if_stopped
from pipeline.stopping import beside_the_main_thread
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Run the unattended night: ask every publisher, publish what is new, build the report site,
delete old snapshots and releases, and send messages (see IG_WEBHOOK_URL, IG_MAIL_TO and IG_NOTIFY in
docs/recipes). A night makes 2,000 draws and studies the frameworks, because what it publishes will be
quoted. `make nightly` does the same work and also keeps Prefect's record of it.

exit codes:
  0  published, or nothing new
  1  failed; or published, and then the report or the pruning failed (the last lines say which)
  3  a check or a gate refused the new file; the previous one stays
  4  published or nothing new, but a source gave no figures today
  5  another run is at work; nothing was done
  130, 143, 129  stopped by hand, by the system (SIGTERM), or with its terminal; a message is sent
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "nightly", "the unattended job: refresh, report site, pruning, messages", ABOUT, run)
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a night, shared with `flows/nightly.py`."""
    parser.add_argument(
        "--offline", action="store_true", help="ask no publisher; use the figures that are held or shipped"
    )
    parser.add_argument("--no-report", action="store_true", help="do not build the report site")
    parser.add_argument("--quick", action="store_true", help="make 100 draws and no studies; half a minute faster")


def run(arguments: argparse.Namespace) -> int:
    with reported_if_stopped(), told_if_stopped():
        return beside_the_main_thread(lambda: run_here(arguments))


def run_here(arguments: argparse.Namespace) -> int:
    """The night, in this thread."""
    from pipeline.run.nightly import NightlyOptions, plain_steps, run_night

    options = NightlyOptions(arguments.offline, arguments.quick, not arguments.no_report)
    return run_night(plain_steps(), options).code
