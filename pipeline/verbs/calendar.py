"""`python -m pipeline calendar`: what is due from whom, and what is overdue."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Show when each publication is expected next, from the latest figures in the published file and the
calendar in pipeline/catalogue/release_calendar.yaml. Overdue publications come first, then the others by date.
If a publication's figures reach different periods, each period has a line.
"""
_HELD = """
select release_id, latest_period_end, list(distinct indicator_id::varchar)
from meta_source
where release_id is not null and latest_period_end is not null
group by all
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "calendar", "show when each release is expected, and which are overdue", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from pipeline.catalogue.release_calendar import load_release_calendar
    from pipeline.reading import published
    from pipeline.settings import settings_from_environment

    with published(settings_from_environment().database) as connection:
        held = connection.execute(_HELD).fetchall()
    today = datetime.now(UTC).date()
    releases = {release.id: release for release in load_release_calendar().releases}
    awaited: dict[tuple[bool, str, str, str], set[str]] = {}  # in the order of the lines
    for release_id, latest, indicators in held:
        release = releases[release_id]
        status, when = release.status(latest, today), str(release.next_expected(latest) or "-")
        awaited.setdefault((status != "overdue", when, status, release_id), set()).update(indicators)
    print(f"{'status':<12} {'expected':<12} publication")
    for (_, when, shown, release_id), indicators in sorted(awaited.items()):
        count = f"{len(indicators)} indicator{'' if len(indicators) == 1 else 's'}"
        print(f"{shown:<12} {when:<12} {releases[release_id].title} ({count})")
        print(f"{'':<25} usually {releases[release_id].usual}")
    return EXIT_OK
