"""Files of the indices of deprivation, as published by gov.uk and the other nations' sites.

Paths change when a file is reissued (WIRE_FORMATS section 5), so each file has its known addresses, newest first, and a
landing page for a person to look at if none answers. Recorded downloads under the right name have held a JSON "not
found" body, so every file is checked against its expected contents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.http.answers import complete_payload
from pipeline.http.bodies import fields_of, lines_of
from pipeline.http.payload import Incomplete, Payload, RequestRefused, WrongContent

if TYPE_CHECKING:
    from pipeline.http.client import HttpClient
    from pipeline.http.response import HttpResponse

COLLECTION = "https://www.gov.uk/government/collections/english-indices-of-deprivation"
FIRST_BYTES = {"xlsx": b"PK\x03\x04", "ods": b"PK\x03\x04", "xls": b"\xd0\xcf\x11\xe0"}
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xls": "application/vnd.ms-excel",
}


@dataclass(frozen=True)
class PublishedFile:
    """One file of a source in ``sources.yaml``: its addresses there (paths below the base URL), newest first.

    ``first_column`` and ``row_count`` are required of a CSV; a workbook's contents are checked by its parser.
    """

    source_id: str
    edition: str
    addresses: tuple[str, ...]
    form: Literal["csv", "xlsx", "ods", "xls"]
    landing_page: str = COLLECTION
    first_column: str = ""
    row_count: int | None = None


FILES: Mapping[str, PublishedFile] = {
    "iod2025_file_7": PublishedFile(
        source_id="govuk",
        edition="IoD2025 File 7: all ranks, scores, deciles and population denominators",
        addresses=(
            "media/691ded56d140bbbaa59a2a7d/File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv",
            "media/68ff5daabcb10f6bf9bef911/File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv",
        ),
        form="csv",
        first_column="LSOA code (2021)",
        row_count=33_755,
    ),
    "iod2025_file_10": PublishedFile(
        source_id="govuk",
        edition="IoD2025 File 10: local authority district summaries (lower tier)",
        addresses=(
            "media/6917412ebc34c86ce4e6e7fc/File_10_-_IoD2025_Local_Authority_District_Summaries__lower-tier__v2.xlsx",
            "media/68ff7e26d81972ecd2df5db1/File_10_-_IoD2025_Local_Authority_District_Summaries__lower-tier_.xlsx",
        ),
        form="xlsx",
    ),
    "iod2019_file_7": PublishedFile(
        source_id="govuk",
        edition="IoD2019 File 7: all scores, ranks, deciles and population denominators",
        addresses=(
            (
                "media/5dc407b440f0b6379a7acc8d/"
                "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv"
            ),
            (
                "government/uploads/system/uploads/attachment_data/file/845345/"
                "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv"
            ),
        ),
        form="csv",
        first_column="LSOA code (2011)",
        row_count=32_844,
    ),
    "iod2019_file_10": PublishedFile(
        source_id="govuk",
        edition="IoD2019 File 10: local authority district summaries (lower tier)",
        addresses=(
            "media/5d8b3cfbe5274a08be69aa91/File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx",
            (
                "government/uploads/system/uploads/attachment_data/file/833995/"
                "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"
            ),
        ),
        form="xlsx",
    ),
    "wimd2019": PublishedFile(
        source_id="gov_wales",
        edition="WIMD 2019: index and domain ranks by small area",
        addresses=(
            (
                "sites/default/files/statistics-and-research/2022-02/"
                "welsh-index-multiple-deprivation-2019-index-and-domain-ranks-by-small-area.ods"
            ),
            (
                "sites/default/files/statistics-and-research/2019-11/"
                "welsh-index-multiple-deprivation-2019-index-and-domain-ranks-by-small-area.ods"
            ),
        ),
        form="ods",
        landing_page="https://www.gov.wales/welsh-index-multiple-deprivation-full-index-update-ranks-2019",
    ),
    "wimd2025": PublishedFile(
        source_id="gov_wales",
        edition="WIMD 2025: index and domain ranks by small area",
        addresses=(
            "sites/default/files/statistics-and-research/2025-11/wimd-2025-index-and-domain-ranks-by-small-area.ods",
        ),
        form="ods",
        landing_page="https://www.gov.wales/welsh-index-multiple-deprivation-2025",
    ),
    "simd2020": PublishedFile(
        source_id="gov_scot",
        edition="SIMD 2020v2: indicators by data zone",
        addresses=(
            (
                "binaries/content/documents/govscot/publications/statistics/2020/01/"
                "scottish-index-of-multiple-deprivation-2020-indicator-data/documents/simd_2020_indicators/"
                "simd_2020_indicators/govscot%3Adocument/SIMD%2B2020v2%2B-%2Bindicators.xlsx"
            ),
        ),
        form="xlsx",
        landing_page="https://www.gov.scot/collections/scottish-index-of-multiple-deprivation-2020/",
    ),
    "nimdm2017": PublishedFile(
        source_id="nisra",
        edition="NIMDM 2017: results by super output area",
        addresses=(
            "files/nisra/publications/NIMDM17_SOAresults.xls",
            "sites/nisra.gov.uk/files/publications/NIMDM17_SOAresults.xls",
        ),
        form="xls",
        landing_page="https://www.nisra.gov.uk/publications/nimdm17-soa-level-results",
    ),
}
# The file with the small areas of an index, if it is not named after the index alone.
_FILE_OF_INDEX = {"iod2019": "iod2019_file_7", "iod2025": "iod2025_file_7"}


def file_of(index: str) -> str:
    """The id in FILES of the file from which an index's district figures are computed."""
    return _FILE_OF_INDEX.get(index, index)


