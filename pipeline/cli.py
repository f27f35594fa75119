"""The command line: one verb a module of `pipeline.verbs`, help for all of them, failures as sentences."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import textwrap
from collections.abc import Sequence

from pipeline import __version__
from pipeline.errors import EXIT_FAILED, EXIT_OK, PipelineError
from pipeline.settings import url_variables
from pipeline.stopping import BY_HAND, Stopped
from pipeline.verbs import (
    accept,
    area,
    areas,
    audit,
    briefing,
    calendar,
    catalogue,
    diff,
    docs,
    doctor,
    estimate,
    export,
    fifths,
    geography,
    nightly,
    publish,
    query,
    ranks,
    refresh,
    releases,
    report,
    score,
    sensitivity,
    serve,
    small_areas,
    store,
    verify,
)

EPILOG = """exit codes:
  0  done; for refresh: published, or nothing new
  1  failed; the message says why, and the published file is unchanged
  2  the command was not understood
  3  the new file failed a check or a quality gate and was not published; the previous one stays
  4  published (or nothing new), but a first file lacks indicators, or with --strict a source gave no figures today,
     or the bucket of IG_STORE_URL did not accept what is new (the next run catches up)
  5  another run is using the data folder or the bucket; nothing was done
  130, 143, 129  stopped by hand (Ctrl-C), by the system (SIGTERM), or because its terminal was closed (SIGHUP)

environment:
  IG_DATA_DIR            data folder (default: data, in the project)
{variables}
                         address of a mirror or stand-in to use instead of the publisher
  IG_CONTACT             web or mail address at which publishers can reach you; every request carries it
                         (default: none, and requests say so)
  IG_CHROMIUM            path of Chromium for briefings (default: the installed one)
  IG_KEEP_RELEASES       how many minor versions of the data set are kept (default: 12)
  IG_KEEP_SNAPSHOTS      how many answers to each query are kept in data/raw (default: 12)
  IG_LOOK_WITHIN_DAYS    number of days within which every table is asked about (default: 10)
  IG_MOST_MINUTES        how long a nightly run may take before it is ended (default: 90); publishers get half of it
  IG_FIRST_SCORED_YEAR   first year that is scored (default: 2009)
  IG_STORE_URL           bucket that machines share, s3://bucket/prefix; keys in AWS_ACCESS_KEY_ID and
                         AWS_SECRET_ACCESS_KEY, another server in AWS_ENDPOINT_URL: see docs/scaling.md
                         (default: none; everything stays on this machine)
  IG_TASK_RUNNER         for Prefect's flows only: threads (default), processes or Dask: see docs/scaling.md
  IG_WEBHOOK_URL, IG_SMTP_URL, IG_MAIL_TO, IG_MAIL_FROM, IG_NOTIFY
                         who gets messages from the nightly run, and when: see docs/operations.md
  NOMIS_UID              your Nomis key, if you have one; it is never written to a file
"""
VERBS = (
    refresh,
    nightly,
    area,
    areas,
    fifths,
    query,
    report,
    serve,
    briefing,
    score,
    ranks,
    estimate,
    sensitivity,
    audit,
    export,
    diff,
    releases,
    publish,
    accept,
    calendar,
    small_areas,
    store,
    verify,
    doctor,
    geography,
    catalogue,
    docs,
)


def _url_variables() -> str:
    """The variables that move a publisher, as lines of the help."""
    text = ", ".join(url_variables().values())
    return textwrap.fill(text, 120, initial_indent="  ", subsequent_indent="  ")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, every verb with its help."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Inclusive growth in UK local areas: is our economy growing, and how widely is that growth shared?",
        epilog=EPILOG.format(variables=_url_variables()),
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=18),
    )
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in VERBS:
        module.add_to(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit code. An expected failure is a sentence on standard error, never a traceback."""
    arguments = build_parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        if isinstance(error, Stopped):
            raise
        print(BY_HAND.sentence, file=sys.stderr)
        return BY_HAND.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`).
        _send_output_nowhere()
        return EXIT_OK
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _send_output_nowhere()
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_FAILED


def _send_output_nowhere() -> None:
    """What is still to be printed has no reader or no room: Python would complain of it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
