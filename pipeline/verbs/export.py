"""`python -m pipeline export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import EXIT_OK, VerbError
from pipeline.verbs.common import Verbs, add_verb
from pipeline.verbs.releases import add_as_of, database_to_read

FORMATS = ("parquet", "csv", "datapackage", "excel", "all")

ABOUT = """Write the published file in formats that other tools read. The same file always gives the same bytes.

  python -m pipeline export                                         everything, to data/marts/export
  python -m pipeline export --format excel --area "Preston"         a workbook for one district
  python -m pipeline export --format excel --area "West Midlands Combined Authority"
  python -m pipeline export --format csv --tables fct_observation mart_score --out my_folder

parquet: one file per table. csv: one file per table, with CSVW metadata. datapackage: the same CSV files as a
Frictionless data package. excel: one workbook for people, for one place or all districts. See docs/exports.md.
"""


def add_to(verbs: Verbs) -> None:
    parser = add_verb(verbs, "export", "write Parquet, CSV, a data package and an Excel workbook", ABOUT, run)
    parser.add_argument("--format", choices=FORMATS, default="all", help="what to write (default: all)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write into (default: data/marts/export)")
    parser.add_argument("--tables", nargs="+", default=[], metavar="TABLE", help="only these tables or views")
    parser.add_argument(
        "--area", metavar="NAME", help="only one district, or a wider area or named group with its districts"
    )
    add_as_of(parser)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue import load_catalogue
    from pipeline.export import choose, export
    from pipeline.marts.declaration import declared_tables
    from pipeline.reading import published
    from pipeline.settings import settings_from_environment

    settings = settings_from_environment()
    folder = arguments.out or settings.marts_dir / "export"
    formats = FORMATS[:-1] if arguments.format == "all" else (arguments.format,)
    try:
        with database_to_read(settings, arguments.as_of) as database, published(database) as connection:
            declared = declared_tables(load_catalogue().indicators)
            choice = choose(connection, declared, names=arguments.tables, place=arguments.area)
            written = export(connection, choice, formats, folder)
    except OSError as error:
        raise VerbError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    size = sum(path.stat().st_size for path in written)
    print(f"Release {choice.version}: {len(written)} files, {size / 1e6:.1f} MB, written to {folder}")
    return EXIT_OK
