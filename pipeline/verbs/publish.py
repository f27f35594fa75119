"""`python -m pipeline publish --accept REASON`: publish a file that a quality gate refused."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK, EXIT_REFUSED, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Publish a file that a quality gate refused, after you have checked that it is right.

First look at it: python -m pipeline diff --candidate. The reason, your user name and the time are kept in the
file, in meta_gate, beside what the gates found. A file that is invalid in itself (a broken table, an impossible
value) cannot be accepted.
"""
_FEWEST_CHARACTERS = 10


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "publish", "publish a file that a quality gate refused, with a reason", ABOUT, run)
    parser.add_argument("--accept", metavar="REASON", required=True, help="why it is right (kept in the file)")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.publish import CandidateRefused
    from pipeline.run.accept_refused import publish_refused
    from pipeline.run.context import open_run

    reason = reason_in_words(arguments.accept)
    try:
        opened = open_run(offline=True)
        release, findings = publish_refused(opened.inputs, opened.stores, reason, opened.started_at)
    except CandidateRefused as error:
        raise VerbError(f"not published, the file before it stays:\n{error}", EXIT_REFUSED) from error
    for finding in findings:
        print(f"{'accepted' if finding.severity == 'refuse' else 'noted'}: {finding.sentence}")
    print(f"Published as {release.line}")
    return EXIT_OK


def reason_in_words(given: str) -> str:
    """A reason that will be understood in two years. Raises VerbError for one that is too short to be one."""
    reason = given.strip()
    if len(reason) < _FEWEST_CHARACTERS:
        raise VerbError(f"{given!r} is no reason that will be understood in two years; give a sentence")
    return reason
