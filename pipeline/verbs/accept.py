"""`python -m pipeline accept SOURCE/INDICATOR REASON`: take an answer that lacks figures held before."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb
from pipeline.verbs.publish import reason_in_words

ABOUT = """Accept a publisher's newest answer that was rejected because it lacks figures held before or is older.

A missing row, or last year's table sent again, is usually an error. A run therefore keeps the last good answer and says
so. If the publisher intended the change (a table withdrawn, a district no longer surveyed), this command accepts the
answer. The reason and your user name are kept in the raw store beside it, and the next refresh publishes it. An answer
that is invalid in itself (truncated, or another table) cannot be accepted.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "accept", "accept a publisher's answer that lacks figures held before", ABOUT, run)
    parser.add_argument("answer", metavar="SOURCE/INDICATOR", help="as the run report names it: nomis/employment_rate")
    parser.add_argument("reason", metavar="REASON", help="why it is right (kept beside the answer)")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.run.accept_held import accept_answers
    from pipeline.run.context import open_run

    source_id, slash, indicator_id = arguments.answer.partition("/")
    if not slash:
        raise VerbError(f"{arguments.answer!r} is not of the form SOURCE/INDICATOR, for example nomis/employment_rate")
    opened = open_run(offline=True)
    reason = reason_in_words(arguments.reason)
    taken = accept_answers(opened.inputs, opened.stores, source_id, indicator_id, reason)
    for snapshot in taken:
        rejected = snapshot.sidecar.get("rejected_because", "")
        print(f"taken: the answer of {snapshot.fetched_at:%Y-%m-%d}, which had been rejected: {rejected}")
    print("The next refresh publishes it: make refresh")
    return EXIT_OK
