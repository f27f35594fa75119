"""`python -m pipeline small-areas`: publish a series of small areas in a file of its own."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_REFUSED, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Publish a series for small areas (lower-layer super output areas) in a DuckDB file of its own.

The series are declared in pipeline/catalogue/small_areas.yaml; without an argument, they are listed. A complete monthly
series has millions of rows. Without a key in NOMIS_UID, Nomis sends it in some 230 pages, at two a second. Afterwards,
`--offline` builds from the last good answer in data/raw.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "small-areas", "publish a series for small areas in a file of its own", ABOUT, run)
    parser.add_argument("series", nargs="?", help="for example claimants_by_small_area (default: list all)")
    parser.add_argument("--offline", action="store_true", help="ask no publisher; use the last good answer held")
    parser.add_argument("--force", action="store_true", help="fetch and build even if nothing has changed")


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue.small_area_series import load_small_areas

    known = load_small_areas()
    if arguments.series is None:
        for series in known.values():
            print(f"{series.id}: {series.title} ({series.unit}); small areas of {series.map_year}")
        return EXIT_OK
    if arguments.series not in known:
        raise VerbError(f"no series '{arguments.series}' in small_areas.yaml; there are {', '.join(known)}")

    from pipeline.http.payload import PayloadRejected
    from pipeline.publish import CandidateRefused
    from pipeline.run.context import open_run
    from pipeline.run.lock import one_at_a_time
    from pipeline.run.publish_small_areas import NothingHeld, publish_small_areas

    opened = open_run(offline=arguments.offline, force=arguments.force)
    client = None if arguments.offline else opened.client
    try:
        with one_at_a_time(opened.settings.marts_dir):
            places = opened.inputs, opened.stores.raw, opened.settings.marts_dir
            outcome = publish_small_areas(known[arguments.series], *places, client, force=arguments.force)
    except (NothingHeld, PayloadRejected) as error:
        raise VerbError(f"nothing published: {error}") from error
    except CandidateRefused as error:
        raise VerbError(f"not published, the file before it stays:\n{error}", EXIT_REFUSED) from error
    except OSError as error:
        raise VerbError(f"{error.filename or 'a file'} cannot be written or read: {error.strerror or error}") from error
    finally:
        if client is not None:
            client.close()
    for sentence in filter(None, (outcome.stale_because, *outcome.warnings)):
        print(f"note: {sentence}")
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in outcome.timings.seconds.items())
    if outcome.is_new:
        counts = outcome.row_counts
        print(
            f"Published {outcome.database.name}: {counts['fct_small_area']:,} figures of "
            f"{counts['dim_small_area']:,} small areas, {counts['meta_quarantine']:,} rows set aside."
        )
    else:
        print(f"Nothing new: {outcome.database.name} already holds these figures; it was left as it is.")
    print(f"The work took {outcome.timings.total:.1f} s ({steps}).")
    return EXIT_INCOMPLETE if outcome.stale_because else EXIT_OK
