"""`python -m pipeline doctor`."""

from __future__ import annotations

import argparse
from collections import Counter

from pipeline.errors import EXIT_FAILED, EXIT_OK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Send every publisher a few small requests, and say which answer, what has moved and whose format has changed.

Each request has one line and goes through the checks of a refresh, so whatever fails here would fail there with the
same message. The command takes about a minute at the rate that publishers allow, and writes nothing. It exits with 0
if all is well, otherwise with 1.
"""

NO_CONTACT = (
    "Publishers see that nobody gave a contact. Set IG_CONTACT to a web or mail address at which they can reach you, "
    "for example IG_CONTACT=data-team@your-council.gov.uk: ONS asks for one and may refuse callers without."
)


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "doctor", "send each publisher a small request: who answers, what has moved or changed", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue import load_catalogue
    from pipeline.http.client import HttpClient
    from pipeline.publishers.doctor import examine
    from pipeline.settings import settings_from_environment

    catalogue = load_catalogue()
    queries = [query for indicator in catalogue.collected for part in indicator.parts for query in part.live]
    wrong = asked = 0
    unreachable: Counter[str] = Counter()  # questions by source; the first says why, and the reason is the same for all
    settings = settings_from_environment()
    with HttpClient(catalogue.sources, settings) as client:
        for finding in examine(queries, client):
            asked += 1
            wrong += not finding.is_good
            unreachable[finding.source_id] += finding.verdict == "unreachable"
            if finding.verdict == "unreachable" and unreachable[finding.source_id] > 1:
                continue
            mark = "ok  " if finding.is_good else "NOT "
            verdict = "" if finding.is_good else f"{finding.verdict}: "
            print(f"{mark} {finding.source_id}, {finding.question}: {verdict}{finding.detail}", flush=True)
    for source_id, questions in unreachable.items():
        if questions > 1:
            print(f"NOT  {source_id}: the same for {questions - 1} more of its questions.")
    if settings.contact is None:
        print(NO_CONTACT)
    print(f"{asked - wrong} of {asked} questions were answered as they should be.")
    return EXIT_FAILED if wrong else EXIT_OK
