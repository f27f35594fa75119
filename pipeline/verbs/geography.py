"""`python -m pipeline geography`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_FAILED, EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Compare the project's register of areas with the Open Geography portal.

This fetches names, codes and lookups to region, county and combined authority from the newest service that answers. It
says which service that was, and prints every district that differs. It never changes the register: a person should look
at each difference. It exits with 0 if nothing differs, and with 1 if something does or a table is unavailable.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "geography", "compare the register of areas with ONS's portal; save boundaries", ABOUT, run
    )
    parser.add_argument(
        "--boundaries",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help="also save the districts' ultra-generalised boundaries (GeoJSON; default: beside the published file, where "
        "`report` looks for them)",
    )


def run(arguments: argparse.Namespace) -> int:
    from pipeline.atomic import write_atomically
    from pipeline.catalogue import load_catalogue
    from pipeline.geography import load_register
    from pipeline.http.client import HttpClient
    from pipeline.http.payload import SourceError
    from pipeline.publishers.open_geography import fetch as open_geography
    from pipeline.report.boundaries import FILE_NAME
    from pipeline.run.geography_check import differences
    from pipeline.settings import settings_from_environment

    register, wrong = load_register(), 0
    settings = settings_from_environment()
    if arguments.boundaries == Path():
        arguments.boundaries = settings.marts_dir / FILE_NAME
    with HttpClient(load_catalogue().sources, settings) as client:
        for table_id, table in open_geography.TABLES.items():
            if table.has_geometry and arguments.boundaries is None:
                continue
            what = table_id.replace("_", " ")
            try:
                payload = open_geography.fetch(table_id, client)
            except SourceError as error:
                wrong += 1
                print(f"{what}: {error}", flush=True)
                continue
            print(f"{what}: {payload.row_count} rows from {payload.edition}", flush=True)
            if table.has_geometry:
                try:
                    write_atomically(arguments.boundaries.resolve(), payload.content)
                except OSError as error:
                    raise VerbError(f"{arguments.boundaries} cannot be written: {error.strerror or error}") from error
                print(f"  saved to {arguments.boundaries}")
                continue
            found = differences(table_id, open_geography.records(payload.content), register)
            wrong += bool(found)
            print(*(f"  {sentence}" for sentence in found or ["as in the register"]), sep="\n", flush=True)
    return EXIT_FAILED if wrong else EXIT_OK