def fetch(
    file_id: str, client: HttpClient, *, etag: str | None = None, last_modified: str | None = None
) -> Payload | None:
    """One file of FILES, as sent; None if ``etag`` or ``last_modified`` shows that it is the one already held.

    Several indicators use one file, so it is requested once in a run.

    Raises RequestRefused (moved: no address answers; or another error status), WrongContent (not the expected file),
    Incomplete (fewer rows than the edition has), HostUnreachable.
    """
    file = FILES[file_id]
    response = _first_answer(
        file, lambda address: client.get_once(file.source_id, address, etag=etag, last_modified=last_modified)
    )
    return None if response.not_modified else _payload(response, file)


def whereabouts(file_id: str, client: HttpClient) -> str:
    """The current address and size of a file of FILES, in words, without fetching it.

    Raises RequestRefused as ``fetch`` does, WrongContent for a web page in its place, HostUnreachable.
    """
    file = FILES[file_id]
    response = _first_answer(file, lambda address: client.get(file.source_id, address, without_body=True))
    if response.is_html:
        raise WrongContent(
            f"{file.edition}: a web page is at {response.url_without_secrets} now; see {file.landing_page}."
        )
    size, changed = (response.headers.get(name) for name in ("content-length", "last-modified"))
    how_large = f"{int(size):,} bytes" if size and size.isdecimal() else "a file of unknown size"
    return f"{how_large} at {response.url_without_secrets}{f', last changed {changed}' if changed else ''}"


def _first_answer(file: PublishedFile, ask: Callable[[str], HttpResponse]) -> HttpResponse:
    """The response from the first of a file's addresses that has one. Raises RequestRefused with the reason for each."""
    refused = []
    for address in file.addresses:
        try:
            response = ask(address)
        except RequestRefused as error:
            refused.append(str(error).rstrip("."))
            continue
        if response.status == 200 or response.not_modified:
            return response
        refused.append(f"status {response.status} from {response.url_without_secrets}")
    raise RequestRefused(
        f"{file.edition}: none of its {len(file.addresses)} known addresses answers ({'; '.join(refused)}). "
        f"Look for it at {file.landing_page}; if it has moved, add the new address to FILES."
    )


def _payload(response: HttpResponse, file: PublishedFile) -> Payload:
    return complete_payload(
        response,
        _checked_rows(response, file),
        media_type=MEDIA_TYPES[file.form],
        publisher_updated=response.headers.get("last-modified") or response.headers.get("etag"),
        edition=file.edition,
    )


def _checked_rows(response: HttpResponse, file: PublishedFile) -> int | None:
    """The number of rows of a CSV (None for a workbook), once its contents are known to be the expected ones."""
    content = response.content
    if file.form != "csv":
        if not content.startswith(FIRST_BYTES[file.form]):
            raise WrongContent(f"{file.edition}: expected a {file.form} workbook, got {response.message}.")
        return None
    if not content.strip() or response.is_html or content.lstrip()[:1] == b"{":
        raise WrongContent(f"{file.edition}: expected a CSV table, got {response.message}.")
    try:
        lines = lines_of(content)
    except UnicodeDecodeError as error:
        raise WrongContent(f"{file.edition}: bytes that are not UTF-8 at position {error.start}.") from None
    header = fields_of(lines)
    if not header or header[0].strip() != file.first_column:
        raise WrongContent(f"{file.edition}: expected the first column '{file.first_column}', got {header[:1]!r:.80}.")
    if len(fields_of(lines[-1:])) != len(header):
        raise Incomplete(f"{file.edition}: the last of {len(lines) - 1:,} rows is cut off.")
    if file.row_count is not None and len(lines) - 1 != file.row_count:
        raise Incomplete(f"{file.edition}: {len(lines) - 1:,} rows arrived where the edition has {file.row_count:,}.")
    return len(lines) - 1


def complete_file(file_id: str, client: HttpClient) -> Payload:
    """A file, requested unconditionally. Raises a SourceError."""
    payload = fetch(file_id, client)
    if payload is None:  # nothing was held, so no server may say that nothing has changed
        raise WrongContent(f"{FILES[file_id].edition}: answered 'not modified' to a first request.")
    return payload
