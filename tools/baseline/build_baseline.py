"""Write the figures that ship with the project, from a folder of the publishers' files.

The same files and the same pyarrow give the same bytes: rows are sorted, and nothing depends on the time of the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import __version__
from pipeline.catalogue import BaselineEntry, Catalogue
from pipeline.errors import PipelineError
from pipeline.publishers.baseline.parse import SCHEMA
from pipeline.publishers.baseline.shipped_figures import MANIFEST, ShippedFile
from pipeline.publishers.deprivation import district_measures as deprivation
from pipeline.publishers.ons_els import source_file as els_source
from pipeline.tidy import ashe
from pipeline.tidy.observations import Parsed, UnreadablePayload

MOST_BYTES = 4_000_000

INDEX_READERS: Mapping[str, Callable[..., deprivation.SmallAreas]] = {
    "england_2019": deprivation.england_2019,
    "england_2025": deprivation.england_2025,
    "wales_2019": deprivation.wales_2019,
    "scotland_2020": deprivation.scotland_2020,
    "northern_ireland_2017": deprivation.northern_ireland_2017,
}
_INCOME_MEASURES: Mapping[str, Callable[[deprivation.SmallAreas], Parsed]] = {
    "gap": deprivation.income_deprivation_gap,
    "concentration": deprivation.income_deprivation_concentration,
}


class BaselineBuildError(PipelineError):
    """The baseline cannot be built; the message names the entry, the file and what to do. Nothing was replaced."""


@dataclass(frozen=True)
class BuildReport:
    """What was written; ``set_aside`` has ``indicator, part, source_row, area_code, period, reason, raw_line``."""

    files: tuple[ShippedFile, ...]
    set_aside: pd.DataFrame

    @property
    def row_count(self) -> int:
        return sum(file.row_count for file in self.files)

    @property
    def byte_count(self) -> int:
        return sum(file.byte_count for file in self.files)


def build_baseline(source_dir: Path, out_dir: Path, catalogue: Catalogue) -> BuildReport:
    """Read every baseline entry of the catalogue from ``source_dir`` and write its figures to ``out_dir``.

    Writes one Parquet file a part and ``manifest.json``, and removes Parquet files that no entry names. Everything is
    read before anything is written. Each file is swapped in complete, the manifest last. Raises BaselineBuildError for
    a missing or unreadable file, for an entry without figures, or if all files together exceed 4 MB.
    """
    source = _Source(source_dir)
    written: dict[str, bytes] = {}
    files: list[ShippedFile] = []
    set_aside: list[pd.DataFrame] = []
    for entry in catalogue.baseline:
        where = f"baseline.yaml, entry '{entry.indicator}', part '{entry.part}'"
        try:
            parsed = source.parsed(entry)
        except (UnreadablePayload, OSError) as error:
            raise BaselineBuildError(f"{where}: {error}") from error
        except KeyError as error:
            raise BaselineBuildError(f"{where}, field 'select': {error} is missing or not known") from error
        if parsed.figures.empty:
            raise BaselineBuildError(f"{where}: {', '.join(entry.files)} gave no figures")
        content = parquet_bytes(parsed.figures, entry.indicator, entry.edition)
        sources = {name: source.sha256(name) for name in entry.files}
        file = _shipped_file(entry, parsed, content, sources)
        files.append(file)
        written[file.file] = content
        set_aside.append(parsed.set_aside.assign(indicator=entry.indicator, part=entry.part))
    report = BuildReport(tuple(files), _set_aside(set_aside))
    if report.byte_count > MOST_BYTES:
        raise BaselineBuildError(f"the baseline would be {report.byte_count:,} bytes; at most {MOST_BYTES:,} ship")
    _write(out_dir, {**written, MANIFEST: manifest_bytes(report.files)})
    return report


def parquet_bytes(figures: pd.DataFrame, indicator_id: str, edition: str) -> bytes:
    """Figures (PARSED_COLUMNS) as a Parquet file of SCHEMA, sorted by area and period; equal figures, equal bytes."""
    rows = figures.sort_values(["area_code", "period"]).assign(indicator_id=indicator_id, edition=edition)
    table = pa.Table.from_pandas(rows[SCHEMA.names], schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=19)
    return bytes(sink.getvalue().to_pybytes())


def manifest_bytes(files: tuple[ShippedFile, ...]) -> bytes:
    """The manifest as JSON: the versions that wrote it (no time) and one object a file, one field a line."""
    written_by = f"inclusive-growth-pipeline {__version__}, pyarrow {pa.__version__}"
    content = {"written_by": written_by, "files": [{**asdict(f), "published": f.published.isoformat()} for f in files]}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


class _Source:
    """The publishers' files in one folder, each read and parsed once however many entries use it."""

    def __init__(self, folder: Path) -> None:
        self.content = cache(lambda name: (folder / name).read_bytes())
        self.sha256 = cache(lambda name: hashlib.sha256(self.content(name)).hexdigest())
        self._ashe_table = cache(lambda name: ashe.read_table(self.content(name)))
        self._small_areas = cache(lambda index, names: INDEX_READERS[index](*(self.content(name) for name in names)))

    def parsed(self, entry: BaselineEntry) -> Parsed:
        match entry.reader:
            case "els_source":
                leave_out = tuple(entry.select.get("leave_out", "").split())
                return els_source.parse(self.content(entry.files[0]), entry.select["indicator"], leave_out)
            case "ashe_table_8":
                return self._ashe_years(entry)
            case "iod_average_score":
                return deprivation.average_score(self._small_areas(entry.select["map"], entry.files))
            case "income_deprivation":
                measure = _INCOME_MEASURES[entry.select["measure"]]
                return measure(self._small_areas(entry.select["map"], entry.files))

    def _ashe_years(self, entry: BaselineEntry) -> Parsed:
        """One table a year, put end to end; ``select.provisional`` lists the years that are so."""
        provisional = entry.select.get("provisional", "").split()
        tables = [self._ashe_table(name) for name in entry.files]
        years = [
            ashe.figures(table, entry.select["column"], is_provisional=str(table.year) in provisional)
            for table in tables
        ]
        return Parsed(
            figures=pd.concat([year.figures for year in years], ignore_index=True),
            set_aside=pd.concat([year.set_aside for year in years], ignore_index=True),
            rows_read=sum(year.rows_read for year in years),
            out_of_scope=sum(year.out_of_scope for year in years),
        )


def _shipped_file(entry: BaselineEntry, parsed: Parsed, content: bytes, sources: Mapping[str, str]) -> ShippedFile:
    return ShippedFile(
        file=f"{entry.indicator}.parquet" if entry.part == "main" else f"{entry.indicator}--{entry.part}.parquet",
        indicator=entry.indicator,
        part=entry.part,
        publisher=entry.publisher,
        edition=entry.edition,
        published=entry.published,
        licence=entry.licence,
        source_url=str(entry.source_url),
        source_files=sources,
        row_count=len(parsed.figures),
        rows_set_aside=len(parsed.set_aside),
        rows_out_of_scope=parsed.out_of_scope,
        first_period=parsed.figures["period"].min(),
        last_period=parsed.figures["period"].max(),
        byte_count=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _set_aside(frames: list[pd.DataFrame]) -> pd.DataFrame:
    columns = ["indicator", "part", "source_row", "area_code", "period", "reason", "raw_line"]
    return pd.concat(frames, ignore_index=True)[columns]


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder / f".{name}.new"
        beside.write_bytes(content)
        beside.replace(folder / name)
    for path in folder.glob("*.parquet"):
        if path.name not in files:
            path.unlink()
