"""File downloads as assets.publishing.service.gov.uk serves them (WIRE_FORMATS section 5)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.standin.exchange import Reply, Request

PREFIX = ""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# Path on the publisher's server to the file in deprivation/ that holds the same.
FILES = {
    "/media/5d8b3cfbe5274a08be69aa91/File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx": (
        "File_10_-_IoD2019_Local_Authority_District_Summaries__lower-tier__.xlsx"
    )
}


class FileService:
    """A path that is not there gets the publisher's 404; a file has an ETag, and 304 for who already has it."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "deprivation"

    def answer(self, request: Request) -> Reply:
        name = FILES.get(request.path)
        if name is None or not (self._folder / name).is_file():
            return Reply(404, b'{"_response_info":{"status":"not found"}}', {"content-type": "application/json"})
        content = (self._folder / name).read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if any(key.lower() == "if-none-match" and value == etag for key, value in request.headers.items()):
            return Reply(304, b"", {"etag": etag})
        media_type = "text/csv" if name.endswith(".csv") else XLSX
        return Reply(200, content, {"content-type": media_type, "etag": etag})
