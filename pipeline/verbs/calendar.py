"""`python -m pipeline calendar`: what is due from whom, and what is overdue."""

from __future__ import annotations

import argparse

from pipeline.verbs.common import EXIT_OK, VerbError, Verbs, add_verb

ABOUT = """When each publication is expected next, by the latest figures in the published file and the
calendar in pipeline/catalogue/release_calendar.yaml: overdue first, then by day.
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "calendar", "say which release is expected when, and what is overdue", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from pipeline.catalogue.release_calendar import load_release_calendar
    from pipeline.reading import CannotRead, published
    from pipeline.settings import settings_from_environment

    try:
        with published(settings_from_environment().database) as connection:
            held = connection.execute(
                "select release_id, max(latest_period_end), count(distinct indicator_id) from meta_source "
                "where release_id is not null and latest_period_end is not null group by release_id"
            ).fetchall()
    except CannotRead as error:
        raise VerbError(str(error)) from error
    today = datetime.now(UTC).date()
    releases = {release.id: release for release in load_release_calendar().releases}
    lines = []
    for release_id, latest, count in held:
        release = releases[release_id]
        expected, standing = release.next_expected(latest), release.standing(latest, today)
        when = "-" if expected is None else f"{expected}"
        indicators = f"{count} indicator{'' if count == 1 else 's'}"
        lines.append(
            (standing != "overdue", when, f"{standing:<12} {when:<12} {release.title} ({indicators})", release)
        )
    print(f"{'standing':<12} {'expected':<12} publication")
    for _, _, line, release in sorted(lines, key=lambda entry: entry[:3]):
        print(f"{line}\n{'':<25} usually {release.usual}")
    return EXIT_OK
